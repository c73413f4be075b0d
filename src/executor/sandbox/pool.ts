/**
 * Interpreters started ahead. One that has seen guest code serves nobody else, unless its language can renew it: then what comes back is renewed
 * and kept for the next run of the same executor. Whoever asked first gets the first that is there, whatever it was started for.
 */
import type { Sandbox } from './sandbox.ts';

/** Starts an interpreter; rejects when it cannot. */
export type OpenSandbox = () => Promise<Sandbox>;

/** Somebody who waits for an interpreter. */
interface Taker {
  /** In order of call. */
  readonly place: number;
  readonly take: (sandbox: Sandbox) => void;
  readonly fail: (error: unknown) => void;
  /** A start has been begun since it came. Before that no failure is told to it: things may have mended. */
  hasStart: boolean;
  isGone: boolean;
}

export class SandboxPool {
  readonly #open: OpenSandbox;
  readonly #size: number;
  readonly #kept: number;
  /** Nobody waits while there are some. */
  readonly #ready: Sandbox[] = [];
  /** In order of call. */
  readonly #takers: Taker[] = [];
  #starting = 0;
  #calls = 0;
  #isDisposed = false;

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
   * A fresh interpreter: a waiting one, or the first that has started or comes back, in order of call. A dead one is passed over. Resolves with
   * `undefined` as soon as `signal` aborts; what was being started waits for whoever comes next.
   */
  acquire(): Promise<Sandbox>;
  acquire(signal: AbortSignal | undefined): Promise<Sandbox | undefined>;
  acquire(signal?: AbortSignal): Promise<Sandbox | undefined> {
    if (signal?.aborted) return Promise.resolve(undefined);
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        this.#leave(taker);
        resolve(undefined);
      };
      const settle = (): void => signal?.removeEventListener('abort', onAbort);
      const taker: Taker = {
        place: ++this.#calls,
        take: (sandbox) => (settle(), resolve(sandbox)),
        fail: (error) => (settle(), reject(error as Error)),
        hasStart: false,
        isGone: false,
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#takers.push(taker);
      this.#serve();
    });
  }

  /** Takes one back whose run has ended. */
  release(sandbox: Sandbox): void {
    const isWanted = this.#takers.length > 0 || this.#spare < this.#size + this.#kept;
    if (this.#kept === 0 || this.#isDisposed || !isWanted || !sandbox.isAlive) return sandbox.kill('used');
    sandbox.renew();
    this.#ready.unshift(sandbox);
    this.#serve();
  }

  /** Ends those that wait; whoever has one keeps it. */
  dispose(): void {
    this.#isDisposed = true;
    for (const sandbox of this.#ready.splice(0)) sandbox.kill('disposed');
  }

  /** Those that nobody waits for, ready or starting. */
  get #spare(): number {
    return this.#ready.length + this.#starting - this.#takers.length;
  }

  #serve(): void {
    while (this.#takers.length > 0 && this.#ready.length > 0)
      void this.#handOver(this.#takers.shift() as Taker, this.#ready.shift() as Sandbox);
    while (this.#starting < this.#takers.length) {
      const taker = this.#takers.find(({ hasStart }) => !hasStart);
      if (taker) taker.hasStart = true;
      this.#start();
    }
  }

  async #handOver(taker: Taker, sandbox: Sandbox): Promise<void> {
    const isReachable = await sandbox.isReachable();
    if (taker.isGone) {
      if (isReachable) this.#put(sandbox);
    } else if (isReachable) {
      taker.take(sandbox);
      this.#refill();
    } else {
      // back to its place: those behind it have come later
      const behind = this.#takers.findIndex(({ place }) => place > taker.place);
      this.#takers.splice(behind === -1 ? this.#takers.length : behind, 0, taker);
      this.#serve();
    }
  }

  #start(): void {
    this.#starting += 1;
    this.#open().then(
      (sandbox) => {
        this.#starting -= 1;
        this.#put(sandbox);
      },
      (error: unknown) => {
        this.#starting -= 1;
        this.#missStart(error);
      },
    );
  }

  /** Aborting again and again starts no more, because what starts waits for the next one; of what is there only the usual number is kept. */
  #put(sandbox: Sandbox): void {
    if (this.#takers.length === 0 && this.#isDisposed) return sandbox.kill('disposed');
    if (this.#takers.length === 0 && this.#spare >= this.#size + this.#kept) return sandbox.kill('cancelled');
    this.#ready.push(sandbox);
    this.#serve();
  }

  /** What nobody waits for is tried again when somebody comes. */
  #missStart(error: unknown): void {
    if (this.#starting >= this.#takers.length) return;
    const isTriedAgain = !this.#isDisposed && this.#takers.some(({ hasStart }) => !hasStart);
    if (isTriedAgain) this.#serve();
    else this.#takers.shift()?.fail(error);
  }

  #leave(taker: Taker): void {
    taker.isGone = true;
    const at = this.#takers.indexOf(taker);
    if (at !== -1) this.#takers.splice(at, 1);
  }

  #refill(): void {
    while (!this.#isDisposed && this.#spare < this.#size) this.#start();
  }
}
