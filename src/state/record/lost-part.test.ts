/** Records whose parts lie in files, and what becomes of them when a file is lost. */
import 'fake-indexeddb/auto';
import { describe, expect, test } from 'vitest';
import { isCodedError } from '../../base/index.ts';
import { SimulatedClock } from '../../platform/index.ts';
import { createMemoryFolder } from '../backend/body-folder.contract.ts';
import type { FaultyFolder } from '../backend/body-folder.contract.ts';
import { openIndexedDbStore } from '../backend/indexeddb.ts';
import { createMemoryStore } from '../backend/memory.ts';
import { openOpfsStore } from '../backend/opfs.ts';
import type { Key } from '../key.ts';
import type { Entry, Store } from '../store.ts';
import { headKey, stateKey } from './record-key.ts';
import { createRecords } from './records.ts';

let count = 0;

async function savedEntries(): Promise<readonly Entry[]> {
  const store = createMemoryStore();
  const records = createRecords(store, { versioning: 'semantic', clock: new SimulatedClock(1000) });
  for (let n = 1; n <= 3; n++) {
    await records.save('r', { n, text: 'x'.repeat(100 * n) }, { isPinned: n === 1, metadata: { n } });
  }
  return store.list([]);
}

interface Filed {
  readonly store: Store;
  readonly name: string;
  readonly folder: FaultyFolder;
  readonly fileOf: (key: Key) => string;
}

/** The entries, the value of each in a file of its own. */
async function filed(entries: readonly Entry[]): Promise<Filed> {
  const [name, folder] = [`lost-parts-${count++}`, createMemoryFolder()];
  const store = await openOpfsStore({ name, openFolder: async () => folder, fileThresholdBytes: 1 });
  const files = new Map<string, string>();
  for (const { key, value } of entries) {
    await store.commit([{ type: 'put', key, value }]);
    files.set(key.join('/'), folder.written.at(-1) ?? '');
  }
  return { store, name, folder, fileOf: (key) => files.get(key.join('/')) ?? '' };
}

const damages: Readonly<Record<string, (folder: FaultyFolder, file: string) => unknown>> = {
  'state/body-missing': ({ files }, file) => files.delete(file),
  'state/value-damaged': ({ files }, file) =>
    files.set(file, (files.get(file) ?? new Uint8Array(1)).slice(1)),
};

/** Two of three versions can always be had, in spite of the part that was lost. */
async function expectServed(store: Store): Promise<void> {
  const records = createRecords(store, { versioning: 'semantic' });
  const whole: unknown[] = [];
  const refusals: unknown[] = [];
  for (const version of ['latest', 1, 2, 3, '0.0.1', '0.0.2', '0.0.3']) {
    try {
      whole.push(await records.load('r', version));
    } catch (error) {
      refusals.push(isCodedError(error) ? error.code : error);
      const good = isCodedError(error) ? error.fields['lastGoodVersion'] : null;
      if (typeof good === 'number') whole.push(await records.load('r', good));
    }
  }
  expect(refusals.filter((code) => code !== 'state/checksum-failed')).toEqual([]);
  expect(whole.length).toBeGreaterThanOrEqual(5);
  for (const record of whole) expect(record).toMatchObject({ state: { text: expect.any(String) as string } });
  expect(await records.loadLastGood('r')).toMatchObject({ id: 'r' });
  expect(await records.ids()).toEqual(['r']);
}

describe.each(Object.entries(damages))('a part whose file is lost (%s)', (code, damage) => {
  test('is a damaged part: the others are served, offered and repaired', { timeout: 60_000 }, async () => {
    const entries = await savedEntries();
    for (const { key } of entries) {
      const { store, folder, fileOf } = await filed(entries);
      damage(folder, fileOf(key));
      await expect(store.get(key)).rejects.toMatchObject({ code });
      await expectServed(store);
      const records = createRecords(store, { versioning: 'semantic' });
      const dropped = await records.repair('r');
      const isState = key[0] === 'record' && key.length === 3;
      const isInfo = key[0] === 'record-info';
      expect({ key, lost: dropped.length <= Number(isState || isInfo) }).toEqual({ key, lost: true });
      const left = 3 - dropped.length;
      expect(await records.verify('r')).toEqual({ wholeCount: left, damaged: [], isHeadWhole: true });
      expect(await records.versions('r')).toHaveLength(left);
      const { sequence } = await records.save('r', 'next', { version: '3.0.0' });
      expect(sequence).toBe(4);
      expect(await records.load('r')).toMatchObject({ state: 'next' });
      expect(await records.delete('r')).toBe(true);
      expect((await store.list([])).map((each) => each.key[0])).toEqual(['record']);
      await store.close();
    }
  });

  test('of the latest state: the version before it is offered', async () => {
    const { store, folder, fileOf } = await filed(await savedEntries());
    damage(folder, fileOf(stateKey('r', 3)));
    const records = createRecords(store);
    await expect(records.load('r')).rejects.toMatchObject({
      code: 'state/checksum-failed',
      fields: { id: 'r', version: 3, lastGoodVersion: 2 },
    });
    expect(await records.loadLastGood('r')).toMatchObject({ sequence: 2, state: { n: 2 } });
    expect(await records.verify('r')).toEqual({ wholeCount: 2, damaged: [3], isHeadWhole: true });
    expect(await records.delete('r', 3)).toBe(true);
    expect(await records.load('r')).toMatchObject({ sequence: 2 });
    await store.close();
  });

  test('of the head: nothing is saved on top of it, and repair makes it new, unless another was faster', async () => {
    const { store, folder, fileOf } = await filed(await savedEntries());
    damage(folder, fileOf(headKey('r')));
    const records = createRecords(store, { versioning: 'semantic' });
    await expect(records.save('r', 1)).rejects.toMatchObject({
      code: 'state/checksum-failed',
      fields: { version: null, lastGoodVersion: 3 },
    });
    await Promise.all([records.repair('r'), records.repair('r')]);
    expect(await records.load('r')).toMatchObject({ sequence: 3, state: { n: 3 } });
    await store.close();
  });
});

test('a file that another store has is not lost: nothing is dropped for it', async () => {
  const { store, name, folder } = await filed(await savedEntries());
  await store.close();
  const plain = await openIndexedDbStore({ name });
  const records = createRecords(plain);
  const elsewhere = { code: 'state/body-missing', fields: { problem: 'no-folder' } };
  await expect(records.load('r')).rejects.toMatchObject(elsewhere);
  await expect(records.repair('r')).rejects.toMatchObject(elsewhere);
  await plain.close();
  const again = await openOpfsStore({ name, openFolder: async () => folder, fileThresholdBytes: 1 });
  expect(await createRecords(again).verify('r')).toEqual({ wholeCount: 3, damaged: [], isHeadWhole: true });
  await again.close();
});

test('a value that comes back while its loss is looked at is served', async () => {
  const { store, folder, fileOf } = await filed(await savedEntries());
  const file = fileOf(stateKey('r', 3));
  const bytes = folder.files.get(file) ?? new Uint8Array();
  folder.files.delete(file);
  let reads = 0;
  folder.onRead = (asked) => {
    if (asked === file && ++reads === 4) folder.files.set(file, bytes);
  };
  expect(await createRecords(store).load('r')).toMatchObject({ sequence: 3 });
  expect(reads).toBe(4);
  await store.close();
});
