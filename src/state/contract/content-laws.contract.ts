/* oxlint-disable vitest/no-standalone-expect -- laws are run by describeStore and by tests of broken stores */
/** What was put can be read: keys, lists and values. */
import fc from 'fast-check';
import { expect } from 'vitest';
import { compareKeys } from '../key.ts';
import type { Key } from '../key.ts';
import { codeOf, law, put, putAll } from './store-law.contract.ts';
import type { StoreLaw } from './store-law.contract.ts';

const basicLaws: readonly StoreLaw[] = [
  law('what was put is there, with revision and time', async (store) => {
    const [committed] = await store.commit([put(['a', 'b'], { n: 1 })]);
    expect(committed).toMatchObject({ key: ['a', 'b'], revision: 1 });
    const entry = await store.get(['a', 'b']);
    expect(entry).toEqual({ key: ['a', 'b'], value: { n: 1 }, revision: 1, atMs: committed?.atMs });
    expect(await store.get(['a'])).toBeUndefined();
    expect(await store.get(['a', 'b', 'c'])).toBeUndefined();
  }),
  law('an empty commit is no error', async (store) => {
    expect(await store.commit([])).toEqual([]);
    expect(await store.commitEach([])).toEqual([]);
    expect(await store.commitEach([[]])).toEqual([{ ok: true, value: [] }]);
  }),
  law('revisions rise by one with each write, over deletes too', async (store) => {
    const key = ['k'];
    const revisions: (number | undefined)[] = [];
    for (const write of [
      put(key, 1),
      put(key, 2),
      { type: 'delete', key } as const,
      put(key, 3, 0),
      put(key, 4),
    ]) {
      revisions.push((await store.commit([write]))[0]?.revision);
    }
    expect(revisions).toEqual([1, 2, 3, 4, 5]);
    expect((await store.get(key))?.revision).toBe(5);
  }),
  law('deleting what is not there changes nothing', async (store) => {
    expect((await store.commit([{ type: 'delete', key: ['k'] }]))[0]?.revision).toBe(0);
    await store.commit([put(['k'], 1)]);
    await store.commit([{ type: 'delete', key: ['k'] }]);
    expect((await store.commit([{ type: 'delete', key: ['k'] }]))[0]?.revision).toBe(2);
    expect(await store.get(['k'])).toBeUndefined();
    expect(await store.list([])).toEqual([]);
  }),
  law('both durabilities commit', async (store) => {
    await store.commit([put(['r'], 1)], { durability: 'relaxed' });
    await store.commit([put(['s'], 2)], { durability: 'strict' });
    expect((await store.list([])).map(({ value }) => value)).toEqual([1, 2]);
  }),
  law('an undefined value is a value', async (store) => {
    await store.commit([put(['u'], undefined)]);
    expect(await store.get(['u'])).toMatchObject({ revision: 1 });
    expect((await store.list([])).length).toBe(1);
  }),
];

const listLaws: readonly StoreLaw[] = [
  law('list keeps to its prefix, segment by segment', async (store) => {
    const keys = [['a'], ['a', 'b'], ['a', 'b', 'c'], ['ab'], ['a\u0000'], ['a\u0001', 'x'], ['b']];
    await putAll(
      store,
      keys.map((key) => put(key, 0)),
    );
    const listed = async (prefix: Key): Promise<Key[]> => (await store.list(prefix)).map(({ key }) => key);
    expect(await listed(['a'])).toEqual([['a'], ['a', 'b'], ['a', 'b', 'c']]);
    expect(await listed(['a', 'b'])).toEqual([
      ['a', 'b'],
      ['a', 'b', 'c'],
    ]);
    expect(await listed(['c'])).toEqual([]);
    expect(await listed([])).toEqual(keys.toSorted(compareKeys));
  }),
  law('pages join to the whole', async (store) => {
    const keys = Array.from({ length: 25 }, (_, index) => ['page', String(index).padStart(2, '0')]);
    await putAll(store, [...keys.toReversed().map((key) => put(key, 0)), put(['other'], 0)]);
    const found: Key[] = [];
    for (let after: Key | undefined; ;) {
      const page = await store.list(['page'], after ? { limit: 10, after } : { limit: 10 });
      found.push(...page.map(({ key }) => key));
      after = page.at(-1)?.key;
      if (page.length < 10) break;
    }
    expect(found).toEqual(keys);
    expect(await store.list(['page'], { after: ['zzz'] })).toEqual([]);
    expect((await store.list(['page'], { after: ['aaa'] })).length).toBe(25);
  }),
  law('a list keeps to the bytes that it was asked for, and says that there is more', async (store) => {
    const key = (index: number): Key => ['page', String(index).padStart(2, '0')];
    const large = new Uint8Array(100_000);
    const values = Array.from({ length: 40 }, (_, index) => (index < 30 ? index : large));
    await putAll(
      store,
      values.map((value, index) => put(key(index), value)),
    );
    const found: unknown[] = [];
    const lengths: number[] = [];
    for (let after: Key | undefined; ;) {
      const page = await store.list(['page'], { maxBytes: 250_000, ...(after ? { after } : {}) });
      found.push(...page.map(({ value }) => value));
      lengths.push(page.length);
      after = page.at(-1)?.key;
      if (!page.isCut) break;
    }
    expect(found).toEqual(values);
    // the small ones with three large ones, then three, three and one
    expect(lengths).toEqual([33, 3, 3, 1]);
    expect((await store.list(['page'], { maxBytes: 1 })).length).toBe(1);
    const few = await store.list(['page'], { maxBytes: 250_000, limit: 5 });
    expect([few.length, few.isCut ?? false]).toEqual([5, false]);
    for (const maxBytes of [0, -1, 1.5, Number.NaN])
      expect(await codeOf(store.list([], { maxBytes }))).toBe('state/limit-invalid');
  }),
  law('any keys come back in the order of keys', async (store) => {
    const segment = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 6 });
    const wild = fc.constantFrom('\u0000', '\u0001', '\u0001\u0001', '\uffff', '~', '😀', '\u0000\u0001');
    const keys = fc.uniqueArray(fc.array(fc.oneof(segment, wild), { minLength: 1, maxLength: 4 }), {
      minLength: 1,
      maxLength: 12,
      selector: (key) => JSON.stringify(key),
    });
    let round = 0;
    await fc.assert(
      fc.asyncProperty(keys, async (some) => {
        const root = `round-${round++}`;
        await putAll(
          store,
          some.map((key) => put([root, ...key], key)),
        );
        const listed = (await store.list([root])).map(({ value }) => value);
        expect(listed).toEqual(some.toSorted(compareKeys));
      }),
      { numRuns: 20 },
    );
  }),
];

