/** Something that is loaded once for everybody who waits for it. */
import { withDeadline } from '../../../../platform/index.ts';
import type { Clock } from '../../../../platform/index.ts';

/** Goes on for as long as somebody waits: no caller's signal ends it for the others. */
export class SharedLoad<T> {
  readonly #clock: Clock;
  readonly #ending = new AbortController();
  readonly #result: Promise<T>;
  #waiting = 0;

  /** @param load begins at once; its signal aborts when nobody waits any more */
  constructor(load: (signal: AbortSignal) => Promise<T>, clock: Clock) {
    this.#clock = clock;
    this.#result = load(this.#ending.signal);
    // told to those who wait
    this.#result.catch(() => undefined);
  }

  /** Everybody has left, with a result or without: whoever comes now needs a load of their own. */
  get isOver(): boolean {
    return this.#ending.signal.aborted;
  }

  /** Rejects as the load does, or as soon as `signal` says. */
  async wait(signal: AbortSignal): Promise<T> {
    this.#waiting += 1;
    try {
      return await withDeadline(this.#clock, { signal }, () => this.#result);
    } finally {
      this.#waiting -= 1;
      if (this.#waiting === 0) this.#ending.abort();
    }
  }
}
