/**
 * Files whose values were replaced. A loss of power may undo relaxed commits, and then what they replaced is referred to again: it is
 * removed when a strict transaction has made sure of them.
 */
import type { Clock } from '../../platform/index.ts';

export interface ReplacedFilesOptions {
  readonly clock: Clock;
  /** Of some files those that no record refers to. */
  readonly unreferenced: (files: readonly string[]) => Promise<readonly string[]>;
  /** Resolves when whatever was committed before outlives a loss of power. */
  readonly flush: () => Promise<void>;
  /** What cannot be removed is left to a later sweep. */
  readonly remove: (files: readonly string[]) => Promise<void>;
  /** Hears of work behind the commits. */
  readonly track: (work: Promise<unknown>) => void;
}

/** How long files wait for a strict commit to come by; then one is made for them. */
const waitMs = 1000;
/** So many do not wait any longer: they use up room. */
const maxWaiting = 16;

export class ReplacedFiles {
  readonly #options: ReplacedFilesOptions;
  #waiting: readonly string[] = [];
  #cancelTimer: (() => void) | undefined;

  constructor(options: ReplacedFilesOptions) {
    this.#options = options;
  }

  /** Files of relaxed commits that are complete, for a strict one that begins now: they go with it, or come back. */
  take(): readonly string[] {
    const taken = this.#waiting;
    this.#waiting = [];
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    return taken;
  }

  /** A relaxed commit replaced these. */
  leave(files: readonly string[]): void {
    if (files.length === 0) return;
    this.#waiting = [...this.#waiting, ...files];
    if (this.#waiting.length >= maxWaiting) return this.removeWaiting();
    this.#cancelTimer ??= this.#options.clock.after(waitMs, () => this.removeWaiting());
  }

  /** With a strict transaction of their own. */
  removeWaiting(): void {
    const files = this.take();
    if (files.length === 0) return;
    const { flush, track } = this.#options;
    const removing = flush().then(
      () => this.#removeUnreferenced(files),
      // until there is one more
      () => void (this.#waiting = [...files, ...this.#waiting]),
    );
    track(removing.catch(() => undefined));
  }

  /** A strict commit made sure that nothing comes back that refers to these, or nothing ever referred to them. */
  remove(files: readonly string[]): void {
    if (files.length === 0) return;
    // what is not removed now is swept later
    this.#options.track(this.#removeUnreferenced(files).catch(() => undefined));
  }

  async #removeUnreferenced(files: readonly string[]): Promise<void> {
    const { unreferenced, remove } = this.#options;
    await remove(await unreferenced(files));
  }
}
