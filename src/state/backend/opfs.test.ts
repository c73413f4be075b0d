import 'fake-indexeddb/auto';
import { describe, expect, test } from 'vitest';
import { describeStore } from '../contract/store.contract.ts';
import type { Store } from '../store.ts';
import { createMemoryFolder } from './body-folder.contract.ts';
import type { FaultyFolder } from './body-folder.contract.ts';
import { describeFaults, endOf, injectAbort } from './fault.contract.ts';
import { openIndexedDbStore } from './indexeddb.ts';
import { openOpfsStore } from './opfs.ts';
import type { OpfsStoreOptions } from './opfs.ts';

let count = 0;
const freshName = (): string => `bodies-${count++}`;
const large = (fill: number): Uint8Array<ArrayBuffer> => new Uint8Array(70_000).fill(fill);

/** A store whose files lie in memory. */
function open(name: string, folder: FaultyFolder, options: Partial<OpfsStoreOptions> = {}): Promise<Store> {
  return openOpfsStore({ name, openFolder: async () => folder, ...options });
}

async function opened(
  options: Partial<OpfsStoreOptions> = {},
  canFlush = true,
): Promise<{ store: Store; folder: FaultyFolder; name: string }> {
  const [name, folder] = [freshName(), createMemoryFolder(canFlush)];
  return { store: await open(name, folder, options), folder, name };
}

// every value in a file: whatever the laws put goes there and comes back
describeStore('files for every value (simulated)', (wanted) =>
  open(freshName(), createMemoryFolder(), { ...wanted, fileThresholdBytes: 1 }),
);
describeStore('files for large values (simulated)', (wanted) =>
  open(freshName(), createMemoryFolder(), wanted),
);

const folders = new Map<string, FaultyFolder>();
describeFaults('files for every value (simulated)', (name) => {
  const folder = folders.get(name) ?? createMemoryFolder();
  folders.set(name, folder);
  return open(name, folder, { fileThresholdBytes: 1 });
});

describe('where a value is kept', () => {
  test('from 64 KiB on in a file, bytes as they are; below in the database', async () => {
    const { store, folder } = await opened();
    await store.commit([
      { type: 'put', key: ['small'], value: new Uint8Array(65_519) },
      { type: 'put', key: ['large'], value: large(7) },
      { type: 'put', key: ['object'], value: { text: 'x'.repeat(40_000), at: -0 } },
      { type: 'put', key: ['blob'], value: { kept: new Blob(['x'.repeat(70_000)]) } },
    ]);
    expect([...folder.files.values()].map((bytes) => bytes.length)).toEqual([70_000, expect.any(Number)]);
    expect([...folder.files.values()][0]).toEqual(large(7));
    expect((await store.get(['large']))?.value).toEqual(large(7));
    const object = await store.get<{ text: string; at: number }>(['object']);
    expect(object?.value.text.length).toBe(40_000);
    expect(Object.is(object?.value.at, -0)).toBe(true);
    await store.close();
  });

  test('a threshold that is none is refused', async () => {
    for (const fileThresholdBytes of [0, -1, 1.5, Number.NaN]) {
      await expect(open(freshName(), createMemoryFolder(), { fileThresholdBytes })).rejects.toMatchObject({
        code: 'state/limit-invalid',
      });
    }
  });

  test('where a file cannot be flushed, values stay in the database', async () => {
    const { store, folder } = await opened({}, false);
    await store.commit([{ type: 'put', key: ['s'], value: large(3) }], { durability: 'strict' });
    await store.commit([{ type: 'put', key: ['r'], value: large(4) }], { durability: 'relaxed' });
    expect(folder.written).toEqual([]);
    expect((await store.list([])).map(({ value }) => value)).toEqual([large(4), large(3)]);
    await store.close();
  });

  test('another store reads the same database, all but what lies in files, and says so', async () => {
    const { store, folder, name } = await opened();
    await store.commit([
      { type: 'put', key: ['small'], value: 1 },
      { type: 'put', key: ['large'], value: large(1) },
    ]);
    await store.close();
    await using plain = await openIndexedDbStore({ name });
    expect((await plain.get(['small']))?.value).toBe(1);
    await expect(plain.get(['large'])).rejects.toMatchObject({
      code: 'state/body-missing',
      fields: { key: ['large'] },
    });
    await plain.commit([{ type: 'put', key: ['large'], value: 'replaced', expectedRevision: 1 }]);
    expect(folder.files.size).toBe(1); // left to the next store that has the folder
    await using again = await open(name, folder);
    expect((await again.get(['large']))?.value).toBe('replaced');
  });
});

