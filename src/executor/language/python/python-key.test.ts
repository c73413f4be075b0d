import { expect, test } from 'vitest';
import { pythonKey } from './python-key.ts';

test.each([
  [1, true],
  [0, false],
  [0, -0],
  [2 ** 60, 2n ** 60n],
  [
    [1, ['a']],
    [true, ['a']],
  ],
  [new Date(5), new Date(5)],
  [new Uint8Array([1, 2]), new Uint8Array([1, 2])],
])('two that are one key: %#', (one: unknown, other: unknown) => {
  expect(pythonKey(one)).toBe(pythonKey(other));
  expect(pythonKey(one)).toBeTypeOf('string');
});

test('others are keys of their own', () => {
  const keys = [
    1,
    '1',
    1.5,
    null,
    'null',
    Infinity,
    2 ** 53,
    2n ** 53n + 1n,
    new Date(1),
    new Uint8Array([1]),
    new Uint8Array([11]),
    [1],
    ['1'],
    [[1]],
    [],
    '',
    'a,b',
    ['a', 'b'],
    ['a,b'],
    ['a","b'],
  ];
  expect(new Set(keys.map(pythonKey)).size).toBe(keys.length);
});

test.each([[{}], [new Map()], [new Set()], [new Float64Array(1)], [[1, [{}]]]])(
  'what cannot be hashed is no key: %#',
  (key) => {
    expect(pythonKey(key)).toBeUndefined();
  },
);
