/** JSON as a type, with the checks and the canonical text that storage and digests rely on. */

export type JsonPrimitive = string | number | boolean | null;
export type Json = JsonPrimitive | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };

const maxDepthDefault = 512;

function isPlainObject(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function isJsonWithin(value: unknown, depth: number, proven: Set<object>): boolean {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return true;
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value !== 'object' || depth <= 0) return false;
  if (proven.has(value)) return true;
  if (!Array.isArray(value) && !isPlainObject(value)) return false;
  if (!Object.values(value).every((item) => isJsonWithin(item, depth - 1, proven))) return false;
  // a value that is shared a thousand times is walked once
  proven.add(value);
  return true;
}

/** True for finite JSON values. Cycles and nesting beyond `maxDepth` (default 512) are not JSON. */
export function isJson(value: unknown, maxDepth: number = maxDepthDefault): value is Json {
  return isJsonWithin(value, maxDepth, new Set());
}

/** One text per value: keys sorted by code unit, no white space. */
export function canonicalJson(value: Json): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  if (Array.isArray(value)) return `[${(value as readonly Json[]).map(canonicalJson).join(',')}]`;
  const object = value as JsonObject;
  const members = Object.keys(object)
    .toSorted()
    .map((key) => `${JSON.stringify(key)}:${canonicalJson(object[key] as Json)}`);
  return `{${members.join(',')}}`;
}

/** Freezes arrays and objects all the way down and returns the same value. Typed arrays cannot be frozen and stay as they are. */
export function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value) && !ArrayBuffer.isView(value)) {
    Object.freeze(value);
    for (const item of Object.values(value)) deepFreeze(item);
  }
  return value;
}
