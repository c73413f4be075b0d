/** The way back from the bytes of `to-value-bytes.ts`, which anybody may have made: a value, or `state/bytes-damaged`. */
import { isCodedError } from '../../base/index.ts';
import { ByteReader } from './byte-reader.ts';
import {
  errorFields,
  maxEncodedDepth,
  maxEncodedValues,
  valueTags,
  valueVersion,
  viewKinds,
} from './value-format.ts';
import type { ValueTag } from './value-format.ts';

/** Errors that a structured clone keeps; any other name becomes a plain error of that name. */
const errorTypes: ReadonlyMap<string, ErrorConstructor> = new Map(
  [EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError].map((type) => [type.name, type]),
);

type ViewConstructor = new (buffer: ArrayBuffer, offset: number, length: number) => ArrayBufferView;

/** Stands for an object whose parts are being read before it can be made. */
const unmade = {};

function define(target: object, name: string, value: unknown, enumerable: boolean): void {
  Object.defineProperty(target, name, { value, enumerable, writable: true, configurable: true });
}

class ValueReader {
  readonly #reader: ByteReader;
  readonly #objects: object[] = [];
  #values = 0;

  constructor(reader: ByteReader) {
    this.#reader = reader;
  }

  read(depth: number): unknown {
    if (++this.#values > maxEncodedValues) this.#reader.fail(`more than ${maxEncodedValues} values`);
    if (depth > maxEncodedDepth) this.#reader.fail(`more than ${maxEncodedDepth} levels`);
    const tag = this.#reader.byte();
    const read = readers[tag] ?? this.#reader.fail(`a value has the unknown tag ${tag}`);
    return read(this, this.#reader, depth);
  }

  again(): object {
    const number = this.#reader.count();
    const object = this.#objects[number];
    return object && object !== unmade ? object : this.#reader.fail(`there is no object ${number} yet`);
  }

  keep<T extends object>(object: T): T {
    this.#objects.push(object);
    return object;
  }

  /** An object whose number comes before those of its parts. */
  #keepLater<T extends object>(make: () => T): T {
    const number = this.#objects.push(unmade) - 1;
    const object = make();
    this.#objects[number] = object;
    return object;
  }

  fields<T extends object>(target: T, depth: number): T {
    for (let left = this.#reader.countOf('names', 2); left > 0; left--) {
      const name = this.#reader.text();
      const value = this.read(depth + 1);
      // no name may reach a setter of the prototype
      if (name === '__proto__') define(target, name, value, true);
      else (target as Record<string, unknown>)[name] = value;
    }
    return target;
  }

  array(depth: number): unknown[] {
    const array = this.keep<unknown[]>([]);
    for (let left = this.#reader.countOf('items', 1); left > 0; left--) array.push(this.read(depth + 1));
    return array;
  }

  sparse(depth: number): unknown[] {
    const length = this.#reader.count();
    if (length > 2 ** 32 - 1) this.#reader.fail('an array is too long');
    const array = this.fields(this.keep(withHoles(length)), depth);
    return array.length === length ? array : this.#reader.fail('an item lies behind the end of its array');
  }

  map(depth: number): Map<unknown, unknown> {
    const map = this.keep(new Map<unknown, unknown>());
    for (let left = this.#reader.countOf('entries', 2); left > 0; left--) {
      const key = this.read(depth + 1);
      map.set(key, this.read(depth + 1));
    }
    return map;
  }

  set(depth: number): Set<unknown> {
    const set = this.keep(new Set<unknown>());
    for (let left = this.#reader.countOf('items', 1); left > 0; left--) set.add(this.read(depth + 1));
    return set;
  }

  boxed(depth: number): object {
    return this.#keepLater(() => {
      const value = this.read(depth + 1);
      const isPrimitive = ['boolean', 'number', 'string', 'bigint'].includes(typeof value);
      return isPrimitive ? (Object(value) as object) : this.#reader.fail('a box holds no primitive');
    });
  }

  error(depth: number): Error {
    const name = this.#reader.text();
    const error = this.keep(new (errorTypes.get(name) ?? Error)());
    // made here, where its stack says nothing
    Reflect.deleteProperty(error, 'stack');
    const fields = this.fields<Readonly<Record<string, unknown>>>({}, depth);
    for (const field of errorFields)
      if (Object.hasOwn(fields, field)) define(error, field, fields[field], false);
    if (error.name !== name) define(error, 'name', name, false);
    return error;
  }

  exception(depth: number): DOMException {
    return this.#keepLater(() => {
      const name = this.#reader.text();
      const { message, stack } = this.fields<{ message?: unknown; stack?: unknown }>({}, depth);
      if (typeof message !== 'string') return this.#reader.fail('an exception has no message');
      const exception = new DOMException(message, name);
      if (stack !== undefined) define(exception, 'stack', stack, false);
      return exception;
    });
  }

  view(depth: number): ArrayBufferView {
    return this.#keepLater(() => {
      const kind = viewKinds[this.#reader.byte()] ?? 'of a later version';
      const [offset, length] = [this.#reader.count(), this.#reader.count()];
      const buffer = this.read(depth + 1);
      const type = (globalThis as unknown as Readonly<Record<string, ViewConstructor | undefined>>)[kind];
      if (!type) return this.#reader.fail(`this platform has no view of the kind ${kind}`);
      if (!(buffer instanceof ArrayBuffer)) return this.#reader.fail('a view has no buffer');
      // throws when it does not fit
      return new type(buffer, offset, length);
    });
  }
}

