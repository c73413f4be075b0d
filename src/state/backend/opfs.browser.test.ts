import { afterAll, describe, expect, test } from 'vitest';
import { createHub, createMemorySink } from '../../telemetry/index.ts';
import { describeStore } from '../contract/store.contract.ts';
import type { Entry, StoreCapabilities } from '../store.ts';
import type { BodyFolder } from './body.ts';
import { endOf } from './fault.contract.ts';
import { openIndexedDbStore } from './indexeddb.ts';
import { openOpfsFolder } from './opfs-folder.ts';
import { openOpfsStore } from './opfs.ts';

const freshName = (): string => `opfs/${crypto.randomUUID()}`;
const large = (fill: number): Uint8Array<ArrayBuffer> => new Uint8Array(1_000_000).fill(fill);

class TestWorker {
  readonly #worker = new Worker(new URL('./opfs-test.worker.ts', import.meta.url), { type: 'module' });
  readonly #calls = new Map<number, (answer: { value?: unknown; error?: unknown }) => void>();
  readonly written: Promise<string>;
  #count = 0;

  constructor() {
    let onWritten!: (file: string) => void;
    this.written = new Promise((resolve) => (onWritten = resolve));
    this.#worker.onmessage = ({ data }: MessageEvent<{ id: number; value?: unknown; written?: string }>) => {
      if (data.written !== undefined) onWritten(data.written);
      this.#calls.get(data.id)?.(data);
    };
  }

  call<T>(call: string, ...rest: unknown[]): Promise<T> {
    const id = this.#count++;
    this.#worker.postMessage({ id, call, arguments: rest });
    return new Promise((resolve, reject) => {
      this.#calls.set(id, ({ value, error }) =>
        error === undefined ? resolve(value as T) : reject(error as Error),
      );
    });
  }

  terminate(): void {
    this.#worker.terminate();
  }
}

const shared = new TestWorker();
afterAll(() => shared.terminate());

/** The files of a worker, reached from the page. */
async function openWorkerFolder(name: string): Promise<BodyFolder> {
  return {
    canFlush: await shared.call<boolean>('openFolder', name),
    write: (...rest) => shared.call('write', name, ...rest),
    read: (file) => shared.call('read', name, file),
    remove: (file) => shared.call('remove', name, file),
    list: () => shared.call('list', name),
  };
}

// with the worker's sync handles, so that every commit of the laws goes to a file
describeStore('opfs, every value in a file', (wanted) =>
  openOpfsStore({
    ...wanted,
    name: freshName(),
    fileThresholdBytes: 1,
    checksums: true,
    openFolder: openWorkerFolder,
  }),
);
describeStore('opfs in a page', (wanted) => openOpfsStore({ ...wanted, name: freshName() }));

describe('in a page', () => {
  test('values stay in the database; a file of a worker is read, one that is gone is a typed error', async () => {
    const name = freshName();
    await shared.call('put', name, 1);
    const folder = await openOpfsFolder(name);
    expect(folder.canFlush).toBe(false);
    const [file = '', ...others] = await folder.list();
    expect(others).toEqual([]);
    expect(await folder.read(file)).toEqual(large(1));
    const store = await openOpfsStore({ name });
    await store.commit([{ type: 'put', key: ['relaxed'], value: large(2) }], { durability: 'relaxed' });
    await store.commit([{ type: 'put', key: ['strict'], value: { list: [large(3), new Map([['k', -0]])] } }]);
    expect(await folder.list()).toEqual([file]);
    expect((await store.list([])).map(({ value }) => value)).toEqual([
      large(1),
      large(2),
      { list: [large(3), new Map([['k', -0]])] },
    ]);
    await folder.remove(file);
    expect(await endOf(store.get(['k']))).toBe('state/body-missing');
    await Promise.all([store.close(), shared.call('close', name)]);
    const plain = await openIndexedDbStore({ name });
    expect(await endOf(plain.get(['k']))).toBe('state/body-missing');
    await plain.close();
  });

  test('without a private file system the store is unavailable', async () => {
    const original = Object.getOwnPropertyDescriptor(StorageManager.prototype, 'getDirectory');
    const refused = (): Promise<never> => Promise.reject(new DOMException('no', 'SecurityError'));
    for (const replaced of [undefined, refused]) {
      Object.defineProperty(StorageManager.prototype, 'getDirectory', {
        value: replaced,
        configurable: true,
      });
      await expect(openOpfsStore({ name: freshName() })).rejects.toMatchObject({
        code: 'state/storage-unavailable',
      });
    }
    Object.defineProperty(StorageManager.prototype, 'getDirectory', original as PropertyDescriptor);
  });
});

