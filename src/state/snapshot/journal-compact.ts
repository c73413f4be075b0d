/** Compaction: the oldest entries go into the base, step by step, and only then go away. */
import { isCodedError } from '../../base/index.ts';
import { appendedKey, appendedNumberOf } from '../key.ts';
import type { Store, Write } from '../store.ts';
import { changeBase, Changes, stretchBytesOf } from './journal-base.ts';
import { beginAnew, moveHead, openHead } from './journal-head.ts';
import type { JournalSettings } from './journal-options.ts';
import { entriesAfter, findEnd, isStillHead, measureEntries } from './journal-read.ts';
import type { HeadEntry, JournalHead, JournalPoint } from './journal-read.ts';
import type { Amount } from './journal-size.ts';
import { entryPrefix } from './layout.ts';
import { sweepStep } from './limits.ts';
import { sweepParts } from './snapshot-parts.ts';

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

interface Bounds {
  readonly keep: Keep;
  readonly end: number;
  /** Of the entries behind the head. */
  readonly bytes: number;
  readonly isOver: boolean;
}

/** Entries that are to go, as many as are taken in memory at once. */
interface Step {
  readonly changes: Changes;
  readonly point: JournalPoint;
  /** Of the entries behind these. */
  readonly bytes: number;
  /** There are no more that are to go. */
  readonly isLast: boolean;
}

/** Undefined when there are none. */
async function nextStep(
  store: Store,
  head: JournalHead,
  settings: JournalSettings,
  { keep, end, bytes: bytesBefore }: Bounds,
): Promise<Step | undefined> {
  const changes = new Changes(head.prefixes);
  const most = stretchBytesOf(settings.context);
  let point: JournalPoint = head;
  let isLast = true;
  let bytes = bytesBefore;
  for await (const { number, atMs, writes, sizeBytes } of entriesAfter(store, settings.name, head)) {
    const isKept = atMs > keep.afterMs && end - number < keep.entries && bytes <= keep.bytes;
    if (isKept) break;
    isLast = changes.sizeBytes <= most;
    if (!isLast) break;
    changes.add(writes);
    point = { position: number, atMs };
    bytes -= sizeBytes;
  }
  return point.position > head.position ? { changes, point, bytes, isLast } : undefined;
}

function isUnreadable(error: unknown): boolean {
  return isCodedError(error, 'state/journal-damaged') || isCodedError(error, 'state/checksum-failed');
}

/** Undefined when another tab moved the head first, or nothing is to go. */
async function moveOnce(
  store: Store,
  from: HeadEntry,
  settings: JournalSettings,
  bounds: Bounds,
): Promise<(Pick<Step, 'bytes' | 'isLast'> & { readonly head: HeadEntry }) | undefined> {
  const { name, context } = settings;
  const previousRevision = from.revision;
  try {
    const step = await nextStep(store, from.head, settings, bounds);
    if (!step) return undefined;
    const { changes, point, bytes, isLast } = step;
    const what = `the base of the journal ${name}`;
    const base = await changeBase(store, from.head.base, changes, { context, what });
    const head = await moveHead(store, settings, { base, point, previousRevision });
    return head && { head, bytes, isLast };
  } catch (error) {
    if (!isUnreadable(error)) throw error;
    // another tab was here: what could not be read has gone where it belongs
    if (!(await isStillHead(store, name, from))) return undefined;
    if (!bounds.isOver) throw error;
    const head = await beginAnew(store, from, settings);
    return head && { head, bytes: 0, isLast: true };
  }
}

/** Moves entries into the base, a step after the other, and deletes them behind each. */
async function moveEntries(
  store: Store,
  found: HeadEntry,
  settings: JournalSettings,
  bounds: Bounds,
): Promise<{ readonly head: JournalHead; readonly bytes: number }> {
  let at = found;
  let { bytes } = bounds;
  for (;;) {
    const moved = await moveOnce(store, at, settings, { ...bounds, bytes });
    at = moved?.head ?? at;
    bytes = moved?.bytes ?? bytes;
    // also what an earlier compaction was killed over
    await sweepEntries(store, settings.name, at.head.position);
    await sweepParts(store, settings.context);
    if (!moved || moved.isLast) return { head: at.head, bytes };
  }
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

/**
 * Moves what is beyond retention, or beyond three quarters of the bounds when one of them is passed, into the base, and
 * deletes it. Cut short at any point it leaves the journal as it was, or compacted; what is left over goes next time. A journal that
 * cannot be read any more, and is over its bounds, begins anew with what is stored now.
 * @throws `state/journal-damaged`, `state/checksum-failed` when the journal cannot be read and is not beyond its bounds
 */
export async function compactJournal(
  store: Store,
  settings: JournalSettings,
): Promise<{ readonly compaction: Compaction; readonly left: Amount }> {
  const { name, context, maxEntries, maxBytes, retentionMs } = settings;
  const found = await openHead(store, settings);
  const end = await findEnd(store, name, found.head.position);
  const count = end - found.head.position;
  const bytes = await measureEntries(store, name, found.head.position);
  const isOver = count > maxEntries || bytes > maxBytes;
  const keep: Keep = {
    afterMs: context.clock.now() - retentionMs,
    entries: isOver ? Math.floor((maxEntries * 3) / 4) : Infinity,
    bytes: isOver ? (maxBytes * 3) / 4 : Infinity,
  };
  const moved = await moveEntries(store, found, settings, { keep, end, bytes, isOver });
  const { position, atMs } = moved.head;
  return {
    compaction: { entries: position - found.head.position, earliestMs: atMs },
    left: { entries: Math.max(0, end - position), bytes: moved.bytes },
  };
}
