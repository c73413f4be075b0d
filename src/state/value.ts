/** Values: what may be stored, how big it is, and the copy that is taken when it is handed over. */
import { CodedError, messageOf } from '../base/index.ts';
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

/**
 * Copies a value as it is now, so that later changes by the caller are not stored.
 * @throws `state/not-cloneable` for functions, symbols, proxies, shared memory and getters that throw;
 *   `state/value-too-large`
 */
export function takeSnapshot(value: unknown, limits: StoreLimits): Snapshot {
  let copy: unknown;
  try {
    copy = structuredClone(value);
  } catch (error) {
    throw notCloneable(messageOf(error), error);
  }
  return { value: copy, sizeBytes: measureValue(copy, limits) };
}
