/** One store of one database, open only while it is used. */

/** Resolves with a request's result. */
export function settleRequest<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error('the request failed'));
  });
}

function openDatabase(databaseName: string, storeName: string): Promise<IDBDatabase> {
  const request = indexedDB.open(databaseName, 1);
  request.onupgradeneeded = () => void request.result.createObjectStore(storeName);
  return settleRequest(request);
}

/** Runs `work` in one transaction, and resolves when it is complete. */
export type UseStore = <T>(
  mode: IDBTransactionMode,
  work: (store: IDBObjectStore) => Promise<T>,
) => Promise<T>;

/** Nothing is opened before the first use. */
export function createStoreAccess(databaseName: string, storeName: string): UseStore {
  return async (mode, work) => {
    const database = await openDatabase(databaseName, storeName);
    try {
      const transaction = database.transaction(storeName, mode, { durability: 'relaxed' });
      const done = new Promise<void>((resolve, reject) => {
        transaction.oncomplete = () => resolve();
        transaction.onabort = () => reject(transaction.error ?? new Error('the transaction was aborted'));
      });
      const [result] = await Promise.all([work(transaction.objectStore(storeName)), done]);
      return result;
    } finally {
      database.close();
    }
  };
}
