/** Values: what may be stored, how big it is, and the copy that is taken when it is handed over. */
import { CodedError, isCodedError, messageOf } from '../base/index.ts';
import { defaultStoreLimits } from './limits.ts';
import type { StoreLimits } from './limits.ts';

export interface Snapshot {
  /** The store's own copy. */
  readonly value: unknown;
  /** An estimate: 2 per string character, 8 per primitive, 16 per object, the bytes of binary data. */
  readonly sizeBytes: number;
}

const primitiveBytes = 8;
const objectBytes = 16;

function notCloneable(what: string, cause?: unknown): CodedError {
  return new CodedError('state/not-cloneable', `a value cannot be stored: ${what}`, {
    fields: { found: what },
    cause,
  });
}

function tooLarge(scope: string, limit: number, unit: string): CodedError {
  return new CodedError('state/value-too-large', `a value exceeds ${limit} ${unit}`, {
    fields: { scope, limit, unit },
  });
}

/** Bytes of an object without what it holds; throws for what a page can clone but no store can keep. */
function ownBytes(object: object): number {
  if (ArrayBuffer.isView(object)) {
    if (isShared(object.buffer)) throw notCloneable('a view on shared memory');
    return objectBytes + object.byteLength;
  }
  if (object instanceof ArrayBuffer) return objectBytes + object.byteLength;
  if (isShared(object)) throw notCloneable('shared memory');
  if (typeof Blob !== 'undefined' && object instanceof Blob) return objectBytes + object.size;
  const tag = Object.prototype.toString.call(object);
  if (tag === '[object WebAssembly.Module]') throw notCloneable('a WebAssembly module');
  return objectBytes;
}

function isShared(value: object): boolean {
  return typeof SharedArrayBuffer !== 'undefined' && value instanceof SharedArrayBuffer;
}

function childrenOf(object: object): Iterable<unknown> {
  if (ArrayBuffer.isView(object) || object instanceof ArrayBuffer) return [];
  if (object instanceof Map) return [...object.keys(), ...object.values()];
  if (object instanceof Set) return object;
  // own keys count as strings; a hole in an array costs nothing
  return Array.isArray(object) ? Object.values(object) : Object.entries(object).flat();
}

/**
 * Size of a value that was cloned (so it holds no getters and no functions), in bytes, as {@link Snapshot} says.
 * @throws `state/value-too-large` (fields scope, limit, unit), `state/not-cloneable`
 */
export function measureValue(value: unknown, limits: StoreLimits): number {
  let sizeBytes = 0;
  const seen = new Set<object>();
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > limits.maxValueDepth) throw tooLarge('value', limits.maxValueDepth, 'levels of nesting');
    const next: unknown[] = [];
    for (const item of level) {
      if (typeof item === 'string') sizeBytes += 2 * item.length;
      else if (typeof item !== 'object' || item === null) sizeBytes += primitiveBytes;
      else if (!seen.has(item)) {
        seen.add(item);
        sizeBytes += ownBytes(item);
        if (sizeBytes <= limits.maxValueBytes) for (const child of childrenOf(item)) next.push(child);
      }
      if (sizeBytes > limits.maxValueBytes) throw tooLarge('value', limits.maxValueBytes, 'bytes');
    }
    level = next;
  }
  return sizeBytes;
}

/** What is stored was within the bounds of whoever wrote it. */
const unbounded: StoreLimits = { ...defaultStoreLimits, maxValueBytes: Infinity, maxValueDepth: Infinity };

/** {@link measureValue} of a value that a store holds. */
export function sizeOfStored(value: unknown): number {
  return measureValue(value, unbounded);
}

/** All bytes of a buffer of its own, so that a copy of the bytes is a copy of it. */
function isWholeBytes(object: object): object is Uint8Array {
  if (Object.getPrototypeOf(object) !== Uint8Array.prototype || !ArrayBuffer.isView(object)) return false;
  const { buffer, byteLength } = object;
  if (!(buffer instanceof ArrayBuffer) || buffer.byteLength !== byteLength) return false;
  // a detached one is for the platform to refuse, one that can grow for it to copy
  return byteLength > 0 && !(buffer as { readonly resizable?: boolean }).resizable;
}

