import 'fake-indexeddb/auto';
import { openDB } from 'idb';
import { describe, expect, test } from 'vitest';
import { CodedError } from '../base/index.ts';
import { SimulatedClock } from '../platform/index.ts';
import { createMemoryStore } from './backend/memory.ts';
import { openIndexedDbStore } from './backend/indexeddb.ts';
import { describeStore } from './contract/store.contract.ts';
import type { Store } from './store.ts';

let count = 0;
const freshName = (): string => `contract-${count++}`;

/** A store that can do no more than a key-value service over a network: one key at a time, the latest alone, no watch. */
function lesser(inner: Store): Store {
  const capabilities = { ...inner.capabilities, atomicCommits: false, watch: false, history: 1 };
  const commitEach: Store['commitEach'] = async (groups, options) => {
    if (groups.some((writes) => writes.length > 1))
      throw new CodedError('state/write-invalid', 'one write at a time');
    const outcomes = [];
    for (const writes of groups) outcomes.push(...(await inner.commitEach([writes], options)));
    return outcomes;
  };
  const replaced: Partial<Store> = {
    capabilities,
    commitEach,
    async commit(writes, options) {
      if (writes.length > 1) throw new CodedError('state/write-invalid', 'one write at a time');
      return inner.commit(writes, options);
    },
    async history(key, options) {
      return (await inner.history<never>(key, options)).slice(-1);
    },
  };
  return new Proxy(inner, {
    get(target, property) {
      const member: unknown = Reflect.get(property in replaced ? replaced : target, property);
      return typeof member === 'function' ? (member.bind(target) as unknown) : member;
    },
  });
}

describeStore('memory', async (wanted) => createMemoryStore(wanted));
describeStore('indexeddb (simulated)', (wanted) => openIndexedDbStore({ ...wanted, name: freshName() }));
describeStore('a lesser store', async (wanted) => lesser(createMemoryStore(wanted)));

describe('how many revisions are kept', () => {
  test('is asked for when the store is opened, 1 to 64', async () => {
    for (const keepHistory of [0, 65, 1.5, Number.NaN]) {
      const refusal = expect.objectContaining({ code: 'state/limit-invalid' }) as Error;
      expect(() => createMemoryStore({ keepHistory })).toThrow(refusal);
      await expect(openIndexedDbStore({ name: freshName(), keepHistory })).rejects.toThrow(refusal);
    }
    for (const keepHistory of [1, 64]) {
      for (const open of [createMemoryStore, openIndexedDbStore]) {
        await using store = await open({ name: freshName(), keepHistory });
        expect(store.capabilities.history).toBe(keepHistory);
        await store.commit(Array.from({ length: 70 }, (_, value) => ({ type: 'put', key: ['k'], value })));
        expect(await store.history(['k'])).toHaveLength(keepHistory);
      }
    }
    await using plain = createMemoryStore();
    expect(plain.capabilities.history).toBe(1);
  });

  test('outlives the store; what another kept less of is missing, never wrong', async () => {
    const name = freshName();
    const write = async (keepHistory: number, values: readonly number[]): Promise<readonly number[]> => {
      await using store = await openIndexedDbStore({ name, keepHistory });
      for (const value of values) await store.commit([{ type: 'put', key: ['k'], value }]);
      return (await store.history(['k'])).map(({ revision }) => revision);
    };
    expect(await write(3, [1, 2, 3, 4])).toEqual([2, 3, 4]);
    expect(await write(3, [])).toEqual([2, 3, 4]);
    expect(await write(1, [5, 6])).toEqual([6]);
    expect(await write(3, [])).toEqual([4, 6]);
    expect(await write(3, [7])).toEqual([7]);
    expect(await write(2, [8])).toEqual([7, 8]);
  });

  test('is forgotten with its key by a store that keeps none of it', async () => {
    const name = freshName();
    const key = ['k'];
    {
      await using store = await openIndexedDbStore({ name, keepHistory: 9 });
      for (let value = 1; value <= 6; value++) await store.commit([{ type: 'put', key, value }]);
    }
    {
      await using store = await openIndexedDbStore({ name });
      await store.commit([{ type: 'delete', key, forget: true }]);
    }
    await using store = await openIndexedDbStore({ name, keepHistory: 9 });
    for (let value = 1; value <= 9; value++) await store.commit([{ type: 'put', key, value: -value }]);
    const revisions = await store.history<number>(key);
    expect(revisions.map((each) => each.type === 'put' && each.value)).toEqual(
      Array.from({ length: 9 }, (_, index) => -index - 1),
    );
  });

  test('counts against the quota of a store in memory', async () => {
    const body = 'x'.repeat(1000);
    await using store = createMemoryStore({ quotaBytes: 5000, keepHistory: 2 });
    for (let turn = 0; turn < 5; turn++) await store.commit([{ type: 'put', key: ['k'], value: body }]);
    expect((await store.estimate()).usageBytes).toBe(4000);
    await expect(store.commit([{ type: 'put', key: ['other'], value: body }])).rejects.toMatchObject({
      code: 'state/quota-exceeded',
    });
    await store.commit([{ type: 'delete', key: ['k'] }]);
    await store.commit([{ type: 'put', key: ['other'], value: body }]);
  });
});

