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

  /** A fresh interpreter: a waiting one, one that is starting, or a new one. A dead one is passed over. */
  async acquire(): Promise<Sandbox> {
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

  #refill(): void {
    while (!this.#isDisposed && this.#warm.length < this.#size) {
      const opening = this.#open();
      // told to whoever takes it
      opening.catch(() => undefined);
      this.#warm.push(opening);
    }
  }
}
