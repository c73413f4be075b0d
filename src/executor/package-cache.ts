/** Where packages and lists of packages are kept from one visit to the next, for when there is no network. */
import { createStoreAccess, settleRequest } from './idb-store.ts';

/** A file as it is kept. */
export interface StoredPackage {
  /** SHA-256 of `content`, as hex. */
  readonly digest: string;
  /** Wall-clock milliseconds since 1970; the oldest go first when room is needed. */
  readonly storedAtMs: number;
  readonly content: Blob;
}

/**
 * A place of the host's choice. What `read` answers is checked before it is used: a package against the hash that its index names, a list
 * against its own digest alone. What any of them throws costs a download, no more.
 */
export interface PackageCache {
  /** What was written last under this key, or `undefined`. */
  read(key: string): Promise<unknown>;
  /** Replaces what was there. */
  write(key: string, file: StoredPackage): Promise<void>;
  delete(key: string): Promise<void>;
}

const storeName = 'packages';
const defaultBytes = 256 * 2 ** 20;

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

/**
 * A database of its own on the page's origin, open only while it is used. For `packageIndex.cache` of `createExecutor`.
 * @param maxBytes default 256 MiB; a file that is larger is not kept, older ones go for newer ones
 */
export function openPackageCache(
  databaseName: string = 'vivarium-packages',
  maxBytes: number = defaultBytes,
): PackageCache {
  const use = createStoreAccess(databaseName, storeName);
  return {
    read: (key) => use('readonly', (store) => settleRequest<unknown>(store.get(key))),
    delete: (key) => use('readwrite', (store) => settleRequest(store.delete(key))),
    async write(key, file) {
      if (file.content.size > maxBytes) return;
      await use('readwrite', async (store) => {
        store.delete(key);
        await makeRoom(store, file.content.size, maxBytes);
        await settleRequest(store.put(file, key));
      });
    },
  };
}
