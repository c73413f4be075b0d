import { expect, test, vi } from 'vitest';
import { SimulatedClock } from '../../platform/index.ts';
import { createMemoryStore } from '../../state/index.ts';
import type { Store } from '../../state/index.ts';
import { maxSourceLength } from './compile-edit.ts';
import { sourceKey } from './kept-keys.ts';
import { SourceKeeper } from './source-keeper.ts';

function open(store: Store = createMemoryStore()) {
  const clock = new SimulatedClock();
  const writes: unknown[] = [];
  const keeper = new SourceKeeper({ store, clock, onWrite: (failure) => writes.push(failure) });
  const pass = async (count: number): Promise<void> => {
    await clock.advance(300);
    await vi.waitFor(() => expect(writes).toHaveLength(count));
  };
  return { store, clock, writes, keeper, pass };
}

test('the latest text is kept in one write, and another page reads it', async () => {
  const { store, keeper, writes, pass } = open();
  for (const text of ['a', 'ab', 'abc']) keeper.keep(text);
  await pass(1);
  expect(writes).toEqual([undefined]);
  expect((await store.get(sourceKey))?.revision).toBe(1);
  expect(await open(store).keeper.load()).toBe('abc');
});

test('what is wanted no more is gone, and what is kept already is not written again', async () => {
  const { store, clock, keeper, writes, pass } = open();
  keeper.keep('mine');
  await pass(1);
  keeper.keep('mine');
  await clock.advance(1_000);
  keeper.keep(undefined);
  await pass(2);
  expect(writes).toHaveLength(2);
  expect(await open(store).keeper.load()).toBeUndefined();
});

test('what is typed during a write is in the next', async () => {
  const { store, keeper, writes, pass, clock } = open();
  keeper.keep('one');
  const writing = clock.advance(300);
  keeper.keep('two');
  await writing;
  await vi.waitFor(() => expect(writes).toHaveLength(1));
  expect((await store.get(sourceKey))?.value).toBe('one');
  await pass(2);
  expect(await store.get(sourceKey)).toMatchObject({ value: 'two', revision: 2 });
});

test('a text beyond the bound is not kept: that is said, and the one before stays', async () => {
  const { store, keeper, writes, pass } = open();
  keeper.keep('short');
  await pass(1);
  keeper.keep('x'.repeat(maxSourceLength + 1));
  await pass(2);
  expect(writes[1]).toMatchObject({ code: 'app/module-too-long', fields: { limit: maxSourceLength } });
  expect((await store.get(sourceKey))?.value).toBe('short');
});

test.each([[{ not: 'text' }], ['x'.repeat(maxSourceLength + 1)]])(
  'a record that is no source is not taken for one',
  async (value) => {
    const store = createMemoryStore();
    await store.commit([{ type: 'put', key: sourceKey, value }]);
    expect(await open(store).keeper.load()).toBeUndefined();
  },
);

test('a store that refuses is heard of, and the next text is tried again', async () => {
  const store = createMemoryStore();
  await store.close();
  const { keeper, writes, pass } = open(store);
  keeper.keep('mine');
  await pass(1);
  keeper.keep('mine again');
  await pass(2);
  expect(writes).toMatchObject([{ code: 'state/closed' }, { code: 'state/closed' }]);
});