class Point {
  readonly x = 1;
}

const valueLaws: readonly StoreLaw[] = [
  law('structured values round trip', async (store) => {
    const cyclic: { self?: unknown; readonly name: string } = { name: 'cycle' };
    cyclic.self = cyclic;
    const values: unknown[] = [
      null,
      true,
      -0,
      Number.NaN,
      Infinity,
      'text \u0000 \ud800 😀',
      12345678901234567890n,
      new Date(86_400_000),
      [1, [2, [3]]],
      { deep: { er: [{}] } },
      new Map<unknown, unknown>([
        ['a', 1],
        [{ k: 1 }, new Set([1, 2])],
      ]),
      new Set(['x', 1n]),
      new Float64Array([1.5, Number.NaN, -0]),
      new Uint8Array([1, 2, 255]).buffer,
      new BigInt64Array([-1n]),
      /a+/giu,
      cyclic,
    ];
    await putAll(
      store,
      values.map((value, index) => put(['v', String(index).padStart(2, '0')], value)),
    );
    const listed = await store.list(['v']);
    expect(listed.map(({ value }) => value)).toEqual(values);
    expect(Object.is(listed[2]?.value, -0)).toBe(true);
    expect((await store.get<Map<unknown, unknown>>(['v', '10']))?.value).toEqual(values[10]);
  }),
  law('any JSON-like value round trips', async (store) => {
    await fc.assert(
      fc.asyncProperty(
        fc.anything({
          withBigInt: true,
          withDate: true,
          withMap: true,
          withSet: true,
          withTypedArray: true,
          maxDepth: 3,
        }),
        async (value) => {
          await store.commit([put(['any'], value)]);
          expect((await store.get(['any']))?.value).toEqual(structuredClone(value));
        },
      ),
      { numRuns: 40 },
    );
  }),
  law('what the caller changes after the call is not stored', async (store) => {
    const value = { list: [1] };
    const key = ['k'];
    const committing = store.commit([put(key, value)]);
    value.list.push(2);
    key[0] = 'moved';
    await committing;
    expect((await store.get(['k']))?.value).toEqual({ list: [1] });
    expect(await store.get(['moved'])).toBeUndefined();
  }),
  law('what the reader changes is not stored', async (store) => {
    await store.commit([put(['k'], { list: [1], map: new Map([['a', 1]]) })]);
    for (const entry of [
      await store.get<{ list: number[]; map: Map<string, number> }>(['k']),
      (await store.list<{ list: number[]; map: Map<string, number> }>([]))[0],
    ]) {
      entry?.value.list.push(2);
      entry?.value.map.set('b', 2);
    }
    expect((await store.get(['k']))?.value).toEqual({ list: [1], map: new Map([['a', 1]]) });
  }),
  law('an instance comes back as plain data', async (store) => {
    await store.commit([put(['k'], new Point())]);
    expect(Object.getPrototypeOf((await store.get<object>(['k']))?.value)).toBe(Object.prototype);
  }),
];

/** Laws of what is read back. */
export const contentLaws: readonly StoreLaw[] = [...basicLaws, ...listLaws, ...valueLaws];
