/* oxlint-disable typescript/unbound-method -- a prototype is patched: every call passes its `this` on */
// Broken: takes the last request that was sent for the end of the transaction, as code does that never waits for `complete`.
import { openIndexedDbStore } from '../../../../src/state/index.ts';

export async function openEarlyAcknowledging(name) {
  const handlers = new WeakMap();
  Object.defineProperty(IDBTransaction.prototype, 'oncomplete', {
    configurable: true,
    get() {
      return handlers.get(this) ?? null;
    },
    set(handler) {
      handlers.set(this, handler);
    },
  });
  // the store calls it when everything is sent; the engine goes on by itself
  IDBTransaction.prototype.commit = function () {
    handlers.get(this)?.call(this, new Event('complete'));
  };
  const { transaction: begin } = IDBDatabase.prototype;
  IDBDatabase.prototype.transaction = function (...args) {
    const transaction = begin.apply(this, args);
    // for reads, and for what was told too early already
    transaction.addEventListener('complete', (event) => handlers.get(transaction)?.(event));
    return transaction;
  };
  return openIndexedDbStore({ name });
}