describe('files and transactions', () => {
  test('the file is whole before the transaction begins, and gone when it fails', async () => {
    const { store, folder } = await opened();
    await store.commit([{ type: 'put', key: ['k'], value: large(1) }]);
    const kept = [...folder.files.keys()];
    for (let afterRequest = 0; afterRequest < 4; afterRequest++) {
      const injection = injectAbort({ afterRequest, error: null });
      const end = await endOf(store.commit([{ type: 'put', key: ['k'], value: large(2) }]));
      injection[Symbol.dispose]();
      if (!injection.wasInjected) break;
      expect(end).toBe('state/write-failed');
      await expect.poll(() => [...folder.files.keys()]).toEqual(kept);
      expect((await store.get(['k']))?.value).toEqual(large(1));
    }
    await store.close();
  });

  test('a file that cannot be written refuses the commit, and leaves nothing', async () => {
    const { store, folder } = await opened({ transactionTimeoutMs: 200 });
    const put = (key: string) => ({ type: 'put', key: [key], value: large(1) }) as const;
    const write = [put('a'), put('b')];
    let writes = 0;
    folder.onWrite = () => {
      if (++writes === 2) throw new DOMException('the disk is full', 'QuotaExceededError');
    };
    expect(await endOf(store.commit(write))).toBe('state/quota-exceeded');
    folder.onWrite = () => {
      throw new DOMException('odd', 'InvalidModificationError');
    };
    expect(await endOf(store.commit(write))).toBe('state/write-failed');
    folder.onWrite = () => new Promise(() => undefined);
    await expect(store.commit(write)).rejects.toMatchObject({
      code: 'state/write-failed',
      fields: { reason: 'TimeoutError', outcome: 'not-applied' },
    });
    folder.onWrite = () => undefined;
    expect(folder.files.size).toBe(0);
    expect(await store.list([])).toEqual([]);
    expect(await endOf(store.commit(write))).toBe('resolved');
    await store.close();
  });

  test('what a commit replaced, deleted or was refused for is removed behind it', async () => {
    const { store, folder } = await opened();
    await store.commit([{ type: 'put', key: ['k'], value: large(1) }]);
    const [first] = folder.files.keys();
    await store.commit([
      { type: 'put', key: ['k'], value: large(2) },
      { type: 'put', key: ['k'], value: large(3) },
    ]);
    await expect.poll(() => folder.files.size).toBe(1);
    expect(folder.files.has(first as string)).toBe(false);
    const refused = [{ type: 'put', key: ['k'], value: large(4), expectedRevision: 9 }] as const;
    expect(await endOf(store.commit(refused))).toBe('state/conflict');
    await expect.poll(() => folder.files.size).toBe(1);
    await store.commit([{ type: 'put', key: ['k'], value: 'small' }]);
    await expect.poll(() => folder.files.size).toBe(0);
    await store.commit([{ type: 'put', key: ['k'], value: large(5) }]);
    await store.commit([{ type: 'delete', key: ['k'] }]);
    await expect.poll(() => folder.files.size).toBe(0);
    // a cancelled commit too, and closing waits for it
    const controller = new AbortController();
    folder.onWrite = () => controller.abort();
    const cancelled = [{ type: 'put', key: ['k'], value: large(6) }] as const;
    expect(await endOf(store.commit(cancelled, { signal: controller.signal }))).toBe('port/cancelled');
    await store.close();
    expect(folder.files.size).toBe(0);
  });

  test('a kept revision keeps its file, as long as it is kept', async () => {
    const { store, folder } = await opened({ keepHistory: 3 });
    for (let turn = 1; turn <= 5; turn++) {
      await store.commit([{ type: 'put', key: ['k'], value: large(turn) }]);
    }
    const values = (await store.history(['k'])).map((each) => each.type === 'put' && each.value);
    expect(values).toEqual([large(3), large(4), large(5)]);
    await expect.poll(() => folder.files.size).toBe(3);
    await store.commit([{ type: 'delete', key: ['k'] }]);
    await expect.poll(() => folder.files.size).toBe(2);
    await store.commit([{ type: 'delete', key: ['k'], forget: true }]);
    await expect.poll(() => folder.files.size).toBe(0);
    await store.close();
  });

  test('commits keep their order, however long their files take', async () => {
    const { store, folder } = await opened();
    folder.onWrite = () => new Promise((resolve) => setTimeout(resolve, 30));
    const commits = [large(1), 'small', large(2), 'last'].map((value) =>
      store.commit([{ type: 'put', key: ['k'], value }]),
    );
    const revisions = (await Promise.all(commits)).map(([committed]) => committed?.revision);
    expect(revisions).toEqual([1, 2, 3, 4]);
    expect((await store.get(['k']))?.value).toBe('last');
    await store.close();
  });
});

