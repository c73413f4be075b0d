/* oxlint-disable vitest/no-standalone-expect -- laws are run by describeStore and by tests of broken stores */
/** What was written before and is kept: as much as `capabilities.history` says. */
import fc from 'fast-check';
import { expect } from 'vitest';
import { codeOf, law, put, putAll } from './store-law.contract.ts';
import type { StoreLaw } from './store-law.contract.ts';
import type { Key } from '../key.ts';
import type { Revision, Store, Write } from '../store.ts';

/** Kept where the store can: few, so that the bound is met soon. */
const wanted = { keepHistory: 4 };

interface Seen {
  readonly type: 'put' | 'delete';
  readonly revision: number;
  readonly value?: unknown;
}

async function seen(store: Store, key: Key, limit?: number): Promise<Seen[]> {
  const revisions = await store.history(key, limit === undefined ? {} : { limit });
  for (const each of revisions) {
    expect(each.key).toEqual(key);
    expect(each.atMs).toBeTypeOf('number');
  }
  return revisions.map(({ type, revision, ...rest }) => ({
    type,
    revision,
    ...('value' in rest ? { value: rest.value } : {}),
  }));
}

/** What a store must have kept, told from all that was acknowledged. */
const newest = (all: readonly Seen[], store: Store): Seen[] => all.slice(-store.capabilities.history);

/** Laws of what is kept of a key. */
export const historyLaws: readonly StoreLaw[] = [
  law(
    'history is the newest revisions that are kept, oldest first, a delete as a mark',
    async (store) => {
      const key = ['k'];
      expect(store.capabilities.history).toBeGreaterThanOrEqual(1);
      expect(store.capabilities.history).toBeLessThanOrEqual(64);
      expect(await store.history(key)).toEqual([]);
      const all: Seen[] = [];
      for (const value of ['a', 'b', undefined, 'd', undefined, 'f', 'g', 'h', 'i']) {
        const revision = all.length + 1;
        if (value === undefined) {
          await store.commit([{ type: 'delete', key }]);
          all.push({ type: 'delete', revision });
        } else {
          await store.commit([put(key, { value })]);
          all.push({ type: 'put', revision, value: { value } });
        }
        expect(await seen(store, key)).toEqual(newest(all, store));
      }
      expect(await store.get(key)).toMatchObject({ value: { value: 'i' }, revision: 9 });
      expect(await store.history(['k', 'x'])).toEqual([]);
      expect((await store.list([])).length).toBe(1);
    },
    wanted,
  ),
  law('the latest revision is in the history of every store, the mark of a delete too', async (store) => {
    await store.commit([put(['k'], 1)]);
    const [committed] = await store.commit([put(['k'], 2)]);
    expect((await store.history(['k'])).at(-1)).toEqual({
      type: 'put',
      key: ['k'],
      value: 2,
      revision: 2,
      atMs: committed?.atMs,
    });
    const [deleted] = await store.commit([{ type: 'delete', key: ['k'] }]);
    await store.commit([{ type: 'delete', key: ['k'] }]);
    expect((await store.history(['k'])).at(-1)).toEqual({
      type: 'delete',
      key: ['k'],
      revision: 3,
      atMs: deleted?.atMs,
    });
  }),
  law(
    'what a commit was refused is in no history',
    async (store) => {
      await store.commit([put(['k'], 1)]);
      const before = await store.history(['k']);
      expect(await codeOf(store.commit([put(['k'], 2, 9)]))).toBe('state/conflict');
      expect(await store.history(['k'])).toEqual(before);
      expect(await store.history(['a'])).toEqual([]);
    },
    wanted,
  ),
  law(
    'what was forgotten is in no history, and does not come back',
    async (store) => {
      const key = ['k'];
      const forget: Write = { type: 'delete', key, forget: true };
      for (let value = 1; value <= 6; value++) await store.commit([put(key, value)]);
      await store.commit([forget]);
      expect(await store.history(key)).toEqual([]);
      const all: Seen[] = [];
      for (let value = 1; value <= 8; value++) {
        await store.commit([put(key, -value)]);
        all.push({ type: 'put', revision: value, value: -value });
        expect(await seen(store, key)).toEqual(newest(all, store));
      }
      await putAll(store, [forget, put(key, 'again')]);
      expect(await seen(store, key)).toEqual([{ type: 'put', revision: 1, value: 'again' }]);
    },
    wanted,
  ),
  law(
    'a limit takes the newest; a bad one is refused',
    async (store) => {
      for (let value = 1; value <= 6; value++) await store.commit([put(['k'], value)]);
      const all = await store.history(['k']);
      for (const limit of [1, 2, 64])
        expect(await store.history(['k'], { limit })).toEqual(all.slice(-limit));
      for (const limit of [0, -1, 1.5, 65, Number.NaN])
        expect(await codeOf(store.history(['k'], { limit }))).toBe('state/limit-invalid');
    },
    wanted,
  ),
  law(
    'what the reader of a history changes is not stored',
    async (store) => {
      await store.commit([put(['k'], { list: [1] })]);
      await store.commit([put(['k'], { list: [1] })]);
      for (const revision of (await store.history(['k'])) as readonly Revision<{ list: number[] }>[])
        if (revision.type === 'put') revision.value.list.push(2);
      for (const revision of await store.history(['k']))
        expect(revision).toMatchObject({ value: { list: [1] } });
    },
    wanted,
  ),
  law(
    'any commits leave the history that they made, every revision of a key in it',
    async (store) => {
      const step = fc.array(
        fc.record({
          key: fc.nat(1),
          type: fc.constantFrom('put' as const, 'put' as const, 'delete' as const, 'forget' as const),
        }),
        { minLength: 1, maxLength: 4 },
      );
      let round = 0;
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 6 }), async (commits) => {
          const root = `round-${round++}`;
          const all = new Map<number, Seen[]>([0, 1].map((key) => [key, []]));
          let value = 0;
          for (const commit of commits) {
            const writes = commit.map(({ key, type }): Write => {
              const made = all.get(key) as Seen[];
              if (type === 'forget') {
                made.length = 0;
                return { type: 'delete', key: [root, `${key}`], forget: true };
              }
              if (type === 'delete') {
                if (made.at(-1)?.type === 'put') made.push({ type, revision: made.length + 1 });
                return { type, key: [root, `${key}`] };
              }
              made.push({ type, revision: made.length + 1, value: ++value });
              return put([root, `${key}`], value);
            });
            await putAll(store, writes);
          }
          for (const [key, made] of all)
            expect(await seen(store, [root, `${key}`])).toEqual(newest(made, store));
        }),
        { numRuns: 25 },
      );
    },
    wanted,
  ),
];
