// Broken: any end of a transaction that is no `error` event is a success, as with code that never heard of `abort`.
import { openIndexedDbStore } from '../../../../src/state/index.ts';

export async function openDeafToAbort(name) {
  Object.defineProperty(IDBTransaction.prototype, 'onabort', {
    configurable: true,
    get: () => null,
    set() {
      this.addEventListener('abort', (event) => this.oncomplete?.(event));
    },
  });
  return openIndexedDbStore({ name });
}
