/** Saving: the next version of a record in one transaction. */
import { CodedError, isCodedError, isJson } from '../../base/index.ts';
import type { JsonObject } from '../../base/index.ts';
import type { Clock } from '../../platform/index.ts';
import { toCanonicalBytes } from '../format/canonical.ts';
import { defaultStoreLimits, recordLimits } from '../limits.ts';
import type { CommitOptions, Store, Write } from '../store.ts';
import { takeSnapshot } from '../value.ts';
import { changeRecord, overtaken } from './change.ts';
import type { RecordChange } from './change.ts';
import { isExpected, runMerge, saveConflict } from './conflict.ts';
import type { ConflictResolver } from './conflict.ts';
import { dropOldest } from './drop.ts';
import type { RecordHead } from './head.ts';
import { findVersion, loadSequence, loadVersion } from './load.ts';
import { idKey, infoKey, stateKey, versionKey } from './record-key.ts';
import { digestState, sealInfo } from './record.ts';
import type { RecordInfo, RecordVersion, StateDigest, StateRecord } from './record.ts';
import type { Retention } from './retention.ts';
import { nameVersion, sequenceOf } from './version.ts';
import type { Versioning, VersionRequest } from './version.ts';

export interface SaveOptions<T = unknown> extends CommitOptions, VersionRequest {
  /** JSON of at most 64 KiB. Default empty; of content that is kept already (`content-hash`): what it has. */
  readonly metadata?: JsonObject;
  /** Kept whatever the retention rules say, until it is unpinned or deleted. Default false, which unpins nothing. */
  readonly isPinned?: boolean;
  /** The version that the state was made from, which must be the latest; null: there must be none. Default: whatever is there. */
  readonly expectedVersion?: RecordVersion | null;
  /** What to do when the latest is another than the expected version. Default: as the records say. */
  readonly onConflict?: ConflictResolver<T>;
}

/** What all saves of one store have in common. */
export interface SaveContext {
  readonly store: Store;
  readonly versioning: Versioning;
  readonly retention: Retention;
  readonly clock: Clock;
  readonly mergeTimeoutMs: number;
}

/** A copy of a state, with its digest. */
interface Prepared<T> extends StateDigest {
  readonly state: T;
}

interface SaveRequest<T> {
  readonly id: string;
  readonly mine: Prepared<T>;
  readonly metadata: JsonObject;
  readonly options: SaveOptions<T>;
}

// the state may change while the checksum is computed: one copy for checksum, store and caller
const copyOf = <T>(value: T): T => takeSnapshot(value, defaultStoreLimits).value as T;

async function prepare<T>(state: T): Promise<Prepared<T>> {
  const copy = copyOf(state);
  return { state: copy, ...(await digestState(copy)) };
}

function optionInvalid(option: string, expected: string): CodedError {
  return new CodedError('state/option-invalid', `${option} is not ${expected}`, { fields: { option } });
}

function copyMetadata(metadata: unknown): JsonObject {
  const copy = copyOf(metadata);
  const isObject = typeof copy === 'object' && copy !== null && !Array.isArray(copy);
  if (!isObject || !isJson(copy, defaultStoreLimits.maxValueDepth - 2))
    throw optionInvalid('metadata', 'a JSON object');
  if (toCanonicalBytes(copy).length > recordLimits.maxMetadataBytes)
    throw optionInvalid('metadata', `at most ${recordLimits.maxMetadataBytes} bytes`);
  return copy as JsonObject;
}

function checkExpected(expected: unknown): void {
  const isVersion = expected === undefined || expected === null || typeof expected === 'string';
  if (isVersion || Number.isSafeInteger(expected)) return;
  throw optionInvalid('expectedVersion', 'a version, a sequence number or null');
}

/**
 * What is to be saved on top of `head`.
 * @throws `state/conflict`, `state/merge-failed`, `state/checksum-failed` when what must be merged is damaged
 */
async function resolve<T>(
  context: SaveContext & { readonly onConflict: ConflictResolver<T> },
  { id, mine, options }: SaveRequest<T>,
  head: RecordHead,
): Promise<Prepared<T> | typeof overtaken> {
  const { expectedVersion: expected, onConflict = context.onConflict, signal } = options;
  if (expected === undefined || isExpected(head.latest, expected)) return mine;
  if (onConflict === 'reject') throw saveConflict(id, expected, head.latest);
  if (onConflict === 'last-writer') return mine;
  if (typeof onConflict !== 'function')
    throw optionInvalid('onConflict', 'reject, last-writer or a function');
  const { store, clock, mergeTimeoutMs: timeoutMs } = context;
  const theirs = head.latest && (await loadSequence<T>(store, id, head.latest.sequence));
  if (theirs === undefined) return overtaken;
  const base = expected === null ? undefined : await loadBase<T>(store, id, expected);
  const merge = (): T | Promise<T> => onConflict(copyOf(mine.state), theirs?.state, base?.state);
  return prepare(await runMerge(id, merge, { clock, timeoutMs, signal }));
}

/** A base that is damaged is as good as one that is not kept any more. */
async function loadBase<T>(
  store: Store,
  id: string,
  expected: RecordVersion,
): Promise<StateRecord<T> | undefined> {
  try {
    return await loadVersion<T>(store, id, expected);
  } catch (error) {
    if (isCodedError(error, 'state/checksum-failed')) return undefined;
    throw error;
  }
}

