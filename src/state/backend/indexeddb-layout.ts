/**
 * What lies where in the database. Keys are not part of the records: an engine that has to look for a key inside a record, or for
 * an index, reads each record once more when it is written.
 */
import type { IDBPDatabase, IDBPObjectStore, IDBPTransaction } from 'idb';

/** Live entries: `{ value, revision, atMs }`, or `body` in the place of `value`, by encoded key. */
export const entryStore = 'entry';
/** Revisions of deleted keys: `{ revision, atMs }` by encoded key. */
export const tombstoneStore = 'tombstone';
/** `writer`: the id of the connection that committed last; `flush`: written for its flush alone. */
export const markStore = 'mark';
/** Kept revisions: as an entry, with `isLive`, by encoded key and revision, written by stores that keep several. */
export const historyStore = 'history';
/** Values that lie in files: {@link FileReference} by encoded key and revision, whether that is an entry, kept, or both. */
export const fileStore = 'file';
/** Of the file store, by file. */
export const fileIndex = 'file';

export interface FileReference {
  readonly file: string;
}

/** The layout above. A database with a higher number was made by newer code and is left alone. */
export const schemaVersion = 3;

type Upgrade = IDBPTransaction<unknown, string[], 'versionchange'>;
type Records = IDBPObjectStore<unknown, string[], string, 'versionchange'>;

/** A record of the layouts before, which held its key. */
interface KeyedRecord {
  readonly key: string;
  readonly revision: number;
  readonly body?: { readonly file: string };
}

/** Moves records out from under their own keys, one by one: together they may be more than the memory holds. */
async function moveRecords(old: Records, fresh: Records, files: Records): Promise<void> {
  const isHistory = fresh.name === historyStore;
  for (let cursor = await old.openCursor(); cursor; cursor = await cursor.continue()) {
    const { key, ...record } = cursor.value as KeyedRecord;
    const { revision, body } = record;
    await fresh.put(record, isHistory ? [key, revision] : key);
    if (body) await files.put({ file: body.file } satisfies FileReference, [key, revision]);
  }
}

/** Adds what is missing, and takes over what an earlier layout holds. */
export async function upgradeLayout(database: IDBPDatabase, transaction: Upgrade): Promise<void> {
  const names = database.objectStoreNames;
  if (!names.contains(markStore)) database.createObjectStore(markStore);
  if (!names.contains(fileStore)) database.createObjectStore(fileStore).createIndex(fileIndex, 'file');
  const files: Records = transaction.objectStore(fileStore as string);
  for (const name of [entryStore, tombstoneStore, historyStore]) {
    if (!names.contains(name)) database.createObjectStore(name);
    const old: Records = transaction.objectStore(name);
    if (old.keyPath === null) continue;
    old.name = `${name}-keyed`;
    const fresh: Records = database.createObjectStore(name);
    await moveRecords(old, fresh, files);
    database.deleteObjectStore(old.name);
  }
}
