/**
 * Canonical bytes: one byte string per value, for checksums. Not a storage format; it is never read back.
 *
 * Each value is a tag byte and a body. Lengths and counts are 32-bit, numbers are IEEE 754 doubles, both big-endian.
 *
 * - `n` null, `u` undefined (and a hole in an array), `t` true, `f` false
 * - `d` number (one NaN; -0 is not 0), `D` date, as its milliseconds
 * - `i` bigint: length and decimal digits
 * - `s` string: length in bytes and UTF-8; `S` a string with half a surrogate pair: length and UTF-16 code units
 * - `a` array: count and items; `o` object: count and, sorted by code unit of the key, keys and values
 * - `m` Map: count, keys and values in order; `e` Set: count and items in order. Their order is part of the value.
 * - `b` ArrayBuffer: length and bytes; `v` typed array or DataView: its type's name as a string, length and bytes as in memory
 *   (little-endian on every platform that browsers run on)
 *
 * Two properties that hold the same object and two that hold equal objects give the same bytes.
 */
import { CodedError } from '../../base/index.ts';
import { defaultStoreLimits } from '../limits.ts';

const loneSurrogate = /\p{Surrogate}/u;
const encoder = new TextEncoder();

class ByteWriter {
  #bytes = new Uint8Array(256);
  #length = 0;
  readonly #maxBytes: number;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  tag(tag: string): void {
    this.#reserve(1)[this.#length++] = tag.charCodeAt(0);
  }

  count(count: number): void {
    const bytes = this.#reserve(4);
    new DataView(bytes.buffer).setUint32(this.#length, count);
    this.#length += 4;
  }

  double(value: number): void {
    const bytes = this.#reserve(8);
    new DataView(bytes.buffer).setFloat64(this.#length, Number.isNaN(value) ? Number.NaN : value);
    this.#length += 8;
  }

  counted(bytes: Uint8Array): void {
    this.count(bytes.length);
    this.#reserve(bytes.length).set(bytes, this.#length);
    this.#length += bytes.length;
  }

  finish(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#length);
  }

  #reserve(more: number): Uint8Array<ArrayBuffer> {
    const needed = this.#length + more;
    if (needed > this.#maxBytes) {
      throw new CodedError('state/value-too-large', `the canonical bytes exceed ${this.#maxBytes}`, {
        fields: { scope: 'canonical', limit: this.#maxBytes, unit: 'bytes' },
      });
    }
    if (needed > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(needed, 2 * this.#bytes.length));
      larger.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = larger;
    }
    return this.#bytes;
  }
}

function notEncodable(what: string): CodedError {
  return new CodedError('state/not-encodable', `${what} has no canonical bytes`, { fields: { found: what } });
}

function utf16(text: string): Uint8Array {
  const view = new DataView(new ArrayBuffer(2 * text.length));
  for (let index = 0; index < text.length; index++) view.setUint16(2 * index, text.charCodeAt(index));
  return new Uint8Array(view.buffer);
}

function writeString(writer: ByteWriter, text: string): void {
  const isBroken = loneSurrogate.test(text);
  writer.tag(isBroken ? 'S' : 's');
  writer.counted(isBroken ? utf16(text) : encoder.encode(text));
}

function writePrimitive(writer: ByteWriter, value: unknown): void {
  if (value === null) writer.tag('n');
  else if (value === undefined) writer.tag('u');
  else if (typeof value === 'boolean') writer.tag(value ? 't' : 'f');
  else if (typeof value === 'string') writeString(writer, value);
  else if (typeof value === 'number') {
    writer.tag('d');
    writer.double(value);
  } else if (typeof value === 'bigint') {
    writer.tag('i');
    writer.counted(encoder.encode(value.toString()));
  } else throw notEncodable(`a ${typeof value}`);
}

/** Writes objects that hold no other values; false for all others. */
function writeLeaf(writer: ByteWriter, value: object): boolean {
  if (value instanceof Date) {
    writer.tag('D');
    writer.double(value.getTime());
  } else if (value instanceof ArrayBuffer) {
    writer.tag('b');
    writer.counted(new Uint8Array(value));
  } else if (ArrayBuffer.isView(value)) {
    writer.tag('v');
    writeString(writer, Object.prototype.toString.call(value).slice(8, -1));
    writer.counted(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
  } else return false;
  return true;
}

function partsOf(value: object): {
  readonly tag: string;
  readonly count: number;
  readonly items: readonly unknown[];
} {
  // Array.from shows holes as undefined
  if (Array.isArray(value)) return { tag: 'a', count: value.length, items: Array.from(value as unknown[]) };
  if (value instanceof Map) return { tag: 'm', count: value.size, items: [...value].flat(1) };
  if (value instanceof Set) return { tag: 'e', count: value.size, items: [...value] };
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    throw notEncodable(Object.prototype.toString.call(value));
  }
  const keys = Object.keys(value).toSorted();
  return {
    tag: 'o',
    count: keys.length,
    items: keys.flatMap((key) => [key, (value as Record<string, unknown>)[key]]),
  };
}

export interface CanonicalOptions {
  /** Bytes at most; beyond it `state/value-too-large`. Default 64 MiB. */
  readonly maxBytes?: number;
  /** Nesting at most; beyond it, and for cycles, `state/not-encodable`. Default 256. */
  readonly maxDepth?: number;
}

/**
 * The one byte string of a value made of JSON, undefined, bigint, Date, Map, Set, ArrayBuffer and typed arrays.
 * @throws `state/not-encodable` for anything else and for cycles; `state/value-too-large`
 */
export function toCanonicalBytes(value: unknown, options: CanonicalOptions = {}): Uint8Array<ArrayBuffer> {
  const { maxBytes = defaultStoreLimits.maxCommitBytes, maxDepth = defaultStoreLimits.maxValueDepth } =
    options;
  const writer = new ByteWriter(maxBytes);
  const write = (item: unknown, depth: number): void => {
    if (typeof item !== 'object' || item === null) return writePrimitive(writer, item);
    if (writeLeaf(writer, item)) return;
    if (depth >= maxDepth) throw notEncodable(`a value with a cycle or with more than ${maxDepth} levels`);
    const { tag, count, items } = partsOf(item);
    writer.tag(tag);
    writer.count(count);
    for (const part of items) write(part, depth + 1);
  };
  write(value, 0);
  return writer.finish();
}
