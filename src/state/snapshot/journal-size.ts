/** How large a journal is, without reading it each time. */

/** Entries, and their bytes. */
export interface Amount {
  readonly entries: number;
  readonly bytes: number;
}

const none: Amount = { entries: 0, bytes: 0 };

const sumOf = (a: Amount, b: Amount): Amount => ({
  entries: a.entries + b.entries,
  bytes: a.bytes + b.bytes,
});

/**
 * The bytes of a journal's entries: what was measured and what this realm wrote since is known, of what others wrote the mean is taken. So
 * it says when measuring is worth it, and what is dropped is decided by that alone.
 */
export class JournalSize {
  #known = none;
  /** Written since measuring began. */
  #since = none;

  startMeasuring(): void {
    this.#since = none;
  }

  /** @param amount of all entries that there were */
  finishMeasuring(amount: Amount): void {
    this.#known = sumOf(amount, this.#since);
  }

  /** Entries that this realm wrote. */
  add(amount: Amount): void {
    this.#known = sumOf(this.#known, amount);
    this.#since = sumOf(this.#since, amount);
  }

  /** Of a journal of so many entries. */
  bytesOf(count: number): number {
    const { entries, bytes } = this.#known;
    return bytes + (Math.max(0, count - entries) * bytes) / Math.max(1, entries);
  }
}
