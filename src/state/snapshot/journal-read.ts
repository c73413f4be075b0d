/**
 * What the journal says. It begins with a head: a base, which is the state of all journaled prefixes at one position, and the
 * time of that position. Entries follow, by number.
 *
 * Time never goes backwards in a journal, whatever the clocks of its writers did: an entry happened at its writer's time or
 * at the time of the entry before it, whichever is later.
 */
import { CodedError, isCodedError } from '../../base/index.ts';
import { damaged } from '../codec/value-format.ts';
import { appendedKey, appendedNumberOf } from '../key.ts';
import type { Key } from '../key.ts';
import { areOutcomesWhole } from '../outcomes.ts';
import type { ValueWithOutcomes } from '../outcomes.ts';
import type { Committed, Entry, Store } from '../store.ts';
import { fromBody, fromPart } from './journal-entry.ts';
import type { EntryPart, JournalWrite } from './journal-entry.ts';
import { entryPrefix, headKey } from './layout.ts';
import { maxAttempts } from './limits.ts';
import { pagesOf } from './paging.ts';
import { contended } from './present.ts';
import type { SnapshotBody } from './snapshot-parts.ts';
import { isJournalHead } from './stored-shape.ts';
import type { BaseStretch } from './journal-base.ts';

/** What a journal begins with. */
export interface JournalHead {
  readonly format: 2;
  readonly prefixes: readonly Key[];
  /** The state at `position`, in order of key. */
  readonly base: readonly BaseStretch[];
  /** The number of the last entry that the base holds. */
  readonly position: number;
  /** The time of `position`: nothing earlier can be restored. */
  readonly atMs: number;
}

export interface HeadEntry {
  readonly head: JournalHead;
  readonly revision: number;
}

/** A place in the journal, and its time. */
export interface JournalPoint {
  readonly position: number;
  readonly atMs: number;
}

export interface JournalEntry {
  /** Of its last part. */
  readonly number: number;
  readonly atMs: number;
  readonly writes: readonly JournalWrite[];
  /** As stored, of all its parts. */
  readonly sizeBytes: number;
}

/** As it was stored when a base was one body. */
interface FirstHead extends Omit<JournalHead, 'format' | 'base'> {
  readonly format: 1;
  readonly base: SnapshotBody;
}

const headFormat = 2;

/** What is stored where a head should be; `head` is undefined when it is lost, or none. */
export interface StoredHead {
  readonly head: JournalHead | undefined;
  readonly revision: number;
}

/** @throws `state/version-too-new` when newer code keeps this journal */
export async function findHead(store: Store, journal: string): Promise<StoredHead | undefined> {
  const entry = await store.get<Partial<JournalHead | FirstHead> | null>(headKey(journal));
  if (!entry) return undefined;
  const { value, revision } = entry;
  const format = value?.format;
  if (typeof format === 'number' && format > headFormat) {
    throw new CodedError('state/version-too-new', `the journal ${journal} has format ${format}, expected 2`, {
      fields: { journal, format: String(format) },
    });
  }
  const { base } = (value ?? {}) as { readonly base?: unknown };
  const head: unknown =
    format === 1 ? { ...value, format: headFormat, base: [{ from: [], body: base }] } : value;
  const isKnown = (format === 1 || format === headFormat) && isJournalHead(head);
  return { head: isKnown ? head : undefined, revision };
}

/**
 * @throws `state/version-too-new`; `state/journal-damaged` (field lastMs null) when what the journal begins with is lost: the next tab
 *   that opens it, or the next compaction, begins anew
 */
export async function readHead(store: Store, journal: string): Promise<HeadEntry | undefined> {
  const found = await findHead(store, journal);
  if (!found) return undefined;
  const { head, revision } = found;
  if (head) return { head, revision };
  throw new CodedError('state/journal-damaged', `what the journal ${journal} begins with is lost`, {
    fields: { journal, entry: null, lastMs: null },
  });
}

type StoredPart = Uint8Array | ValueWithOutcomes<Uint8Array>;

function bytesOf(stored: unknown): Uint8Array | undefined {
  if (stored instanceof Uint8Array) return stored;
  const { value } = (stored ?? {}) as { readonly value?: unknown };
  return value instanceof Uint8Array ? value : undefined;
}

function sizeOf({ value }: Entry<StoredPart>): number {
  return bytesOf(value)?.length ?? 0;
}

/** Puts parts together; throws `state/bytes-damaged`. */
class Assembly {
  #pieces: EntryPart[] = [];
  #sizeBytes = 0;

