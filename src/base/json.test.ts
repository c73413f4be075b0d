import fc from 'fast-check';
import { expect, test } from 'vitest';
import { canonicalJson, deepFreeze, isJson } from './json.ts';
import type { Json } from './json.ts';

test('every JSON value is JSON, and its canonical text reads back as it was', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(isJson(value)).toBe(true);
      expect(JSON.parse(canonicalJson(value as Json))).toEqual(JSON.parse(JSON.stringify(value)));
    }),
  );
}, 30_000);

test('the order of keys does not show in the canonical text', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (object) => {
      const turned = Object.fromEntries(Object.entries(object).toReversed());
      expect(canonicalJson(turned as Json)).toBe(canonicalJson(object as Json));
    }),
  );
}, 30_000);

const cyclic: { self?: unknown } = {};
cyclic.self = cyclic;

test.each([
  ['undefined', undefined],
  ['NaN', Number.NaN],
  ['a function inside', { a: [() => undefined] }],
  ['a Date', new Date(0)],
  ['a Map', new Map()],
  ['a bigint', 1n],
  ['a cycle', cyclic],
  ['600 levels', Array.from({ length: 600 }).reduce<unknown>((inner) => [inner], 0)],
])('%s is not JSON', (_, value) => {
  expect(isJson(value)).toBe(false);
});

test('freezing goes all the way down, stops at buffers and at cycles', () => {
  const value = { a: [{ b: 1 }], numbers: new Float64Array(2), self: cyclic };
  deepFreeze(value);
  expect([value, value.a, value.a[0], cyclic].every(Object.isFrozen)).toBe(true);
  value.numbers[0] = 5;
  expect(value.numbers[0]).toBe(5);
});

test('a value that is shared a hundred levels deep is walked once', () => {
  let value: unknown = 1;
  for (let level = 0; level < 100; level++) value = [value, value];
  expect(isJson(value)).toBe(true);
});

/** Each level holds the one below twice: the text doubles with every level. */
function shared(levels: number): Json {
  let value: Json = 1;
  for (let level = 0; level < levels; level++) value = level % 2 ? [value, value] : { a: value, b: value };
  return value;
}

test('a text that would never end is refused before it is made: shared parts, and a cycle', () => {
  for (const value of [shared(100), [cyclic] as Json]) {
    expect(() => canonicalJson(value)).toThrow(
      expect.objectContaining({
        code: 'base/json-too-large',
        fields: expect.objectContaining({ limit: 2 ** 28 }) as object,
      }) as Error,
    );
  }
});

test('a text within the bound costs what it is long, however its parts are shared', () => {
  const text = canonicalJson(shared(18));
  expect(text).toBe(canonicalJson(JSON.parse(text) as Json));
  expect(canonicalJson(shared(18), text.length)).toBe(text);
  expect(() => canonicalJson(shared(18), text.length - 1)).toThrow(`has ${text.length} characters`);
  // a hundred million characters out of fifty objects
  expect(canonicalJson(shared(24)).length).toBeGreaterThan(100_000_000);
});

test('the bound counts every character of the text', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = canonicalJson(value as Json);
      expect(canonicalJson(value as Json, text.length)).toBe(text);
      expect(() => canonicalJson(value as Json, text.length - 1)).toThrow(`has ${text.length} characters`);
    }),
  );
}, 30_000);
