/** Reading on where the value of a key is lost: its file is gone, or what lies there is not what was written. */
import { isCodedError } from '../base/index.ts';
import type { CodedError } from '../base/index.ts';
import type { Key } from './key.ts';
import { defaultListEntries } from './limits.ts';
import { toListing } from './requests.ts';
import type { Entry, Listing, ListOptions, Store } from './store.ts';

/** How often a key that others write, delete and write again is looked at before the error is passed on. */
const maxLooks = 8;

/** Stands in an entry for a value that is lost. It has no canonical bytes, and nothing that was saved is equal to it. */
export class LostValue {
  readonly error: CodedError;

  constructor(error: CodedError) {
    this.error = error;
  }
}

/** Whether a read failed because the value is lost. A value whose file this store has no folder for is not: another store reads it. */
export function isValueLost(error: unknown): error is CodedError {
  if (isCodedError(error, 'state/value-damaged')) return true;
  return isCodedError(error, 'state/body-missing') && error.fields['problem'] !== 'no-folder';
}

/** The revision of a key whose value cannot be read: a condition that does not hold says it. 0 when there is none. */
async function revisionOf(store: Store, key: Key): Promise<number> {
  try {
    await store.commit([{ type: 'check', key, expectedRevision: 0 }], { durability: 'relaxed' });
    return 0;
  } catch (error) {
    if (!isCodedError(error, 'state/conflict')) throw error;
    return Number(error.fields['actual']);
  }
}

async function lostEntry<T>(store: Store, key: Key, first: CodedError): Promise<Entry<T> | undefined> {
  let last = first;
  for (let look = 1; look <= maxLooks; look++) {
    // before the value: whoever replaces it in between is not taken for the one that lost it
    const revision = await revisionOf(store, key);
    try {
      return await store.get<T>(key);
    } catch (error) {
      if (!isValueLost(error)) throw error;
      last = error;
    }
    // readers of what is stored ask whether it is what they expect anyway
    if (revision > 0) return { key, value: new LostValue(last) as T, revision, atMs: 0 };
  }
  throw last;
}

async function getLenient<T>(store: Store, key: Key): Promise<Entry<T> | undefined> {
  try {
    return await store.get<T>(key);
  } catch (error) {
    if (!isValueLost(error)) throw error;
    return lostEntry<T>(store, key, error);
  }
}

/** The next entry, whose value is lost. */
async function nextLost<T>(
  store: Store,
  prefix: Key,
  options: ListOptions,
  error: CodedError,
): Promise<Listing<T>> {
  for (let [look, last] = [1, error]; ; look++) {
    const { key } = last.fields;
    if (!Array.isArray(key) || look > maxLooks) throw last;
    const entry = await lostEntry<T>(store, key as Key, last);
    if (entry) return [entry];
    // it was deleted meanwhile: there is another next one
    try {
      return await store.list<T>(prefix, options);
    } catch (again) {
      if (!isValueLost(again)) throw again;
      last = again;
    }
  }
}

/** Lists that were read in several pieces. */
const pieced = new WeakSet<readonly Entry[]>();

/** Whether a list was read in several pieces, since a value in it was lost: it is not from one moment, also where it holds none that is lost. */
export function isPieced(list: readonly Entry[]): boolean {
  return pieced.has(list);
}

async function listLenient<T>(store: Store, prefix: Key, options: ListOptions): Promise<Listing<T>> {
  try {
    return await store.list<T>(prefix, options);
  } catch (error) {
    if (!isValueLost(error)) throw error;
    const list = await listInPieces<T>(store, prefix, options, error);
    pieced.add(list);
    return list;
  }
}

async function listInPieces<T>(
  store: Store,
  prefix: Key,
  options: ListOptions,
  error: CodedError,
): Promise<Listing<T>> {
  const { limit = defaultListEntries } = options;
  if (limit === 1) return nextLost<T>(store, prefix, options, error);
  const half = Math.ceil(limit / 2);
  const first = await listLenient<T>(store, prefix, { ...options, limit: half });
  const last = first.at(-1);
  if (!last || first.length < half || first.isCut) return first;
  const rest = await listLenient<T>(store, prefix, { ...options, limit: limit - half, after: last.key });
  return toListing([...first, ...rest], rest.isCut);
}

const lenient = new WeakMap<Store, Store>();

/**
 * The same store, whose `get` and `list` give an entry with a {@link LostValue} where a value is lost, with the key's
 * revision, instead of failing for it and all that was asked for with it. Such a list is not from one moment: see {@link isPieced}.
 * Everything else is the store's own.
 */
export function withLostValues(store: Store): Store {
  const known = lenient.get(store);
  if (known) return known;
  const made: Store = {
    name: store.name,
    capabilities: store.capabilities,
    get: (key) => getLenient(store, key),
    list: (prefix, options = {}) => listLenient(store, prefix, options),
    history: (key, options) => store.history(key, options),
    commit: (writes, options) => store.commit(writes, options),
    commitEach: (groups, options) => store.commitEach(groups, options),
    watch: (prefix, listener) => store.watch(prefix, listener),
    estimate: () => store.estimate(),
    close: () => store.close(),
    [Symbol.asyncDispose]: () => store.close(),
  };
  lenient.set(store, made);
  lenient.set(made, made);
  return made;
}
