// Chance that a seed repeats, in the page and in Node alike.

/** 32 bits that depend on every character of the text: FNV-1a. @param {string} text */
export function hashOf(text) {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash >>> 0;
}

/** Marsaglia's xorshift with 32 bits of state. */
export class SeededRandom {
  #state;

  /** @param {string} seed */
  constructor(seed) {
    this.#state = hashOf(seed) || 1;
    for (let at = 0; at < 8; at++) this.next();
  }

  /** From 0 to less than 1. */
  next() {
    let state = this.#state;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.#state = state;
    return (state >>> 0) / 2 ** 32;
  }

  /** A whole number from 0 to less than `below`. @param {number} below */
  below(below) {
    return Math.floor(this.next() * below);
  }

  /** @param {number} share from 0 to 1 */
  isHit(share) {
    return this.next() < share;
  }

  /** @template T @param {readonly T[]} list @returns {T} */
  of(list) {
    return list[this.below(list.length)];
  }

  /** A name, as often as its weight says. @param {Record<string, number>} weights */
  weighted(weights) {
    const entries = Object.entries(weights);
    let left = this.next() * entries.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [name, weight] of entries) {
      left -= weight;
      if (left < 0) return name;
    }
    return entries[0][0];
  }
}
