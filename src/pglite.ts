/**
 * `vivarium/pglite`: a store in Postgres compiled to WebAssembly. Needs the package `@electric-sql/pglite`, which is loaded when a
 * store is opened.
 */
import { openPgliteStore as openLoadedStore } from './state/index.ts';
import type { PgliteModule, PgliteStoreOptions as LoadedStoreOptions, Store } from './state/index.ts';

export type { PgliteModule } from './state/index.ts';

/** Where the data is, and how the engine is started. */
export interface PgliteStoreOptions extends LoadedStoreOptions {
  /** Loads the package, for pages that serve it elsewhere; default `import('@electric-sql/pglite')`. */
  readonly load?: () => Promise<PgliteModule>;
}

async function loadPackage(): Promise<PgliteModule> {
  // what is used of it is said by PgliteModule; its own types are wider
  return (await import('@electric-sql/pglite')) as unknown as PgliteModule;
}

/**
 * Starts Postgres and opens the store in it. Close it to let others have the data.
 * @throws `state/storage-unavailable` when the package is not installed or does not start, `state/blocked`,
 *   `state/version-too-new`, `state/limit-invalid`
 */
export function openPgliteStore({ load = loadPackage, ...options }: PgliteStoreOptions): Promise<Store> {
  return openLoadedStore(options, load);
}
