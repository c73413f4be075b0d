/**
 * The memory of an interpreter in which the harness has run and nothing else. Reading and running the harness's text takes longer than all else
 * that makes an interpreter; the same steps leave the same memory, so it is done once, and what it has changed is written into each new one.
 */

/** Of words of four bytes. */
const pageWords = 1024;
/** Two that were made alike differ in the seed of their random numbers, and in little else. */
const maxOwnWords = 64;

/** One interpreter, before and after it has run the harness; up to the last word that is not zero. */
export interface Reference {
  readonly before: Uint32Array;
  readonly after: Uint32Array;
}

/** What memory holds, without the zeros at its end. */
export function copyMemory(memory: WebAssembly.Memory): Uint32Array {
  const words = new Uint32Array(memory.buffer);
  let end = words.length;
  while (end > 0 && words[end - 1] === 0) end -= 1;
  return words.slice(0, end);
}

export class InterpreterImage {
  /** By their first word. */
  readonly #pages: ReadonlyMap<number, Uint32Array>;
  /** Words in which interpreters differ that were made alike; each keeps its own. */
  readonly #own: readonly number[];

  private constructor(pages: ReadonlyMap<number, Uint32Array>, own: readonly number[]) {
    this.#pages = pages;
    this.#own = own;
  }

  /** `undefined` when the two are not alike, or so alike that not even their seeds differ. */
  static of(one: Reference, other: Reference): InterpreterImage | undefined {
    const own = new Set([...differences(one.before, other.before), ...differences(one.after, other.after)]);
    if (own.size === 0 || own.size > maxOwnWords) return undefined;
    // a seed has two words, of which the upper one may be the same for an hour
    const pairs = new Set([...own].flatMap((at) => [at - (at % 2), at - (at % 2) + 1]));
    const pages = new Map<number, Uint32Array>();
    for (const at of differences(one.before, one.after, Infinity)) {
      const first = at - (at % pageWords);
      if (pages.has(first)) continue;
      const page = new Uint32Array(pageWords);
      page.set(one.after.subarray(first, first + pageWords));
      pages.set(first, page);
    }
    return new InterpreterImage(pages, [...pairs]);
  }

  /** Into the memory of one that is as the references were before; at its start it is as large as theirs. */
  write(memory: WebAssembly.Memory): void {
    const words = new Uint32Array(memory.buffer);
    const kept = this.#own.map((at) => words[at] as number);
    for (const [at, page] of this.#pages) words.set(page, at);
    for (const [index, at] of this.#own.entries()) words[at] = kept[index] as number;
  }
}

function differences(one: Uint32Array, other: Uint32Array, most: number = maxOwnWords): readonly number[] {
  const found: number[] = [];
  const length = Math.max(one.length, other.length);
  for (let at = 0; at < length && found.length <= most; at += 1) {
    if ((one[at] ?? 0) !== (other[at] ?? 0)) found.push(at);
  }
  return found;
}
