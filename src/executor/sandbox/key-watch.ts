/**
 * Keys that a guest has chosen to fall into one place of a hash table make each new key cost a look at all before it: minutes for the keys of a
 * few megabytes. No engine salts the hashes of numbers, and nothing tells where a key falls. What tells is the time that keys take.
 */
import type { Clock } from '../../platform/index.ts';

/** Smaller tables cost nothing, however their keys fall. */
const leastKeys = 64;
/** The time is taken after so many. */
const chunkKeys = 1024;
/** Ten times what a key takes that falls where it should, on a machine ten times slower than ours. */
const slowKeyMs = 0.002;
/** A pause of the machine itself counts no more than this. */
const maxChunkMs = 50;
/** So long may the slow keys of one result, or of all calls of one run, take together. */
export const slowKeysMs = 500;

/** The keys of a guest's maps or sets fall into one place. */
export class KeysCollide extends Error {}

/** Puts keys into the maps and sets of one result, or of all calls of one run. */
export class KeyWatch {
  readonly #clock: Clock;
  #slowMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls `put` for each index below `count`; throws {@link KeysCollide} when that takes longer than it can. */
  putAll(count: number, put: (index: number) => void): void {
    if (count < leastKeys) {
      for (let index = 0; index < count; index += 1) put(index);
      return;
    }
    for (let start = 0; start < count; start += chunkKeys) {
      const end = Math.min(start + chunkKeys, count);
      const startMs = this.#clock.monotonic();
      for (let index = start; index < end; index += 1) put(index);
      this.#judge(end - start, this.#clock.monotonic() - startMs);
    }
  }

  #judge(keys: number, tookMs: number): void {
    if (tookMs <= keys * slowKeyMs) return;
    this.#slowMs += Math.min(tookMs, maxChunkMs);
    if (this.#slowMs > slowKeysMs) throw new KeysCollide('the keys of a map or a set fall into one place');
  }
}
