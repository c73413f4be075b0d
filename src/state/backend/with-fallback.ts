/** The best store that the realm gives: of several the first that opens. A lesser one is never taken in silence. */
import { CodedError, isCodedError } from '../../base/index.ts';
import { silentHub } from '../../telemetry/index.ts';
import type { Hub } from '../../telemetry/index.ts';
import type { Store } from '../store.ts';
import { openIndexedDbStore } from './indexeddb.ts';
import type { IndexedDbStoreOptions } from './indexeddb.ts';
import { createMemoryStore } from './memory.ts';

export interface StoreCandidate {
  /** What events and {@link StoreFallback} call it, for example `indexeddb`. */
  readonly kind: string;
  readonly open: () => Store | Promise<Store>;
}

export interface FallbackOptions {
  /** The one that is wanted first, then each that is better than none. */
  readonly candidates: readonly StoreCandidate[];
  readonly hub?: Hub;
}

export interface StoreFallback {
  /** What was wanted. */
  readonly from: string;
  /** What there is instead. */
  readonly to: string;
  /** Why each one before could not be opened. */
  readonly reason: string;
}

export interface PageStoreOptions extends IndexedDbStoreOptions {
  /** Keep large values in files where the realm has some, as `openOpfsStore` does. Default false. */
  readonly files?: boolean;
}

const fallbacks = new WeakMap<Store, StoreFallback>();

/** What a store stands in for; undefined for one that is what was wanted. */
export function fallbackOf(store: Store): StoreFallback | undefined {
  return fallbacks.get(store);
}

/**
 * Opens the first candidate whose storage is available; for each that is not the event `platform-degrade` says what is used in its
 * place, and `capabilities` are those of the store that was opened. The choice is made once, at opening: a store that fails later
 * fails with errors, since switching then would hide acknowledged data.
 * @throws what a candidate throws, except `state/storage-unavailable` of any but the last: another tab in the way (`state/blocked`),
 *   a full disk and newer data are no reasons to work without what is stored; `state/option-invalid` without a candidate
 */
export async function openWithFallback({ candidates, hub = silentHub }: FallbackOptions): Promise<Store> {
  const reasons: string[] = [];
  for (const [index, { kind, open }] of candidates.entries()) {
    const next = candidates[index + 1];
    try {
      const store = await open();
      const [from] = candidates;
      if (index > 0 && from) fallbacks.set(store, { from: from.kind, to: kind, reason: reasons.join('; ') });
      return store;
    } catch (error) {
      if (!next || !isCodedError(error, 'state/storage-unavailable')) throw error;
      reasons.push(error.message);
      hub.emit({ type: 'platform-degrade', what: 'store', from: kind, to: next.kind, reason: error.message });
    }
  }
  throw new CodedError('state/option-invalid', 'candidates is empty, expected one store at the least', {
    fields: { option: 'candidates' },
  });
}

/**
 * The store that a page wants: IndexedDB by `name`, with large values in files if that is asked for; without files the database
 * alone; without a database memory, under the name `NAME (memory)`.
 * @throws as {@link openWithFallback}
 */
export function openPageStore({ files = false, ...options }: PageStoreOptions): Promise<Store> {
  const { name, hub = silentHub, clock, limits, keepHistory } = options;
  // few want files: what they take is loaded by those who do
  const openFiles = async (): Promise<Store> => (await import('./opfs.ts')).openOpfsStore(options);
  const createFallback = (): Store =>
    createMemoryStore({
      name: `${name} (memory)`,
      hub,
      ...(clock ? { clock } : {}),
      ...(limits ? { limits } : {}),
      ...(keepHistory === undefined ? {} : { keepHistory }),
    });
  return openWithFallback({
    candidates: [
      ...(files ? [{ kind: 'opfs', open: openFiles }] : []),
      { kind: 'indexeddb', open: () => openIndexedDbStore(options) },
      { kind: 'memory', open: createFallback },
    ],
    hub,
  });
}
