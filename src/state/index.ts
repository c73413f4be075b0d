export { openIndexedDbStore } from './backend/indexeddb.ts';
export type { IndexedDbStoreOptions } from './backend/indexeddb.ts';
export { createMemoryStore } from './backend/memory.ts';
export type { MemoryStoreOptions } from './backend/memory.ts';
export type { BodyFolder } from './backend/body.ts';
export { openOpfsStore } from './backend/opfs.ts';
export type { OpfsStoreOptions } from './backend/opfs.ts';
export { openPgliteStore } from './backend/pglite.ts';
export type { PgliteStoreOptions } from './backend/pglite.ts';
export type { PgliteModule } from './backend/pglite-engine.ts';
export { fallbackOf, openPageStore, openWithFallback } from './backend/with-fallback.ts';
export type {
  FallbackOptions,
  PageStoreOptions,
  StoreCandidate,
  StoreFallback,
} from './backend/with-fallback.ts';
export type { FormatLimits, StateFile, StateFormat } from './format/codec.ts';
export { openFile, writeStateFile } from './format/files.ts';
export type { FileWriteOptions, OpenedFile } from './format/files.ts';
export { createGroupCommitter } from './group-commit.ts';
export type { GroupCommitter, GroupCommitterOptions } from './group-commit.ts';
export { appendedKey, appendedNumberOf } from './key.ts';
export type { Key } from './key.ts';
export { acquireWriterLease } from './lease.ts';
export type { LeaseEnd, WriterLease, WriterLeaseOptions } from './lease.ts';
export type { StoreLimits } from './limits.ts';
export { watchQuota } from './quota/watch-quota.ts';
export type { QuotaLevel, QuotaOptions, QuotaState, QuotaWatch } from './quota/watch-quota.ts';
export { defineMigrations } from './migration/define-migrations.ts';
export type {
  MigrationHop,
  MigrationResult,
  MigrationRun,
  Migrations,
  MigrationsSpec,
} from './migration/define-migrations.ts';
export { migrateRecord } from './migration/migrate-record.ts';
export type { MigratedRecord, MigrateRecordOptions } from './migration/migrate-record.ts';
export type { Migrate, MigrationContext, MigrationStep } from './migration/migration-graph.ts';
export type { SchemaVersion } from './migration/schema-version.ts';
export type { ConflictResolver, MergeFunction } from './record/conflict.ts';
export type { RecordInfo, RecordVersion, StateRecord } from './record/record.ts';
export { createRecords, loadRecord, saveRecord } from './record/records.ts';
export type { IdsOptions, Records, RecordsOptions, VersionsOptions } from './record/records.ts';
export type { RecordCheck } from './record/repair.ts';
export type { Retention } from './record/retention.ts';
export type { SaveOptions } from './record/save.ts';
export type { VersionBump, Versioning, VersionRequest } from './record/version.ts';
export { diffSnapshots } from './snapshot/diff.ts';
export type { DiffOptions, KeyChange, StateDiff } from './snapshot/diff.ts';
export type { PathStep, ValueChange } from './snapshot/diff-values.ts';
export type { Compaction } from './snapshot/journal-compact.ts';
export type { JournalOptions } from './snapshot/journal-options.ts';
export { withJournal } from './snapshot/journal.ts';
export type { JournaledStore, JournalState } from './snapshot/journal.ts';
export type { SnapshotLimits } from './snapshot/limits.ts';
export { stateAt } from './snapshot/point-in-time.ts';
export type { KeyedValue, PastState, StateSource } from './snapshot/point-in-time.ts';
export { forkSnapshot, restoreTo } from './snapshot/restore.ts';
export type { ForkOptions, Restored, RestoreOptions } from './snapshot/restore.ts';
export { exportSnapshot, importSnapshot } from './snapshot/snapshot-file.ts';
export type { ExportOptions, ImportOptions } from './snapshot/snapshot-file.ts';
export { deleteSnapshot, listSnapshots, takeSnapshot } from './snapshot/snapshot.ts';
export type { SnapshotInfo, SnapshotSettings, TakeSnapshotOptions } from './snapshot/snapshot.ts';
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
  Listing,
  ListOptions,
  Put,
  Revision,
  Store,
  StoreCapabilities,
  Write,
} from './store.ts';
