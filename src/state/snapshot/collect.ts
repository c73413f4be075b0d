/** All that lies under some prefixes at one moment, in a store where others write meanwhile. */
import { toValueBytes } from '../codec/to-value-bytes.ts';
import { encodeKey } from '../key.ts';
import type { Key } from '../key.ts';
import { isPieced, LostValue } from '../lost-value.ts';
import type { Entry, Store } from '../store.ts';
import { entriesAfter } from './journal-read.ts';
import type { JournalPoint } from './journal-read.ts';
import type { JournalWrite } from './journal-entry.ts';
import { isCovered, isHidden } from './layout.ts';
import { maxAttempts, maxPageEntries, pageBytes } from './limits.ts';
import { pagesOf, sizeOfEntry } from './paging.ts';
import { contended } from './present.ts';
import { Records } from './records.ts';

/** The pages of what is stored under prefixes that do not overlap and are in order; so are the keys. */
export async function* livePages(store: Store, prefixes: readonly Key[]): AsyncGenerator<readonly Entry[]> {
  for (const prefix of prefixes) {
    for await (const page of pagesOf(store, prefix)) {
      yield page.filter(({ key }) => !isHidden(key));
    }
  }
}

/** Where what is collected goes, in order of key. */
export interface Sink {
  put(entry: Entry): void | Promise<void>;
  /** It was not from one moment: a new sink gets all of it again. */
  drop(): void | Promise<void>;
}

/** What was read, and how: keys and revisions that are equal twice in a row were so at a moment in between. */
interface Reading {
  readonly revisions: ReadonlyMap<string, number>;
  readonly pages: number;
  readonly isPieced: boolean;
  readonly sizeBytes: number;
}

async function readInto(sink: Sink, store: Store, prefixes: readonly Key[]): Promise<Reading> {
  const revisions = new Map<string, number>();
  const reading = { revisions, pages: 0, isPieced: false, sizeBytes: 0 };
  for (const prefix of prefixes) {
    for await (const page of pagesOf(store, prefix)) {
      reading.pages++;
      reading.isPieced ||= isPieced(page);
      for (const entry of page.filter(({ key }) => !isHidden(key))) {
        revisions.set(encodeKey(entry.key), entry.revision);
        reading.sizeBytes += sizeOfEntry(entry);
        await sink.put(entry);
      }
    }
  }
  return reading;
}

function isSame(a: ReadonlyMap<string, number>, b: ReadonlyMap<string, number>): boolean {
  if (a.size !== b.size) return false;
  for (const [key, revision] of a) if (b.get(key) !== revision) return false;
  return true;
}

/** All under one prefix in one read; undefined when it does not fit. */
async function onePage(store: Store, prefixes: readonly Key[]): Promise<readonly Entry[] | undefined> {
  const [prefix] = prefixes;
  if (!prefix || prefixes.length > 1) return undefined;
  const page = await store.list(prefix, { limit: maxPageEntries, maxBytes: pageBytes });
  const isShort = page.length < maxPageEntries && !page.isCut;
  const isAll = isShort || page.some(({ key }) => isHidden(key));
  return isAll && !isPieced(page) ? page.filter(({ key }) => !isHidden(key)) : undefined;
}

/**
 * Without a journal: reads again until nothing changed between two reads. What is known to fit one read is then read in one, which is
 * from one moment whoever writes.
 * @throws `state/snapshot-contended` when writers never rest; what the sink throws
 */
export async function collectTwice<S extends Sink>(
  store: Store,
  prefixes: readonly Key[],
  makeSink: () => S,
): Promise<S> {
  let before: Reading | undefined;
  for (let attempt = 1; attempt <= maxAttempts; attempt++) {
    const sink = makeSink();
    const isSmall = before && before.revisions.size < maxPageEntries && before.sizeBytes <= pageBytes;
    const page = isSmall ? await onePage(store, prefixes) : undefined;
    if (page) {
      for (const entry of page) await sink.put(entry);
      return sink;
    }
    const reading = await readInto(sink, store, prefixes);
    const isMoment = reading.pages === 1 && !reading.isPieced;
    if (isMoment || (before && isSame(before.revisions, reading.revisions))) return sink;
    before = reading;
    await sink.drop();
  }
  throw contended('read');
}

/** A sink that holds everything in memory. */
export class RecordsSink implements Sink {
  readonly records: Records;
  readonly #maxBytes: number;

  constructor(maxBytes: number) {
    this.records = new Records(maxBytes);
    this.#maxBytes = maxBytes;
  }

  /** @throws `state/snapshot-too-large`, `state/not-encodable`, and the error of a value that is lost */
  put({ key, value }: Entry): void {
    if (value instanceof LostValue) throw value.error;
    this.records.put(key, toValueBytes(value, this.#maxBytes));
  }

  drop(): void {
    // another one takes its place
  }
}

/** What the journal says of a state, applied to it. */
export function applyWrites(
  records: Records,
  writes: readonly JournalWrite[],
  prefixes: readonly Key[],
): void {
  for (const { key, bytes } of writes) {
    if (!isCovered(key, prefixes)) continue;
    if (bytes) records.put(key, bytes);
    else records.delete(key);
  }
}

/**
 * With a journal: reads while others write, and then applies what they wrote meanwhile, which gives the state at the last
 * entry that was applied.
 * @param from a point that was reached before the call
 */
export async function collectJournaled(
  store: Store,
  journal: string,
  options: { readonly prefixes: readonly Key[]; readonly maxBytes: number; readonly from: JournalPoint },
): Promise<{ readonly records: Records; readonly point: JournalPoint }> {
  const { prefixes, maxBytes, from } = options;
  const sink = new RecordsSink(maxBytes);
  for await (const page of livePages(store, prefixes)) for (const entry of page) sink.put(entry);
  let point = from;
  for await (const { number, atMs, writes } of entriesAfter(store, journal, from)) {
    applyWrites(sink.records, writes, prefixes);
    point = { position: number, atMs };
  }
  return { records: sink.records, point };
}
