/* oxlint-disable typescript/unbound-method -- prototypes are patched: every call passes its `this` on */
// What really happened below the store: in which transaction each operation was written, at which durability, and whether it
// was complete by the time of its acknowledgement. It can also abort transactions.

/** @typedef {{ durability: string, isComplete: boolean, isAborted: boolean }} SeenTransaction */

/** The most requests that a transaction to be aborted is let through. */
const maxRequestsBeforeAbort = 5;

/** The operation that wrote a value, wherever the store or a record puts it. @param {any} stored */
function operationOf(stored) {
  const value = stored?.value;
  return value?.op ?? value?.body?.op ?? value?.metadata?.op;
}

export class WatchedEngine {
  /** @type {Map<string, SeenTransaction>} */
  #byOperation = new Map();
  /** @type {WeakMap<IDBTransaction, SeenTransaction>} */
  #seen = new WeakMap();

  /**
   * From now on in this realm. Before anything replaces the same functions: what it sees is what the browser was asked.
   * @param {import('./random.mjs').SeededRandom} random
   * @param {number} abortShare of read-write transactions that are aborted
   */
  constructor(random, abortShare) {
    const engine = this;
    const { transaction: begin } = IDBDatabase.prototype;
    IDBDatabase.prototype.transaction = function (...args) {
      const transaction = begin.apply(this, args);
      if (transaction.mode === 'readwrite') engine.#watch(transaction);
      if (transaction.mode === 'readwrite' && random.isHit(abortShare))
        abortAfter(transaction, random.below(maxRequestsBeforeAbort), random.isHit(0.7) ? 'put' : 'get');
      return transaction;
    };
    for (const method of /** @type {const} */ (['put', 'add'])) {
      const write = IDBObjectStore.prototype[method];
      IDBObjectStore.prototype[method] = function (...args) {
        const operation = operationOf(args[0]);
        const seen = engine.#seen.get(this.transaction);
        if (operation !== undefined && seen) engine.#byOperation.set(operation, seen);
        return write.apply(this, args);
      };
    }
  }

  /** The last transaction that wrote for the operation, as it is now; it is forgotten. @param {string} operation */
  take(operation) {
    const seen = this.#byOperation.get(operation);
    this.#byOperation.delete(operation);
    return seen && { ...seen };
  }

  /** @param {IDBTransaction} transaction */
  #watch(transaction) {
    const seen = { durability: transaction.durability, isComplete: false, isAborted: false };
    this.#seen.set(transaction, seen);
    transaction.addEventListener('complete', () => (seen.isComplete = true));
    transaction.addEventListener('abort', () => (seen.isAborted = true));
  }
}

/**
 * The way that a failed commit looks: no request fails, only `abort` is fired.
 * @param {IDBTransaction} transaction
 * @param {number} requests that are let through
 * @param {'get' | 'put'} from the first of these on, whichever comes first for `get`
 */
function abortAfter(transaction, requests, from) {
  let left = requests;
  let isCounting = from === 'get';
  // an explicit commit would make an abort impossible
  transaction.commit = () => undefined;
  const { objectStore } = transaction;
  transaction.objectStore = (name) => {
    const store = objectStore.call(transaction, name);
    for (const method of /** @type {const} */ (['get', 'put', 'add', 'delete'])) {
      const original = store[method];
      Reflect.set(store, method, (/** @type {[any]} */ ...args) => {
        const request = original.apply(store, args);
        isCounting ||= method === from || (method === 'add' && from === 'put');
        if (!isCounting) return request;
        request.addEventListener('success', () => {
          if (left-- === 0) transaction.abort();
        });
        return request;
      });
    }
    return store;
  };
}
