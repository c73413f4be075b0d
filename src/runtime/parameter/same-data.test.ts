import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { sameData } from './same-data.ts';

const bytes = (...values: readonly number[]): Uint8Array<ArrayBuffer> => new Uint8Array(values);

/** `levels` deep, each object twice in the one around it. */
function folded(levels: number, last: unknown): unknown {
  let value = last;
  for (let level = 0; level < levels; level++) value = [value, value];
  return value;
}

/** A circle of so many objects. */
function circle(length: number, last: unknown = 0): unknown {
  const first: Record<string, unknown> = { value: last };
  let next = first;
  for (let index = 1; index < length; index++) next = { value: 0, next };
  first['next'] = next;
  return next;
}

test.each<readonly [string, () => unknown, unknown]>([
  ['a date', () => new Date(1), new Date(2)],
  ['no date', () => new Date(Number.NaN), new Date(1)],
  ['an expression', () => /a/g, /a/i],
  ['a map', () => new Map([['a', 1]]), new Map([['a', 2]])],
  ['a map with keys', () => new Map([[{ a: 1 }, 1]]), new Map([[{ a: 2 }, 1]])],
  ['a set', () => new Set([1, { a: 1 }]), new Set([1, { a: 2 }])],
  ['a set of lists', () => new Set([[1, 2]]), new Set([1, 2])],
  ['a set beside a list', () => new Set([1]), [1]],
  ['a buffer', () => bytes(1, 2).buffer, bytes(1, 3).buffer],
  ['a buffer beside bytes', () => bytes(1, 2).buffer, bytes(1, 2)],
  ['a view', () => new DataView(bytes(1, 2).buffer), bytes(1, 2)],
  ['numbers', () => new Float32Array([1.5]), new Float32Array([2.5])],
  ['an error', () => new TypeError('a', { cause: [1] }), new TypeError('a', { cause: [2] })],
  ['a number in a box', () => Object(1) as unknown, Object(2)],
  ['a list with a hole', () => Object.assign(Array(3), { 0: 1, 2: 3 }) as unknown, [1, undefined, 3]],
  ['holes alone', () => Array(2), Array(3)],
  ['undefined under a name', () => ({ a: undefined }), { b: undefined }],
  ['minus nought', () => [-0], [0]],
])('%s is compared by what it holds', (_, make, other) => {
  expect(sameData(make(), make())).toBe(true);
  expect(sameData(make(), structuredClone(make()))).toBe(true);
  expect(sameData(make(), other)).toBe(false);
  expect(sameData(other, make())).toBe(false);
});

test('what it cannot look into is the same as itself alone', () => {
  const [one, other] = [new Blob(['a']), new Blob(['b'])];
  expect([sameData([one], [one]), sameData([one], [other])]).toEqual([true, false]);
  expect(sameData(new WeakMap(), new WeakMap())).toBe(false);
});

test('the names of an object are in no order, what a map holds is', () => {
  expect(sameData({ a: 1, b: [2] }, { b: [2], a: 1 })).toBe(true);
  const entries = Object.entries({ a: 1, b: 2 });
  expect(sameData(new Map(entries), new Map(entries.toReversed()))).toBe(false);
});

test('parts that are shared, circles and depth are followed once', () => {
  expect(sameData(folded(1000, 1), folded(1000, 1))).toBe(true);
  expect(sameData(folded(1000, 1), folded(1000, 2))).toBe(false);
  // lengths without a common factor: each pair of objects would be met
  expect(sameData(circle(20_000), circle(20_001))).toBe(true);
  expect(sameData(circle(20_000), circle(20_001, 1))).toBe(false);
  const deep = (last: number): unknown => {
    let value: unknown = last;
    for (let level = 0; level < 200_000; level++) value = { value };
    return value;
  };
  expect(sameData(deep(1), deep(1))).toBe(true);
  expect(sameData(deep(1), deep(2))).toBe(false);
});

test('a clone is the same, and it does not matter which is asked about which', () => {
  const anything = fc.anything({
    withDate: true,
    withMap: true,
    withSet: true,
    withTypedArray: true,
    withBigInt: true,
  });
  fc.assert(
    fc.property(anything, anything, (one, other) => {
      expect(sameData(one, structuredClone(one))).toBe(true);
      expect(sameData(one, other)).toBe(sameData(other, one));
    }),
  );
});
