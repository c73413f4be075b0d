/** What a parameter was, and why it changed: bounded in entries and in bytes, oldest forgotten first. */
import { isPlainObject } from './kind.ts';
import { programLimits } from './limits.ts';
import { isStorable, sizeOf } from './parameter-value.ts';

export interface ParameterUpdate<T = unknown> {
  /** Absent when old and new value together are larger than the byte bound. */
  readonly oldValue?: T;
  readonly newValue?: T;
  /** Wall-clock milliseconds since 1970. */
  readonly atMs: number;
  /** Why: `set`, `gradient`, `load`, or what the caller said. */
  readonly cause: string;
}

/** Whether an entry of a saved history can be taken over. */
export function isParameterUpdate(value: unknown): value is ParameterUpdate {
  if (!isPlainObject(value) || typeof value.atMs !== 'number' || typeof value.cause !== 'string')
    return false;
  return [value.oldValue, value.newValue].every((item) => item === undefined || isStorable(item));
}

export class ParameterHistory<T> {
  readonly #maxEntries: number;
  readonly #maxBytes: number;
  #entries: { readonly update: ParameterUpdate<T>; readonly sizeBytes: number }[] = [];
  #sizeBytes = 0;

  constructor(
    maxEntries: number = programLimits.historyEntries,
    maxBytes: number = programLimits.historyBytes,
  ) {
    this.#maxEntries = maxEntries;
    this.#maxBytes = maxBytes;
  }

  get updates(): readonly ParameterUpdate<T>[] {
    return this.#entries.map((entry) => entry.update);
  }

  get maxEntries(): number {
    return this.#maxEntries;
  }

  get maxBytes(): number {
    return this.#maxBytes;
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  add(update: ParameterUpdate<T>): void {
    const valueBytes = sizeOf(update.oldValue) + sizeOf(update.newValue);
    const isTooLarge = valueBytes > this.#maxBytes;
    const { atMs, cause } = update;
    this.#append(isTooLarge ? { atMs, cause } : update, isTooLarge ? 0 : valueBytes);
  }

  replace(updates: readonly ParameterUpdate<T>[]): void {
    this.#entries = [];
    this.#sizeBytes = 0;
    for (const update of updates) this.add(update);
  }

  #append(update: ParameterUpdate<T>, valueBytes: number): void {
    const sizeBytes = valueBytes + 8 + 2 * update.cause.length;
    this.#entries.push({ update, sizeBytes });
    this.#sizeBytes += sizeBytes;
    while (
      this.#entries.length > this.#maxEntries ||
      (this.#sizeBytes > this.#maxBytes && this.#entries.length > 1)
    ) {
      this.#sizeBytes -= this.#entries.shift()?.sizeBytes ?? 0;
    }
  }
}
