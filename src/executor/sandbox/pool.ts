/**
 * Interpreters started ahead. One that has seen guest code serves nobody else, unless its language can renew it: then what comes back is renewed
 * and kept for the next run of the same executor.
 */
import type { Sandbox } from './sandbox.ts';

/** Starts an interpreter; rejects when it cannot. */
export type OpenSandbox = () => Promise<Sandbox>;

export class SandboxPool {
  readonly #open: OpenSandbox;
  readonly #size: number;
  readonly #warm: Promise<Sandbox>[] = [];
  /** In order of call: who waits for an interpreter that starts, and would take another one. */
  readonly #takers = new Set<(sandbox: Sandbox) => void>();
  #isDisposed = false;

  readonly #kept: number;

  /**
   * @param size how many are started ahead
   * @param kept how many that came back may wait, beside those; only for a language that is `isRenewable`
   */
  constructor(open: OpenSandbox, size: number, kept: number = 0) {
    this.#open = open;
    this.#size = size;
    this.#kept = kept;
    this.#refill();
  }

  /**
   * A fresh interpreter: a waiting one, one that is starting, or a new one. A dead one is passed over. Resolves with `undefined` as soon as
   * `signal` aborts; what was being started waits for whoever comes next.
   */
  acquire(): Promise<Sandbox>;
  acquire(signal: AbortSignal | undefined): Promise<Sandbox | undefined>;
  acquire(signal?: AbortSignal): Promise<Sandbox | undefined> {
    if (signal?.aborted) return Promise.resolve(undefined);
    const taking = this.#take();
    if (!signal) return taking;
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        this.#giveBack(taking);
        resolve(undefined);
      };
      signal.addEventListener('abort', onAbort, { once: true });
      const settle = (): void => signal.removeEventListener('abort', onAbort);
      taking.finally(settle).then(resolve, reject);
    });
  }

  async #take(): Promise<Sandbox> {
    for (;;) {
      const waiting = this.#warm.shift();
      // when the one that waited has failed meanwhile, a new try may find things mended
      const sandbox = await this.#orReleased(waiting?.catch(() => this.#open()) ?? this.#open());
      if (!(await sandbox.isReachable())) continue;
      this.#refill();
      return sandbox;
    }
  }

  /** Whoever waits for a start need not wait for it when another one comes back first: those who came later would overtake it. */
  #orReleased(starting: Promise<Sandbox>): Promise<Sandbox> {
    if (this.#kept === 0) return starting;
    return new Promise((resolve, reject) => {
      const take = (sandbox: Sandbox): void => {
        this.#giveBack(starting);
        resolve(sandbox);
      };
      this.#takers.add(take);
      // heard only by who has taken no other one
      starting.finally(() => this.#takers.delete(take)).then(resolve, reject);
    });
  }

  /** Takes one back whose run has ended. */
  release(sandbox: Sandbox): void {
    const hasRoom = !this.#isDisposed && this.#warm.length < this.#size + this.#kept;
    if (this.#kept === 0 || !hasRoom || !sandbox.isAlive) return sandbox.kill('used');
    sandbox.renew();
    const [taker] = this.#takers;
    if (!taker) return void this.#warm.unshift(Promise.resolve(sandbox));
    this.#takers.delete(taker);
    taker(sandbox);
  }

  /** Ends those that wait; whoever has one keeps it. */
  dispose(): void {
    this.#isDisposed = true;
    for (const waiting of this.#warm.splice(0)) {
      waiting.then(
        (sandbox) => sandbox.kill('disposed'),
        () => undefined,
      );
    }
  }

  /** It stays in the row while it starts, so that aborting again and again starts no more; then only the usual number is kept. */
  #giveBack(taking: Promise<Sandbox>): void {
    this.#warm.unshift(taking);
    taking.then(
      (sandbox) => {
        const index = this.#warm.indexOf(taking);
        const isSpare = index !== -1 && this.#warm.length > this.#size + this.#kept;
        if (isSpare) void this.#warm.splice(index, 1);
        if (isSpare || this.#isDisposed) sandbox.kill('cancelled');
      },
      // told to whoever takes it
      () => undefined,
    );
  }

  #refill(): void {
    while (!this.#isDisposed && this.#warm.length < this.#size) {
      const opening = this.#open();
      // told to whoever takes it
      opening.catch(() => undefined);
      this.#warm.push(opening);
    }
  }
}