/** Not data alone: only the platform's own clone tells what becomes of it. */
const notPlain: unique symbol = Symbol('not plain');

/**
 * Copies and measures plain data in one walk, several times as fast as a clone by the platform. Plain: primitives, bytes, arrays
 * without holes, and objects of this realm without a class, each met once.
 */
class PlainCopier {
  sizeBytes = 0;
  readonly #limits: StoreLimits;
  readonly #seen = new Set<object>();

  constructor(limits: StoreLimits) {
    this.#limits = limits;
  }

  /** The copy, or {@link notPlain}. */
  copy(value: unknown, depth: number = 0): unknown {
    const { maxValueDepth, maxValueBytes } = this.#limits;
    if (depth > maxValueDepth) throw tooLarge('value', maxValueDepth, 'levels of nesting');
    const copied =
      typeof value === 'object' && value !== null ? this.#object(value, depth) : this.#leaf(value);
    if (this.sizeBytes > maxValueBytes) throw tooLarge('value', maxValueBytes, 'bytes');
    return copied;
  }

  #leaf(value: unknown): unknown {
    if (typeof value === 'function' || typeof value === 'symbol') return notPlain;
    this.sizeBytes += typeof value === 'string' ? 2 * value.length : primitiveBytes;
    return value;
  }

  #object(object: object, depth: number): unknown {
    // what is met twice must stay one object
    if (this.#seen.has(object)) return notPlain;
    this.#seen.add(object);
    this.sizeBytes += objectBytes;
    if (Array.isArray(object)) return this.#array(object, depth);
    if (isWholeBytes(object)) return this.#bytes(object);
    const prototype: unknown = Object.getPrototypeOf(object);
    if (prototype !== Object.prototype && prototype !== null) return notPlain;
    return this.#record(object as Record<string, unknown>, depth);
  }

  #bytes(bytes: Uint8Array): unknown {
    // two views on one buffer stay two views on one
    if (this.#seen.has(bytes.buffer)) return notPlain;
    this.#seen.add(bytes.buffer);
    this.sizeBytes += bytes.byteLength;
    // before it is copied
    return this.sizeBytes > this.#limits.maxValueBytes ? undefined : new Uint8Array(bytes);
  }

  #array(array: readonly unknown[], depth: number): unknown {
    if (Object.keys(array).length !== array.length) return notPlain;
    const copies: unknown[] = [];
    for (let index = 0; index < array.length; index++) {
      // as many names as holes would have made the count right
      if (!Object.hasOwn(array, index)) return notPlain;
      const copy = this.copy(array[index], depth + 1);
      if (copy === notPlain) return notPlain;
      copies.push(copy);
    }
    return copies;
  }

  #record(record: Readonly<Record<string, unknown>>, depth: number): unknown {
    const copies: Record<string, unknown> = {};
    for (const key of Object.keys(record)) {
      if (key === '__proto__') return notPlain;
      this.sizeBytes += 2 * key.length;
      const copy = this.copy(record[key], depth + 1);
      if (copy === notPlain) return notPlain;
      copies[key] = copy;
    }
    return copies;
  }
}

/**
 * Copies a value as it is now, so that later changes by the caller are not stored.
 * @throws `state/not-cloneable` for functions, symbols, shared memory and getters that throw; `state/value-too-large`
 */
export function takeSnapshot(value: unknown, limits: StoreLimits): Snapshot {
  const plain = takePlainSnapshot(value, limits);
  if (plain) return plain;
  let copy: unknown;
  try {
    copy = structuredClone(value);
  } catch (error) {
    throw notCloneable(messageOf(error), error);
  }
  return { value: copy, sizeBytes: measureValue(copy, limits) };
}

function takePlainSnapshot(value: unknown, limits: StoreLimits): Snapshot | undefined {
  const copier = new PlainCopier(limits);
  try {
    const copy = copier.copy(value);
    return copy === notPlain ? undefined : { value: copy, sizeBytes: copier.sizeBytes };
  } catch (error) {
    if (isCodedError(error, 'state/value-too-large')) throw error;
    throw notCloneable(messageOf(error), error);
  }
}
