/**
 * Any stored value as bytes, and back without loss: for stores whose engine keeps bytes. General formats lose some of what a
 * structured clone keeps (-0, half surrogate pairs, holes, cycles, shared buffers, a key `__proto__`), so this is one of our own:
 * a version, then one value; every value begins with its tag, and an object met again is named by its number.
 */
import { ByteReader, ByteWriter, damagedBytes } from './value-byte-stream.ts';

/** What the bytes begin with; raised when a reader of the old form would misread the new one. */
const version = 1;
/** Nesting of what is read: more than any store takes, less than a call stack. */
const maxDepth = 1000;

/** The index is the tag; only ever append. */
const tags = [
  'undefined',
  'null',
  'true',
  'false',
  'integer',
  'float',
  'string',
  'bigint',
  'again',
  'array',
  'sparse',
  'object',
  'date',
  'regexp',
  'map',
  'set',
  'buffer',
  'view',
  'boxed',
  'error',
] as const;
type Tag = (typeof tags)[number];
const tagNumbers = Object.fromEntries(tags.map((tag, number) => [tag, number])) as Record<Tag, number>;

type ViewClass = new (buffer: ArrayBuffer, byteOffset: number, length: number) => ArrayBufferView;

/** The index is stored; only ever append. */
const viewClasses: readonly ViewClass[] = [
  DataView,
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
];

const errorClasses: Readonly<Record<string, ErrorConstructor>> = {
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
};

const errorFields = ['message', 'stack', 'cause'] as const;

/** The bytes of a value, or undefined for one that holds what cannot be written at once, such as a Blob or a key. */
export function encodeValue(value: unknown): Uint8Array<ArrayBuffer> | undefined {
  const encoder = new ValueEncoder();
  return encoder.write(value) ? encoder.finish() : undefined;
}

/**
 * The value that {@link encodeValue} gave these bytes for.
 * @throws `state/value-damaged` for anything else, in time and memory of the order of the bytes
 */
export function decodeValue(bytes: Uint8Array): unknown {
  const reader = new ByteReader(bytes);
  if (reader.byte() !== version) throw damagedBytes('another version');
  const value = new ValueDecoder(reader).read(0);
  if (!reader.isAtEnd) throw damagedBytes('more bytes than a value');
  return value;
}

class ValueEncoder {
  readonly #writer = new ByteWriter();
  readonly #seen = new Map<object, number>();

  constructor() {
    this.#writer.byte(version);
  }

  finish(): Uint8Array<ArrayBuffer> {
    return this.#writer.finish();
  }

  /** False when the value cannot be written. */
  write(value: unknown): boolean {
    if (typeof value === 'string') return this.#tag('string') && this.#writer.text(value);
    if (typeof value === 'number') return this.#number(value);
    if (typeof value === 'boolean') return this.#tag(value ? 'true' : 'false');
    if (value === null) return this.#tag('null');
    if (value === undefined) return this.#tag('undefined');
    if (typeof value === 'bigint') return this.#tag('bigint') && this.#writer.text(value.toString(16));
    return typeof value === 'object' && this.#object(value);
  }

