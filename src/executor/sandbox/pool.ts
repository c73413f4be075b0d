/** Interpreters started ahead. Each is handed out once: one that has seen guest code never serves anybody else. */
import type { Sandbox } from './sandbox.ts';

/** Starts an interpreter; rejects when it cannot. */
export type OpenSandbox = () => Promise<Sandbox>;

export class SandboxPool {
  readonly #open: OpenSandbox;
  readonly #size: number;
  readonly #warm: Promise<Sandbox>[] = [];
  #isDisposed = false;

  constructor(open: OpenSandbox, size: number) {
    this.#open = open;
    this.#size = size;
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
      const sandbox = await (waiting?.catch(() => this.#open()) ?? this.#open());
      if (!(await sandbox.isReachable())) continue;
      this.#refill();
      return sandbox;
    }
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
        const isSpare = index !== -1 && this.#warm.length > this.#size;
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
