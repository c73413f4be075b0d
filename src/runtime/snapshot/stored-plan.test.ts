import { expect, test } from 'vitest';
import { createMemoryStore } from '../../state/index.ts';
import type { Store } from '../../state/index.ts';
import { readStored } from './stored-past.ts';
import type { RuntimePast } from './stored-past.ts';
import { planStored, undoOf } from './stored-plan.ts';
import type { StoredPlan } from './stored-plan.ts';

const isNobodys = (): boolean => false;
const pastOf = (shared: Readonly<Record<string, unknown>>): RuntimePast => ({
  modules: new Map(),
  shared: new Map(Object.entries(shared).map(([name, value]) => [name, { key: ['shared', name], value }])),
});
const planOf = async (store: Store, past: RuntimePast): Promise<StoredPlan> =>
  planStored(past, await readStored(store), isNobodys);

/** What is stored, and the past that it goes back to: a key that differs, one that was deleted, one that is new. */
async function opened(): Promise<{ readonly store: Store; readonly past: RuntimePast }> {
  const store = createMemoryStore();
  const put = (name: string, value: unknown) => ({ type: 'put', key: ['shared', name], value }) as const;
  await store.commit([put('kept', { value: 1 }), put('kept', { value: 2 }), put('gone', { value: 1 })]);
  await store.commit([{ type: 'delete', key: ['shared', 'gone'] }, put('new', { value: 1 })]);
  return { store, past: pastOf({ kept: { value: 1 }, gone: { value: 1 } }) };
}

test('what differs inside a date, a map, bytes or a list with holes is restored', async () => {
  const values = (at: number): readonly unknown[] => [
    new Date(at),
    new Map([['a', at]]),
    new Set([at]),
    new Uint8Array([at]).buffer,
    Array(at),
  ];
  for (const [index, value] of values(1).entries()) {
    const store = createMemoryStore();
    const key = ['shared', 'tone'];
    await store.commit([{ type: 'put', key, value: values(2)[index] }]);
    const { writes } = await planOf(store, pastOf({ tone: value }));
    expect(writes).toEqual([{ type: 'put', key, value, expectedRevision: 1 }]);
    await store.commit(writes);
    expect((await planOf(store, pastOf({ tone: value }))).writes).toEqual([]);
  }
});

test('what is undone is all that was written, once', async () => {
  const { store, past } = await opened();
  const { writes, changes } = await planOf(store, past);
  expect(writes.length).toBe(3);
  await store.commit(writes);
  for (const each of changes) await store.commit(await undoOf(store, each));
  expect((await store.list(['shared'])).map(({ key, value }) => [key[1], value])).toEqual([
    ['kept', { value: 2 }],
    ['new', { value: 1 }],
  ]);
  for (const each of changes) expect(await undoOf(store, each)).toEqual([]);
});

test.each(['in', 'not in'])(
  'nothing is undone over what others wrote, whether it was %s',
  async (outcome) => {
    const { store, past } = await opened();
    const { writes, changes } = await planOf(store, past);
    for (const each of changes) expect(await undoOf(store, each)).toEqual([]);
    if (outcome === 'in') await store.commit(writes);
    const theirs = { value: 'theirs' };
    // what was read before they wrote is refused
    const late = await Promise.all(changes.map((each) => undoOf(store, each)));
    await store.commit(
      ['kept', 'gone', 'new'].map((name) => ({ type: 'put', key: ['shared', name], value: theirs })),
    );
    for (const each of late.filter(({ length }) => length > 0))
      await expect(store.commit(each)).rejects.toMatchObject({ code: 'state/conflict' });
    for (const each of changes) expect(await undoOf(store, each)).toEqual([]);
  },
);
