export { openIndexedDbStore } from './backend/indexeddb.ts';
export type { IndexedDbStoreOptions } from './backend/indexeddb.ts';
export { createMemoryStore } from './backend/memory.ts';
export type { MemoryStoreOptions } from './backend/memory.ts';
export type { BodyFolder } from './backend/body.ts';
export { openOpfsStore } from './backend/opfs.ts';
export type { OpfsStoreOptions } from './backend/opfs.ts';
export { fallbackOf, openPageStore } from './backend/with-fallback.ts';
export type { StoreFallback } from './backend/with-fallback.ts';
export { createGroupCommitter } from './group-commit.ts';
export type { GroupCommitter, GroupCommitterOptions } from './group-commit.ts';
export { appendedKey, appendedNumberOf } from './key.ts';
export type { Key } from './key.ts';
export type { StoreLimits } from './limits.ts';
export type { ConflictResolver, MergeFunction } from './record/conflict.ts';
export type { RecordInfo, RecordVersion, StateRecord } from './record/record.ts';
export { createRecords, loadRecord, saveRecord } from './record/records.ts';
export type { IdsOptions, Records, RecordsOptions, VersionsOptions } from './record/records.ts';
export type { RecordCheck } from './record/repair.ts';
export type { Retention } from './record/retention.ts';
export type { SaveOptions } from './record/save.ts';
export type { VersionBump, Versioning, VersionRequest } from './record/version.ts';
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