  #tag(tag: Tag): true {
    return this.#writer.byte(tagNumbers[tag]);
  }

  #number(value: number): boolean {
    // most numbers are small; -0 is a float
    if (Number.isInteger(value) && Math.abs(value) < 2 ** 30 && !Object.is(value, -0)) {
      return this.#tag('integer') && this.#writer.integer(value < 0 ? -value * 2 - 1 : value * 2);
    }
    return this.#tag('float') && this.#writer.float(value);
  }

  #object(object: object): boolean {
    const number = this.#seen.get(object);
    if (number !== undefined) return this.#tag('again') && this.#writer.integer(number);
    this.#seen.set(object, this.#seen.size);
    if (Array.isArray(object)) return this.#array(object);
    const prototype: unknown = Object.getPrototypeOf(object);
    if (prototype === Object.prototype || prototype === null) {
      return this.#tag('object') && this.#entries(Object.keys(object), object);
    }
    return this.#builtIn(object);
  }

  #array(array: readonly unknown[]): boolean {
    const keys = Object.keys(array);
    // as many names as holes make the count right; the last own name of a list without names is its last index
    if (
      keys.length === array.length &&
      (keys.at(-1) ?? '') === (array.length > 0 ? String(array.length - 1) : '')
    ) {
      return this.#tag('array') && this.#items(array.length, array);
    }
    return this.#tag('sparse') && this.#writer.integer(array.length) && this.#entries(keys, array);
  }

  #entries(keys: readonly string[], object: object): boolean {
    this.#writer.integer(keys.length);
    return keys.every(
      (key) => this.#writer.text(key) && this.write((object as Readonly<Record<string, unknown>>)[key]),
    );
  }

  #items(count: number, items: Iterable<unknown>): boolean {
    this.#writer.integer(count);
    for (const item of items) if (!this.write(item)) return false;
    return true;
  }

  #builtIn(object: object): boolean {
    if (object instanceof Map) return this.#tag('map') && this.#items(object.size * 2, [...object].flat());
    if (object instanceof Set) return this.#tag('set') && this.#items(object.size, object);
    if (object instanceof Date) return this.#tag('date') && this.#writer.float(object.getTime());
    if (object instanceof RegExp) {
      return this.#tag('regexp') && this.#writer.text(object.source) && this.#writer.text(object.flags);
    }
    if (object instanceof Error) return this.#error(object);
    return this.#binary(object);
  }

  #binary(object: object): boolean {
    if (object instanceof ArrayBuffer) {
      return this.#tag('buffer') && this.#writer.bytes(new Uint8Array(object));
    }
    if (ArrayBuffer.isView(object)) return this.#view(object);
    const isBoxed = [Number, String, Boolean, BigInt].some((type) => object instanceof type);
    return isBoxed && this.#tag('boxed') && this.write(object.valueOf());
  }

  #view(view: ArrayBufferView): boolean {
    const kind = viewClasses.findIndex((type) => view instanceof type);
    // SAFETY of the cast: every view of a class with a length has one
    const length = view instanceof DataView ? view.byteLength : (view as Uint8Array).length;
    return (
      kind >= 0 &&
      this.#tag('view') &&
      this.#writer.byte(kind) &&
      this.#writer.integer(view.byteOffset) &&
      this.#writer.integer(length) &&
      this.#object(view.buffer)
    );
  }

  #error(error: Error): boolean {
    this.#tag('error');
    this.#writer.text(error.name);
    const fields = errorFields.filter((field) => Object.hasOwn(error, field));
    return this.#entries(fields, error);
  }
}

class ValueDecoder {
  readonly #reader: ByteReader;
  readonly #seen: object[] = [];
  readonly #readers: Readonly<Record<Tag, (depth: number) => unknown>>;

