/* oxlint-disable vitest/no-standalone-expect -- laws are run by describeStore and by tests of broken stores */
/** Appending: the store gives the numbers, in the order of commits, each once and none left out. */
import fc from 'fast-check';
import { expect } from 'vitest';
import { appendedKey, appendedNumberOf, maxAppendedNumber } from '../key.ts';
import type { Key } from '../key.ts';
import { atomicLaw, codeOf, errorOf, law, put } from './store-law.contract.ts';
import type { StoreLaw } from './store-law.contract.ts';
import type { Change, Committed, Store, Write } from '../store.ts';

const append = (key: Key, value: unknown): Write => ({ type: 'append', key, value });

const numbersOf = (committed: readonly Committed[]): (number | undefined)[] =>
  committed.map(({ key }) => appendedNumberOf(key));

/** What is appended under `prefix`, by number. */
async function logOf(store: Store, prefix: Key): Promise<[number | undefined, unknown][]> {
  return (await store.list(prefix)).map(({ key, value }) => [appendedNumberOf(key), value]);
}

const numberLaws: readonly StoreLaw[] = [
  atomicLaw('appends are numbered from 1, prefix by prefix, and their keys say so', async (store) => {
    const [first] = await store.commit([append(['log'], 'a')]);
    expect(first).toMatchObject({ key: appendedKey(['log'], 1), revision: 1 });
    const rest = await store.commit([
      append(['log'], 'b'),
      append(['log', 'x'], 'other'),
      append(['log'], 'c'),
    ]);
    expect(numbersOf(rest)).toEqual([2, 1, 3]);
    expect(await store.get(appendedKey(['log'], 3))).toMatchObject({ value: 'c', revision: 1 });
    expect((await store.list(['log', 'x'])).map(({ value }) => value)).toEqual(['other']);
    // nothing but what was written is there
    expect((await store.list([])).length).toBe(4);
    expect(await store.get(['log'])).toBeUndefined();
  }),
  atomicLaw('a number is never given twice, even when what it was given to is gone', async (store) => {
    await store.commit([append(['log'], 1), append(['log'], 2), append(['log'], 3)]);
    await store.commit([
      { type: 'delete', key: appendedKey(['log'], 3) },
      { type: 'delete', key: appendedKey(['log'], 2), forget: true },
    ]);
    expect(numbersOf(await store.commit([append(['log'], 4)]))).toEqual([4]);
    expect(await logOf(store, ['log'])).toEqual([
      [1, 1],
      [4, 4],
    ]);
  }),
  atomicLaw('a key that was put by hand counts as a number and is not overwritten', async (store) => {
    await store.commit([put(appendedKey(['log'], 7), 'by hand'), put(appendedKey(['log'], 2), 'lower')]);
    expect(numbersOf(await store.commit([append(['log'], 'next')]))).toEqual([8]);
    const mixed = [append(['m'], 1), put(appendedKey(['m'], 2), 2), append(['m'], 3)];
    expect(numbersOf(await store.commit(mixed))).toEqual([1, 2, 3]);
    expect(await logOf(store, ['m'])).toEqual([1, 2, 3].map((number) => [number, number]));
    await store.commit([put(appendedKey(['full'], maxAppendedNumber), 'last')]);
    const error = await errorOf(store.commit([put(['beside'], 1), append(['full'], 'more')]));
    expect(error).toMatchObject({ code: 'state/numbers-used-up', fields: { key: ['full'] } });
    expect(await store.get(['beside'])).toBeUndefined();
  }),
  law('what was appended is a key like any other', async (store) => {
    const [appended] = await store.commit([append(['log'], 'a')]);
    const key = appended?.key ?? [];
    expect(await codeOf(store.commit([put(key, 'b', 7)]))).toBe('state/conflict');
    expect((await store.commit([put(key, 'b', 1)]))[0]?.revision).toBe(2);
    expect((await store.commit([{ type: 'delete', key, expectedRevision: 2 }]))[0]?.revision).toBe(3);
  }),
  atomicLaw('an append can keep what the writes before it came to', async (store) => {
    await store.commit([put(['a'], 1), put(['gone'], 1)]);
    const committed = await store.commit([
      put(['a'], 2),
      { type: 'delete', key: ['gone'] },
      append(['log'], 'x'),
      { type: 'append', key: ['journal'], value: 'why', withOutcomes: true },
    ]);
    const entry = await store.get<{ value: unknown; outcomes: unknown }>(appendedKey(['journal'], 1));
    expect(entry?.value.value).toBe('why');
    expect(entry?.value.outcomes).toEqual(committed.slice(0, 3));
    expect(committed.slice(0, 3).map(({ revision }) => revision)).toEqual([2, 2, 1]);
  }),
  atomicLaw('watchers hear of what was appended and of nothing behind it', async (store) => {
    if (!store.capabilities.watch) return;
    const heard: Change[] = [];
    store.watch([], (change) => heard.push(change));
    await store.commit([append(['log'], 1), append(['log'], 2)]);
    await store.commit([{ type: 'delete', key: appendedKey(['log'], 1), forget: true }]);
    await store.commit([{ type: 'delete', key: appendedKey(['log'], 1), forget: true }]);
    expect(heard.map(({ type, key }) => [type, key[0], appendedNumberOf(key)])).toEqual([
      ['put', 'log', 1],
      ['put', 'log', 2],
      ['delete', 'log', 1],
    ]);
  }),
  atomicLaw('bad appends are refused', async (store) => {
    const numbered = (expectedRevision: number): Write =>
      ({ type: 'append', key: ['log'], value: 1, expectedRevision }) as Write;
    expect(await codeOf(store.commit([numbered(0)]))).toBe('state/write-invalid');
    const bad = [[], [''], [1], undefined, 'log', Array(8).fill('a'), ['x'.repeat(500), 'x'.repeat(510)]];
    for (const key of bad as Key[]) {
      expect(await codeOf(store.commit([put(['beside'], 1), append(key, 1)]))).toBe('state/key-invalid');
    }
    expect(await codeOf(store.commit([append(['log'], () => 1)]))).toBe('state/not-cloneable');
    expect(await store.list([])).toEqual([]);
    expect(numbersOf(await store.commit([append(Array(7).fill('a') as Key, 1)]))).toEqual([1]);
  }),
];

