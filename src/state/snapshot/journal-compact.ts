/** Compaction: the oldest entries go into the base, step by step, and only then go away. */
import { isCodedError } from '../../base/index.ts';
import { appendedKey, appendedNumberOf } from '../key.ts';
import type { Store, Write } from '../store.ts';
import { applyWrites, collectJournaled } from './collect.ts';
import { moveHead } from './journal-head.ts';
import type { JournalSettings } from './journal-options.ts';
import { entriesAfter, findEnd, readHead } from './journal-read.ts';
import type { HeadEntry, JournalPoint } from './journal-read.ts';
import { entryPrefix } from './layout.ts';
import { sweepStep } from './limits.ts';
import { Records } from './records.ts';
import { readBody, sweepParts } from './snapshot-parts.ts';

export interface Compaction {
  /** Entries that went into the base. */
  readonly entries: number;
  /** The earliest time that can be restored now. */
  readonly earliestMs: number;
}

/** What may stay: entries behind the end, and bytes. Three quarters of the bounds, so that the next time is not at once. */
interface Keep {
  readonly afterMs: number;
  readonly entries: number;
  readonly bytes: number;
}

async function readBase(store: Store, { head }: HeadEntry, settings: JournalSettings): Promise<Records> {
  const records = new Records(settings.context.limits.maxSnapshotBytes);
  const what = `the base of the journal ${settings.name}`;
  for (const { key, bytes } of await readBody(store, head.base, what)) records.put(key, bytes);
  return records;
}

/** Applies the entries that are to go to the base; undefined when there are none. */
async function advance(
  store: Store,
  found: HeadEntry,
  settings: JournalSettings,
  { keep, end, meanBytes }: { readonly keep: Keep; readonly end: number; readonly meanBytes: number },
): Promise<{ readonly records: Records; readonly point: JournalPoint } | undefined> {
  const { head } = found;
  let records: Records | undefined;
  let point: JournalPoint = head;
  for await (const { number, atMs, writes } of entriesAfter(store, settings.name, head)) {
    const after = end - number;
    const isKept = atMs > keep.afterMs && after < keep.entries && after * meanBytes < keep.bytes;
    if (isKept) break;
    records ??= await readBase(store, found, settings);
    applyWrites(records, writes, head.prefixes);
    point = { position: number, atMs };
  }
  return records && { records, point };
}

/** Deletes entries that the base holds, the oldest first. */
export async function sweepEntries(store: Store, journal: string, position: number): Promise<void> {
  const prefix = entryPrefix(journal);
  const [oldest] = await store.list(prefix, { limit: 1 });
  let number = (oldest && appendedNumberOf(oldest.key)) ?? position + 1;
  while (number <= position) {
    const length = Math.min(sweepStep, position - number + 1);
    const start = number;
    const deletes = Array.from({ length }, (_, index): Write => ({
      type: 'delete',
      key: appendedKey(prefix, start + index),
      forget: true,
    }));
    await store.commit(deletes, { durability: 'relaxed' });
    number += length;
  }
}

/** A journal that cannot be read any more, and is over its bounds, begins anew with what is stored now. */
async function beginAnew(
  store: Store,
  found: HeadEntry,
  settings: JournalSettings,
): Promise<HeadEntry | undefined> {
  const { name, context, prefixes } = settings;
  const position = await findEnd(store, name, found.head.position);
  const from = { position, atMs: Math.max(found.head.atMs, context.clock.now()) };
  const maxBytes = context.limits.maxSnapshotBytes;
  const collected = await collectJournaled(store, name, { prefixes, maxBytes, from });
  return moveHead(store, settings, { ...collected, previous: found });
}

/**
 * Moves what is beyond retention, or beyond three quarters of the bounds when one of them is passed, into the base, and
 * deletes it. Cut short at any point it leaves the journal as it was, or compacted; what is left over goes next time.
 * @throws `state/journal-damaged`, `state/checksum-failed` when the journal cannot be read and is not beyond its bounds
 */
export async function compactJournal(
  store: Store,
  settings: JournalSettings,
  meanBytes: number,
): Promise<Compaction | undefined> {
  const { name, context, maxEntries, maxBytes, retentionMs } = settings;
  const found = await readHead(store, name);
  if (!found) return undefined;
  const end = await findEnd(store, name, found.head.position);
  const count = end - found.head.position;
  const isOver = count > maxEntries || count * meanBytes > maxBytes;
  const keep: Keep = {
    afterMs: context.clock.now() - retentionMs,
    entries: isOver ? Math.floor((maxEntries * 3) / 4) : Infinity,
    bytes: isOver ? (maxBytes * 3) / 4 : Infinity,
  };
  let moved: HeadEntry | undefined;
  try {
    const next = await advance(store, found, settings, { keep, end, meanBytes });
    moved = next && (await moveHead(store, settings, { ...next, previous: found }));
  } catch (error) {
    const isUnreadable =
      isCodedError(error, 'state/journal-damaged') || isCodedError(error, 'state/checksum-failed');
    if (!isOver || !isUnreadable) throw error;
    moved = await beginAnew(store, found, settings);
  }
  const { head } = moved ?? found;
  // also what an earlier compaction was killed over
  await sweepEntries(store, name, head.position);
  await sweepParts(store, context);
  return { entries: head.position - found.head.position, earliestMs: head.atMs };
}
