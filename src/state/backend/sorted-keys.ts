/** Encoded keys in order, for a store that has no engine to order them. */

/** Changes up to here are put in place one by one; more of them by one merge. */
const fewChanges = 32;

export class SortedKeys {
  #sorted: string[] = [];
  /** Not in `#sorted` yet. */
  readonly #added = new Set<string>();
  /** Still in `#sorted`. */
  readonly #removed = new Set<string>();

  /** A key that was not there. */
  add(key: string): void {
    if (!this.#removed.delete(key)) this.#added.add(key);
  }

  /** A key that was there. */
  remove(key: string): void {
    if (!this.#added.delete(key)) this.#removed.add(key);
  }

  clear(): void {
    this.#sorted = [];
    this.#added.clear();
    this.#removed.clear();
  }

  /** At most `limit` keys from `from` on, without `from` itself unless it is included, and below `below`. */
  range(from: string, isFromIncluded: boolean, below: string | undefined, limit: number): readonly string[] {
    this.#settle();
    let start = this.#placeOf(from);
    if (!isFromIncluded && this.#sorted[start] === from) start++;
    const end = below === undefined ? this.#sorted.length : this.#placeOf(below);
    return this.#sorted.slice(start, Math.min(end, start + limit));
  }

  /** Where `key` is, or would be. */
  #placeOf(key: string): number {
    let [low, high] = [0, this.#sorted.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#sorted[middle] as string) < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #settle(): void {
    const changes = this.#added.size + this.#removed.size;
    if (changes === 0) return;
    if (changes > fewChanges) this.#merge();
    else {
      for (const key of this.#removed) this.#sorted.splice(this.#placeOf(key), 1);
      for (const key of this.#added) this.#sorted.splice(this.#placeOf(key), 0, key);
    }
    this.#added.clear();
    this.#removed.clear();
  }

  #merge(): void {
    const added = [...this.#added].toSorted();
    const merged: string[] = [];
    let next = 0;
    for (const key of this.#sorted) {
      while (next < added.length && (added[next] as string) < key) merged.push(added[next++] as string);
      if (!this.#removed.has(key)) merged.push(key);
    }
    while (next < added.length) merged.push(added[next++] as string);
    this.#sorted = merged;
  }
}
