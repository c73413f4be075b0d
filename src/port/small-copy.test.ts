import fc from 'fast-check';
import { expect, test } from 'vitest';
import { defaultPortLimits } from './limits.ts';
import { checkMessageSize } from './message-size.ts';
import { copySmall } from './small-copy.ts';

test('what is copied is what a structured clone would make of it', () => {
  const anything = fc.anything({
    withBigInt: true,
    withDate: true,
    withMap: true,
    withSet: true,
    withTypedArray: true,
    withSparseArray: true,
    withNullPrototype: true,
    withObjectString: true,
    withUnicodeString: true,
  } as fc.ObjectConstraints);
  fc.assert(
    fc.property(anything, (body) => {
      const copied = copySmall(body, defaultPortLimits);
      const expected: unknown = copied && structuredClone(body);
      expect(copied?.value).toStrictEqual(expected);
    }),
    { numRuns: 100 },
  );
});

test('json is copied, deeply', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 3 }), (text) => {
      const body: unknown = JSON.parse(text);
      const copied = copySmall(body, defaultPortLimits);
      fc.pre(copied !== undefined && typeof body === 'object' && body !== null);
      expect(copied?.value).toEqual(body);
      expect(copied?.value).not.toBe(body);
    }),
  );
  expect(copySmall({ a: [1, { b: '2' }] }, defaultPortLimits)).toEqual({
    value: { a: [1, { b: '2' }] },
    sizeBytes: 8 + 1 + 8 + 8 + 8 + 1 + 2,
  });
});

const shared = { a: 1 };
const holed: unknown[] = [];
holed[2] = 'behind a hole';
const holedAndNamed: unknown[] = Object.assign([1], { 2: 3, name: 'x' });
const cyclic: unknown[] = [];
cyclic.push(cyclic);

test.each([
  ['a function', () => undefined],
  ['a symbol inside', [Symbol('s')]],
  ['an instance', new (class Thing {})()],
  ['a map', new Map()],
  ['a date', new Date(0)],
  ['bytes', new Uint8Array(4)],
  ['an error', new Error('no')],
  ['what is met twice', [shared, shared]],
  ['a cycle', cyclic],
  ['holes', holed],
  ['a list with a name', Object.assign([1], { name: 'x' })],
  ['as many names as holes', holedAndNamed],
  ['a member called __proto__', JSON.parse('{"__proto__": {"a": 1}}')],
  ['a long text', 'x'.repeat(10_000)],
  ['a long list', Array.from({ length: 100_000 }).fill('')],
  ['many objects', Array.from({ length: 40 }, () => ({}))],
])('%s is left to the platform', (_, body) => {
  expect(copySmall(body, defaultPortLimits)).toBeUndefined();
});

test('the limits of a port hold for what is small too', () => {
  const limits = { ...defaultPortLimits, maxMessageBytes: 100, maxMessageDepth: 2 };
  for (const body of ['x'.repeat(60), [[[[1]]]], { key: 'x'.repeat(60) }]) {
    expect(copySmall(body, limits)).toBeUndefined();
    expect(() => checkMessageSize(body, limits)).toThrow(/larger|deeper/);
  }
  for (const body of ['x'.repeat(40), [[1]], { key: 1 }]) {
    expect(copySmall(body, limits)).toBeDefined();
    expect(() => checkMessageSize(body, limits)).not.toThrow();
  }
});
