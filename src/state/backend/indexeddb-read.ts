/** Reads of IndexedDB: one transaction each, which ends in every case. */
import type { Clock } from '../../platform/index.ts';
import { decodeKey } from '../key.ts';
import type { ListRange } from '../requests.ts';
import type { Entry } from '../store.ts';
import { entryStore } from './indexeddb-connection.ts';
import type { Connection } from './indexeddb-connection.ts';
import { TransactionFailure } from './indexeddb-failure.ts';
import { answerOf, WatchedTransaction } from './indexeddb-transaction.ts';

export interface Reader {
  readonly connection: Connection;
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly graceMs: number;
}

/** As stored: written by this code alone. */
export interface StoredEntry {
  readonly key: string;
  readonly value: unknown;
  readonly revision: number;
  readonly atMs: number;
}

function toEntry<T>({ key, value, revision, atMs }: StoredEntry): Entry<T> {
  // the reader says what it expects, as with any untyped storage
  return { key: decodeKey(key), value: value as T, revision, atMs };
}

async function read<T>(reader: Reader, ask: (entries: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const { connection, clock, timeoutMs, graceMs } = reader;
  const transaction = connection.database.transaction(entryStore, 'readonly');
  const watched = new WatchedTransaction(transaction, {
    clock,
    timeoutMs,
    graceMs,
    losses: connection.losses,
  });
  const answer = answerOf(ask(transaction.objectStore(entryStore)));
  const never = new Promise<never>(() => undefined);
  try {
    // the answer of a read is good as soon as it is there; without one, the end of the transaction says why
    return await Promise.race([answer.catch(() => never), watched.done.then(() => answer)]);
  } catch (error) {
    throw new TransactionFailure('not-applied', (error as TransactionFailure).cause);
  }
}

export async function readEntry<T>(reader: Reader, encoded: string): Promise<Entry<T> | undefined> {
  const stored = await read(reader, (entries) => entries.get(encoded) as IDBRequest<StoredEntry | undefined>);
  return stored && toEntry<T>(stored);
}

function toKeyRange({ from, isFromIncluded, below }: ListRange): IDBKeyRange | undefined {
  if (from === undefined) return undefined;
  if (below === undefined) return IDBKeyRange.lowerBound(from, !isFromIncluded);
  return IDBKeyRange.bound(from, below, !isFromIncluded, true);
}

export async function readEntries<T>(reader: Reader, range: ListRange): Promise<readonly Entry<T>[]> {
  if (range.isEmpty) return [];
  const stored = await read(
    reader,
    (entries) => entries.getAll(toKeyRange(range), range.limit) as IDBRequest<StoredEntry[]>,
  );
  return stored.map((entry) => toEntry<T>(entry));
}
