/**
 * Python's `random.Random(seed)`, number for number, so that what an optimizer draws is what DSPy draws. Never for secrets.
 * MT19937 by Makoto Matsumoto and Takuji Nishimura ("Mersenne Twister", ACM TOMACS 8, 1998), seeded by their `init_by_array`;
 * the derived draws follow the documented behaviour of CPython 3.11's `random` module.
 */
import { CodedError } from '../base/index.ts';

const stateWords = 624;
const middleWord = 397;

export class PythonRandom {
  readonly #state: Uint32Array<ArrayBuffer>;
  #next = stateWords;

  /** @param seed an integer of at most 2^53 either way; its sign does not matter, as in Python. @throws `optimize/option-invalid` */
  constructor(seed: number) {
    if (!Number.isSafeInteger(seed)) throw invalid('seed', seed, 'an integer of at most 2^53');
    const size = Math.abs(seed);
    const [low, high] = [size >>> 0, Math.floor(size / 2 ** 32)];
    this.#state = stateFromKey(high === 0 ? [low] : [low, high]);
  }

  /** Uniform in [0, 1), 53 bits: `random()`. */
  random(): number {
    const [high, low] = [this.#word() >>> 5, this.#word() >>> 6];
    return (high * 2 ** 26 + low) / 2 ** 53;
  }

  /** Uniform in 0 … limit − 1: `randrange(limit)`. @throws `optimize/option-invalid` */
  below(limit: number): number {
    if (!Number.isSafeInteger(limit) || limit < 1) throw invalid('limit', limit, 'an integer of at least 1');
    const bits = bitLength(limit);
    let drawn = this.#bits(bits);
    while (drawn >= limit) drawn = this.#bits(bits);
    return drawn;
  }

  /** One of the items: `choice(items)`. @throws `optimize/option-invalid` when there is none */
  choice<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T;
  }

  /** Puts the items into a random order, in place: `shuffle(items)`. */
  shuffle(items: unknown[]): void {
    for (let last = items.length - 1; last > 0; last -= 1) {
      const other = this.below(last + 1);
      [items[last], items[other]] = [items[other], items[last]];
    }
  }

  /** `count` different places of the list, in the order drawn: `sample(items, count)`. @throws `optimize/option-invalid` */
  sample<T>(items: readonly T[], count: number): T[] {
    const { length } = items;
    if (!Number.isSafeInteger(count) || count < 0 || count > length) {
      throw invalid('count', count, `an integer from 0 to ${length}`);
    }
    return length <= poolBound(count) ? this.#sampleFromPool(items, count) : this.#sampleApart(items, count);
  }

  #sampleFromPool<T>(items: readonly T[], count: number): T[] {
    const pool = [...items];
    return Array.from({ length: count }, (_, taken) => {
      const at = this.below(pool.length - taken);
      const item = pool[at] as T;
      // what was not taken fills the gap
      pool[at] = pool[pool.length - taken - 1] as T;
      return item;
    });
  }

  #sampleApart<T>(items: readonly T[], count: number): T[] {
    const taken = new Set<number>();
    while (taken.size < count) {
      let at = this.below(items.length);
      while (taken.has(at)) at = this.below(items.length);
      taken.add(at);
    }
    return [...taken].map((at) => items[at] as T);
  }

  /** `getrandbits(count)` for 1 to 53 bits: whole words first, lowest first, then the top bits of one more. */
  #bits(count: number): number {
    if (count <= 32) return this.#word() >>> (32 - count);
    const low = this.#word();
    return (this.#word() >>> (64 - count)) * 2 ** 32 + low;
  }

  #word(): number {
    if (this.#next >= stateWords) {
      twist(this.#state);
      this.#next = 0;
    }
    let word = this.#state[this.#next++] as number;
    word ^= word >>> 11;
    word ^= (word << 7) & 0x9d2c5680;
    word ^= (word << 15) & 0xefc60000;
    return (word ^ (word >>> 18)) >>> 0;
  }
}

/** Up to here Python copies the list; above it remembers what was taken, which needs less memory. */
function poolBound(count: number): number {
  let bound = 21;
  if (count <= 5) return bound;
  let power = 1;
  while (power < 3 * count) power *= 4;
  bound += power;
  return bound;
}

function bitLength(value: number): number {
  return value < 2 ** 32 ? 32 - Math.clz32(value) : 64 - Math.clz32(Math.floor(value / 2 ** 32));
}

function stateFromKey(key: readonly number[]): Uint32Array<ArrayBuffer> {
  const state = stateFromWord(19_650_218);
  let at = 1;
  const step = (factor: number, added: number): void => {
    const before = state[at - 1] as number;
    state[at] = ((state[at] as number) ^ Math.imul(before ^ (before >>> 30), factor)) + added;
    if (++at < stateWords) return;
    state[0] = state[stateWords - 1] as number;
    at = 1;
  };
  for (let round = 0; round < stateWords; round += 1) {
    const place = round % key.length;
    step(1_664_525, (key[place] as number) + place);
  }
  for (let round = 1; round < stateWords; round += 1) step(1_566_083_941, -at);
  state[0] = 0x80000000;
  return state;
}

function stateFromWord(seed: number): Uint32Array<ArrayBuffer> {
  const state = new Uint32Array(stateWords);
  state[0] = seed;
  for (let at = 1; at < stateWords; at += 1) {
    const before = state[at - 1] as number;
    state[at] = Math.imul(before ^ (before >>> 30), 1_812_433_253) + at;
  }
  return state;
}

function twist(state: Uint32Array): void {
  for (let at = 0; at < stateWords; at += 1) {
    const mixed =
      ((state[at] as number) & 0x80000000) | ((state[(at + 1) % stateWords] as number) & 0x7fffffff);
    const odd = mixed & 1 ? 0x9908b0df : 0;
    state[at] = (state[(at + middleWord) % stateWords] as number) ^ (mixed >>> 1) ^ odd;
  }
}

function invalid(name: string, value: number, expected: string): CodedError {
  return new CodedError('optimize/option-invalid', `${name} is ${value}, expected ${expected}`, {
    fields: { name, value: String(value), expected },
  });
}
