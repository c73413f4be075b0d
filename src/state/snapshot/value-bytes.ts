/**
 * Values as bytes, and back by `value-parse.ts`: everything that a structured clone keeps, with shared objects and cycles,
 * so that what is read is what was stored. `docs/state.md` describes the format; its number is `valueFormat`.
 *
 * A value is a tag and a body. Counts are as `ByteWriter.count` writes them, other numbers little-endian.
 *
 * - `n` null, `u` undefined, `t` true, `f` false
 * - `j` an integer from 0 below 2^53, `k` one below 0 without its sign: a count; `d` any other number: a double
 * - `s` string: UTF-8, counted; `S` a string with half a surrogate pair: UTF-16, counted
 * - `i` bigint that is not negative, `I` a negative one without its sign: its hexadecimal digits
 * - objects, numbered from 0 as they are met: `o` object: count, then keys and values; `a` array: count and items;
 *   `A` array with holes or with names: length, count, then keys and values; `m` Map: count, keys and values; `e` Set: count and
 *   items; `D` Date: double; `R` RegExp: source and flags; `B` boxed primitive: the primitive; `E` error: name, message, stack and
 *   cause as values; `b` ArrayBuffer: counted bytes; `v` typed array or DataView: its kind, its buffer as a value, offset
 *   and length, both in bytes
 * - `@` an object that was met before: its number
 *
 * Keys are strings without their tag, after a tag `s` or `S`.
 */
import { CodedError } from '../../base/index.ts';
import { ByteWriter } from './byte-writer.ts';
import { maxEncodedDepth } from './limits.ts';

/** By the number that stands for them in bytes. Kinds are added at the end. */
export const viewKinds: readonly string[] = [
  'Int8Array',
  'Uint8Array',
  'Uint8ClampedArray',
  'Int16Array',
  'Uint16Array',
  'Int32Array',
  'Uint32Array',
  'Float32Array',
  'Float64Array',
  'BigInt64Array',
  'BigUint64Array',
  'DataView',
  'Float16Array',
];

const loneSurrogate = /\p{Surrogate}/u;
const arrayIndex = /^(?:0|[1-9]\d{0,9})$/;

function notEncodable(found: string): CodedError {
  return new CodedError(
    'state/not-encodable',
    `${found} has no bytes that a journal or a snapshot could hold`,
    {
      fields: { found },
    },
  );
}

function tagOf(object: object): string {
  return Object.prototype.toString.call(object).slice(8, -1);
}

class ValueWriter {
  readonly #writer: ByteWriter;
  readonly #numbers = new Map<object, number>();

  constructor(writer: ByteWriter) {
    this.#writer = writer;
  }

  write(value: unknown, depth: number): void {
    if (typeof value === 'object' && value !== null) this.#object(value, depth);
    else this.#primitive(value);
  }

