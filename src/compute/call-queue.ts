/** Calls one after another, with bounds on how many wait and on what they hold. */
import { CodedError } from '../base/index.ts';
import { cancellation } from '../platform/index.ts';
import { maxQueuedBytes, maxQueuedCalls } from './limits.ts';

export interface QueueLimits {
  /** Calls waiting or running; default 64. */
  readonly maxCalls?: number | undefined;
  /** Bytes of input they hold together; default 512 MB. */
  readonly maxBytes?: number | undefined;
}

interface Entry {
  readonly bytes: number;
  start(): void;
}

export class CallQueue {
  readonly #maxCalls: number;
  readonly #maxBytes: number;
  #waiting: Entry[] = [];
  #running: Entry | undefined;

  constructor({ maxCalls = maxQueuedCalls, maxBytes = maxQueuedBytes }: QueueLimits = {}) {
    this.#maxCalls = maxCalls;
    this.#maxBytes = maxBytes;
  }

  /**
   * Runs `work` when all earlier calls have ended. A call whose signal aborts while it waits leaves at once.
   * Errors: `compute/queue-full` (retryable).
   */
  enter<T>(bytes: number, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    if (signal.aborted) return Promise.reject(cancellation(signal));
    const full = this.#refusal(bytes);
    if (full) return Promise.reject(full);
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.#waiting = this.#waiting.filter((other) => other !== entry);
        reject(cancellation(signal));
      };
      const entry: Entry = {
        bytes,
        start: () => {
          signal.removeEventListener('abort', leave);
          work()
            .then(resolve, reject)
            .finally(() => this.#next());
        },
      };
      signal.addEventListener('abort', leave, { once: true });
      this.#waiting.push(entry);
      if (!this.#running) this.#next();
    });
  }

  #next(): void {
    this.#running = this.#waiting.shift();
    this.#running?.start();
  }

  #refusal(bytes: number): CodedError | undefined {
    const held = this.#running ? [this.#running, ...this.#waiting] : this.#waiting;
    const heldBytes = held.reduce((sum, entry) => sum + entry.bytes, bytes);
    if (held.length < this.#maxCalls && heldBytes <= this.#maxBytes) return undefined;
    const [calls, maxCalls, maxBytes] = [held.length + 1, this.#maxCalls, this.#maxBytes];
    return new CodedError(
      'compute/queue-full',
      `${calls} calls with ${heldBytes} bytes for the compute worker, expected at most ${maxCalls} with ${maxBytes}`,
      { fields: { calls, maxCalls, bytes: heldBytes, maxBytes }, isRetryable: true },
    );
  }
}
