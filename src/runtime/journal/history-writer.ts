/**
 * Writes histories a little later, many changes at once. What a write acknowledges is the value; its history must not make it
 * wait. A browser that is killed may lose the entries of the last moments, never a value.
 */
import type { Clock } from '../../platform/index.ts';

export interface HistoryWriterOptions {
  readonly clock: Clock;
  /** Time from the first change to the write. */
  readonly delayMs: number;
  readonly write: (names: readonly string[]) => Promise<void>;
  /** Nobody waits for a history, so a failure has only this route. */
  readonly onFailure: (error: unknown) => void;
}

export class HistoryWriter {
  readonly #options: HistoryWriterOptions;
  readonly #names = new Set<string>();
  #cancelTimer: (() => void) | undefined;

  constructor(options: HistoryWriterOptions) {
    this.#options = options;
  }

  /** Something is not written yet. */
  get isBehind(): boolean {
    return this.#names.size > 0;
  }

  /** The history of `name` has grown. */
  touch(name: string): void {
    this.#names.add(name);
    this.#cancelTimer ??= this.#options.clock.after(this.#options.delayMs, () => void this.flush());
  }

  /** Writes what is not written yet. Resolves when it is, or when its failure was reported. */
  async flush(): Promise<void> {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    const names = [...this.#names];
    this.#names.clear();
    if (names.length === 0) return;
    try {
      await this.#options.write(names);
    } catch (error) {
      this.#options.onFailure(error);
    }
  }
}
