/** Reading versions: what is handed out is what was saved, or an error says that it is not. */
import { CodedError } from '../../base/index.ts';
import { recordLimits } from '../limits.ts';
import type { Entry, Store } from '../store.ts';
import { parseHead, readHead } from './head.ts';
import type { HeadRead, RecordHead } from './head.ts';
import { allInfos, infosBefore } from './list-infos.ts';
import {
  headKey,
  infoKey,
  maxSequence,
  sequenceOfStateKey,
  sequenceOfVersionKey,
  stateKey,
  versionPrefix,
} from './record-key.ts';
import { digestState, joinState, orDamaged, readInfo, recordDamaged } from './record.ts';
import type { RecordInfo, RecordVersion, StateRecord } from './record.ts';
import { sequenceOf } from './version.ts';

/** What was found of a version. */
type Found<T> = StateRecord<T> | 'missing' | 'damaged';

async function readParts<T>(store: Store, id: string, sequence: number): Promise<Found<T>> {
  const [info, state] = await Promise.all([
    store.get(infoKey(id, sequence)),
    store.get<T>(stateKey(id, sequence)),
  ]);
  if (!info && !state) return 'missing';
  const whole = await readInfo(info?.value, id, sequence);
  return (whole && state && (await joinState(whole, state.value))) ?? 'damaged';
}

/** What is there of a version, by what the head says. */
async function readUnder<T>(
  store: Store,
  id: string,
  head: RecordHead | undefined,
  sequence: number | undefined,
): Promise<Found<T>> {
  if (sequence === undefined || sequence <= (head?.erasedThrough ?? 0)) return 'missing';
  const found = await readParts<T>(store, id, sequence);
  // the head knows that it is there
  return found === 'missing' && sequence === head?.latest?.sequence ? 'damaged' : found;
}

/**
 * Reads the parts of a version while the record does not change: only then a part that is missing is a part that was lost.
 * @throws `state/conflict` when others changed the record all the time
 */
async function readSettled<T>(
  store: Store,
  id: string,
  sequenceIn: (read: HeadRead) => number | undefined,
): Promise<{ readonly found: Found<T>; readonly sequence: number | undefined }> {
  for (let attempt = 1; attempt <= recordLimits.maxAttempts; attempt++) {
    const read = await readHead(store, id);
    const sequence = sequenceIn(read);
    const found = await readUnder<T>(store, id, read.head, sequence);
    const after = await store.get(headKey(id));
    if ((after?.revision ?? 0) === read.revision) return { found, sequence };
  }
  throw new CodedError('state/conflict', `the record ${id} was changed whenever it was read`, {
    fields: { id },
    isRetryable: true,
  });
}

/** The newest whole version before `before`. */
export async function lastWholeVersion(
  store: Store,
  id: string,
  before: number,
): Promise<number | undefined> {
  const { head } = await readHead(store, id);
  const after = head?.erasedThrough ?? 0;
  const highest = await highestSequence(store, id);
  const range = { before: Math.min(before, highest + 1), after, limit: recordLimits.maxVersionsTried };
  for (const { sequence } of await infosBefore(store, id, range)) {
    const found = await readParts(store, id, sequence);
    if (typeof found === 'object') return sequence;
  }
  return undefined;
}

/** Of the states in the store, whatever the head says. */
export async function highestSequence(store: Store, id: string): Promise<number> {
  const entries = await store.list(headKey(id), { limit: 2 });
  return Math.max(0, ...entries.map(({ key }) => sequenceOfStateKey(key) ?? 0));
}

/** Whether there are states without a head, as of one moment. */
export async function isHeadMissing(store: Store, id: string): Promise<boolean> {
  const [first] = await store.list(headKey(id), { limit: 1 });
  return first !== undefined && first.key.length > headKey(id).length;
}

