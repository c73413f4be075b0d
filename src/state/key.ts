/** Keys: tuples of strings. Every key is built, checked, ordered and parsed here. */
import { CodedError } from '../base/index.ts';

/**
 * A path of 1 to 8 non-empty, well-formed strings, for example `['record-head', id]`.
 * Keys are ordered segment by segment, by UTF-16 code unit; a key comes before the keys it is a prefix of.
 */
export type Key = readonly string[];

/** Bounds on keys, small enough for every engine that a store may stand on. Lengths in UTF-16 code units. */
export const keyLimits: {
  readonly maxSegments: number;
  readonly maxSegmentLength: number;
  readonly maxEncodedLength: number;
} = { maxSegments: 8, maxSegmentLength: 512, maxEncodedLength: 1024 };

const loneSurrogate = /\p{Surrogate}/u;
const end = '\u0000';
const afterEnd = '\u0001';

function invalid(found: string, fields: Record<string, string | number>): CodedError {
  return new CodedError('state/key-invalid', `a key ${found}`, { fields });
}

function checkSegment(segment: unknown, index: number): asserts segment is string {
  if (typeof segment !== 'string' || segment === '') {
    throw invalid(
      `has ${typeof segment === 'string' ? 'an empty string' : typeof segment} at ${index}, expected a non-empty string`,
      { index },
    );
  }
  if (segment.length > keyLimits.maxSegmentLength) {
    throw invalid(
      `has ${segment.length} characters at ${index}, expected at most ${keyLimits.maxSegmentLength}`,
      { index, length: segment.length },
    );
  }
  if (loneSurrogate.test(segment)) {
    throw invalid(`has half a surrogate pair at ${index}, expected well-formed text`, { index });
  }
}

/**
 * The key as one string whose code-unit order is the order of keys: each segment ends with U+0000;
 * inside, U+0000 and U+0001 become U+0001 U+0001 and U+0001 U+0002.
 * @param key a key, or a prefix, which may be empty
 */
function encodeSegments(key: Key): string {
  return key
    .map((segment) => segment.replaceAll('\u0001', '\u0001\u0002').replaceAll(end, '\u0001\u0001') + end)
    .join('');
}

function checkSegments(value: unknown): string {
  if (!Array.isArray(value))
    throw invalid(`is ${value === null ? 'null' : typeof value}, expected an array of strings`, {});
  if (value.length > keyLimits.maxSegments) {
    throw invalid(`has ${value.length} segments, expected at most ${keyLimits.maxSegments}`, {
      segments: value.length,
    });
  }
  // an index loop: holes must not be skipped
  for (let index = 0; index < value.length; index++) checkSegment(value[index], index);
  const encoded = encodeSegments(value as Key);
  if (encoded.length > keyLimits.maxEncodedLength) {
    throw invalid(`has ${encoded.length} characters in all, expected at most ${keyLimits.maxEncodedLength}`, {
      length: encoded.length,
    });
  }
  return encoded;
}

/**
 * Checks a key and gives its order-preserving text.
 * @throws `state/key-invalid`
 */
export function encodeKey(key: unknown): string {
  const encoded = checkSegments(key);
  if (encoded === '') throw invalid('is empty, expected at least one segment', {});
  return encoded;
}

/**
 * The half-open range of encoded keys that start with `prefix`, the key `prefix` itself included.
 * The empty prefix is every key and gives undefined.
 * @throws `state/key-invalid`
 */
export function encodePrefix(prefix: unknown): { readonly from: string; readonly below: string } | undefined {
  const from = checkSegments(prefix);
  return from === '' ? undefined : { from, below: from.slice(0, -1) + afterEnd };
}

/**
 * Reverses {@link encodeKey}.
 * @throws `state/key-invalid` for text that no key encodes to
 */
export function decodeKey(encoded: string): Key {
  const segments = encoded
    .split(end)
    .slice(0, -1)
    .map((segment) => segment.replaceAll('\u0001\u0001', end).replaceAll('\u0001\u0002', '\u0001'));
  if (encodeKey(segments) !== encoded) throw invalid('was read back in a form that is never written', {});
  return Object.freeze(segments);
}

/** Negative, zero or positive, as `a` comes before, equals or comes after `b`. */
export function compareKeys(a: Key, b: Key): number {
  const [left, right] = [encodeSegments(a), encodeSegments(b)];
  return left < right ? -1 : left > right ? 1 : 0;
}

/** Whether `key` is `prefix` or lies under it. */
export function hasPrefix(key: Key, prefix: Key): boolean {
  return prefix.length <= key.length && prefix.every((segment, index) => segment === key[index]);
}

/** Digits of an appended number: the longest that every integer of that length is exact. */
const numberDigits = 15;
const numberText = /^\d{15}$/;

/** The highest number that an append can give. */
export const maxAppendedNumber: number = 10 ** numberDigits - 1;

/** The key of the `number`th append under `prefix`. Number 0, which is never given, stands before the first. */
export function appendedKey(prefix: Key, number: number): Key {
  return Object.freeze([...prefix, String(number).padStart(numberDigits, '0')]);
}

/** The number in the last segment of an appended key; undefined for other keys. */
export function appendedNumberOf(key: Key): number | undefined {
  const last = key.at(-1);
  return key.length > 1 && last !== undefined && numberText.test(last) ? Number(last) : undefined;
}

/**
 * Where the highest number under `prefix` is kept: as the revision of this encoded key, which is never live, no key encodes
 * to it, and no range of keys holds it.
 * @throws `state/key-invalid` when the keys under `prefix` would be no keys
 */
export function encodeCounter(prefix: unknown): string {
  // an array that is none is refused by the check of the prefix
  encodeKey(Array.isArray(prefix) && prefix.length > 0 ? appendedKey(prefix as Key, 0) : prefix);
  return end + encodeKey(prefix);
}
