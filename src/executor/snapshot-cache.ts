/** Where interpreters' snapshots are kept from one visit to the next: of each language those of the builds that were used last. */
import { createStoreAccess, settleRequest } from './idb-store.ts';

/** A snapshot as it is kept. */
export interface StoredSnapshot {
  /** Digest of everything that the interpreter is made of: it fits no other. */
  readonly build: string;
  /** Wall-clock milliseconds since 1970. */
  readonly madeAtMs: number;
  /** SHA-256 of `content`, as hex. */
  readonly digest: string;
  /** Compressed. */
  readonly content: Blob;
}

/**
 * A place of the host's choice. What `read` answers is checked before it is used, so it may be damaged or somebody else's; what any of them
 * throws is told to the hub and costs a cold start, no more. Whoever can write here can change what guests start from, never what surrounds them.
 */
export interface SnapshotCache {
  /** What was written last under this name, or `undefined`. */
  read(language: string): Promise<unknown>;
  /** Replaces what was there, all of it. One for each build, last used first: at most `limits.snapshotBuilds`, of `limits.snapshotBytes` together. */
  write(language: string, snapshots: readonly StoredSnapshot[]): Promise<void>;
  /** Resolves also where there was none. */
  delete(language: string): Promise<void>;
}

const storeName = 'snapshots';

/** A database of its own on the page's origin, open only while it is used. For `snapshots` of `createExecutor`. */
export function openSnapshotCache(databaseName: string = 'vivarium-snapshots'): SnapshotCache {
  const use = createStoreAccess(databaseName, storeName);
  return {
    read: (language) => use('readonly', (store) => settleRequest<unknown>(store.get(language))),
    write: async (language, snapshots) =>
      void (await use('readwrite', (store) => settleRequest(store.put(snapshots, language)))),
    delete: (language) => use('readwrite', (store) => settleRequest(store.delete(language))),
  };
}
