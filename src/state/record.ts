/** Records: every saved state of a thing under its own version, with a checksum that is verified when it is loaded. */
import { CodedError, isCodedError } from '../base/index.ts';
import type { JsonObject } from '../base/index.ts';
import { sha256Hex, systemClock } from '../platform/index.ts';
import type { Clock } from '../platform/index.ts';
import { toCanonicalBytes } from './format/canonical.ts';
import { recordHeadKey, recordInfoKey, recordInfoPrefix, recordStateKey } from './key.ts';
import { defaultStoreLimits } from './limits.ts';
import type { CommitOptions, Store } from './store.ts';
import { takeSnapshot } from './value.ts';

/** What is known of a version without loading its state. */
export interface RecordInfo {
  readonly id: string;
  /** 1 for the first, then one more for each save. */
  readonly version: number;
  /** When it was saved, in milliseconds since 1970. */
  readonly atMs: number;
  /** The saver's own notes. */
  readonly metadata: JsonObject;
  /** SHA-256 in hex over the canonical bytes of `{ id, version, atMs, metadata, state }`. */
  readonly checksum: string;
}

export interface StateRecord<T = unknown> extends RecordInfo {
  readonly state: T;
}

export interface SaveOptions extends CommitOptions {
  /** Default empty. */
  readonly metadata?: JsonObject;
  readonly clock?: Clock;
}

/** Savers of the same id that collide try again, each time with the next version, this often. */
const maxAttempts = 16;
/** Versions that are tried when the one that was asked for is damaged. */
const maxVersionsTried = 32;

function checksumOf(record: Omit<StateRecord, 'checksum'>): Promise<string> {
  const { id, version, atMs, metadata, state } = record;
  return sha256Hex(toCanonicalBytes({ id, version, atMs, metadata, state }));
}

async function saveOnce<T>(
  store: Store,
  id: string,
  state: T,
  options: SaveOptions,
): Promise<StateRecord<T>> {
  const { metadata = {}, clock = systemClock, ...commitOptions } = options;
  const head = await store.get<number>(recordHeadKey(id));
  const version = (head?.value ?? 0) + 1;
  const body = { id, version, atMs: clock.now(), metadata, state };
  const record = { ...body, checksum: await checksumOf(body) };
  const { state: saved, ...info } = record;
  await store.commit(
    [
      { type: 'put', key: recordHeadKey(id), value: version, expectedRevision: head?.revision ?? 0 },
      { type: 'put', key: recordInfoKey(id, version), value: info, expectedRevision: 0 },
      { type: 'put', key: recordStateKey(id, version), value: saved, expectedRevision: 0 },
    ],
    commitOptions,
  );
  return record;
}

/**
 * Saves `state` as the next version of `id`. Two savers at once get two versions.
 * @throws `state/not-encodable` for states that have no canonical bytes, `state/not-cloneable`, and what `Store.commit` throws
 */
export async function saveRecord<T>(
  store: Store,
  id: string,
  state: T,
  options: SaveOptions = {},
): Promise<StateRecord<T>> {
  // the state may change while the checksum is computed: one copy for checksum, store and caller
  const copy = takeSnapshot(state, defaultStoreLimits).value as T;
  for (let attempt = 1; ; attempt++) {
    try {
      return await saveOnce(store, id, copy, options);
    } catch (error) {
      if (!isCodedError(error, 'state/conflict') || attempt >= maxAttempts) throw error;
    }
  }
}

/** The record if it is whole, undefined if a part is missing, changed or damaged. */
async function readWhole<T>(store: Store, id: string, version: number): Promise<StateRecord<T> | undefined> {
  const info = await store.get<RecordInfo>(recordInfoKey(id, version));
  const state = await store.get<T>(recordStateKey(id, version));
  if (!info || !state) return undefined;
  const record = { ...info.value, id, version, state: state.value };
  try {
    return (await checksumOf(record)) === record.checksum ? record : undefined;
  } catch (error) {
    // what cannot even be encoded was not saved by saveRecord
    if (isCodedError(error, 'state/not-encodable') || isCodedError(error, 'state/value-too-large'))
      return undefined;
    throw error;
  }
}

async function lastWholeVersion(store: Store, id: string, below: number): Promise<number | undefined> {
  const lowest = Math.max(1, below - maxVersionsTried);
  for (let version = below - 1; version >= lowest; version--) {
    if (await readWhole(store, id, version)) return version;
  }
  return undefined;
}

/**
 * Loads a version, default the latest; undefined when there is none.
 * @throws `state/checksum-failed` when what is stored is not what was saved, with the field `lastGoodVersion`: the newest
 *   older version that is whole (the 32 before are tried), or null
 */
export async function loadRecord<T = unknown>(
  store: Store,
  id: string,
  version: number | 'latest' = 'latest',
): Promise<StateRecord<T> | undefined> {
  const head = await store.get<number>(recordHeadKey(id));
  const wanted = version === 'latest' ? head?.value : version;
  if (head === undefined || wanted === undefined || !Number.isInteger(wanted)) return undefined;
  if (wanted < 1 || wanted > head.value) return undefined;
  const record = await readWhole<T>(store, id, wanted);
  if (record) return record;
  const lastGoodVersion = (await lastWholeVersion(store, id, wanted)) ?? null;
  throw new CodedError('state/checksum-failed', `version ${wanted} of ${id} is not what was saved`, {
    fields: { id, version: wanted, lastGoodVersion },
  });
}

/** What was saved under `id`, oldest first, without the states; at most `limit`, default 1,000, after version `after`. */
export async function listVersions(
  store: Store,
  id: string,
  options: { readonly limit?: number; readonly after?: number } = {},
): Promise<readonly RecordInfo[]> {
  const { limit, after } = options;
  const entries = await store.list<RecordInfo>(recordInfoPrefix(id), {
    ...(limit === undefined ? {} : { limit }),
    ...(after === undefined ? {} : { after: recordInfoKey(id, after) }),
  });
  return entries.map(({ value }) => value);
}
