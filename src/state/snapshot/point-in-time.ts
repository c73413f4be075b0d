/** What was stored at a time: from the nearest place before it, entry by entry. */
import { CodedError, isCodedError } from '../../base/index.ts';
import type { Key } from '../key.ts';
import type { Store } from '../store.ts';
import { applyWrites } from './collect.ts';
import { readBase } from './journal-base.ts';
import { journalOf } from './journal.ts';
import type { JournalAccess } from './journal.ts';
import { entriesAfter, withHead } from './journal-read.ts';
import type { JournalHead, JournalPoint } from './journal-read.ts';
import { isCovered, toPrefixes } from './layout.ts';
import { Records, valueOf } from './records.ts';
import type { BytesRecord } from './records.ts';
import { findSnapshot, readSnapshotRecords, snapshotsOfJournal } from './snapshot.ts';

/** A state of the past: a snapshot by its name, or a time in milliseconds since 1970. */
export type StateSource = string | number;

export interface KeyedValue<T = unknown> {
  readonly key: Key;
  /** A copy that belongs to the reader. */
  readonly value: T;
}

/** Everything under a prefix at one moment. */
export interface PastState<T = unknown> {
  /** When that state began, in the time of the journal; of a snapshot: when it was taken. */
  readonly atMs: number;
  /** In order of key. */
  readonly entries: readonly KeyedValue<T>[];
}

export interface PastRecords {
  readonly atMs: number;
  readonly records: readonly BytesRecord[];
}

function notCovered(prefix: Key, prefixes: readonly Key[], what: string): CodedError {
  return new CodedError(
    'state/prefix-not-covered',
    `${what} does not hold everything under ${JSON.stringify(prefix)}`,
    {
      fields: { prefix, prefixes },
    },
  );
}

function notRetained(atMs: number, earliestMs: number): CodedError {
  return new CodedError(
    'state/not-retained',
    `what was stored at ${atMs} is not kept any more: ${earliestMs} is the earliest`,
    {
      fields: { atMs, earliestMs },
    },
  );
}

function accessOf(store: Store): JournalAccess {
  const access = journalOf(store);
  if (access) return access;
  throw new CodedError('state/not-journaled', `the store ${store.name} has no journal`, {
    fields: { store: store.name },
  });
}

interface Start {
  readonly point: JournalPoint;
  /** Reads what lies under the prefix. */
  readonly read: (into: Records) => Promise<void>;
}

/** Where rebuilding may begin, the best first; the base of the journal is the last resort. */
async function startsOf(
  access: JournalAccess,
  head: JournalHead,
  prefix: Key,
  atMs: number,
): Promise<readonly Start[]> {
  const { inner, settings } = access;
  const snapshots = await snapshotsOfJournal(access, head, [prefix]);
  const what = `the base of the journal ${settings.name}`;
  const base: Start = { point: head, read: (into) => readBase(inner, head.base, { into, prefix, what }) };
  const starts = snapshots
    .filter(({ journal }) => journal.atMs <= atMs)
    .map((stored): Start => {
      const read = async (into: Records): Promise<void> => {
        for (const { key, bytes } of await readSnapshotRecords(inner, stored))
          if (isCovered(key, [prefix])) into.put(key, bytes);
      };
      return { point: stored.journal, read };
    });
  return [...starts, base];
}

/** The first start that is whole. */
async function readStart(
  starts: readonly Start[],
  maxBytes: number,
): Promise<{ readonly point: JournalPoint; readonly records: Records }> {
  for (const [index, { point, read }] of starts.entries()) {
    const records = new Records(maxBytes);
    try {
      await read(records);
      return { point, records };
    } catch (error) {
      const isLast = index === starts.length - 1;
      if (isLast || !isCodedError(error, 'state/checksum-failed')) throw error;
    }
  }
  throw new CodedError('state/not-journaled', 'the journal has no base');
}

async function rebuild(
  access: JournalAccess,
  head: JournalHead,
  prefix: Key,
  atMs: number,
): Promise<PastRecords> {
  const { inner, settings } = access;
  if (atMs < head.atMs) throw notRetained(atMs, head.atMs);
  const { maxSnapshotBytes } = settings.context.limits;
  const { point, records } = await readStart(await startsOf(access, head, prefix, atMs), maxSnapshotBytes);
  let reachedMs = point.atMs;
  try {
    for await (const entry of entriesAfter(inner, settings.name, point)) {
      if (entry.atMs > atMs) break;
      applyWrites(records, entry.writes, [prefix]);
      reachedMs = entry.atMs;
    }
  } catch (error) {
    if (!isBeforeDamage(error, atMs)) throw error;
  }
  return { atMs: reachedMs, records: records.sorted() };
}

/** The time of a damaged entry is unknown; what was asked for is what came before it. */
function isBeforeDamage(error: unknown, atMs: number): boolean {
  if (!isCodedError(error, 'state/journal-damaged')) return false;
  const { lastMs } = error.fields;
  return typeof lastMs === 'number' && atMs <= lastMs;
}

function checkTime(atMs: number): void {
  if (Number.isFinite(atMs)) return;
  throw new CodedError('state/snapshot-invalid', `the time is ${atMs}, expected milliseconds since 1970`, {
    fields: { field: 'atMs' },
  });
}

/**
 * The records of a snapshot, or of a time, under a prefix.
 * @internal
 */
export async function readPast(store: Store, source: StateSource, prefix: Key): Promise<PastRecords> {
  toPrefixes([prefix]);
  if (typeof source === 'string') {
    const { value } = await findSnapshot(store, source);
    const { prefixes, atMs } = value.info;
    if (!isCovered(prefix, prefixes)) throw notCovered(prefix, prefixes, `the snapshot ${source}`);
    const records = await readSnapshotRecords(store, value);
    return { atMs, records: records.filter(({ key }) => isCovered(key, [prefix])) };
  }
  checkTime(source);
  const access = accessOf(store);
  const { name, prefixes } = access.settings;
  if (!isCovered(prefix, prefixes)) throw notCovered(prefix, prefixes, `the journal ${name}`);
  return withHead(access.inner, name, ({ head }) => rebuild(access, head, prefix, source));
}

/**
 * What was stored under `prefix` (default everything) at a time, or in a snapshot. A time in the future is now.
 * @throws `state/not-retained` (field earliestMs), `state/not-journaled`, `state/snapshot-not-found`, `state/prefix-not-covered`,
 *   `state/journal-damaged` (fields entry, lastMs), `state/checksum-failed`, `state/snapshot-too-large`, `state/snapshot-invalid`,
 *   `state/snapshot-contended` when compactions of other tabs never rest, `state/key-invalid`, and what the store throws
 */
export async function stateAt<T = unknown>(
  store: Store,
  source: StateSource,
  prefix: Key = [],
): Promise<PastState<T>> {
  const { atMs, records } = await readPast(store, source, prefix);
  // the reader says what it expects, as with any untyped storage
  return { atMs, entries: records.map((record) => ({ key: record.key, value: valueOf(record) as T })) };
}
