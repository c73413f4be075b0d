/** Small plain data is copied when it is handed over, so that it may wait for what else the same turn sends. */
import type { PortLimits } from './limits.ts';

export interface SmallCopy {
  /** Nobody else holds it. */
  readonly value: unknown;
  /** Estimated: 2 for each character of a text, 1 for each of a name, 8 for each value. */
  readonly sizeBytes: number;
}

/** Beyond either, waiting for company saves nothing that would be felt. */
const maxSmallBytes = 16 * 1024;
const maxSmallObjects = 32;
const bytesPerSlot = 8;

const notSmall: unique symbol = Symbol('not small');

interface Walk {
  bytesLeft: number;
  readonly maxDepth: number;
  readonly seen: object[];
}

/**
 * The copy of primitives, arrays without holes, and objects without a class, each met once: what a structured clone makes of them is
 * exactly this. Undefined for everything else, and for what is large or deep: only the platform can copy it, or refuse it.
 * @throws what a getter throws
 */
export function copySmall(body: unknown, limits: PortLimits): SmallCopy | undefined {
  const allowed = Math.min(maxSmallBytes, limits.maxMessageBytes);
  const walk: Walk = { bytesLeft: allowed, maxDepth: limits.maxMessageDepth, seen: [] };
  const value = copyValue(body, walk, 0);
  return value === notSmall ? undefined : { value, sizeBytes: allowed - walk.bytesLeft };
}

function copyValue(value: unknown, walk: Walk, depth: number): unknown {
  if (typeof value === 'object' && value !== null) {
    walk.bytesLeft -= bytesPerSlot;
    return walk.bytesLeft < 0 ? notSmall : copyObject(value, walk, depth);
  }
  if (typeof value === 'function' || typeof value === 'symbol') return notSmall;
  walk.bytesLeft -= typeof value === 'string' ? value.length * 2 : bytesPerSlot;
  return walk.bytesLeft < 0 ? notSmall : value;
}

function copyObject(value: object, walk: Walk, depth: number): unknown {
  const { seen, maxDepth } = walk;
  // what is met twice must stay one object
  if (depth > maxDepth || seen.length >= maxSmallObjects || seen.includes(value)) return notSmall;
  seen.push(value);
  if (Array.isArray(value)) return copyList(value, walk, depth + 1);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return notSmall;
  return copyRecord(value as Record<string, unknown>, walk, depth + 1);
}

function copyList(list: readonly unknown[], walk: Walk, depth: number): unknown {
  // a long one is not walked for its names
  if (list.length > walk.bytesLeft) return notSmall;
  if (Object.keys(list).length !== list.length) return notSmall;
  const copies: unknown[] = [];
  for (let index = 0; index < list.length; index++) {
    // as many names as holes would have made the count right
    if (!Object.hasOwn(list, index)) return notSmall;
    const copy = copyValue(list[index], walk, depth);
    if (copy === notSmall) return notSmall;
    copies.push(copy);
  }
  return copies;
}

function copyRecord(record: Readonly<Record<string, unknown>>, walk: Walk, depth: number): unknown {
  const copies: Record<string, unknown> = {};
  for (const key of Object.keys(record)) {
    walk.bytesLeft -= key.length;
    // it would become the prototype of the copy
    if (key === '__proto__') return notSmall;
    const copy = copyValue(record[key], walk, depth);
    if (copy === notSmall) return notSmall;
    copies[key] = copy;
  }
  return copies;
}
