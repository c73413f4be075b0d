export { openIndexedDbStore } from './backend/indexeddb.ts';
export type { IndexedDbStoreOptions } from './backend/indexeddb.ts';
export { createMemoryStore } from './backend/memory.ts';
export type { MemoryStoreOptions } from './backend/memory.ts';
export { fallbackOf, openPageStore } from './backend/with-fallback.ts';
export type { StoreFallback } from './backend/with-fallback.ts';
export { createGroupCommitter } from './group-commit.ts';
export type { GroupCommitter, GroupCommitterOptions } from './group-commit.ts';
export { appendedKey, appendedNumberOf } from './key.ts';
export type { Key } from './key.ts';
export type { StoreLimits } from './limits.ts';
export { loadRecord, saveRecord } from './record.ts';
export type { RecordInfo, SaveOptions, StateRecord } from './record.ts';
export type {
  Append,
  Change,
  Check,
  CommitOptions,
  Committed,
  Delete,
  Durability,
  Entry,
  GroupOutcome,
  HistoryOptions,
  ListOptions,
  Put,
  Revision,
  Store,
  StoreCapabilities,
  Write,
} from './store.ts';
