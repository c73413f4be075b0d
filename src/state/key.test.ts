import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  appendedKey,
  appendedNumberOf,
  compareKeys,
  decodeKey,
  encodeCounter,
  encodeKey,
  encodePrefix,
  hasPrefix,
  keyLimits,
} from './key.ts';
import type { Key } from './key.ts';

const segment = fc.oneof(
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 5 }),
  fc.constantFrom('\u0000', '\u0001', '\u0001\u0002', '\u0000\u0001', '\uffff', '\u0002'),
);
const key: fc.Arbitrary<Key> = fc.array(segment, { minLength: 1, maxLength: keyLimits.maxSegments });

function compareBySegment(a: Key, b: Key): number {
  for (let index = 0; ; index++) {
    const [left, right] = [a[index], b[index]];
    if (left === undefined || right === undefined)
      return (left === undefined ? 0 : 1) - (right === undefined ? 0 : 1);
    if (left !== right) return left < right ? -1 : 1;
  }
}

describe('keys', () => {
  test('encoding is reversed by decoding', () => {
    fc.assert(
      fc.property(key, (some) => {
        expect(decodeKey(encodeKey(some))).toEqual(some);
      }),
      { numRuns: 500 },
    );
  });

  test('encoding keeps the order of keys', () => {
    fc.assert(
      fc.property(key, key, (a, b) => {
        const [left, right] = [encodeKey(a), encodeKey(b)];
        expect(left < right ? -1 : left > right ? 1 : 0).toBe(compareBySegment(a, b));
        expect(Math.sign(compareKeys(a, b))).toBe(compareBySegment(a, b));
      }),
      { numRuns: 500 },
    );
  });

  test('the range of a prefix holds exactly the keys under it', () => {
    const short = fc.array(fc.constantFrom('a', 'b', '\u0000', '\u0001', 'a\u0000'), {
      minLength: 1,
      maxLength: 4,
    });
    fc.assert(
      fc.property(short, short, (prefix, some) => {
        const range = encodePrefix(prefix);
        const encoded = encodeKey(some);
        const isWithin = range !== undefined && encoded >= range.from && encoded < range.below;
        expect(isWithin).toBe(hasPrefix(some, prefix));
      }),
      { numRuns: 1000 },
    );
    expect(encodePrefix([])).toBeUndefined();
  });

  test('keys at the bounds pass and beyond them say what is wrong', () => {
    expect(encodeKey(['x'.repeat(512)]).length).toBe(513);
    expect(() => encodeKey(['x'.repeat(513)])).toThrow('a key has 513 characters at 0, expected at most 512');
    expect(() => encodeKey(['a', ''])).toThrow('an empty string at 1');
    expect(() => encodeKey(['a', 1])).toThrow('number at 1');
    // each escaped character takes two
    expect(() => encodeKey(['\u0000'.repeat(512)])).toThrow('1025 characters in all');
  });

  test('text that no key encodes to is refused', () => {
    for (const text of ['', 'a', '\u0001\u0003\u0000', '\u0000', 'a\u0000b'])
      expect(() => decodeKey(text)).toThrow('a key');
  });

  test('a counter is no key and lies in the range of no prefix', () => {
    fc.assert(
      fc.property(key, fc.oneof(key, fc.constant([])), (counted, some) => {
        const counter = encodeCounter(counted.slice(0, 7));
        expect(() => decodeKey(counter)).toThrow('a key');
        const range = encodePrefix(some);
        expect(range === undefined || counter < range.from || counter >= range.below).toBe(true);
      }),
    );
  });

  test('appended numbers are found in appended keys alone', () => {
    expect(appendedNumberOf(appendedKey(['log'], 42))).toBe(42);
    expect(appendedKey(['log'], 42)).toEqual(['log', '000000000000042']);
    for (const other of [['000000000000042'], ['log', '42'], ['log', '0000000000000042'], ['log']])
      expect(appendedNumberOf(other)).toBeUndefined();
  });
});