  #primitive(value: unknown): void {
    if (typeof value === 'string') this.#string(value);
    else if (typeof value === 'number') this.#number(value);
    else if (typeof value === 'boolean') this.#writer.tag(value ? 't' : 'f');
    else if (value === null) this.#writer.tag('n');
    else if (value === undefined) this.#writer.tag('u');
    else if (typeof value === 'bigint') {
      this.#writer.tag(value < 0n ? 'I' : 'i');
      this.#writer.text((value < 0n ? -value : value).toString(16));
    } else throw notEncodable(`a ${typeof value}`);
  }

  #number(value: number): void {
    if (Number.isSafeInteger(value) && !Object.is(value, -0)) {
      this.#writer.tag(value < 0 ? 'k' : 'j');
      this.#writer.count(Math.abs(value));
    } else {
      this.#writer.tag('d');
      this.#writer.double(value);
    }
  }

  #string(text: string): void {
    if (!loneSurrogate.test(text)) {
      this.#writer.tag('s');
      this.#writer.text(text);
      return;
    }
    this.#writer.tag('S');
    this.#writer.count(2 * text.length);
    for (let index = 0; index < text.length; index++) {
      const unit = text.charCodeAt(index);
      this.#writer.byte(unit & 0xff);
      this.#writer.byte(unit >> 8);
    }
  }

  #object(object: object, depth: number): void {
    const known = this.#numbers.get(object);
    if (known !== undefined) {
      this.#writer.tag('@');
      this.#writer.count(known);
      return;
    }
    if (depth >= maxEncodedDepth) throw notEncodable(`a value with more than ${maxEncodedDepth} levels`);
    this.#numbers.set(object, this.#numbers.size);
    if (Array.isArray(object)) this.#array(object, depth);
    else if (isPlain(object)) this.#entries('o', Object.entries(object), depth);
    else if (!this.#binary(object, depth) && !this.#collection(object, depth) && !this.#leaf(object, depth)) {
      throw notEncodable(`a ${tagOf(object)}`);
    }
  }

  #array(array: readonly unknown[], depth: number): void {
    const keys = Object.keys(array);
    const isDense = keys.length === array.length && (keys.length === 0 || arrayIndex.test(keys.at(-1) ?? ''));
    if (!isDense) {
      this.#writer.tag('A');
      this.#writer.count(array.length);
      this.#pairs(Object.entries(array), depth);
      return;
    }
    this.#writer.tag('a');
    this.#writer.count(array.length);
    for (const item of array) this.write(item, depth + 1);
  }

  #entries(tag: string, entries: readonly (readonly [string, unknown])[], depth: number): void {
    this.#writer.tag(tag);
    this.#pairs(entries, depth);
  }

  #pairs(entries: readonly (readonly [string, unknown])[], depth: number): void {
    this.#writer.count(entries.length);
    for (const [key, value] of entries) {
      this.#string(key);
      this.write(value, depth + 1);
    }
  }

  #collection(object: object, depth: number): boolean {
    if (object instanceof Map) {
      this.#writer.tag('m');
      this.#writer.count(object.size);
      for (const [key, value] of object) {
        this.write(key, depth + 1);
        this.write(value, depth + 1);
      }
    } else if (object instanceof Set) {
      this.#writer.tag('e');
      this.#writer.count(object.size);
      for (const item of object) this.write(item, depth + 1);
    } else return false;
    return true;
  }

  #binary(object: object, depth: number): boolean {
    if (ArrayBuffer.isView(object)) {
      const kind = viewKinds.indexOf(tagOf(object));
      if (kind < 0) throw notEncodable(`a ${tagOf(object)}`);
      this.#writer.tag('v');
      this.#writer.byte(kind);
      this.write(object.buffer, depth + 1);
      this.#writer.count(object.byteOffset);
      this.#writer.count(object.byteLength);
    } else if (object instanceof ArrayBuffer) {
      if ((object as { readonly resizable?: boolean }).resizable)
        throw notEncodable('a resizable ArrayBuffer');
      this.#writer.tag('b');
      this.#writer.counted(new Uint8Array(object));
    } else return false;
    return true;
  }

  #leaf(object: object, depth: number): boolean {
    if (object instanceof Date) {
      this.#writer.tag('D');
      this.#writer.double(object.getTime());
    } else if (object instanceof RegExp) {
      this.#writer.tag('R');
      this.#string(object.source);
      this.#string(object.flags);
    } else if (object instanceof Error) {
      this.#writer.tag('E');
      for (const part of [object.name, object.message, object.stack, object.cause])
        this.write(part, depth + 1);
    } else if (isBoxed(object)) {
      this.#writer.tag('B');
      this.#primitive(object.valueOf());
    } else return false;
    return true;
  }
}

function isPlain(object: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(object);
  return prototype === Object.prototype || prototype === null;
}

/** Of the four primitives that a clone keeps in a box. */
function isBoxed(object: object): boolean {
  return (
    object instanceof Boolean ||
    object instanceof Number ||
    object instanceof String ||
    object instanceof BigInt
  );
}

/**
 * Writes a value that a store holds: a structured clone of this realm.
 * @throws `state/not-encodable` (field found) for what has no bytes without waiting (Blob, CryptoKey, …); `state/value-too-large`
 */
function writeValue(writer: ByteWriter, value: unknown): void {
  new ValueWriter(writer).write(value, 0);
}

/** Of one value at a time: a new writer for each costs as much as a small value. */
const scratch = new ByteWriter(0);

/** The bytes of one value, see {@link writeValue}. */
export function toValueBytes(value: unknown, maxBytes: number): Uint8Array<ArrayBuffer> {
  scratch.reset(maxBytes);
  writeValue(scratch, value);
  return scratch.finish();
}
