/**
 * IndexedDB for keys, revisions and small values; files of the origin's private file system for large ones. It is the same
 * database that `openIndexedDbStore` opens, which reads of it all but what lies in files.
 */
import { CodedError, messageOf } from '../../base/index.ts';
import { systemClock, systemRandom } from '../../platform/index.ts';
import type { Store } from '../store.ts';
import { BodyKeeper } from './body-keeper.ts';
import type { BodyFolder } from './body.ts';
import { nameOf } from './indexeddb-failure.ts';
import { IndexedDbStore } from './indexeddb.ts';
import type { IndexedDbStoreOptions } from './indexeddb.ts';
import { openOpfsFolder } from './opfs-folder.ts';

export interface OpfsStoreOptions extends IndexedDbStoreOptions {
  /** A value of so many bytes and more is kept in a file of its own, as `StoreLimits` counts them. Default 64 KiB. */
  readonly fileThresholdBytes?: number;
  /** Whether a file is written with its SHA-256 and checked when it is read. Default false: its length alone is. */
  readonly checksums?: boolean;
  /** Where the files of the store of that name lie; by default in the origin's private file system. */
  readonly openFolder?: (store: string) => Promise<BodyFolder>;
}

const defaultThresholdBytes = 64 * 2 ** 10;

/**
 * Opens the store, creating its database and its folder at first use, and begins to remove files that a crash left behind.
 *
 * A worker writes files through sync access handles, and flushes them. A page cannot flush a file: it reads what workers wrote, and
 * keeps its own values in the database. What holds a Blob, a key or the like stays
 * in the database, and so does an append that is kept with its outcomes.
 * @throws as `openIndexedDbStore`; `state/storage-unavailable` also when there is no private file system
 */
export async function openOpfsStore(options: OpfsStoreOptions): Promise<Store> {
  const thresholdBytes = options.fileThresholdBytes ?? defaultThresholdBytes;
  if (!(Number.isSafeInteger(thresholdBytes) && thresholdBytes > 0)) {
    throw new CodedError(
      'state/limit-invalid',
      `fileThresholdBytes is ${thresholdBytes}, expected a positive integer`,
      { fields: { fileThresholdBytes: String(thresholdBytes) } },
    );
  }
  const bodies = new BodyKeeper({
    store: options.name,
    folder: await openFolder(options),
    thresholdBytes,
    hasChecksums: options.checksums ?? false,
    clock: options.clock ?? systemClock,
    random: options.random ?? systemRandom,
    timeoutMs: options.transactionTimeoutMs ?? 30_000,
  });
  const store = new IndexedDbStore(options, bodies);
  try {
    await bodies.open();
    await store.connect();
    store.sweep();
    return store;
  } catch (error) {
    await store.close();
    throw error;
  }
}

async function openFolder(options: OpfsStoreOptions): Promise<BodyFolder> {
  const { name, openFolder: open = openOpfsFolder } = options;
  try {
    return await open(name);
  } catch (error) {
    const code =
      nameOf(error) === 'QuotaExceededError' ? 'state/quota-exceeded' : 'state/storage-unavailable';
    throw new CodedError(code, `the files of ${name} cannot be opened: ${messageOf(error)}`, {
      fields: { store: name, reason: nameOf(error) },
      cause: error,
    });
  }
}
