/** Where interpreters' snapshots are kept from one visit to the next: one for each language. */

/** A snapshot as it is kept. */
export interface StoredSnapshot {
  /** Digest of everything that the interpreter is made of: it fits no other. */
  readonly build: string;
  /** Wall-clock milliseconds since 1970. */
  readonly madeAtMs: number;
  /** SHA-256 of `content`, as hex. */
  readonly digest: string;
  /** Compressed. */
  readonly content: Blob;
}

/**
 * A place of the host's choice. What `read` answers is checked before it is used, so it may be damaged or somebody else's; what any of them
 * throws is told to the hub and costs a cold start, no more. Whoever can write here can change what guests start from, never what surrounds them.
 */
export interface SnapshotCache {
  /** What was written last under this name, or `undefined`. */
  read(language: string): Promise<unknown>;
  /** Replaces what was there. */
  write(language: string, snapshot: StoredSnapshot): Promise<void>;
  delete(language: string): Promise<void>;
}

const storeName = 'snapshots';

function settle<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error('the request failed'));
  });
}

function openDatabase(name: string): Promise<IDBDatabase> {
  const request = indexedDB.open(name, 1);
  request.onupgradeneeded = () => void request.result.createObjectStore(storeName);
  return settle(request);
}

/** A database of its own on the page's origin, open only while it is used. For `snapshots` of `createExecutor`. */
export function openSnapshotCache(databaseName: string = 'vivarium-snapshots'): SnapshotCache {
  const use = async <T>(
    mode: IDBTransactionMode,
    work: (store: IDBObjectStore) => IDBRequest<T>,
  ): Promise<T> => {
    const database = await openDatabase(databaseName);
    try {
      const transaction = database.transaction(storeName, mode, { durability: 'relaxed' });
      const done = new Promise<void>((resolve, reject) => {
        transaction.oncomplete = () => resolve();
        transaction.onabort = () => reject(transaction.error ?? new Error('the transaction was aborted'));
      });
      const [result] = await Promise.all([settle(work(transaction.objectStore(storeName))), done]);
      return result;
    } finally {
      database.close();
    }
  };
  return {
    read: (language) => use<unknown>('readonly', (store) => store.get(language)),
    write: async (language, snapshot) =>
      void (await use('readwrite', (store) => store.put(snapshot, language))),
    delete: (language) => use('readwrite', (store) => store.delete(language)),
  };
}
