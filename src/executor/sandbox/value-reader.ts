/** Builds the values that come from a guest, written as `value-codec.ts` says. All of it is hostile. */
import { systemClock } from '../../platform/index.ts';
import type { GuestNumbers, GuestValue } from '../guest-value.ts';
import { KeyWatch } from './key-watch.ts';
import { numberArrays } from '../number-arrays.ts';

type Tagged = Readonly<Record<string, unknown>>;
type Pair = readonly [key: unknown, value: unknown];

/** What a `Date` can hold, on both sides of 1970. */
const lastDateMs = 8.64e15;

/** A tree that no harness of ours writes. */
export class MalformedValue extends Error {}

/** The values of one result, or of one call. Every object is frozen and has no prototype. */
export class ValueReader {
  /** Each is taken out once: a few bytes of JSON must not become the same megabytes again and again. */
  readonly #buffers: (ArrayBuffer | undefined)[];
  readonly #keys: KeyWatch;

  /** @param keys what slow keys have taken before; default: nothing */
  constructor(buffers: readonly ArrayBuffer[], keys: KeyWatch = new KeyWatch(systemClock)) {
    this.#buffers = [...buffers];
    this.#keys = keys;
  }

  /** Throws {@link MalformedValue}, or `KeysCollide`. */
  read(tree: unknown, maxDepth: number): GuestValue {
    if (maxDepth < 0) throw new MalformedValue('nested too deep');
    if (typeof tree !== 'object' || tree === null) return readPlain(tree);
    if (Array.isArray(tree)) return Object.freeze(this.#readAll(tree, maxDepth));
    if (Object.hasOwn(tree, '$')) return this.#tagged(tree as Tagged, maxDepth);
    return this.#record(Object.entries(tree), maxDepth);
  }

  #readAll(items: readonly unknown[], maxDepth: number): GuestValue[] {
    return items.map((item) => this.read(item, maxDepth - 1));
  }

  #record(
    entries: readonly (readonly [string, unknown])[],
    maxDepth: number,
  ): Readonly<Record<string, GuestValue>> {
    const record: Record<string, GuestValue> = Object.create(null) as Record<string, GuestValue>;
    for (const [key, item] of entries) record[key] = this.read(item, maxDepth - 1);
    return Object.freeze(record);
  }

  #tagged(tree: Tagged, maxDepth: number): GuestValue {
    switch (tree['$']) {
      case 'int':
        return readInteger(tree['v']);
      case 'float':
        return readFloat(tree['v']);
      case 'date':
        return readDate(tree['v']);
      case 'bytes':
        return new Uint8Array(this.#takeBuffer(tree['b']));
      case 'array':
        return readNumbers(tree['t'], this.#takeBuffer(tree['b']));
      case 'dict':
        return this.#dictionary(readPairs(tree['v']), maxDepth);
      case 'map':
        return this.#map(readPairs(tree['v']), maxDepth);
      case 'set':
        return this.#set(tree['v'], maxDepth);
      default:
        throw new MalformedValue('an unknown tag');
    }
  }

  #dictionary(entries: readonly Pair[], maxDepth: number): GuestValue {
    if (entries.every((entry): entry is readonly [string, unknown] => typeof entry[0] === 'string')) {
      return this.#record(entries, maxDepth);
    }
    return this.#map(entries, maxDepth);
  }

  #map(entries: readonly Pair[], maxDepth: number): GuestValue {
    const read = entries.map(
      ([key, item]) => [this.read(key, maxDepth - 1), this.read(item, maxDepth - 1)] as const,
    );
    const map = new Map<GuestValue, GuestValue>();
    this.#keys.putAll(read.length, (index) => {
      const [key, item] = read[index] as readonly [GuestValue, GuestValue];
      map.set(key, item);
    });
    return map;
  }

  #set(items: unknown, maxDepth: number): GuestValue {
    if (!Array.isArray(items)) throw new MalformedValue('a set without items');
    const read = this.#readAll(items, maxDepth);
    const set = new Set<GuestValue>();
    this.#keys.putAll(read.length, (index) => set.add(read[index] as GuestValue));
    return set;
  }

  #takeBuffer(index: unknown): ArrayBuffer {
    const buffer = typeof index === 'number' ? this.#buffers[index] : undefined;
    if (!buffer) throw new MalformedValue('a buffer that is missing or was used before');
    this.#buffers[index as number] = undefined;
    return buffer;
  }
}

function readPlain(value: unknown): GuestValue {
  if (
    value === null ||
    typeof value === 'string' ||
    typeof value === 'boolean' ||
    typeof value === 'number'
  ) {
    return value;
  }
  throw new MalformedValue(`a ${typeof value} in JSON`);
}

function readInteger(text: unknown): bigint {
  if (typeof text !== 'string' || !/^-?0x[0-9a-f]+$/u.test(text)) throw new MalformedValue('not an integer');
  return text.startsWith('-') ? -BigInt(text.slice(1)) : BigInt(text);
}

function readFloat(text: unknown): number {
  if (text === 'nan') return NaN;
  if (text === 'inf') return Infinity;
  if (text === '-inf') return -Infinity;
  if (text === '-0.0') return -0;
  throw new MalformedValue('not a float');
}

function readNumbers(code: unknown, buffer: ArrayBuffer): GuestNumbers {
  if (typeof code !== 'string' || !Object.hasOwn(numberArrays, code))
    throw new MalformedValue('not an array type');
  const type = numberArrays[code as keyof typeof numberArrays];
  if (buffer.byteLength % type.BYTES_PER_ELEMENT !== 0) throw new MalformedValue('a broken array');
  return new type(buffer);
}

function readPairs(pairs: unknown): readonly Pair[] {
  if (!Array.isArray(pairs)) throw new MalformedValue('a dictionary without entries');
  return pairs.map((pair: unknown): Pair => {
    if (!Array.isArray(pair) || pair.length !== 2) throw new MalformedValue('a broken entry');
    return [pair[0], pair[1]];
  });
}

/** One that is none would make the page throw where it is shown. */
function readDate(value: unknown): Date {
  if (typeof value !== 'number' || !(Math.abs(value) <= lastDateMs)) throw new MalformedValue('not a date');
  return new Date(value);
}
