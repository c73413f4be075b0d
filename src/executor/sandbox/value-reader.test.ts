import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Clock } from '../../platform/index.ts';
import { parseDisplay } from '../display.ts';
import { containerBytes, costOfJson, itemBytes } from './json-cost.ts';
import { KeysCollide, KeyWatch } from './key-watch.ts';
import { parseRunResult } from './run-result.ts';
import { MalformedValue } from './value-reader.ts';

const mebibyte = 2 ** 20;
const bounds = { resultBytes: 16 * mebibyte, valueDepth: 8 };
const tooLarge = { type: 'exceeded', limit: 'result' };
const returned = (json: string): string => `{"type":"returned","value":${json},"variables":[]}`;
const times = (count: number, part: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => part(index)).join(',');

/** Engines take the hash of a large integer from its lowest 64 bits. */
const collidingInteger = (index: number): string =>
  `{"$":"int","v":"0x${(index + 1).toString(16)}${'7'.repeat(16)}"}`;

const read = (json: string): ReturnType<typeof parseRunResult> => parseRunResult(json, [], bounds);

test.each([
  ['map', (index: number) => `[${collidingInteger(index)},0]`],
  ['set', collidingInteger],
] as const)(
  'a %s whose keys fall into one place is refused in seconds, not minutes',
  (tag, item) => {
    const startMs = performance.now();
    expect(read(returned(`{"$":"${tag}","v":[${times(100_000, item)}]}`))).toEqual({
      type: 'exceeded',
      limit: 'keys',
    });
    // an idle machine takes one second; all the keys would take it sixty
    expect(performance.now() - startMs).toBeLessThan(25_000);
  },
  60_000,
);

test('honest keys of every kind are read, many of them', () => {
  const set = `{"$":"set","v":[${times(100_000, (index) => `${index}.5`)}]}`;
  const map = `{"$":"map","v":[${times(50_000, (index) => `[${index},"${index}"]`)}]}`;
  expect(read(returned(set))).toMatchObject({ type: 'returned', value: { size: 100_000 } });
  expect(read(returned(map))).toMatchObject({ type: 'returned', value: { size: 50_000 } });
});

/** A clock that stands still but for what `tick` adds. */
function handClock() {
  let nowMs = 0;
  const clock: Clock = { now: () => nowMs, monotonic: () => nowMs, after: () => () => undefined };
  return { clock, tick: (ms: number) => void (nowMs += ms) };
}

test('pauses of the machine are not held against the keys', () => {
  const { clock, tick } = handClock();
  const watch = new KeyWatch(clock);
  let keys = 0;
  // on a machine five times slower than ours, which stops nine times for a second
  watch.putAll(100_000, (index) => {
    tick(0.001 + (index % 12_000 === 0 ? 1000 : 0));
    keys += 1;
  });
  expect(keys).toBe(100_000);
});

test('keys that are slow together are refused, in one table or in many', () => {
  const { clock, tick } = handClock();
  const watch = new KeyWatch(clock);
  const one = (): void => watch.putAll(1000, () => tick(0.01));
  for (let table = 0; table < 50; table += 1) one();
  expect(one).toThrow(KeysCollide);
});

test('millions of empty objects are refused before anything is built', () => {
  const text = returned(`[${'{},'.repeat(5_000_000)}{}]`);
  const parseJson = JSON.parse;
  JSON.parse = () => {
    throw new Error('it was read');
  };
  try {
    expect(read(text)).toEqual(tooLarge);
  } finally {
    JSON.parse = parseJson;
  }
});

test('what costs as much as allowed is read', () => {
  const count = Math.floor(bounds.resultBytes / (containerBytes + itemBytes));
  expect(read(returned(`[${times(count, () => '[]')}]`))).toMatchObject({ type: 'returned' });
  expect(read(returned(`[${times(count + 4000, () => '[]')}]`))).toEqual(tooLarge);
});

test('every list and object of any JSON is counted, and what stands in strings is not', () => {
  const costOf = (value: unknown): number => {
    if (typeof value !== 'object' || value === null) return 0;
    const items = Object.values(value);
    return items.reduce<number>(
      (sum, item) => sum + costOf(item),
      containerBytes + itemBytes * Math.max(0, items.length - 1),
    );
  };
  const noisy = fc.string({ unit: fc.constantFrom('"', '\\', '[', '{', ',', 'a') });
  const value = fc.letrec((tie) => ({
    tree: fc.oneof(
      { maxDepth: 4 },
      noisy,
      fc.integer(),
      fc.array(tie('tree')),
      fc.dictionary(noisy, tie('tree')),
    ),
  })).tree;
  fc.assert(
    fc.property(value, (tree) => {
      expect(costOfJson(JSON.stringify(tree), Infinity)).toBe(costOf(tree));
    }),
  );
});

test('text that is no JSON is counted to its end', () => {
  for (const text of ['', '"', '"\\', '"\\"', '[[[', ',,', '\\"[']) {
    expect(costOfJson(text, Infinity)).toBeGreaterThanOrEqual(0);
  }
});

test('a display of a million objects is none', () => {
  expect(parseDisplay(`{"text/plain":"x","junk":[${'{},'.repeat(1_000_000)}{}]}`)).toBe(undefined);
});

test.each(['1e300', '-8.7e15', '"1"', 'null', '[]'])('%s is no date', (value) => {
  expect(() => read(returned(`{"$":"date","v":${value}}`))).toThrow(MalformedValue);
});
