/** What language models were asked by each module and by the modules inside it. Copies of a module start without. */
import type { LmHistoryEntry } from '../lm/index.ts';
import { programLimits } from './limits.ts';
import { sizeOf } from './parameter-value.ts';

class BoundedHistory {
  readonly entries: LmHistoryEntry[] = [];
  readonly #sizes: number[] = [];
  #sizeBytes = 0;

  add(entry: LmHistoryEntry, sizeBytes: number, capacity: number): void {
    this.entries.push(entry);
    this.#sizes.push(sizeBytes);
    this.#sizeBytes += sizeBytes;
    while (this.entries.length > capacity || this.#sizeBytes > programLimits.lmHistoryBytes) {
      this.entries.shift();
      this.#sizeBytes -= this.#sizes.shift() ?? 0;
    }
  }
}

// made for those modules only that ask something
const histories = new WeakMap<object, BoundedHistory>();

/** Oldest first. */
export function lmHistoryOf(module: object): readonly LmHistoryEntry[] {
  return histories.get(module)?.entries ?? [];
}

/**
 * Notes a call for each module that was running around it.
 * @param capacity entries that each of them keeps
 * @returns false when the entry is larger than the bound and was not kept
 */
export function noteLmCall(modules: Iterable<object>, entry: LmHistoryEntry, capacity: number): boolean {
  if (capacity <= 0) return true;
  const sizeBytes = sizeOf(entry);
  if (sizeBytes > programLimits.lmHistoryBytes) return false;
  for (const module of new Set(modules)) {
    const history = histories.get(module) ?? new BoundedHistory();
    histories.set(module, history);
    history.add(entry, sizeBytes, capacity);
  }
  return true;
}
