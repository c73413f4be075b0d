/** Keeps the editor's text in the store, so that a reload brings it back. */
import { CodedError } from '../../base/index.ts';
import { systemClock } from '../../platform/index.ts';
import type { Clock } from '../../platform/index.ts';
import type { Store } from '../../state/index.ts';
import { maxSourceLength } from './compile-edit.ts';
import { sourceKey } from './kept-keys.ts';

/** From a key stroke to the write that holds it: not every stroke is worth a transaction. */
const keepDelayMs = 300;

export interface SourceKeeperOptions {
  readonly store: Store;
  /** Hears of each write: undefined when the text is kept, else why it is not. */
  readonly onWrite: (failure: unknown) => void;
  readonly clock?: Clock;
}

/** One write at a time; what was typed meanwhile is in the next. */
export class SourceKeeper {
  readonly #store: Store;
  readonly #onWrite: (failure: unknown) => void;
  readonly #clock: Clock;
  #kept: string | undefined;
  #wanted: string | undefined;
  #isDue = false;

  constructor({ store, onWrite, clock = systemClock }: SourceKeeperOptions) {
    this.#store = store;
    this.#onWrite = onWrite;
    this.#clock = clock;
  }

  /** The text of an earlier page, if there is one. @throws as `Store.get` */
  async load(): Promise<string | undefined> {
    const entry = await this.#store.get(sourceKey);
    const text = entry?.value;
    this.#kept = typeof text === 'string' && text.length <= maxSourceLength ? text : undefined;
    return this.#kept;
  }

  /** Undefined: nothing is to be kept. A text that is too long is not kept; the one before stays. */
  keep(text: string | undefined): void {
    this.#wanted = text;
    if (this.#isDue || text === this.#kept) return;
    this.#isDue = true;
    this.#clock.after(keepDelayMs, () => void this.#write());
  }

  async #write(): Promise<void> {
    const text = this.#wanted;
    try {
      if (text !== undefined) requireLength(text);
      const change =
        text === undefined ? ({ type: 'delete' } as const) : ({ type: 'put', value: text } as const);
      await this.#store.commit([{ ...change, key: sourceKey }], { durability: 'relaxed' });
      this.#kept = text;
      this.#onWrite(undefined);
    } catch (error) {
      this.#onWrite(error);
    } finally {
      this.#isDue = false;
      if (this.#wanted !== text) this.keep(this.#wanted);
    }
  }
}

/** @throws `app/module-too-long` */
function requireLength(text: string): void {
  if (text.length <= maxSourceLength) return;
  throw new CodedError(
    'app/module-too-long',
    `The source has ${text.length} characters; at most ${maxSourceLength} are kept over a reload.`,
    { fields: { length: text.length, limit: maxSourceLength } },
  );
}
