/**
 * Values as JSON plus byte buffers. JSON, because its text is read in C on the Python side and can be measured before it
 * is read on ours; what JSON lacks is an object with the single key `$`, and a real object with that key is one of them.
 * What comes back is read by `value-reader.ts`.
 */
import { CodedError } from '../../base/index.ts';
import type { Language } from '../language/language.ts';
import { numberArrays } from '../number-arrays.ts';

type Tree = null | boolean | number | string | readonly Tree[] | { readonly [key: string]: Tree };

/** Longer strings travel as UTF-8 bytes: no escaping, no conversion of single characters. */
const longTextLength = 16_384;

/** What Python's `datetime` can hold. */
const firstDateMs = Date.parse('0001-01-01T00:00:00.000Z');
const lastDateMs = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/** What an encoder may take in. */
export interface ValueBounds {
  readonly maxSizeBytes: number;
  readonly maxDepth: number;
  /** Buffers that the caller gives away. Default: none. */
  readonly given?: ReadonlySet<ArrayBufferLike>;
  /** As the language has it. */
  readonly identifyKey?: Language['identifyKey'];
}

function typeCodeOf(value: ArrayBufferView): string | undefined {
  return Object.entries(numberArrays).find(([, type]) => value instanceof type)?.[0];
}

/** How a value is called in an error message. */
function nameOf(value: unknown): string {
  if (typeof value !== 'object' || value === null) return `a ${typeof value}`;
  return `an object of type ${Object.prototype.toString.call(value).slice(8, -1)}`;
}

/** Collects the values of one run; buffers are copies, so that the caller keeps its own, but for those that it gives away. */
export class ValueEncoder {
  readonly buffers: ArrayBuffer[] = [];
  readonly #bounds: ValueBounds;
  /** Where the caller's own stand among the buffers. */
  readonly #taken = new Map<ArrayBufferLike, number>();
  #sizeBytes = 0;

  constructor(bounds: ValueBounds) {
    this.#bounds = bounds;
  }

  /** @param path where the value stands, for the error `executor/variable-invalid` */
  encode(value: unknown, path: string, depth: number = 0): Tree {
    if (depth > this.#bounds.maxDepth) {
      throw invalid(path, `nesting of at most ${this.#bounds.maxDepth} levels, without cycles`, 'more');
    }
    switch (typeof value) {
      case 'boolean':
        return value;
      case 'number':
        return this.#number(value, path);
      case 'bigint':
        this.#count(value.toString(16).length, path);
        return { $: 'int', v: value.toString(16) };
      case 'string':
        return this.#text(value, path);
      case 'object':
        return value === null ? null : this.#object(value, path, depth);
      case 'function':
      case 'symbol':
      case 'undefined':
        throw invalid(path, 'a value that can cross', nameOf(value));
    }
  }

