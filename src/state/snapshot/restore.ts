/** Going back: a state of the past becomes the present one, or a second one beside it. */
import { CodedError, isCodedError } from '../../base/index.ts';
import { encodeKey } from '../key.ts';
import type { Key } from '../key.ts';
import { defaultStoreLimits } from '../limits.ts';
import { withLostValues } from '../lost-value.ts';
import type { CommitOptions, Store, Write } from '../store.ts';
import { journalOf } from './journal.ts';
import type { JournalAccess } from './journal.ts';
import { isCovered, isHidden, overlaps } from './layout.ts';
import { maxAttempts } from './limits.ts';
import { readPast } from './point-in-time.ts';
import type { StateSource } from './point-in-time.ts';
import { contended, isKept, readPresent, readQuiet } from './present.ts';
import type { Past, Present } from './present.ts';
import { valueOf } from './records.ts';
import type { BytesRecord } from './records.ts';
import { findSnapshot } from './snapshot.ts';

export interface RestoreOptions extends CommitOptions {
  /** What is restored: all keys under it but the fences of leases, which say who may write now. Default everything. */
  readonly prefix?: Key;
}

export interface Restored {
  /** As {@link PastState.atMs}. */
  readonly atMs: number;
  /** Keys that were written because they were missing or different. */
  readonly puts: number;
  /** Keys that were deleted because they were not there then. */
  readonly deletes: number;
}

/** The fewest writes that make the present the past; each only if nobody wrote since. */
function writesBetween(present: ReadonlyMap<string, Present>, past: Past): readonly Write[] {
  const writes: Write[] = [];
  for (const [encoded, record] of past) {
    const found = present.get(encoded);
    if (found?.isSame) continue;
    writes.push({
      type: 'put',
      key: record.key,
      value: valueOf(record),
      expectedRevision: found?.revision ?? 0,
    });
  }
  for (const [encoded, { key, revision }] of present) {
    if (!past.has(encoded)) writes.push({ type: 'delete', key, expectedRevision: revision });
  }
  return writes;
}

/** That what is the same already is so still: who wrote it knowing what the restore undoes would be neither before nor after it. */
function checksOf(present: ReadonlyMap<string, Present>): readonly Write[] {
  return [...present.values()]
    .filter(({ isSame }) => isSame)
    .map(({ key, revision }) => ({ type: 'check', key, expectedRevision: revision }));
}

function isCommitTooLarge(error: unknown): error is CodedError {
  return isCodedError(error, 'state/value-too-large') && error.fields['scope'] === 'commit';
}

/** With the checks when one commit takes them too. */
async function commitChecked(
  store: Pick<Store, 'commit'>,
  writes: readonly Write[],
  checks: readonly Write[],
  options: CommitOptions,
): Promise<void> {
  if (writes.length === 0) return;
  if (checks.length > 0 && writes.length + checks.length <= defaultStoreLimits.maxCommitWrites) {
    try {
      await store.commit([...writes, ...checks], options);
      return;
    } catch (error) {
      if (!isCommitTooLarge(error)) throw error;
    }
  }
  await commitWhole(store, writes, options);
}

async function commitWhole(
  store: Pick<Store, 'commit'>,
  writes: readonly Write[],
  options: CommitOptions,
): Promise<void> {
  try {
    await store.commit(writes, options);
  } catch (error) {
    if (!isCommitTooLarge(error)) throw error;
    const { limit = null, unit = null } = error.fields;
    throw new CodedError(
      'state/restore-too-large',
      `a restore is one commit, and ${error.message}: restore by prefix, or open the store with higher limits`,
      { fields: { writes: writes.length, limit, unit }, cause: error },
    );
  }
}

/** What is restored, and how. */
interface Restoring {
  readonly prefix: Key;
  readonly past: Promise<Past>;
  readonly options: CommitOptions;
}

/** While others write: what they wrote since it was read refuses the commit. */
async function restoreAmong(
  store: Store,
  { prefix, past, options }: Restoring,
  attempt: number,
  early: Promise<ReadonlyMap<string, Present>>,
): Promise<readonly Write[]> {
  const found = await (attempt === 1 ? early : readPresent(store, prefix, past));
  const writes = writesBetween(found, await past);
  await commitChecked(store, writes, checksOf(found), options);
  return writes;
}

/** While the journaled writers of the prefix wait; for what is under it and not journaled it is as {@link restoreAmong}. */
async function restoreClaimed(
  store: Store,
  { claims, commitClaimed, settings }: JournalAccess,
  { prefix, past, options }: Restoring,
): Promise<readonly Write[]> {
  const then = await past;
  const claim = await claims.take(prefix, options.signal);
  let isReleased = false;
  try {
    const keep = (): Promise<void> => claim.keep();
    const found = isCovered(prefix, settings.prefixes)
      ? await readQuiet(store, prefix, then, keep)
      : await readPresent(store, prefix, past, keep);
    const writes = writesBetween(found, then);
    if (writes.length === 0) return writes;
    const commit: Store['commit'] = (all) => commitClaimed(all, claim, options);
    const checks = checksOf(found).filter(({ key }) => !isCovered(key, settings.prefixes));
    await commitChecked({ commit }, writes, checks, options);
    isReleased = true;
    return writes;
  } finally {
    if (!isReleased) await claim.drop();
  }
}