  /** The entry, once its last part is there. */
  add(number: number, stored: unknown): JournalEntry | undefined {
    const bytes = bytesOf(stored);
    if (!bytes) throw damaged('a journal entry is no bytes', 0);
    const piece = fromPart(bytes);
    if (piece.part !== this.#pieces.length) throw damaged(`part ${this.#pieces.length} is missing`, 0);
    this.#pieces.push(piece);
    this.#sizeBytes += bytes.length;
    if (this.#pieces.length < piece.parts) return undefined;
    const body = joined(this.#pieces.map((each) => each.body));
    const sizeBytes = this.#sizeBytes;
    this.#pieces = [];
    this.#sizeBytes = 0;
    const outcomes = stored instanceof Uint8Array ? undefined : outcomesOf(stored as ValueWithOutcomes);
    return { number, atMs: piece.atMs, writes: fromBody(body, outcomes), sizeBytes };
  }
}

function outcomesOf(stored: ValueWithOutcomes): readonly Committed[] {
  if (areOutcomesWhole(stored)) return stored.outcomes;
  throw damaged('the checksum of what a journaled commit came to is wrong', 0);
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  if (pieces.length === 1 && pieces[0]) return pieces[0];
  const bytes = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let length = 0;
  for (const piece of pieces) {
    bytes.set(piece, length);
    length += piece.length;
  }
  return bytes;
}

function journalDamaged(journal: string, entry: number, lastMs: number, cause?: unknown): CodedError {
  const fields = { journal, entry, lastMs };
  return new CodedError(
    'state/journal-damaged',
    `entry ${entry} of the journal ${journal} is not what was written; what came before it, up to ${lastMs}, can be restored`,
    { fields, cause },
  );
}

/**
 * The entries after a point, oldest first, with their times; the journal may grow meanwhile.
 * @throws `state/journal-damaged` (fields entry, and lastMs: the last time that can be restored)
 */
export async function* entriesAfter(
  store: Store,
  journal: string,
  from: JournalPoint,
): AsyncGenerator<JournalEntry> {
  const prefix = entryPrefix(journal);
  const assembly = new Assembly();
  let [number, atMs] = [from.position, from.atMs];
  for await (const page of pagesOf<StoredPart>(store, prefix, appendedKey(prefix, number))) {
    for (const { key, value } of page) {
      let entry: JournalEntry | undefined;
      try {
        number++;
        if (appendedNumberOf(key) !== number) throw damaged('an entry is missing', 0);
        entry = assembly.add(number, value);
      } catch (error) {
        if (!isCodedError(error, 'state/bytes-damaged')) throw error;
        throw journalDamaged(journal, number, atMs, error);
      }
      if (!entry) continue;
      atMs = Math.max(atMs, entry.atMs);
      yield { ...entry, atMs };
    }
  }
  const now = await findHead(store, journal);
  if (now?.head && now.head.position > number) {
    // they went into a base while this was read, the last of them too: no gap shows it
    throw journalDamaged(journal, number + 1, atMs);
  }
}

/** The stored bytes of the entries after a number. */
export async function measureEntries(store: Store, journal: string, after: number): Promise<number> {
  const prefix = entryPrefix(journal);
  let bytes = 0;
  for await (const page of pagesOf<StoredPart>(store, prefix, appendedKey(prefix, after)))
    for (const entry of page) bytes += sizeOf(entry);
  return bytes;
}

/** The number of the last entry, found in steps that double: entries after the head are without a gap. */
export async function findEnd(store: Store, journal: string, from: number): Promise<number> {
  const prefix = entryPrefix(journal);
  const isBefore = async (number: number): Promise<boolean> =>
    (await store.list(prefix, { limit: 1, after: appendedKey(prefix, number) })).length > 0;
  let [known, step] = [from, 1];
  // an entry after known + step - 1 is known + step or later
  while (await isBefore(known + step - 1)) {
    known += step;
    step *= 2;
  }
  for (; step >= 1; step = Math.floor(step / 2)) if (await isBefore(known + step - 1)) known += step;
  return known;
}

/** Whether the journal still begins where it began. */
export async function isStillHead(store: Store, journal: string, { revision }: StoredHead): Promise<boolean> {
  return (await findHead(store, journal))?.revision === revision;
}

/**
 * Works on a journal whose head may move meanwhile: what fails because of that is begun again.
 * @throws what `work` throws while the head stays where it is; `state/not-journaled` when there is no journal;
 *   `state/snapshot-contended` when the head never stays
 */
export async function withHead<T>(
  store: Store,
  journal: string,
  work: (head: HeadEntry) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    const head = await readHead(store, journal);
    if (!head) {
      throw new CodedError('state/not-journaled', `there is no journal ${journal}`, { fields: { journal } });
    }
    try {
      return await work(head);
    } catch (error) {
      if (await isStillHead(store, journal, head)) throw error;
      if (attempt >= maxAttempts) throw contended('read', error);
    }
  }
}
