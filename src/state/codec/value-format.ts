/**
 * How values are written as bytes: everything that a structured clone keeps of data, with shared objects, cycles, holes, -0 and
 * half surrogate pairs, so that what is read is what was stored. General formats lose some of it.
 *
 * The bytes are the version, then one value. A value is its tag, one byte, and a body. Counts are non-negative integers below
 * 2^53, seven bits a byte, the lowest first; doubles are little-endian. Text is twice the number of its bytes, a count, and these
 * bytes in UTF-8; with half a surrogate pair, one more than twice and UTF-16, little-endian.
 *
 * The same value always has the same bytes: `integer` and `negative` (without its sign) are used wherever they can be, every NaN is one NaN, own
 * names keep their order. Objects are numbered from 0 as they are met, before what they hold; `again` names one by its number.
 *
 * - `number`: a double; `string`: text; `bigint`: text, its hexadecimal digits
 * - `object`: count, then each name as text and its value; `array`: count and items; `sparse`, an array with holes or names: its
 *   length, then as `object`; `map`: count, then keys and values; `set`: count and items
 * - `date`: a double; `expression`: source and flags, texts; `boxed`: the primitive
 * - `error`: its name, then the own fields of {@link errorFields} as `object`; `exception`, a DOMException: the same
 * - `buffer`: count and bytes; `view`: its kind, one byte, its offset in bytes and its length in items, counts, then its buffer, a value
 */
import { CodedError } from '../../base/index.ts';

/** Raised whenever a reader of the form before would misread bytes: 1 and the ASCII letters stood at the beginning of earlier forms. */
export const valueVersion = 2;

/** Nesting in bytes: what the deepest value of a store needs, and what the stack of every engine can take. */
export const maxEncodedDepth: number = 600;
/** Values inside one value: two bytes can stand for an object of fifty. The default bounds of a store let no value have more. */
export const maxEncodedValues: number = 4 * 2 ** 20;

/** Numbers are not given again. */
export const valueTags = {
  null: 0,
  undefined: 1,
  true: 2,
  false: 3,
  integer: 4,
  negative: 5,
  number: 6,
  string: 7,
  bigint: 8,
  again: 9,
  object: 10,
  array: 11,
  sparse: 12,
  map: 13,
  set: 14,
  date: 15,
  expression: 16,
  boxed: 17,
  error: 18,
  exception: 19,
  buffer: 20,
  view: 21,
} as const;
export type ValueTag = keyof typeof valueTags;

/** By the number that stands for them. Kinds are added at the end. */
export const viewKinds: readonly string[] = [
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
  'Float16Array',
];

/** What a clone keeps of an error beside its type. */
export const errorFields: readonly string[] = ['message', 'stack', 'cause'];

/** What is not as it was written. `reason` and `offset` say where reading ended. */
export function damaged(reason: string, offset: number, cause?: unknown): CodedError {
  return new CodedError('state/bytes-damaged', `stored bytes are damaged at ${offset}: ${reason}`, {
    fields: { reason, offset },
    cause,
  });
}
