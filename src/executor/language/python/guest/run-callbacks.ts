/** What a run's event loop has yet to call. None of it outlives the run: a later one would pay for it with its time. */
import type { Clock } from '../../../../platform/index.ts';

/** A Python function that can be called once; dropped, it must be freed. */
export interface LoopCallback {
  (): unknown;
  destroy?(): void;
}

export interface RunCallbacksOptions {
  readonly clock: Clock;
  /** Calls back as soon as the worker has heard its messages. */
  readonly soon: (work: () => void) => void;
  /** Told what a callback threw. */
  readonly onThrow: (error: unknown) => void;
}

/** Shorter delays are none: the platform cannot keep them. */
const leastDelayMs = 2;

export class RunCallbacks {
  readonly #options: RunCallbacksOptions;
  readonly #timers = new Map<number, { readonly callback: LoopCallback; readonly cancel: () => void }>();
  #ready: LoopCallback[] = [];
  #next = 0;
  #lastTimer = 0;
  #isOpen = false;
  #isDue = false;

  constructor(options: RunCallbacksOptions) {
    this.#options = options;
  }

  /** A run begins. */
  open(): void {
    this.#isOpen = true;
  }

  /** The run is over: what waits is dropped, and what comes. */
  close(): void {
    this.#isOpen = false;
    this.drop();
  }

  /** What waits is dropped, in no more time than it takes to free it. */
  drop(): void {
    for (const { callback, cancel } of this.#timers.values()) {
      cancel();
      callback.destroy?.();
    }
    this.#timers.clear();
    for (const callback of this.#ready.slice(this.#next)) callback.destroy?.();
    this.#ready = [];
    this.#next = 0;
  }

  /** Calls `callback` after the delay, if the run lasts so long. The answer stops it. */
  schedule(callback: LoopCallback, delayMs: number): number {
    const timer = ++this.#lastTimer;
    if (!this.#isOpen) callback.destroy?.();
    else if (delayMs <= leastDelayMs) this.#enqueue(callback);
    else {
      const cancel = this.#options.clock.after(delayMs, () => {
        this.#timers.delete(timer);
        this.#call(callback);
      });
      this.#timers.set(timer, { callback, cancel });
    }
    return timer;
  }

  stop(timer: number): void {
    this.#timers.get(timer)?.cancel();
    this.#timers.delete(timer);
  }

  #enqueue(callback: LoopCallback): void {
    this.#ready.push(callback);
    this.#wake();
  }

  /** One callback for each turn of the worker: messages are heard in between. */
  #wake(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    this.#options.soon(() => this.#callNext());
  }

  #callNext(): void {
    this.#isDue = false;
    const callback = this.#ready[this.#next];
    if (!callback) return;
    this.#next += 1;
    if (this.#next === this.#ready.length) {
      this.#ready = [];
      this.#next = 0;
    } else this.#wake();
    this.#call(callback);
  }

  #call(callback: LoopCallback): void {
    try {
      const answer = callback();
      // where stacks can be put aside it is a promise
      if (answer instanceof Promise) answer.catch(this.#options.onThrow);
    } catch (error) {
      this.#options.onThrow(error);
    }
  }
}
