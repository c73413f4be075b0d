export { openIndexedDbStore } from './backend/indexeddb.ts';
export type { IndexedDbStoreOptions } from './backend/indexeddb.ts';
export { createMemoryStore } from './backend/memory.ts';
export type { MemoryStoreOptions } from './backend/memory.ts';
export { openPageStore, openWithFallback } from './backend/with-fallback.ts';
export type { FallbackOptions } from './backend/with-fallback.ts';
export { toCanonicalBytes } from './format/canonical.ts';
export type { CanonicalOptions } from './format/canonical.ts';
export { createGroupCommitter } from './group-commit.ts';
export type { GroupCommitter, GroupCommitterOptions } from './group-commit.ts';
export { compareKeys, decodeKey, encodeKey, encodePrefix, hasPrefix, keyLimits } from './key.ts';
export type { Key } from './key.ts';
export { defaultListEntries, defaultStoreLimits } from './limits.ts';
export type { StoreLimits } from './limits.ts';
export { listVersions, loadRecord, saveRecord } from './record.ts';
export type { RecordInfo, SaveOptions, StateRecord } from './record.ts';
export type {
  Change,
  CommitOptions,
  Committed,
  Delete,
  Durability,
  Entry,
  GroupOutcome,
  ListOptions,
  Put,
  Store,
  StoreCapabilities,
  Write,
} from './store.ts';
