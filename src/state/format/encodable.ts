/** What a file can hold: every value is looked at, with its path, before a codec sees it. */
import { CodedError } from '../../base/index.ts';
import { tooLarge } from './codec.ts';
import type { FormatLimits } from './codec.ts';

const loneSurrogate = /\p{Surrogate}/u;

/** The views that have a name in files, in the order of their numbers there. */
export const viewTypes = [
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
  'ArrayBuffer',
] as const;

export type ViewType = (typeof viewTypes)[number];

interface TypedArrayConstructor {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBuffer): object;
}

/** Binary data as the name of its type and its bytes; undefined for other objects and for types that have no name in files. */
export function viewOf(value: object): { readonly type: ViewType; readonly bytes: Uint8Array } | undefined {
  if (!ArrayBuffer.isView(value) && !(value instanceof ArrayBuffer)) return undefined;
  const tag = Object.prototype.toString.call(value).slice(8, -1);
  const type = viewTypes.find((each) => each === tag);
  if (type === undefined) return undefined;
  if (value instanceof ArrayBuffer) return { type, bytes: new Uint8Array(value) };
  return { type, bytes: new Uint8Array(value.buffer, value.byteOffset, value.byteLength) };
}

/** Reverses {@link viewOf} with memory of its own; undefined when the bytes are no whole number of elements, or the type is none. */
export function makeView(type: string, bytes: Uint8Array): object | undefined {
  const name = viewTypes.find((each) => each === type);
  if (name === undefined) return undefined;
  const { buffer } = new Uint8Array(bytes);
  if (name === 'ArrayBuffer') return buffer;
  if (name === 'DataView') return new DataView(buffer);
  const View: TypedArrayConstructor = globalThis[name];
  return buffer.byteLength % View.BYTES_PER_ELEMENT === 0 ? new View(buffer) : undefined;
}

/** Bytes that hold the size of a bigint. */
export function bigintBytes(value: bigint): number {
  return Math.ceil(value.toString(16).length / 2);
}

/** An object with these entries of its own, whatever they are called; undefined when a name stands there twice. */
export function objectOf(entries: Iterable<readonly [string, unknown]>): Record<string, unknown> | undefined {
  const object: Record<string, unknown> = {};
  for (const [key, value] of entries) {
    if (Object.hasOwn(object, key)) return undefined;
    if (key === '__proto__') {
      Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
    } else object[key] = value;
  }
  return object;
}

class Checker {
  readonly #format: string;
  readonly #limits: FormatLimits;
  /** The names that lead to where the walk is. */
  readonly #path: string[];
  #values = 0;
  #bytes = 0;

  constructor(format: string, limits: FormatLimits, root: string) {
    this.#format = format;
    this.#limits = limits;
    this.#path = [root];
  }

  check(value: unknown, depth: number): void {
    this.#count(0);
    if (typeof value === 'string') this.#checkText(value);
    else if (typeof value === 'bigint') this.#checkBigint(value);
    else if (typeof value === 'object' && value !== null) this.#checkObject(value, depth);
    else if (typeof value === 'function' || typeof value === 'symbol')
      throw this.#refusal(`a ${typeof value}`);
  }

  #checkText(text: string): void {
    this.#count(text.length);
    if (loneSurrogate.test(text)) throw this.#refusal('a text with half a surrogate pair');
  }

  #checkBigint(value: bigint): void {
    const bytes = bigintBytes(value);
    this.#count(bytes);
    if (bytes > this.#limits.maxBigintBytes)
      throw this.#refusal(`a bigint of more than ${this.#limits.maxBigintBytes} bytes`);
  }

  #checkObject(value: object, depth: number): void {
    if (value instanceof Date) {
      if (Number.isNaN(value.getTime())) throw this.#refusal('an invalid date');
      return;
    }
    const view = viewOf(value);
    if (view) return this.#count(view.bytes.length);
    if (depth >= this.#limits.maxDepth) {
      throw this.#refusal(`a cycle, or more than ${this.#limits.maxDepth} levels of nesting,`);
    }
    this.#checkParts(value, depth + 1);
  }

  #checkParts(value: object, depth: number): void {
    if (Array.isArray(value)) {
      const items = value as readonly unknown[];
      // an index loop: a hole is written as undefined, and counts
      for (let index = 0; index < items.length; index++) this.#at(`[${index}]`, items[index], depth);
      return;
    }
    let index = 0;
    if (value instanceof Set) {
      for (const item of value) this.#at(`{${index++}}`, item, depth);
      return;
    }
    if (value instanceof Map) {
      for (const [key, item] of value) {
        this.#at(`{key ${index}}`, key, depth);
        this.#at(`{value ${index++}}`, item, depth);
      }
      return;
    }
    this.#checkRecord(value, depth);
  }

  #checkRecord(value: object, depth: number): void {
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype !== Object.prototype && prototype !== null) {
      throw this.#refusal(`an instance of a class (${Object.prototype.toString.call(value)})`);
    }
    for (const [key, item] of Object.entries(value)) {
      this.#path.push(`.${key.slice(0, 100)}`);
      this.#checkText(key);
      this.check(item, depth);
      this.#path.pop();
    }
  }

  #at(name: string, value: unknown, depth: number): void {
    this.#path.push(name);
    this.check(value, depth);
    this.#path.pop();
  }

  #count(bytes: number): void {
    this.#bytes += bytes;
    if (bytes === 0) this.#values += 1;
    const { maxValues, maxFileBytes } = this.#limits;
    if (this.#values > maxValues) throw tooLarge('state', maxValues, 'values');
    if (this.#bytes > maxFileBytes) throw tooLarge('state', maxFileBytes, 'bytes');
  }

  #refusal(found: string): CodedError {
    const whole = this.#path.join('');
    const path = whole.length > 500 ? `${whole.slice(0, 250)}…${whole.slice(-250)}` : whole;
    const [format, name] = [this.#format, found.replace(/,$/, '')];
    return new CodedError(
      'state/not-encodable',
      `${path} holds ${found} which a ${format} file cannot hold`,
      {
        fields: { path, found: name, format },
      },
    );
  }
}

/**
 * Checks all of a state, what is shared each time it is met.
 * @throws `state/not-encodable` (fields path, found, format), `state/value-too-large`
 */
export function assertEncodable(state: unknown, format: string, limits: FormatLimits): void {
  new Checker(format, limits, 'state').check(state, 0);
}
