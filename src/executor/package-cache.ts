/** Where packages and lists of packages are kept from one visit to the next, for when there is no network. */

/** A file as it is kept. */
export interface StoredPackage {
  /** SHA-256 of `content`, as hex. */
  readonly digest: string;
  /** Wall-clock milliseconds since 1970; the oldest go first when room is needed. */
  readonly storedAtMs: number;
  readonly content: Blob;
}

/**
 * A place of the host's choice. What `read` answers is checked before it is used: a package against the hash that its index names, a list
 * against its own digest alone. What any of them throws costs a download, no more.
 */
export interface PackageCache {
  /** What was written last under this key, or `undefined`. */
  read(key: string): Promise<unknown>;
  /** Replaces what was there. */
  write(key: string, file: StoredPackage): Promise<void>;
  /** Resolves also where there was none. */
  delete(key: string): Promise<void>;
}

/**
 * A database of its own on the page's origin, open only while it is used. For `packageIndex.cache` of `createExecutor`.
 * @param maxBytes default 256 MiB; a file that is larger is not kept, older ones go for newer ones
 */
export function openPackageCache(
  databaseName: string = 'vivarium-packages',
  maxBytes: number = 256 * 2 ** 20,
): PackageCache {
  let loading: Promise<PackageCache> | undefined;
  const load = (): Promise<PackageCache> => {
    loading ??= import('./package-database.ts').then(
      (module) => new module.PackageDatabase(databaseName, maxBytes),
    );
    loading.catch(() => (loading = undefined));
    return loading;
  };
  return {
    read: async (key) => (await load()).read(key),
    write: async (key, file) => (await load()).write(key, file),
    delete: async (key) => (await load()).delete(key),
  };
}
