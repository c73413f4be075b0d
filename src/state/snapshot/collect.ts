/** All that lies under some prefixes at one moment, in a store where others write meanwhile. */
import { CodedError } from '../../base/index.ts';
import { toValueBytes } from '../codec/to-value-bytes.ts';
import { encodeKey } from '../key.ts';
import type { Key } from '../key.ts';
import type { Entry, Store } from '../store.ts';
import { entriesAfter } from './journal-read.ts';
import type { JournalPoint } from './journal-read.ts';
import type { JournalWrite } from './journal-entry.ts';
import { isCovered, isHidden } from './layout.ts';
import { maxAttempts, maxPageEntries } from './limits.ts';
import { pagesOf } from './paging.ts';
import { Records } from './records.ts';

/** Entries of a page, which give no size: values of a store may be anything. */
const assumedBytes = 2 * 1024;

async function* liveEntries(store: Store, prefixes: readonly Key[]): AsyncGenerator<Entry> {
  for (const prefix of prefixes) {
    for await (const page of pagesOf(store, prefix, () => assumedBytes)) {
      yield* page.filter(({ key }) => !isHidden(key));
    }
  }
}

/** Keys and revisions: equal twice in a row means that there was a moment at which all of it was so. */
async function revisionsOf(
  entries: AsyncGenerator<Entry>,
  see: (entry: Entry) => void,
): Promise<ReadonlyMap<string, number>> {
  const revisions = new Map<string, number>();
  for await (const entry of entries) {
    revisions.set(encodeKey(entry.key), entry.revision);
    see(entry);
  }
  return revisions;
}

function isSame(a: ReadonlyMap<string, number>, b: ReadonlyMap<string, number>): boolean {
  if (a.size !== b.size) return false;
  for (const [key, revision] of a) if (b.get(key) !== revision) return false;
  return true;
}

function put(records: Records, { key, value }: Entry, maxBytes: number): void {
  records.put(key, toValueBytes(value, maxBytes));
}

/**
 * Without a journal: reads again until nothing changed between two reads. What fits one page is from one moment anyway.
 * @throws `state/snapshot-contended` when writers never rest, `state/snapshot-too-large`, `state/not-encodable`
 */
export async function collectTwice(
  store: Store,
  prefixes: readonly Key[],
  maxBytes: number,
): Promise<Records> {
  let before: ReadonlyMap<string, number> | undefined;
  for (let attempt = 1; attempt <= maxAttempts; attempt++) {
    const single = await collectPage(store, prefixes, maxBytes);
    if (single) return single;
    const records = new Records(maxBytes);
    const revisions = await revisionsOf(liveEntries(store, prefixes), (entry) =>
      put(records, entry, maxBytes),
    );
    if (before && isSame(before, revisions)) return records;
    before = revisions;
  }
  throw new CodedError('state/snapshot-contended', `writers changed what is read ${maxAttempts} times`, {
    fields: { attempts: maxAttempts },
    isRetryable: true,
  });
}

async function collectPage(
  store: Store,
  prefixes: readonly Key[],
  maxBytes: number,
): Promise<Records | undefined> {
  const [prefix] = prefixes;
  if (!prefix || prefixes.length > 1) return undefined;
  const page = await store.list(prefix, { limit: maxPageEntries });
  if (page.length === maxPageEntries && !page.some(({ key }) => isHidden(key))) return undefined;
  const records = new Records(maxBytes);
  for (const entry of page) if (!isHidden(entry.key)) put(records, entry, maxBytes);
  return records;
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
  const records = new Records(maxBytes);
  for await (const entry of liveEntries(store, prefixes)) put(records, entry, maxBytes);
  let point = from;
  for await (const { number, atMs, writes } of entriesAfter(store, journal, from)) {
    applyWrites(records, writes, prefixes);
    point = { position: number, atMs };
  }
  return { records, point };
}
