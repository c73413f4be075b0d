/* oxlint-disable typescript/unbound-method -- prototypes are patched and restored */
import 'fake-indexeddb/auto';
import { describe, expect, test } from 'vitest';
import type { Key } from '../key.ts';
import type { Store, Write } from '../store.ts';
import { openIndexedDbStore } from './indexeddb.ts';

/** As in indexeddb-commit.ts. */
const maxRemembered = 10_000;

/** How often the stored revision of a key is read while `work` runs; the mark of the last writer is not counted. */
async function countRevisionReads(work: () => Promise<unknown>): Promise<number> {
  let reads = 0;
  const { get } = IDBObjectStore.prototype;
  IDBObjectStore.prototype.get = function (query) {
    if (this.name === 'entry') reads++;
    return get.call(this, query);
  };
  try {
    await work();
    return reads;
  } finally {
    IDBObjectStore.prototype.get = get;
  }
}

async function countAborts(work: () => Promise<unknown>): Promise<number> {
  let aborts = 0;
  const { transaction } = IDBDatabase.prototype;
  IDBDatabase.prototype.transaction = function (...given) {
    const begun = transaction.apply(this, given);
    begun.addEventListener('abort', () => aborts++);
    return begun;
  };
  try {
    await work();
    return aborts;
  } finally {
    IDBDatabase.prototype.transaction = transaction;
  }
}

test('revisions are remembered for a bounded number of keys: the oldest is forgotten, and its revision read again', async () => {
  await using store = await openIndexedDbStore({ name: 'many-keys' });
  const put = (at: number): Write => ({ type: 'put', key: [`key-${at}`], value: at });
  await store.commit(Array.from({ length: maxRemembered }, (_, at) => put(at)));
  expect(await countRevisionReads(() => store.commit([put(0)]))).toBe(0);

  // one more than can be remembered: the oldest is now key 1, since key 0 was written again
  await store.commit([put(maxRemembered)]);
  for (const at of [0, 2, maxRemembered])
    expect(await countRevisionReads(() => store.commit([put(at)]))).toBe(0);
  expect(await countRevisionReads(() => store.commit([put(1)]))).toBe(1);
  expect(await store.get(['key-1'])).toMatchObject({ value: 1, revision: 2 });

  // a flood of new keys forgets them all, and no revision goes wrong
  await store.commit(Array.from({ length: maxRemembered }, (_, at) => put(20_000 + at)));
  expect(await countRevisionReads(() => store.commit([put(0), put(maxRemembered)]))).toBe(2);
  expect((await store.get(['key-0']))?.revision).toBe(4);
}, 60_000);

test('commits keep their order when the first finds that another store has written', async () => {
  await using store = await openIndexedDbStore({ name: 'overtaken' });
  await using other = await openIndexedDbStore({ name: 'overtaken' });
  for (let turn = 0; turn < 5; turn++) {
    await store.commit([{ type: 'put', key: ['k'], value: 'known' }]);
    const { revision = 0 } = (await other.commit([{ type: 'put', key: ['k'], value: 'other' }]))[0] ?? {};
    const commits = ['first', 'second', 'third'].map((value) =>
      store.commit([{ type: 'put', key: ['k'], value }]),
    );
    const revisions = (await Promise.all(commits)).map(([committed]) => committed?.revision);
    expect(revisions).toEqual([revision + 1, revision + 2, revision + 3]);
    expect((await store.get(['k']))?.value).toBe('third');
  }
});

describe('a key that is taken to be new', () => {
  test.each(['an entry', 'a tombstone'])('and has %s keeps its revisions', async (what) => {
    const name = `taken-${what}`;
    await using store = await openIndexedDbStore({ name });
    await using other = await openIndexedDbStore({ name });
    await other.commit([{ type: 'put', key: ['k'], value: 'old' }]);
    if (what === 'a tombstone') await other.commit([{ type: 'delete', key: ['k'] }]);
    const before = what === 'an entry' ? 1 : 2;
    await store.commit([{ type: 'put', key: ['new'], value: 1 }]);
    const aborts = await countAborts(async () => {
      const [first, second] = await Promise.all([
        store.commit([
          { type: 'put', key: ['k'], value: 'a' },
          { type: 'put', key: ['beside'], value: 1 },
        ]),
        store.commit([{ type: 'put', key: ['k'], value: 'b' }]),
      ]);
      expect([first[0]?.revision, first[1]?.revision, second[0]?.revision]).toEqual([
        before + 1,
        1,
        before + 2,
      ]);
    });
    expect(aborts).toBe(1);
    expect(await store.get(['k'])).toMatchObject({ value: 'b', revision: before + 2 });
    // the next one is looked up
    await other.commit([{ type: 'put', key: ['l'], value: 'old' }]);
    expect(
      await countAborts(() => store.commit([{ type: 'put', key: ['l'], value: 1, expectedRevision: 1 }])),
    ).toBe(0);
  });

  test('is written with one round trip less, whoever wrote before', async () => {
    await using store = await openIndexedDbStore({ name: 'new-keys' });
    await using other = await openIndexedDbStore({ name: 'new-keys' });
    await store.commit([{ type: 'put', key: ['first'], value: 1 }]);
    await other.commit([{ type: 'put', key: ['second'], value: 1 }]);
    for (let turn = 0; turn < 4; turn++) {
      const [mine, theirs] = [store, other].map((each, at) => ({ each, key: [`key-${turn}-${at}`] }));
      for (const { each, key } of [mine, theirs] as { each: Store; key: Key }[]) {
        const put = (): Promise<unknown> =>
          each.commit([{ type: 'put', key, value: 1, expectedRevision: 0 }]);
        expect(await countRevisionReads(put)).toBe(0);
        await expect(put()).rejects.toMatchObject({ code: 'state/conflict' });
      }
    }
  });
});