describe('in a worker', () => {
  test('a strict commit is a flushed file; a page reads it, and writes go back and forth', async () => {
    const name = freshName();
    expect(await shared.call<StoreCapabilities>('capabilities', name)).toMatchObject({
      durable: true,
      strict: true,
      sharedAcrossRealms: true,
    });
    await shared.call('put', name, 1);
    const folder = await openOpfsFolder(name);
    expect(await folder.list()).toHaveLength(1);
    const page = await openOpfsStore({ name });
    const heard = new Promise<boolean>((resolve) => page.watch([], ({ isLocal }) => resolve(isLocal)));
    expect(await page.get(['k'])).toMatchObject({ value: large(1), revision: 1 });
    await shared.call('put', name, 2);
    expect(await heard).toBe(false);
    expect(await page.get(['k'])).toMatchObject({ value: large(2), revision: 2 });
    await page.commit([{ type: 'put', key: ['k'], value: large(3) }], { durability: 'relaxed' });
    expect(await shared.call<Entry>('get', name)).toMatchObject({ value: large(3), revision: 3 });
    await expect.poll(() => folder.list()).toHaveLength(1);
    await Promise.all([page.close(), shared.call('close', name)]);
  });

  test('a worker killed between its file and its transaction leaves an orphan, which goes; nobody else loses any', async () => {
    const name = freshName();
    const hub = createHub();
    const sink = createMemorySink(hub);
    const folder = await openOpfsFolder(name);
    await shared.call('put', name, 1);
    const alive = await folder.list();
    const dying = new TestWorker();
    void dying.call('hang', name, 2);
    const orphan = await dying.written;
    // while it lives, its file is left alone
    const early = await openOpfsStore({ name, hub });
    await early.close();
    expect(await folder.list()).toEqual(expect.arrayContaining([...alive, orphan]));
    dying.terminate();
    await expect
      .poll(
        async () => {
          const store = await openOpfsStore({ name, hub });
          await store.close();
          return folder.list();
        },
        { timeout: 10_000 },
      )
      .toEqual(alive);
    expect(await shared.call<Entry>('get', name)).toMatchObject({ value: large(1), revision: 1 });
    await shared.call('close', name);
    // what nobody holds but a record refers to stays
    const store = await openOpfsStore({ name, hub });
    await store.close();
    expect(await folder.list()).toEqual(alive);
    expect(sink.ofType('store-fail')).toEqual([]);
  });

  test('what a relaxed commit of a store that is gone replaced is removed after a flush', async () => {
    const name = freshName();
    await shared.call('put', name, 1);
    const dying = new TestWorker();
    await dying.call('put', name, 2);
    await dying.call('replaceRelaxed', name);
    dying.terminate();
    const folder = await openOpfsFolder(name);
    expect(await folder.list()).toHaveLength(1);
    const events: string[] = [];
    const { oncomplete } = Object.getOwnPropertyDescriptors(IDBTransaction.prototype);
    Object.defineProperty(IDBTransaction.prototype, 'oncomplete', {
      ...oncomplete,
      set(this: IDBTransaction, listener: () => void) {
        oncomplete.set?.call(this, () => {
          if (this.mode === 'readwrite') events.push(this.durability);
          listener();
        });
      },
    });
    const opened: BodyFolder = {
      ...(await openWorkerFolder(name)),
      async remove(file) {
        events.push('remove');
        await folder.remove(file);
      },
    };
    await expect
      .poll(
        async () => {
          await (await openOpfsStore({ name, openFolder: async () => opened })).close();
          return folder.list();
        },
        { timeout: 10_000 },
      )
      .toEqual([]);
    Object.defineProperty(IDBTransaction.prototype, 'oncomplete', oncomplete);
    expect(events).toEqual(['strict', 'remove']);
    await shared.call('close', name);
  });
});
