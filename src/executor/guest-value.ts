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
 * | other typed arrays | `array.array` |
 *
 * Objects that come back are frozen and have no prototype.
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
  | { readonly [key: string]: GuestValue };