describe('what is read', () => {
  test('a file that is gone, cut, or changed is a typed error, never a wrong value', async () => {
    const { store, folder } = await opened({ checksums: true });
    await store.commit([
      { type: 'put', key: ['bytes'], value: large(1) },
      { type: 'put', key: ['beside'], value: 1 },
    ]);
    const [file = ''] = folder.files.keys();
    const flipped = large(1);
    flipped[1000] = 0;
    for (const [bytes, problem] of [
      [flipped, 'checksum'],
      [large(1).slice(1), 'length'],
      [new Uint8Array(), 'length'],
    ] as const) {
      folder.files.set(file, bytes);
      await expect(store.get(['bytes'])).rejects.toMatchObject({
        code: 'state/value-damaged',
        fields: { key: ['bytes'], file, problem },
      });
    }
    folder.files.delete(file);
    for (const read of [() => store.get(['bytes']), () => store.list([]), () => store.history(['bytes'])]) {
      await expect(read()).rejects.toMatchObject({
        code: 'state/body-missing',
        fields: { key: ['bytes'], file },
      });
    }
    expect((await store.get(['beside']))?.value).toBe(1);
    await store.close();
  });

  test('an encoded value that is damaged is a typed error, without a checksum too', async () => {
    const { store, folder } = await opened();
    await store.commit([{ type: 'put', key: ['k'], value: { text: 'x'.repeat(40_000) } }]);
    const [[file, bytes]] = folder.files as unknown as [[string, Uint8Array<ArrayBuffer>]];
    folder.files.set(file, new Uint8Array(bytes.length).fill(255));
    await expect(store.get(['k'])).rejects.toMatchObject({
      code: 'state/value-damaged',
      fields: { key: ['k'], problem: 'encoding' },
    });
    await store.close();
  });

  test('a value that is replaced while it is read is read again; one that always is ends in an error', async () => {
    const { store, folder, name } = await opened();
    const other = await open(name, folder);
    await store.commit([{ type: 'put', key: ['k'], value: large(1) }]);
    let replaced = 0;
    const replace = async (): Promise<void> => {
      await other.commit([{ type: 'put', key: ['k'], value: large(++replaced) }]);
      await expect.poll(() => folder.files.size).toBe(1);
    };
    folder.onRead = async () => {
      if (replaced < 3) await replace();
    };
    expect(await store.get(['k'])).toMatchObject({ value: large(3), revision: 4 });
    folder.onRead = replace;
    await expect(store.get(['k'])).rejects.toMatchObject({ code: 'state/read-failed', isRetryable: true });
    await Promise.all([store.close(), other.close()]);
  }, 20_000);
});