/** Databases as earlier layouts made them, with a live key, a deleted one and, where there was one, a history. */
async function openEarlierLayout(name: string, version: 1 | 2): Promise<void> {
  const old = await openDB(name, version, {
    upgrade(database) {
      database.createObjectStore('entry', { keyPath: 'key' });
      database.createObjectStore('tombstone', { keyPath: 'key' });
      database.createObjectStore('mark');
      if (version === 2) database.createObjectStore('history', { keyPath: ['key', 'revision'] });
    },
  });
  await old.put('entry', { key: 'k\u0000', value: 'old', revision: 3, atMs: 7 });
  await old.put('tombstone', { key: 'gone\u0000', revision: 2, atMs: 8 });
  if (version === 2) {
    await old.put('history', { key: 'k\u0000', value: 'older', revision: 2, atMs: 6, isLive: true });
  }
  old.close();
}

test.each([1, 2] as const)(
  'a database of layout %i is taken over with all that is in it',
  async (version) => {
    const name = freshName();
    await openEarlierLayout(name, version);
    await using store = await openIndexedDbStore({ name, keepHistory: 2 });
    const live = { key: ['k'], value: 'old', revision: 3, atMs: 7 };
    expect(await store.get(['k'])).toEqual(live);
    expect(await store.list([])).toEqual([live]);
    expect(await store.history(['gone'])).toEqual([{ type: 'delete', key: ['gone'], revision: 2, atMs: 8 }]);
    const older = { type: 'put', key: ['k'], value: 'older', revision: 2, atMs: 6 };
    expect(await store.history(['k'])).toEqual([...(version === 2 ? [older] : []), { type: 'put', ...live }]);
    expect(await store.commit([{ type: 'put', key: ['gone'], value: 1 }])).toMatchObject([{ revision: 3 }]);
  },
);

test('an earlier layout may take longer to be taken over than opening may take', async () => {
  const name = freshName();
  await openEarlierLayout(name, 1);
  const clock = new SimulatedClock();
  const original = Object.getOwnPropertyDescriptor(IDBObjectStore.prototype, 'openCursor') ?? {};
  let isLate = false;
  IDBObjectStore.prototype.openCursor = function (...given) {
    isLate = true;
    void clock.advance(60_000);
    return (original.value as typeof this.openCursor).apply(this, given);
  };
  try {
    await using store = await openIndexedDbStore({ name, clock });
    expect(isLate).toBe(true);
    expect(await store.get(['k'])).toMatchObject({ value: 'old' });
  } finally {
    Object.defineProperty(IDBObjectStore.prototype, 'openCursor', original);
  }
});
