/** IndexedDB where the browser gives it, memory where it refuses: visibly. */
import { isCodedError } from '../../base/index.ts';
import { silentHub } from '../../telemetry/index.ts';
import type { Hub } from '../../telemetry/index.ts';
import type { Store } from '../store.ts';
import { openIndexedDbStore } from './indexeddb.ts';
import type { IndexedDbStoreOptions } from './indexeddb.ts';
import { createMemoryStore } from './memory.ts';

export interface FallbackOptions {
  /** Opens the store that is wanted. */
  readonly open: () => Promise<Store>;
  /** Creates the lesser one. */
  readonly createFallback: () => Store;
  /** What the event calls them; default `indexeddb` and `memory`. */
  readonly from?: string;
  readonly to?: string;
  readonly hub?: Hub;
}

export interface StoreFallback {
  readonly from: string;
  readonly to: string;
  readonly reason: string;
}

const fallbacks = new WeakMap<Store, StoreFallback>();

/** What a store stands in for; undefined for one that is what was wanted. */
export function fallbackOf(store: Store): StoreFallback | undefined {
  return fallbacks.get(store);
}

/**
 * The wanted store, or the lesser one when storage is unavailable; then the event `platform-degrade` says so, and
 * `capabilities.durable` of the result is what the lesser store can do. The choice is made once, at opening: a store
 * that fails later fails with errors, since switching then would hide acknowledged data.
 * @throws what `open` throws, except `state/storage-unavailable`: another tab in the way (`state/blocked`), a full
 *   disk and newer data are no reasons to work without what is stored
 */
export async function openWithFallback(options: FallbackOptions): Promise<Store> {
  const { open, createFallback, from = 'indexeddb', to = 'memory', hub = silentHub } = options;
  try {
    return await open();
  } catch (error) {
    if (!isCodedError(error, 'state/storage-unavailable')) throw error;
    hub.emit({ type: 'platform-degrade', what: 'store', from, to, reason: error.message });
    const store = createFallback();
    fallbacks.set(store, { from, to, reason: error.message });
    return store;
  }
}

/** The store that a page wants: IndexedDB by `name`, else memory under the same name. */
export function openPageStore(options: IndexedDbStoreOptions): Promise<Store> {
  const { name, hub = silentHub, clock, limits } = options;
  return openWithFallback({
    open: () => openIndexedDbStore(options),
    createFallback: () =>
      createMemoryStore({ name, hub, ...(clock ? { clock } : {}), ...(limits ? { limits } : {}) }),
    hub,
  });
}
