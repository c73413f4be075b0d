/** The way back from the bytes of `value-bytes.ts`, which anybody may have made: a value, or `state/bytes-damaged`. */
import { isCodedError } from '../../base/index.ts';
import { ByteReader } from './byte-reader.ts';
import { maxEncodedDepth, maxEncodedValues } from './limits.ts';
import { viewKinds } from './value-bytes.ts';

/** Errors that a structured clone keeps; any other name becomes a plain error of that name. */
const errorTypes: ReadonlyMap<string, ErrorConstructor> = new Map<string, ErrorConstructor>([
  ['Error', Error],
  ['EvalError', EvalError],
  ['RangeError', RangeError],
  ['ReferenceError', ReferenceError],
  ['SyntaxError', SyntaxError],
  ['TypeError', TypeError],
  ['URIError', URIError],
]);

type View = ArrayBufferView;
type ViewConstructor = (new (buffer: ArrayBuffer, offset: number, length: number) => View) & {
  readonly BYTES_PER_ELEMENT?: number;
};

/** Lets no key reach a setter of the prototype. */
function define(target: object, key: string, value: unknown): void {
  if (key === '__proto__') {
    Object.defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true });
  } else (target as Record<string, unknown>)[key] = value;
}

class ValueReader {
  readonly #reader: ByteReader;
  readonly #objects: object[] = [];
  #count = 0;

  constructor(reader: ByteReader) {
    this.#reader = reader;
  }

