/** `vivarium/pglite`: a store in Postgres compiled to WebAssembly. Needs the package `@electric-sql/pglite`, which is loaded when a store is opened. */
export { openPgliteStore } from './state/index.ts';
export type { PgliteModule, PgliteStoreOptions } from './state/index.ts';