/** The kept version with the same content, if it is whole. */
async function loadSame<T>(store: Store, info: RecordInfo | undefined): Promise<StateRecord<T> | undefined> {
  return info && loadBase<T>(store, info.id, info.sequence);
}

function countSaved(head: RecordHead, info: RecordInfo, stampMs: number): RecordHead {
  const { isPinned, sequence, sizeBytes } = info;
  if (isPinned) checkPinned(head);
  return {
    ...head,
    sequence,
    stampMs,
    latest: info,
    count: head.count + (isPinned ? 0 : 1),
    sizeBytes: head.sizeBytes + (isPinned ? 0 : sizeBytes),
    pinnedCount: head.pinnedCount + (isPinned ? 1 : 0),
  };
}

/** What is known of a kept version after the same content was saved again. */
async function renewed<T>(info: RecordInfo, { options, metadata }: SaveRequest<T>): Promise<RecordInfo> {
  return sealInfo({
    ...info,
    metadata: options.metadata === undefined ? info.metadata : metadata,
    isPinned: info.isPinned || options.isPinned === true,
  });
}

/** The counts after a version was renewed: pinned ones are counted apart. */
function countRenewed(head: RecordHead, before: RecordInfo, after: RecordInfo): RecordHead {
  if (before.isPinned === after.isPinned) return head;
  checkPinned(head);
  const { count, sizeBytes, pinnedCount } = head;
  return {
    ...head,
    count: Math.max(0, count - 1),
    sizeBytes: Math.max(0, sizeBytes - before.sizeBytes),
    pinnedCount: pinnedCount + 1,
  };
}

/** @throws `state/pin-limit` when no more versions may be pinned */
export function checkPinned({ id, pinnedCount }: RecordHead): void {
  const { maxPinned } = recordLimits;
  if (pinnedCount < maxPinned) return;
  throw new CodedError('state/pin-limit', `${id} has ${pinnedCount} pinned versions, the most it may have`, {
    fields: { id, maxPinned },
  });
}

function partWrites({ state, ...info }: StateRecord): readonly Write[] {
  const { id, sequence, version } = info;
  const name = versionKey(id, version, sequence);
  const isNumber = sequenceOf(version) !== undefined;
  return [
    { type: 'put', key: infoKey(id, sequence), value: info, expectedRevision: 0 },
    { type: 'put', key: stateKey(id, sequence), value: state, expectedRevision: 0 },
    ...(isNumber ? [] : [{ type: 'put', key: name, value: null } as const]),
  ];
}

async function planSave<T>(
  context: SaveContext & { readonly onConflict: ConflictResolver<T> },
  request: SaveRequest<T>,
  head: RecordHead,
): Promise<RecordChange<StateRecord<T>> | typeof overtaken> {
  const { store, versioning, retention, clock } = context;
  const { id, metadata, options } = request;
  const saved = await resolve(context, request, head);
  if (saved === overtaken) return overtaken;
  const { state, sizeBytes, stateChecksum } = saved;
  const nowMs = clock.now();
  const { version, stampMs } = nameVersion(versioning, head, { nowMs, stateChecksum, request: options });
  const taken = sequenceOf(version) === undefined ? await findVersion(store, head, version) : undefined;
  const rules = { retention, nowMs, maxDropped: recordLimits.maxDroppedPerSave };
  const same = versioning === 'content-hash' ? await loadSame<T>(store, taken) : undefined;
  if (same && taken) {
    const info = await renewed(taken, request);
    // committed again, so that the acknowledgement means what was asked for
    const dropped = await dropOldest(store, { ...countRenewed(head, taken, info), latest: info }, rules);
    const put: Write = { type: 'put', key: infoKey(id, info.sequence), value: info };
    return { head: dropped.head, writes: [put, ...dropped.writes], result: { ...info, state: same.state } };
  }
  if (taken && versioning !== 'content-hash') throw versionTaken(id, version);
  const isPinned = options.isPinned === true;
  const sequence = head.sequence + 1;
  const body = { id, sequence, version, atMs: nowMs, metadata, isPinned, sizeBytes, stateChecksum };
  const info = await sealInfo(body);
  const dropped = await dropOldest(store, countSaved(head, info, stampMs), rules);
  const record = { ...info, state };
  const listed: Write[] = head.latest ? [] : [{ type: 'put', key: idKey(id), value: null }];
  return {
    head: dropped.head,
    writes: [...partWrites(record), ...listed, ...dropped.writes],
    result: record,
  };
}

function versionTaken(id: string, version: string): CodedError {
  return new CodedError('state/version-taken', `${id} has a version ${version} already`, {
    fields: { id, version },
  });
}

/** Saves one state; see `Records.save`. */
export async function saveState<T>(
  context: SaveContext & { readonly onConflict: ConflictResolver<T> },
  id: string,
  state: T,
  options: SaveOptions<T>,
): Promise<StateRecord<T>> {
  checkExpected(options.expectedVersion);
  const metadata = copyMetadata(options.metadata === undefined ? {} : options.metadata);
  const request = { id, mine: await prepare(state), metadata, options };
  return changeRecord(context.store, id, commitOptionsOf(options), (head) =>
    planSave(context, request, head),
  );
}

/** Those of `options` that a commit takes. */
export function commitOptionsOf({ durability, signal }: CommitOptions): CommitOptions {
  return { ...(durability ? { durability } : {}), ...(signal ? { signal } : {}) };
}