/**
 * Makes everything under the prefix what it was at a time, or in a snapshot: in one commit, which writes only what differs.
 * Others see the state before or the state after. In a journaled store every commit through the journal is before the restore or after
 * it: who writes what is restored waits meanwhile. Without a journal that holds of commits that change what is there, when all of it fits one
 * commit; but one that makes a new key on the condition that another is what the restore undoes may be neither.
 * In a journaled store the restore is journaled as any commit, so that it can be undone. A value that is lost now is different from
 * what it was: it comes back. Leases stay with their holders.
 * @throws `state/restore-too-large` when what differs does not fit one commit of this store: nothing was begun;
 *   `state/snapshot-contended` when writers never rest; what `stateAt` throws, and what `Store.commit` throws but `state/conflict`
 */
export async function restoreTo(
  store: Store,
  source: StateSource,
  options: RestoreOptions = {},
): Promise<Restored> {
  const { prefix = [], ...commitOptions } = options;
  const reading = readPast(store, source, prefix);
  const past = reading.then(
    ({ records }): Past =>
      new Map(records.filter(({ key }) => !isKept(key)).map((record) => [encodeKey(record.key), record])),
  );
  // whoever waits for it hears of it first
  past.catch(() => undefined);
  const access = journalOf(store);
  const restoring = { prefix, past, options: commitOptions };
  const isJournaled = access?.settings.prefixes.some((each) => overlaps(prefix, each)) ?? false;
  const journal = isJournaled ? access : undefined;
  // beside it, most of which is waiting
  const early = journal ? Promise.resolve(new Map<string, Present>()) : readPresent(store, prefix, past);
  // what is wrong with the request is told by the past
  early.catch(() => undefined);
  const { atMs } = await reading;
  for (let attempt = 1; ; attempt++) {
    try {
      const writes = await (journal
        ? restoreClaimed(store, journal, restoring)
        : restoreAmong(store, restoring, attempt, early));
      const puts = writes.filter(({ type }) => type === 'put').length;
      return { atMs, puts, deletes: writes.length - puts };
    } catch (error) {
      if (!isCodedError(error, 'state/conflict')) throw error;
      if (attempt >= maxAttempts) throw contended('restored', error);
    }
  }
}

export interface ForkOptions extends CommitOptions {
  /** The part of the snapshot that is copied, without this prefix. Default: the prefix of the snapshot when it has one, else all. */
  readonly from?: Key;
}

/**
 * Copies a snapshot to a prefix under which there is nothing, in one commit; gives how many keys were written.
 * @throws `state/prefix-occupied`, `state/restore-too-large`, `state/snapshot-not-found`, `state/prefix-not-covered`,
 *   `state/checksum-failed`, `state/key-invalid`, and what the store throws
 */
export async function forkSnapshot(
  store: Store,
  name: string,
  newPrefix: Key,
  options: ForkOptions = {},
): Promise<number> {
  const { from, ...commitOptions } = options;
  const { prefixes } = (await findSnapshot(store, name)).value.info;
  const prefix = from ?? (prefixes.length === 1 ? (prefixes[0] ?? []) : []);
  const { records } = await readForked(store, name, prefix, prefixes);
  const writes = records.map((record): Write => {
    const key = [...newPrefix, ...record.key.slice(prefix.length)];
    return { type: 'put', key, value: valueOf(record), expectedRevision: 0 };
  });
  const occupied = (await withLostValues(store).list(newPrefix, { limit: 1 })).filter(
    ({ key }) => !isHidden(key),
  );
  if (occupied.length > 0) throw prefixOccupied(newPrefix);
  try {
    await commitWhole(store, writes, commitOptions);
  } catch (error) {
    throw isCodedError(error, 'state/conflict') ? prefixOccupied(newPrefix, error) : error;
  }
  return writes.length;
}

/** All of a snapshot with several prefixes lies under no prefix that it covers: it is read prefix by prefix. */
async function readForked(
  store: Store,
  name: string,
  prefix: Key,
  prefixes: readonly Key[],
): Promise<{ readonly records: readonly BytesRecord[] }> {
  if (isCovered(prefix, prefixes) || prefix.length > 0) return readPast(store, name, prefix);
  const parts = await Promise.all(prefixes.map((each) => readPast(store, name, each)));
  return { records: parts.flatMap(({ records }) => records) };
}

function prefixOccupied(prefix: Key, cause?: unknown): CodedError {
  return new CodedError(
    'state/prefix-occupied',
    `there is something under ${JSON.stringify(prefix)}, expected nothing`,
    {
      fields: { prefix },
      cause,
    },
  );
}
