/** The values that cross between the page and a guest. All of them survive structured clone. */

/** Arrays of numbers that cross as bytes: one copy, no conversion of single elements. */
export type GuestNumbers =
  | Int8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array
  | Float32Array
  | Float64Array;

/**
 * What goes in and what comes back.
 *
 * | here | in Python |
 * | --- | --- |
 * | `null`, `boolean`, `string` | `None`, `bool`, `str` |
 * | `number` without a fraction, `bigint` | `int` (back: `number` when safe, else `bigint`) |
 * | other `number` | `float` |
 * | `Uint8Array` | `bytes` (back also from `bytearray` and `memoryview`) |
 * | `Date` | aware `datetime` in UTC (back also from `date`; a naive one counts as UTC) |
 * | array | `list` (back also from `tuple`, `set`, `frozenset`, `range`, `deque`) |
 * | plain object, `Map` | `dict` (back: an object when every key is a `str`, else a `Map`) |
 * | `Set` | `set` (back: an array) |
 * | other typed arrays | `array.array` |
 *
 * In JavaScript and TypeScript they are what they are here, `bigint` and `Set` included; `undefined` comes back as `null`, an `Error` as an object
 * with its `name` and `message`.
 *
 * Objects that come back are frozen and have no prototype, and arrays are frozen; a `Map`, a `Date` or a typed array cannot be, and is the
 * caller's own.
 */
export type GuestValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Date
  | Uint8Array
  | GuestNumbers
  | readonly GuestValue[]
  | ReadonlyMap<GuestValue, GuestValue>
  | ReadonlySet<GuestValue>
  | { readonly [key: string]: GuestValue };

/** A copy as values come back from a guest: for one that was cloned since, which gave its objects a prototype and thawed them. */
export function freezeGuestValue<T extends GuestValue>(value: T): T;
export function freezeGuestValue(value: GuestValue): GuestValue {
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Date || ArrayBuffer.isView(value)) return value;
  if (Array.isArray(value)) return Object.freeze(value.map((item: GuestValue) => freezeGuestValue(item)));
  if (value instanceof Map) {
    const entries: readonly [GuestValue, GuestValue][] = [...value];
    return new Map(entries.map(([key, item]) => [freezeGuestValue(key), freezeGuestValue(item)]));
  }
  if (value instanceof Set) {
    const items: readonly GuestValue[] = [...value];
    return new Set(items.map((item) => freezeGuestValue(item)));
  }
  const record = Object.create(null) as Record<string, GuestValue>;
  for (const [key, item] of Object.entries(value)) record[key] = freezeGuestValue(item as GuestValue);
  return Object.freeze(record);
}
