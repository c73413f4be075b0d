/** Values as bytes, as `value-format.ts` says; `from-value-bytes.ts` is the way back. */
import { CodedError } from '../../base/index.ts';
import { ByteWriter } from './byte-writer.ts';
import {
  errorFields,
  maxEncodedDepth,
  maxEncodedValues,
  valueTags as tags,
  valueVersion,
  viewKinds,
} from './value-format.ts';

function notEncodable(found: string): CodedError {
  return new CodedError('state/not-encodable', `${found} has no bytes that could be kept`, {
    fields: { found },
  });
}

function kindOf(object: object): string {
  return Object.prototype.toString.call(object).slice(8, -1);
}

class ValueWriter {
  readonly #writer: ByteWriter;
  readonly #numbers = new Map<object, number>();
  #values = 0;

  constructor(writer: ByteWriter) {
    this.#writer = writer;
  }

  write(value: unknown, depth: number): void {
    // what is written must be read again
    if (++this.#values > maxEncodedValues) throw notEncodable(`more than ${maxEncodedValues} values in one`);
    if (typeof value === 'string') {
      this.#writer.byte(tags.string);
      this.#writer.text(value);
    } else if (typeof value === 'number') this.#number(value);
    else if (typeof value === 'object' && value !== null) this.#object(value, depth);
    else this.#rare(value);
  }

  #rare(value: unknown): void {
    if (typeof value === 'boolean') this.#writer.byte(value ? tags.true : tags.false);
    else if (value === null) this.#writer.byte(tags.null);
    else if (value === undefined) this.#writer.byte(tags.undefined);
    else if (typeof value === 'bigint') {
      this.#writer.byte(tags.bigint);
      this.#writer.text(value.toString(16));
    } else throw notEncodable(`a ${typeof value}`);
  }

  #number(value: number): void {
    if (Number.isSafeInteger(value) && !Object.is(value, -0)) {
      this.#writer.byte(value < 0 ? tags.negative : tags.integer);
      this.#writer.count(Math.abs(value));
    } else {
      this.#writer.byte(tags.number);
      this.#writer.double(value);
    }
  }

  #object(object: object, depth: number): void {
    const known = this.#numbers.get(object);
    if (known !== undefined) {
      this.#writer.byte(tags.again);
      this.#writer.count(known);
      return;
    }
    if (depth >= maxEncodedDepth) throw notEncodable(`a value with more than ${maxEncodedDepth} levels`);
    this.#numbers.set(object, this.#numbers.size);
    if (Array.isArray(object)) this.#array(object, depth);
    else if (isPlain(object)) {
      this.#writer.byte(tags.object);
      this.#fields(Object.keys(object), object, depth);
    } else if (!this.#binary(object, depth) && !this.#collection(object, depth) && !this.#leaf(object, depth))
      throw notEncodable(`a ${kindOf(object)}`);
  }

  #array(array: readonly unknown[], depth: number): void {
    const { length } = array;
    const names = Object.keys(array);
    // as many names as holes make the count right; the last own name of a list without names is its last index
    const isDense = names.length === length && (length === 0 || names.at(-1) === String(length - 1));
    this.#writer.byte(isDense ? tags.array : tags.sparse);
    this.#writer.count(length);
    if (!isDense) this.#fields(names, array, depth);
    else for (const item of array) this.write(item, depth + 1);
  }

  #fields(names: readonly string[], object: object, depth: number): void {
    this.#writer.count(names.length);
    for (const name of names) {
      this.#writer.text(name);
      this.write((object as Readonly<Record<string, unknown>>)[name], depth + 1);
    }
  }

  #collection(object: object, depth: number): boolean {
    if (object instanceof Map) {
      this.#writer.byte(tags.map);
      this.#writer.count(object.size);
      for (const [key, value] of object) {
        this.write(key, depth + 1);
        this.write(value, depth + 1);
      }
    } else if (object instanceof Set) {
      this.#writer.byte(tags.set);
      this.#writer.count(object.size);
      for (const item of object) this.write(item, depth + 1);
    } else return false;
    return true;
  }

  #binary(object: object, depth: number): boolean {
    if (ArrayBuffer.isView(object)) this.#view(object, depth);
    else if (object instanceof ArrayBuffer) {
      if ((object as { readonly resizable?: boolean }).resizable)
        throw notEncodable('a resizable ArrayBuffer');
      this.#writer.byte(tags.buffer);
      this.#writer.counted(new Uint8Array(object));
    } else return false;
    return true;
  }

  #view(view: ArrayBufferView, depth: number): void {
    const kind = viewKinds.indexOf(kindOf(view));
    if (kind < 0) throw notEncodable(`a ${kindOf(view)}`);
    this.#writer.byte(tags.view);
    this.#writer.byte(kind);
    this.#writer.count(view.byteOffset);
    // SAFETY of the cast: every view but a DataView has a length
    this.#writer.count(view instanceof DataView ? view.byteLength : (view as Uint8Array).length);
    this.write(view.buffer, depth + 1);
  }

  #leaf(object: object, depth: number): boolean {
    if (object instanceof Date) {
      this.#writer.byte(tags.date);
      this.#writer.double(object.getTime());
    } else if (object instanceof RegExp) {
      this.#writer.byte(tags.expression);
      this.#writer.text(object.source);
      this.#writer.text(object.flags);
    } else if (object instanceof Error) this.#error(object, depth);
    else if (isBoxed(object)) {
      this.#writer.byte(tags.boxed);
      this.write(object.valueOf(), depth + 1);
    } else return false;
    return true;
  }

  #error(error: Error, depth: number): void {
    // it is an error, but its name and message are not its own
    const isException = kindOf(error) === 'DOMException';
    this.#writer.byte(isException ? tags.exception : tags.error);
    this.#writer.text(String(error.name));
    const names = errorFields.filter(
      (name) => Object.hasOwn(error, name) || (isException && name === 'message'),
    );
    this.#fields(names, error, depth);
  }
}

function isPlain(object: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(object);
  return prototype === Object.prototype || prototype === null;
}

/** Of the four primitives that a clone keeps in a box. */
function isBoxed(object: object): boolean {
  return [Boolean, Number, String, BigInt].some((type) => object instanceof type);
}

/** Of one value at a time: a new writer for each costs as much as a small value. */
const scratch = new ByteWriter();

/**
 * The bytes of a value that a store holds: a structured clone of this realm.
 * @throws `state/not-encodable` (field found) for what has no bytes without waiting (Blob, CryptoKey, …), for a buffer that can
 *   grow, and beyond `maxEncodedDepth` and `maxEncodedValues`; `state/value-too-large` beyond `maxBytes`
 */
export function toValueBytes(value: unknown, maxBytes: number = Infinity): Uint8Array<ArrayBuffer> {
  scratch.reset(maxBytes);
  scratch.byte(valueVersion);
  new ValueWriter(scratch).write(value, 0);
  return scratch.finish();
}