const refusalLaws: readonly StoreLaw[] = [
  atomicLaw('a refused group uses up no number and the groups beside it leave no gap', async (store) => {
    await store.commit([put(['taken'], 1)]);
    const outcomes = await store.commitEach([
      [append(['log'], 'a')],
      [append(['log'], 'torn'), put(['taken'], 2, 0), append(['log'], 'torn')],
      [append(['log'], 'b'), append(['log'], 'c')],
    ]);
    expect(outcomes.map((outcome) => outcome.ok && numbersOf(outcome.value))).toEqual([[1], false, [2, 3]]);
    expect(await codeOf(store.commit([append(['log'], 'torn'), put(['taken'], 2, 9)]))).toBe(
      'state/conflict',
    );
    const aborted = store.commit([append(['log'], 'torn')], { signal: AbortSignal.abort() });
    expect(await codeOf(aborted)).toBe('port/cancelled');
    await store.commit([append(['log'], 'd')]);
    expect(await logOf(store, ['log'])).toEqual(
      ['a', 'b', 'c', 'd'].map((letter, index) => [index + 1, letter]),
    );
  }),
  atomicLaw('a forgotten key begins again, a deleted one goes on', async (store) => {
    const key = ['k'];
    await store.commit([put(key, 1), put(key, 2)]);
    const error = await errorOf(store.commit([{ type: 'delete', key, expectedRevision: 1, forget: true }]));
    expect(error.code).toBe('state/conflict');
    expect((await store.commit([{ type: 'delete', key, forget: true }]))[0]?.revision).toBe(3);
    expect(await store.get(key)).toBeUndefined();
    expect((await store.commit([put(key, 3, 0)]))[0]?.revision).toBe(1);
    await store.commit([{ type: 'delete', key }]);
    // what was deleted can be forgotten later
    await store.commit([{ type: 'delete', key, forget: true }]);
    const outcomes = await store.commit([put(key, 4), { type: 'delete', key, forget: true }, put(key, 5)]);
    expect(outcomes.map(({ revision }) => revision)).toEqual([1, 2, 1]);
    expect(await store.get(key)).toMatchObject({ value: 5, revision: 1 });
  }),
];

const raceLaws: readonly StoreLaw[] = [
  law('concurrent appenders never share a number, and leave no gap', async (store) => {
    const commits = Array.from({ length: 40 }, (_, index) => store.commit([append(['log'], index)]));
    const numbers = (await Promise.all(commits)).flatMap(numbersOf);
    expect(numbers.toSorted((a, b) => Number(a) - Number(b))).toEqual(
      Array.from({ length: 40 }, (_, index) => index + 1),
    );
    const log = await logOf(store, ['log']);
    // each appender finds its own value under its own number
    for (const [index, number] of numbers.entries()) {
      expect(log[Number(number) - 1]).toEqual([number, index]);
    }
  }),
  atomicLaw('the order of numbers is the order of commits, whatever is refused in between', async (store) => {
    const step = fc.record({
      appends: fc.integer({ min: 1, max: 3 }),
      isRefused: fc.boolean(),
      pause: fc.boolean(),
    });
    let round = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 8 }), async (steps) => {
        const root = `round-${round++}`;
        const acknowledged: Promise<readonly Committed[] | undefined>[] = [];
        for (const [id, { appends, isRefused, pause }] of steps.entries()) {
          const writes = Array.from({ length: appends }, (_, part) => append([root, 'log'], [id, part]));
          const seen = put([root, 'seen'], id);
          const guard = isRefused ? [put([root, 'never'], 1, 5)] : [];
          const commit = store.commit([...writes, seen, ...guard]).catch(() => undefined);
          acknowledged.push(commit);
          if (pause) await commit;
        }
        const commits = await Promise.all(acknowledged);
        const log = await logOf(store, [root, 'log']);
        expect(log.map(([number]) => number)).toEqual(log.map((_, index) => index + 1));
        for (const [id, committed] of commits.entries()) {
          expect(committed === undefined).toBe(steps[id]?.isRefused);
          // the revision of the key that every commit writes tells the order of commits
          const revision = committed?.at(-1)?.revision ?? 0;
          const earlier = commits.filter((other) => other && (other.at(-1)?.revision ?? 0) < revision);
          const before = earlier.reduce((sum, other) => sum + (other?.length ?? 1) - 1, 0);
          if (committed) expect(appendedNumberOf(committed[0]?.key ?? [])).toBe(before + 1);
        }
      }),
      { numRuns: 25 },
    );
  }),
];

/** Laws of numbered keys and of keys that are forgotten. */
export const appendLaws: readonly StoreLaw[] = [...numberLaws, ...refusalLaws, ...raceLaws];