  read(depth: number): unknown {
    if (++this.#count > maxEncodedValues) this.#reader.fail(`more than ${maxEncodedValues} values`);
    const tag = this.#reader.tag();
    const primitive = ValueReader.#primitives.get(tag);
    if (primitive) return primitive(this);
    if (depth >= maxEncodedDepth) this.#reader.fail(`more than ${maxEncodedDepth} levels`);
    const object = ValueReader.#readers.get(tag);
    return object
      ? object(this, depth)
      : this.#reader.fail(`a value has the unknown tag ${JSON.stringify(tag)}`);
  }

  static readonly #primitives: ReadonlyMap<string, (self: ValueReader) => unknown> = new Map<
    string,
    (self: ValueReader) => unknown
  >([
    ['n', () => null],
    ['u', () => undefined],
    ['t', () => true],
    ['f', () => false],
    ['j', (self) => self.#reader.count()],
    ['k', (self) => -self.#reader.count()],
    ['d', (self) => self.#reader.double()],
    ['s', (self) => self.#reader.text()],
    ['S', (self) => self.#utf16()],
    ['i', (self) => self.#bigint()],
    ['I', (self) => -self.#bigint()],
    ['@', (self) => self.#known()],
  ]);

  static readonly #readers: ReadonlyMap<string, (self: ValueReader, depth: number) => unknown> = new Map<
    string,
    (self: ValueReader, depth: number) => unknown
  >([
    ['o', (self, depth) => self.#pairs(self.#keep({}), depth)],
    ['a', (self, depth) => self.#array(depth)],
    ['A', (self, depth) => self.#sparse(depth)],
    ['m', (self, depth) => self.#map(depth)],
    ['e', (self, depth) => self.#set(depth)],
    ['D', (self) => self.#keep(new Date(self.#reader.double()))],
    ['R', (self) => self.#expression()],
    ['E', (self, depth) => self.#error(depth)],
    ['B', (self, depth) => self.#boxed(depth)],
    ['b', (self) => self.#keep(self.#reader.counted().slice().buffer)],
    ['v', (self, depth) => self.#view(depth)],
  ]);

  #keep<T extends object>(object: T): T {
    this.#objects.push(object);
    return object;
  }

  #known(): object {
    const number = this.#reader.count();
    return this.#objects[number] ?? this.#reader.fail(`there is no object ${number} yet`);
  }

  #utf16(): string {
    const bytes = this.#reader.counted();
    if (bytes.length % 2 === 1) this.#reader.fail('UTF-16 has an odd number of bytes');
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let text = '';
    for (let offset = 0; offset < bytes.length; offset += 2)
      text += String.fromCharCode(view.getUint16(offset, true));
    return text;
  }

  #string(what: string): string {
    const tag = this.#reader.tag();
    if (tag === 's') return this.#reader.text();
    return tag === 'S' ? this.#utf16() : this.#reader.fail(`${what} is no string`);
  }

  #bigint(): bigint {
    const digits = this.#reader.text();
    return /^[\da-f]+$/.test(digits) ? BigInt(`0x${digits}`) : this.#reader.fail('a bigint has other digits');
  }

  #pairs<T extends object>(target: T, depth: number): T {
    const count = this.#reader.countOf('pairs', 3);
    for (let index = 0; index < count; index++) {
      const key = this.#string('a key');
      define(target, key, this.read(depth + 1));
    }
    return target;
  }

  #array(depth: number): unknown[] {
    const count = this.#reader.countOf('items', 1);
    const array = this.#keep<unknown[]>([]);
    for (let index = 0; index < count; index++) array.push(this.read(depth + 1));
    return array;
  }

  #sparse(depth: number): unknown[] {
    const length = this.#reader.count();
    if (length > 2 ** 32 - 1) this.#reader.fail('an array is too long');
    const array = this.#keep<unknown[]>([]);
    array.length = length;
    this.#pairs(array, depth);
    return array.length === length ? array : this.#reader.fail('an item lies behind the end of its array');
  }

  #map(depth: number): Map<unknown, unknown> {
    const count = this.#reader.countOf('entries', 2);
    const map = this.#keep(new Map<unknown, unknown>());
    for (let index = 0; index < count; index++) {
      const key = this.read(depth + 1);
      map.set(key, this.read(depth + 1));
    }
    return map;
  }

  #set(depth: number): Set<unknown> {
    const count = this.#reader.countOf('items', 1);
    const set = this.#keep(new Set<unknown>());
    for (let index = 0; index < count; index++) set.add(this.read(depth + 1));
    return set;
  }

  #expression(): RegExp {
    const source = this.#string('a source');
    const flags = this.#string('a flag');
    try {
      return this.#keep(new RegExp(source, flags));
    } catch (error) {
      return this.#reader.fail('a regular expression is none', error);
    }
  }

  #error(depth: number): Error {
    // the number is taken before the parts are read: the cause may be the error itself
    const number = this.#objects.length;
    const placeholder = this.#keep(new Error());
    const parts = [1, 2, 3, 4].map(() => this.read(depth + 1));
    const [name, message, stack, cause] = parts;
    const Type = errorTypes.get(String(name)) ?? Error;
    const error = cause === placeholder ? placeholder : new Type(String(message));
    if (error.name !== name) define(error, 'name', name);
    Object.defineProperty(error, 'message', { value: message, configurable: true, writable: true });
    Object.defineProperty(error, 'stack', { value: stack, configurable: true, writable: true });
    if (cause !== undefined) {
      Object.defineProperty(error, 'cause', { value: cause, configurable: true, writable: true });
    }
    this.#objects[number] = error;
    return error;
  }

  #boxed(depth: number): object {
    const number = this.#objects.length;
    this.#keep({});
    const value = this.read(depth + 1);
    if (value === null || !['boolean', 'number', 'string', 'bigint'].includes(typeof value)) {
      this.#reader.fail('a box holds no primitive');
    }
    const boxed = Object(value) as object;
    this.#objects[number] = boxed;
    return boxed;
  }

  #view(depth: number): View {
    const kind = viewKinds[this.#reader.byte()];
    const number = this.#objects.length;
    this.#keep({});
    const buffer = this.read(depth + 1);
    const [offset, length] = [this.#reader.count(), this.#reader.count()];
    const Type =
      kind === undefined ? undefined : (globalThis as unknown as Record<string, ViewConstructor>)[kind];
    if (!Type)
      return this.#reader.fail(`this platform has no view of the kind ${kind ?? 'of a later version'}`);
    const unit = Type.BYTES_PER_ELEMENT ?? 1;
    const isWithin = buffer instanceof ArrayBuffer && offset + length <= buffer.byteLength;
    if (!isWithin || offset % unit !== 0 || length % unit !== 0)
      return this.#reader.fail('a view does not fit its buffer');
    const view = new Type(buffer, offset, length / unit);
    this.#objects[number] = view;
    return view;
  }
}

/**
 * Reads one value, which shares no memory with the bytes.
 * @throws `state/bytes-damaged`
 */
export function readValue(reader: ByteReader): unknown {
  return new ValueReader(reader).read(0);
}

/** Reads bytes that are one value and nothing more, see {@link readValue}. */
export function fromValueBytes(bytes: Uint8Array): unknown {
  const reader = new ByteReader(bytes);
  try {
    const value = readValue(reader);
    reader.end();
    return value;
  } catch (error) {
    if (isCodedError(error)) throw error;
    // such as an array whose length somebody made a member of it
    return reader.fail('a value cannot be made', error);
  }
}
