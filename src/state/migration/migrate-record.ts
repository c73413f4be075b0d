/** Migrating what is stored: the latest version of a record becomes the next one, in one transaction, or nothing happens. */
import { CodedError, isCodedError } from '../../base/index.ts';
import type { JsonObject } from '../../base/index.ts';
import type { StateRecord } from '../record/record.ts';
import type { Records } from '../record/records.ts';
import type { SaveOptions } from '../record/save.ts';
import type { MigrationHop, MigrationRun, Migrations } from './define-migrations.ts';
import { isSchemaVersion } from './schema-version.ts';
import type { SchemaVersion } from './schema-version.ts';

export interface MigrateRecordOptions
  extends Partial<MigrationRun>, Pick<SaveOptions, 'durability' | 'bump' | 'version' | 'isPinned'> {
  /** The version of a state whose record does not say it; see `Migrations.stamp`. */
  readonly from?: SchemaVersion;
  /** Whether to say only what would come of it. Default false. */
  readonly isDryRun?: boolean;
}

export interface MigratedRecord<T> {
  /** What the migration made, or the state as it was when it had the version. */
  readonly state: T;
  readonly path: readonly MigrationHop[];
  /** The version that was saved; the one that was found when nothing was. */
  readonly record: StateRecord<T>;
  readonly isSaved: boolean;
}

/** Others that save at the same time make it begin again, with what they saved, this often. */
const maxAttempts = 8;

/** The version that the metadata say, if they speak of these migrations. */
function stampedVersion({ name }: Migrations, { schema }: JsonObject): SchemaVersion | undefined {
  if (typeof schema !== 'object' || schema === null || Array.isArray(schema)) return undefined;
  const stamp = schema as JsonObject;
  return stamp.name === name && isSchemaVersion(stamp.version) ? stamp.version : undefined;
}

function versionOf(
  migrations: Migrations,
  record: StateRecord,
  given: SchemaVersion | undefined,
): SchemaVersion {
  const from = stampedVersion(migrations, record.metadata) ?? given;
  if (from !== undefined) return from;
  throw new CodedError(
    'state/migration-path-not-found',
    `migrations "${migrations.name}": the record ${record.id} does not say which version its state has; give from`,
    { fields: { name: migrations.name, id: record.id, from: null, known: migrations.versions.slice(-20) } },
  );
}

/** Where a state came from, for whoever looks at the record later. */
function provenanceOf(found: StateRecord, path: readonly MigrationHop[]): JsonObject {
  const { version, sequence, checksum } = found;
  const [first] = path;
  const hops = path.slice(-100).map(({ from, to }) => `${from} → ${to}`);
  return { migratedFrom: { version, sequence, checksum, schemaVersion: first?.from ?? null, path: hops } };
}

/**
 * Migrates the latest version of a record to `to`, default the newest. What is stored stays as it was; the migrated state is saved as the
 * next version, whose metadata say what it came from (`migratedFrom`) and which version it has (`schema`). When others save meanwhile,
 * it begins again with what they saved.
 * @returns undefined when there is no such record; a state that has the version already is saved no second time
 * @throws `state/migration-path-not-found`, `state/migration-failed`, `state/checksum-failed` when the record is damaged, and as
 *   `Records.save`. Nothing is saved then.
 */
export async function migrateRecord<T = unknown>(
  records: Pick<Records, 'load' | 'save'>,
  id: string,
  migrations: Migrations,
  options: MigrateRecordOptions = {},
): Promise<MigratedRecord<T> | undefined> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await migrateOnce<T>(records, id, migrations, options);
    } catch (error) {
      if (!isCodedError(error, 'state/conflict') || attempt >= maxAttempts) throw error;
    }
  }
}

async function migrateOnce<T>(
  records: Pick<Records, 'load' | 'save'>,
  id: string,
  migrations: Migrations,
  options: MigrateRecordOptions,
): Promise<MigratedRecord<T> | undefined> {
  const { from: given, to = migrations.newest, isDryRun = false, timeoutMs, clock, ...saving } = options;
  const { signal } = saving;
  const found = await records.load(id);
  if (!found) return undefined;
  const from = versionOf(migrations, found, given);
  const run = { from, to, ...withoutUndefined({ timeoutMs, clock, signal }) };
  const { state, path } = await migrations.run(found.state as T, run);
  if (path.length === 0 || isDryRun) {
    return { state, path, record: found as StateRecord<T>, isSaved: false };
  }
  const metadata = { ...found.metadata, ...migrations.stamp(to), ...provenanceOf(found, path) };
  const record = await records.save<T>(id, state, {
    ...saving,
    metadata,
    expectedVersion: found.sequence,
    onConflict: 'reject',
  });
  return { state, path, record, isSaved: true };
}

function withoutUndefined<T extends object>(options: T): { [Name in keyof T]?: NonNullable<T[Name]> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as {
    [Name in keyof T]?: NonNullable<T[Name]>;
  }; // only what is undefined went
}
