import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { toCanonicalBytes } from './canonical.ts';

const hex = (value: unknown): string => Buffer.from(toCanonicalBytes(value)).toString('hex');

const data = fc.anything({
  withBigInt: true,
  withDate: true,
  withMap: true,
  withSet: true,
  withTypedArray: true,
  withNullPrototype: true,
  maxDepth: 3,
});

function reversedKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversedKeys);
  if (typeof value !== 'object' || value === null) return value;
  if (![Object.prototype, null].includes(Object.getPrototypeOf(value) as null)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([key, item]) => [key, reversedKeys(item)]),
  );
}

describe('canonical bytes', () => {
  test('known bytes', () => {
    expect(hex(null)).toBe('6e');
    expect(hex('é')).toBe('7300000002c3a9');
    expect(hex('\ud800')).toBe('5300000002d800');
    expect(hex(1)).toBe('643ff0000000000000');
    expect(hex(-12n)).toBe('69000000032d3132');
    expect(hex({ b: true, a: [undefined] })).toBe(
      '6f00000002' + '730000000161' + '610000000175' + '730000000162' + '74',
    );
    expect(hex(new Uint8Array([1, 2]))).toBe(
      '76' + '730000000a' + Buffer.from('Uint8Array').toString('hex') + '000000020102',
    );
  });

  test('the same value gives the same bytes, whatever the order of its keys, and after a structured clone', () => {
    fc.assert(
      fc.property(data, (value) => {
        expect(hex(structuredClone(value))).toBe(hex(value));
        expect(hex(reversedKeys(value))).toBe(hex(value));
      }),
      { numRuns: 300 },
    );
  });

  test('different values give different bytes', () => {
    const values: unknown[] = [
      null,
      undefined,
      false,
      0,
      -0,
      NaN,
      '',
      '0',
      0n,
      new Date(0),
      [],
      {},
      new Map(),
      new Set(),
      new ArrayBuffer(0),
      new Uint8Array(0),
      new Int8Array(0),
      [[]],
      [0],
      ['0'],
      { 0: 0 },
      new Map([[0, 0]]),
      new Set([0]),
      { a: undefined },
      ['a', 'b'],
      ['ab'],
      ['', 'ab'],
      { a: 'b' },
      [['a'], 'b'],
      [['a', 'b']],
      new Map([
        [1, 1],
        [2, 2],
      ]),
      new Map([
        [2, 2],
        [1, 1],
      ]),
    ];
    expect(new Set(values.map(hex)).size).toBe(values.length);
  });

  test('what has no canonical bytes is refused', () => {
    const cyclic: { self?: unknown } = {};
    cyclic.self = cyclic;
    for (const value of [
      cyclic,
      () => 1,
      Symbol('s'),
      /a/,
      new Error('e'),
      new (class Point {})(),
      [Promise.resolve()],
    ]) {
      expect(() => toCanonicalBytes(value)).toThrow(expect.objectContaining({ code: 'state/not-encodable' }));
    }
  });

  test('size is bounded, shared parts included', () => {
    expect(() => toCanonicalBytes('x'.repeat(100), { maxBytes: 100 })).toThrow(
      expect.objectContaining({ code: 'state/value-too-large' }),
    );
    let bomb: unknown = 'x'.repeat(1000);
    for (let level = 0; level < 60; level++) bomb = [bomb, bomb];
    expect(() => toCanonicalBytes(bomb, { maxBytes: 2 ** 20 })).toThrow(
      expect.objectContaining({ code: 'state/value-too-large' }),
    );
  });
});
