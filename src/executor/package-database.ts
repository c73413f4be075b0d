/** The packages that are kept, in IndexedDB; loaded when the first one is looked for. */
import { createStoreAccess, settleRequest } from './idb-store.ts';
import type { UseStore } from './idb-store.ts';
import type { PackageCache, StoredPackage } from './package-cache.ts';

const storeName = 'packages';

/** What counts against the room; what is no record of ours goes first. */
function readRecord(value: unknown): { readonly sizeBytes: number; readonly storedAtMs: number } {
  const { content, storedAtMs } = Object(value) as Partial<StoredPackage>;
  return {
    sizeBytes: content instanceof Blob ? content.size : 0,
    storedAtMs: Number.isFinite(storedAtMs) ? (storedAtMs as number) : -Infinity,
  };
}

/** Deletes the oldest until `neededBytes` fit. Contents stay on disk meanwhile: blobs are handles. */
async function makeRoom(store: IDBObjectStore, neededBytes: number, maxBytes: number): Promise<void> {
  const [keys, values] = await Promise.all([
    settleRequest(store.getAllKeys()),
    settleRequest<unknown[]>(store.getAll()),
  ]);
  const records = values.map((value, index) => ({ key: keys[index] as IDBValidKey, ...readRecord(value) }));
  let sizeBytes = records.reduce((sum, record) => sum + record.sizeBytes, neededBytes);
  for (const record of records.toSorted((one, other) => one.storedAtMs - other.storedAtMs)) {
    if (sizeBytes <= maxBytes) return;
    store.delete(record.key);
    sizeBytes -= record.sizeBytes;
  }
}

export class PackageDatabase implements PackageCache {
  readonly #use: UseStore;
  readonly #maxBytes: number;

  constructor(databaseName: string, maxBytes: number) {
    this.#use = createStoreAccess(databaseName, storeName);
    this.#maxBytes = maxBytes;
  }

  read(key: string): Promise<unknown> {
    return this.#use('readonly', (store) => settleRequest<unknown>(store.get(key)));
  }

  delete(key: string): Promise<void> {
    return this.#use('readwrite', (store) => settleRequest(store.delete(key)));
  }

  async write(key: string, file: StoredPackage): Promise<void> {
    if (file.content.size > this.#maxBytes) return;
    await this.#use('readwrite', async (store) => {
      store.delete(key);
      await makeRoom(store, file.content.size, this.#maxBytes);
      await settleRequest(store.put(file, key));
    });
  }
}
