/* oxlint-disable typescript/unbound-method -- prototypes are patched and restored */
import 'fake-indexeddb/auto';
import { expect, test } from 'vitest';
import type { Write } from '../store.ts';
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