  #number(value: number, path: string): Tree {
    this.#count(8, path);
    if (Number.isFinite(value) && !Object.is(value, -0)) return value;
    return { $: 'float', v: Object.is(value, -0) ? '-0.0' : String(value) };
  }

  #text(value: string, path: string): Tree {
    this.#count(value.length, path);
    if (value.length < longTextLength || !value.isWellFormed()) return value;
    return { $: 'text', b: this.#keep(new TextEncoder().encode(value)) };
  }

  #object(value: object, path: string, depth: number): Tree {
    if (Array.isArray(value)) {
      this.#count(value.length, path);
      // not by map(), which leaves out what is not there
      return Array.from(value, (item, index) => this.encode(item, `${path}[${index}]`, depth + 1));
    }
    if (value instanceof Date) return this.#date(value, path);
    if (ArrayBuffer.isView(value)) return this.#bytes(value, path);
    if (value instanceof Map) return this.#map(value, path, depth);
    if (value instanceof Set) return this.#set(value, path, depth);
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype !== null && Object.getPrototypeOf(prototype) !== null) {
      throw invalid(path, 'a plain object, or one of the types in GuestValue', nameOf(value));
    }
    const entries = Object.entries(value);
    this.#count(entries.length, path);
    const members = entries.map(([key, item]) => {
      this.#count(key.length, path);
      return [key, this.encode(item, `${path}.${key}`, depth + 1)] as const;
    });
    // fromEntries defines, it does not assign: a key named __proto__ stays a key
    return Object.hasOwn(value, '$') ? { $: 'dict', v: members } : Object.fromEntries(members);
  }

  #date(value: Date, path: string): Tree {
    const atMs = value.getTime();
    if (!(atMs >= firstDateMs && atMs <= lastDateMs)) {
      throw invalid(path, 'a date in the years 1 to 9999', String(atMs));
    }
    this.#count(8, path);
    return { $: 'date', v: atMs };
  }

  #bytes(view: ArrayBufferView, path: string): Tree {
    const code = view instanceof Uint8Array ? 'bytes' : typeCodeOf(view);
    if (code === undefined)
      throw invalid(path, 'bytes or one of the typed arrays in GuestValue', nameOf(view));
    this.#count(view.byteLength, path);
    const index = this.#take(view);
    return code === 'bytes' ? { $: 'bytes', b: index } : { $: 'array', t: code, b: index };
  }

  #map(value: ReadonlyMap<unknown, unknown>, path: string, depth: number): Tree {
    this.#count(value.size, path);
    this.#checkKeys([...value.keys()], `${path}.key`);
    const entries = [...value].map(([key, item], index) => [
      this.encode(key, `${path}.key${index}`, depth + 1),
      this.encode(item, `${path}.value${index}`, depth + 1),
    ]);
    return { $: 'map', v: entries };
  }

  #set(value: ReadonlySet<unknown>, path: string, depth: number): Tree {
    this.#count(value.size, path);
    this.#checkKeys([...value], `${path}.item`);
    return {
      $: 'set',
      v: [...value].map((item, index) => this.encode(item, `${path}.item${index}`, depth + 1)),
    };
  }

  /** Of two that are equal one would be lost without a word. */
  #checkKeys(keys: readonly unknown[], path: string): void {
    const { identifyKey } = this.#bounds;
    if (!identifyKey) return;
    const seen = new Set<string>();
    for (const [index, key] of keys.entries()) {
      const identity = identifyKey(key);
      if (identity === undefined) throw invalid(path + index, 'what the language can hash', nameOf(key));
      if (seen.has(identity)) throw invalid(path + index, 'one that no other equals in the language', 'two');
      seen.add(identity);
    }
  }

  /** The caller's given buffers are taken from it now. Only when nothing else can be refused: what is refused is not half taken. */
  takeGiven(): void {
    for (const [buffer, index] of this.#taken) this.buffers[index] = takeOrCopy(buffer as ArrayBuffer);
  }

  #take({ buffer, byteOffset, byteLength }: ArrayBufferView): number {
    const isWhole = byteLength === buffer.byteLength;
    if (!isWhole || !this.#bounds.given?.has(buffer))
      return this.#keep(new Uint8Array(buffer, byteOffset, byteLength).slice());
    const index = this.#taken.get(buffer) ?? this.buffers.push(buffer as ArrayBuffer) - 1;
    this.#taken.set(buffer, index);
    return index;
  }

  #keep(bytes: Uint8Array): number {
    // made by slice() or TextEncoder, so never shared
    return this.buffers.push(bytes.buffer as ArrayBuffer) - 1;
  }

  #count(sizeBytes: number, path: string): void {
    this.#sizeBytes += sizeBytes;
    if (this.#sizeBytes <= this.#bounds.maxSizeBytes) return;
    throw invalid(path, `at most ${this.#bounds.maxSizeBytes} bytes for all values of a run`, 'more');
  }
}

/** Memory of WebAssembly cannot be given away. */
function takeOrCopy(buffer: ArrayBuffer): ArrayBuffer {
  try {
    return structuredClone(buffer, { transfer: [buffer] });
  } catch {
    return buffer.slice(0);
  }
}

function invalid(path: string, expected: string, found: string): CodedError {
  return new CodedError('executor/variable-invalid', `${path}: expected ${expected}, found ${found}`, {
    fields: { path, expected, found },
  });
}