/** In one request: head and newest state come as of one moment. */
async function loadLatestAtOnce<T>(store: Store, id: string): Promise<Found<T>> {
  const entries = await store.list(headKey(id), { limit: 2 });
  const [first, second] = entries as readonly (Entry | undefined)[];
  if (!first) return 'missing';
  const [head, digest] = await Promise.all([
    // without its head, a state says nothing
    first.key.length === 2 ? parseHead(first.value, id) : undefined,
    second && orDamaged(() => digestState(second.value)),
  ]);
  if (!head) return 'damaged';
  if (!head.latest) return 'missing';
  const { sequence, stateChecksum } = head.latest;
  if (second && sequenceOfStateKey(second.key) === sequence) {
    const isWhole = digest?.stateChecksum === stateChecksum;
    return isWhole ? { ...head.latest, state: second.value as T } : 'damaged';
  }
  // an older version is the latest again
  const state = await store.get<T>(stateKey(id, sequence));
  return (state && (await joinState(head.latest, state.value))) ?? 'damaged';
}

/** @throws `state/checksum-failed`, `state/version-too-new`, and what `Store.get` throws */
export async function loadLatest<T>(store: Store, id: string): Promise<StateRecord<T> | undefined> {
  const first = await loadLatestAtOnce<T>(store, id);
  if (first === 'missing') return undefined;
  if (first !== 'damaged') return first;
  let isHeadDamaged = false;
  const { found, sequence } = await readSettled<T>(store, id, ({ head }) => {
    isHeadDamaged = head === undefined;
    return head?.latest?.sequence;
  });
  if (typeof found === 'object') return found;
  const isHeadWhole = !isHeadDamaged && !(await isHeadMissing(store, id));
  if (found === 'missing' && isHeadWhole) return undefined;
  const lastGood = await lastWholeVersion(store, id, sequence ?? Infinity);
  throw recordDamaged(id, sequence ?? null, lastGood);
}

/** @throws as {@link loadLatest} */
export async function loadSequence<T>(
  store: Store,
  id: string,
  sequence: number,
): Promise<StateRecord<T> | undefined> {
  if (!Number.isInteger(sequence) || sequence < 1 || sequence > maxSequence) return undefined;
  const [{ head }, first] = await Promise.all([readHead(store, id), readParts<T>(store, id, sequence)]);
  if (typeof first === 'object') return sequence > (head?.erasedThrough ?? 0) ? first : undefined;
  const { found } = await readSettled<T>(store, id, () => sequence);
  if (typeof found === 'object') return found;
  if (found === 'missing') return undefined;
  throw recordDamaged(id, sequence, await lastWholeVersion(store, id, sequence));
}

/** The version of that name under `head`, if its info is whole. */
export async function findVersion(
  store: Store,
  { id, erasedThrough }: RecordHead,
  version: string,
): Promise<RecordInfo | undefined> {
  const entries = await store.list(versionPrefix(id, version));
  for (const { key } of entries.toReversed()) {
    const sequence = sequenceOfVersionKey(key);
    if (sequence <= erasedThrough) return undefined;
    const info = await readInfo((await store.get(infoKey(id, sequence)))?.value, id, sequence);
    if (info?.version === version) return info;
  }
  return undefined;
}

/** The entry that leads from name to number may be what was lost. */
async function searchVersion(store: Store, id: string, version: string): Promise<number | undefined> {
  const { head } = await readHead(store, id);
  for await (const { sequence, value } of allInfos(store, id, head?.erasedThrough ?? 0)) {
    if ((value as Partial<RecordInfo> | null)?.version === version) return sequence;
  }
  return undefined;
}

/** @throws as {@link loadLatest} */
export async function loadVersion<T>(
  store: Store,
  id: string,
  version: RecordVersion,
): Promise<StateRecord<T> | undefined> {
  const known = sequenceOf(version);
  if (known !== undefined) return loadSequence(store, id, known);
  if (typeof version !== 'string' || version === '' || version.length > recordLimits.maxVersionLength)
    return undefined;
  const entries = await store.list(versionPrefix(id, version));
  // the newest of that name; older ones are being dropped
  const last = entries.at(-1);
  const sequence = last ? sequenceOfVersionKey(last.key) : await searchVersion(store, id, version);
  const record = sequence === undefined ? undefined : await loadSequence<T>(store, id, sequence);
  if (!record || record.version === version) return record;
  throw recordDamaged(id, record.sequence, await lastWholeVersion(store, id, record.sequence));
}