  constructor(reader: ByteReader) {
    this.#reader = reader;
    this.#readers = {
      undefined: () => undefined,
      null: () => null,
      true: () => true,
      false: () => false,
      integer: () => unfold(reader.integer()),
      float: () => reader.float(),
      string: () => reader.text(),
      bigint: () => toBigInt(reader.text()),
      again: () => this.#again(),
      array: (depth) => this.#array(depth),
      sparse: (depth) => this.#entries(this.#keep(withHoles(reader.integer())), depth),
      object: (depth) => this.#entries(this.#keep({}), depth),
      date: () => this.#keep(new Date(reader.float())),
      regexp: () => this.#keep(toRegExp(reader.text(), reader.text())),
      map: (depth) => this.#map(depth),
      set: (depth) => this.#set(depth),
      buffer: () => this.#keep(reader.bytes().slice().buffer),
      view: (depth) => this.#view(depth),
      boxed: (depth) => this.#boxed(depth),
      error: (depth) => this.#error(depth),
    };
  }

  read(depth: number): unknown {
    if (depth > maxDepth) throw damagedBytes('nested too deep');
    const tag = tags[this.#reader.byte()];
    if (tag === undefined) throw damagedBytes('an unknown tag');
    return this.#readers[tag](depth + 1);
  }

  #again(): object {
    const object = this.#seen[this.#reader.integer()];
    if (object === undefined) throw damagedBytes('a number that no object has');
    return object;
  }

  #keep<T extends object>(object: T): T {
    this.#seen.push(object);
    return object;
  }

  #array(depth: number): unknown[] {
    const items = this.#keep<unknown[]>([]);
    for (let left = this.#reader.count(); left > 0; left--) items.push(this.read(depth));
    return items;
  }

  #entries<T extends object>(target: T, depth: number): T {
    for (let left = this.#reader.count(); left > 0; left--) {
      const key = this.#reader.text();
      const value = this.read(depth);
      if (key !== '__proto__') (target as Record<string, unknown>)[key] = value;
      else define(target, key, value, true);
    }
    return target;
  }

  #map(depth: number): Map<unknown, unknown> {
    const map = this.#keep(new Map<unknown, unknown>());
    for (let left = this.#reader.count(); left > 1; left -= 2) map.set(this.read(depth), this.read(depth));
    return map;
  }

  #set(depth: number): Set<unknown> {
    const set = this.#keep(new Set<unknown>());
    for (let left = this.#reader.count(); left > 0; left--) set.add(this.read(depth));
    return set;
  }

  #view(depth: number): ArrayBufferView {
    const at = this.#seen.length;
    // its number comes before that of its buffer
    this.#seen.push({});
    const type = viewClasses[this.#reader.byte()];
    const byteOffset = this.#reader.integer();
    const length = this.#reader.integer();
    const buffer = this.read(depth);
    if (!type || !(buffer instanceof ArrayBuffer)) throw damagedBytes('a view of nothing');
    try {
      const view = new type(buffer, byteOffset, length);
      this.#seen[at] = view;
      return view;
    } catch {
      throw damagedBytes('a view beyond its buffer');
    }
  }

  #boxed(depth: number): object {
    const at = this.#seen.length;
    this.#seen.push({});
    const boxed = Object(this.read(depth)) as object;
    this.#seen[at] = boxed;
    return boxed;
  }

  #error(depth: number): Error {
    const name = this.#reader.text();
    const type = Object.hasOwn(errorClasses, name) ? errorClasses[name] : undefined;
    const error = this.#keep(new (type ?? Error)());
    const fields = this.#entries<Record<string, unknown>>({}, depth);
    for (const field of errorFields)
      if (Object.hasOwn(fields, field)) define(error, field, fields[field], false);
    if (!Object.hasOwn(fields, 'stack')) Reflect.deleteProperty(error, 'stack');
    if (error.name !== name) define(error, 'name', name, false);
    return error;
  }
}

function define(target: object, key: string, value: unknown, enumerable: boolean): void {
  Object.defineProperty(target, key, { value, enumerable, writable: true, configurable: true });
}

/** Signs are folded into the lowest bit: 0, -1, 1, -2 … */
function unfold(folded: number): number {
  return folded % 2 === 0 ? folded / 2 : -(folded + 1) / 2;
}

/** An array of holes. A length alone must cost no memory, and `new Array(length)` takes it all at once. */
function withHoles(length: number): unknown[] {
  if (length >= 2 ** 32) throw damagedBytes('a length that no array has');
  const holes: unknown[] = [];
  if (length > 0) {
    holes[length - 1] = 0;
    Reflect.deleteProperty(holes, length - 1);
  }
  return holes;
}

function toBigInt(text: string): bigint {
  if (!/^-?[0-9a-f]+$/.test(text)) throw damagedBytes('a number that is none');
  return text.startsWith('-') ? -BigInt(`0x${text.slice(1)}`) : BigInt(`0x${text}`);
}

function toRegExp(source: string, flags: string): RegExp {
  try {
    return new RegExp(source, flags);
  } catch {
    throw damagedBytes('an expression that is none');
  }
}