type Read = (values: ValueReader, reader: ByteReader, depth: number) => unknown;

const readersByTag: Readonly<Record<ValueTag, Read>> = {
  null: () => null,
  undefined: () => undefined,
  true: () => true,
  false: () => false,
  integer: (_, reader) => reader.count(),
  negative: (_, reader) => -reader.count(),
  number: (_, reader) => reader.double(),
  string: (_, reader) => reader.text(),
  bigint: (_, reader) => toBigInt(reader),
  again: (values) => values.again(),
  object: (values, _, depth) => values.fields(values.keep({}), depth),
  array: (values, _, depth) => values.array(depth),
  sparse: (values, _, depth) => values.sparse(depth),
  map: (values, _, depth) => values.map(depth),
  set: (values, _, depth) => values.set(depth),
  date: (values, reader) => values.keep(new Date(reader.double())),
  expression: (values, reader) => values.keep(new RegExp(reader.text(), reader.text())),
  boxed: (values, _, depth) => values.boxed(depth),
  error: (values, _, depth) => values.error(depth),
  exception: (values, _, depth) => values.exception(depth),
  buffer: (values, reader) => values.keep(reader.counted().slice().buffer),
  view: (values, _, depth) => values.view(depth),
};
const readers: Read[] = [];
for (const [name, read] of Object.entries(readersByTag)) readers[valueTags[name as ValueTag]] = read;

/** An array of holes. A length alone must cost no memory: an array that was ever this long keeps its items in a table. */
function withHoles(length: number): unknown[] {
  const holes: unknown[] = [];
  if (length === 0) return holes;
  holes[2 ** 32 - 2] = 0;
  Reflect.deleteProperty(holes, 2 ** 32 - 2);
  holes.length = length;
  return holes;
}

function toBigInt(reader: ByteReader): bigint {
  const text = reader.text();
  if (!/^-?[\da-f]+$/.test(text)) reader.fail('a bigint has other digits');
  return text.startsWith('-') ? -BigInt(`0x${text.slice(1)}`) : BigInt(`0x${text}`);
}

/**
 * The value of bytes that are one value and nothing more. It shares no memory with them.
 * @throws `state/bytes-damaged`, in time and memory of the order of the bytes
 */
export function fromValueBytes(bytes: Uint8Array): unknown {
  const reader = new ByteReader(bytes);
  try {
    const version = reader.byte();
    if (version !== valueVersion) reader.fail(`a value has form ${version}, expected ${valueVersion}`);
    const value = new ValueReader(reader).read(0);
    reader.end();
    return value;
  } catch (error) {
    if (isCodedError(error)) throw error;
    // such as an expression that is none, or a view beyond its buffer
    return reader.fail('a value cannot be made', error);
  }
}
