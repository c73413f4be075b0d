/** Reads of IndexedDB, and the flush: one transaction each, which ends in every case. */
import type { Clock } from '../../platform/index.ts';
import { ByteBudget } from '../requests.ts';
import type { ListRange } from '../requests.ts';
import { sizeOfStored } from '../value.ts';
import type { BodyRef } from './body.ts';
import type { Connection } from './indexeddb-connection.ts';
import { TransactionFailure } from './indexeddb-failure.ts';
import {
  entryStore,
  fileIndex,
  fileStore,
  historyStore,
  markStore,
  tombstoneStore,
} from './indexeddb-layout.ts';
import { answerOf, WatchedTransaction } from './indexeddb-transaction.ts';

export interface Reader {
  readonly connection: Connection;
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly graceMs: number;
}

/** As stored: written by this code alone. */
export interface StoredRecord {
  readonly value?: unknown;
  /** Where the value is, when it is not here. */
  readonly body?: BodyRef;
  readonly revision: number;
  readonly atMs: number;
}

/** A record with the encoded key that it lies under. */
export interface StoredEntry extends StoredRecord {
  readonly key: string;
}

/** A kept record, with a value only where `isLive`. */
export interface StoredRevision extends StoredEntry {
  readonly isLive: boolean;
}

/** Beside the mark, and written to be flushed. */
const flushKey = 'flush';

async function read<T>(
  reader: Reader,
  stores: readonly string[],
  ask: (transaction: IDBTransaction) => Promise<T>,
): Promise<T> {
  const { connection, clock, timeoutMs, graceMs } = reader;
  const transaction = connection.database.transaction(stores, 'readonly');
  const watched = new WatchedTransaction(transaction, {
    clock,
    timeoutMs,
    graceMs,
    losses: connection.losses,
  });
  const answer = ask(transaction);
  const never = new Promise<never>(() => undefined);
  try {
    // the answer of a read is good as soon as it is there; without one, the end of the transaction says why
    return await Promise.race([answer.catch(() => never), watched.done.then(() => answer)]);
  } catch (error) {
    throw new TransactionFailure('not-applied', (error as TransactionFailure).cause);
  }
}

function recordOf(
  transaction: IDBTransaction,
  name: string,
  encoded: string,
): Promise<StoredRecord | undefined> {
  return answerOf(transaction.objectStore(name).get(encoded) as IDBRequest<StoredRecord | undefined>);
}

export async function readEntry(reader: Reader, encoded: string): Promise<StoredEntry | undefined> {
  const record = await read(reader, [entryStore], (transaction) =>
    recordOf(transaction, entryStore, encoded),
  );
  return record && { key: encoded, ...record };
}

function toKeyRange({ from, isFromIncluded, below }: ListRange): IDBKeyRange | undefined {
  if (from === undefined) return undefined;
  if (below === undefined) return IDBKeyRange.lowerBound(from, !isFromIncluded);
  return IDBKeyRange.bound(from, below, !isFromIncluded, true);
}

/** Entries in order of key; cut when there may be more, since their values reached the bytes that were asked for. */
export interface StoredPage {
  readonly entries: readonly StoredEntry[];
  readonly isCut?: boolean;
}

export async function readEntries(reader: Reader, range: ListRange): Promise<StoredPage> {
  if (range.isEmpty) return { entries: [] };
  if (range.maxBytes !== Infinity) {
    return read(reader, [entryStore], (transaction) =>
      walkEntries(transaction.objectStore(entryStore).openCursor(toKeyRange(range)), range),
    );
  }
  const [keys, records] = await read(reader, [entryStore], (transaction) => {
    const store = transaction.objectStore(entryStore);
    const wanted = toKeyRange(range);
    return Promise.all([
      answerOf(store.getAllKeys(wanted, range.limit) as IDBRequest<string[]>),
      answerOf(store.getAll(wanted, range.limit) as IDBRequest<StoredRecord[]>),
    ]);
  });
  return { entries: keys.map((key, index) => ({ key, ...(records[index] as StoredRecord) })) };
}

function sizeOf({ value, body }: StoredRecord): number {
  return body?.sizeBytes ?? sizeOfStored(value);
}

/** One record after the other: reading many at once reads all of them, however large they are. */
function walkEntries(
  request: IDBRequest<IDBCursorWithValue | null>,
  { limit, maxBytes }: ListRange,
): Promise<StoredPage> {
  const entries: StoredEntry[] = [];
  const budget = new ByteBudget(maxBytes);
  return new Promise((resolve, reject) => {
    const step = (): void => {
      const cursor = request.result;
      if (!cursor) return resolve({ entries });
      const record = cursor.value as StoredRecord;
      entries.push({ key: cursor.key as string, ...record }); // every key of this store is text
      const isCut = !budget.take(sizeOf(record));
      if (isCut || entries.length >= limit) return resolve({ entries, isCut });
      cursor.continue();
    };
    request.onsuccess = () => {
      try {
        step();
      } catch (error) {
        // of an event that throws nobody would hear
        reject(error as Error);
      }
    };
    request.onerror = () => reject(request.error ?? new DOMException('the request failed', 'UnknownError'));
  });
}

/** Where the kept revisions of a key lie in the history. */
export function allRevisions(encoded: string): IDBKeyRange {
  return IDBKeyRange.bound([encoded, 0], [encoded, Infinity]);
}

/** The newest `limit` revisions of a key, oldest first: what was kept, and the latest in any case. */
export async function readHistory(
  reader: Reader,
  encoded: string,
  limit: number,
): Promise<readonly StoredRevision[]> {
  const [entry, tombstone, kept] = await read(
    reader,
    [entryStore, tombstoneStore, historyStore],
    (transaction) =>
      Promise.all([
        recordOf(transaction, entryStore, encoded),
        recordOf(transaction, tombstoneStore, encoded),
        answerOf(
          transaction.objectStore(historyStore).getAll(allRevisions(encoded)) as IDBRequest<
            Omit<StoredRevision, 'key'>[]
          >,
        ),
      ]),
  );
  const latest = entry ? { ...entry, isLive: true } : tombstone && { ...tombstone, isLive: false };
  if (!latest) return [];
  // a store that keeps fewer leaves gaps: what lies before them is older than what is kept
  const older = kept.filter(
    ({ revision }) => revision > latest.revision - limit && revision < latest.revision,
  );
  return [...older, latest].map((record) => ({ key: encoded, ...record }));
}

/** Of some files those that no record refers to, once all commits that began before are over. */
export async function readUnreferenced(reader: Reader, files: readonly string[]): Promise<readonly string[]> {
  const referring = await read(reader, [fileStore], (transaction) => {
    const index = transaction.objectStore(fileStore).index(fileIndex);
    return Promise.all(files.map((file) => answerOf(index.getKey(file))));
  });
  return files.filter((_, index) => referring[index] === undefined);
}

/** Resolves when everything that was committed before has been flushed: a transaction that writes nothing flushes nothing. */
export async function flushTransactions({ connection, ...limits }: Reader): Promise<void> {
  const { database, losses } = connection;
  const transaction = database.transaction([markStore], 'readwrite', { durability: 'strict' });
  const watched = new WatchedTransaction(transaction, { ...limits, losses });
  transaction.objectStore(markStore).put(connection.id, flushKey);
  transaction.commit();
  await watched.done;
}
