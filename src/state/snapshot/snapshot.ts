/** Named snapshots: what all keys under some prefixes held at one moment. */
import { CodedError } from '../../base/index.ts';
import type { JsonObject } from '../../base/index.ts';
import { systemClock, systemRandom } from '../../platform/index.ts';
import type { Clock, Random } from '../../platform/index.ts';
import type { Key } from '../key.ts';
import { LostValue, withLostValues } from '../lost-value.ts';
import type { CommitOptions, Entry, Store } from '../store.ts';
import { collectJournaled, collectTwice, RecordsSink } from './collect.ts';
import { journalOf } from './journal.ts';
import type { JournalAccess } from './journal.ts';
import { withHead } from './journal-read.ts';
import type { JournalHead, JournalPoint } from './journal-read.ts';
import { checkName, infoKey, infoPrefix, isCovered, markerPrefix, toPrefixes } from './layout.ts';
import { defaultSnapshotLimits, maxMetadataBytes } from './limits.ts';
import type { SnapshotLimits } from './limits.ts';
import { isMetadata } from './metadata.ts';
import type { BytesRecord, Records } from './records.ts';
import { sweepOrphans } from './orphans.ts';
import {
  abandonment,
  checksumFailed,
  interrupted,
  isConflictOn,
  readBody,
  sweepParts,
  writeBody,
} from './snapshot-parts.ts';
import type { SnapshotBody, SnapshotContext } from './snapshot-parts.ts';
import { isNewer, isStoredSnapshot } from './stored-shape.ts';

/** What is known of a snapshot without reading it. */
export interface SnapshotInfo {
  readonly name: string;
  /** When it was taken, in milliseconds since 1970; of an imported one: when it was taken where it comes from. */
  readonly atMs: number;
  /** All keys under these are in it. */
  readonly prefixes: readonly Key[];
  readonly metadata: JsonObject;
  readonly keys: number;
  readonly sizeBytes: number;
  /** SHA-256 in hex over keys and values: equal states have equal checksums. */
  readonly checksum: string;
}

/** As stored. */
export interface StoredSnapshot {
  readonly format: 1;
  readonly info: SnapshotInfo;
  readonly body: SnapshotBody;
  /** Where in which journal it stands: states can be rebuilt from here. */
  readonly journal?: JournalPoint & { readonly name: string };
}

/** What snapshots work with; the defaults are the platform's, and for a journaled store those of its journal. */
export interface SnapshotSettings {
  readonly clock?: Clock;
  readonly random?: Random;
  readonly limits?: Partial<SnapshotLimits>;
}

export interface TakeSnapshotOptions extends SnapshotSettings, Pick<CommitOptions, 'durability'> {
  /** What is in it: all keys under these. Default: everything, or what the journal of the store holds. */
  readonly prefixes?: readonly Key[];
  /** The taker's own notes, at most 16 KiB as JSON. Default empty. */
  readonly metadata?: JsonObject;
}

/** @internal */
export function toContext(store: Store, { clock, random, limits }: SnapshotSettings): SnapshotContext {
  const own = journalOf(store)?.settings.context;
  return {
    clock: clock ?? own?.clock ?? systemClock,
    random: random ?? own?.random ?? systemRandom,
    limits: { ...defaultSnapshotLimits, ...own?.limits, ...limits },
  };
}

/** The store below a journal, where snapshots are kept; what is lost in it is told as such, see `withLostValues`. */
export function innerOf(store: Store): Store {
  return journalOf(store)?.inner ?? withLostValues(store);
}

async function listStored(
  store: Store,
  { maxSnapshots }: SnapshotLimits,
): Promise<readonly Entry<StoredSnapshot>[]> {
  const entries = await innerOf(store).list<StoredSnapshot>(infoPrefix, { limit: maxSnapshots });
  // one that is lost is none
  return entries.filter(({ key, value }) => isStoredSnapshot(value, key.at(-1) ?? ''));
}

/**
 * The places of a journal from which states under `prefixes` can be rebuilt, the latest first, without its base.
 * @internal
 */
export async function snapshotsOfJournal(
  access: JournalAccess,
  head: JournalHead,
  prefixes: readonly Key[],
): Promise<readonly (StoredSnapshot & { readonly journal: JournalPoint })[]> {
  const { inner, settings } = access;
  return (await listStored(inner, settings.context.limits))
    .map(({ value }) => value)
    .filter((stored): stored is StoredSnapshot & { readonly journal: JournalPoint & { name: string } } => {
      const isOfJournal = stored.journal?.name === settings.name && stored.journal.position >= head.position;
      return isOfJournal && prefixes.every((prefix) => isCovered(prefix, stored.info.prefixes));
    })
    .toSorted((a, b) => b.journal.position - a.journal.position);
}

async function collect(
  store: Store,
  prefixes: readonly Key[],
  maxBytes: number,
): Promise<{ readonly records: Records; readonly journal?: StoredSnapshot['journal'] }> {
  const access = journalOf(store);
  const isJournaled = access && prefixes.every((prefix) => isCovered(prefix, access.settings.prefixes));
  if (!isJournaled) {
    return collectTwice(innerOf(store), prefixes, () => new RecordsSink(maxBytes));
  }
  const { inner, settings, latest } = access;
  return withHead(inner, settings.name, async ({ head }) => {
    const [newest] = await snapshotsOfJournal(access, head, []);
    latest.learn(newest?.journal ?? head);
    const from = latest.point;
    const { records, point } = await collectJournaled(inner, settings.name, { prefixes, maxBytes, from });
    latest.learn(point);
    return { records, journal: { ...point, name: settings.name } };
  });
}

function checkMetadata(metadata: JsonObject): void {
  if (isMetadata(metadata)) return;
  throw new CodedError(
    'state/snapshot-invalid',
    `the metadata of a snapshot is no JSON object of at most ${maxMetadataBytes} characters`,
    { fields: { field: 'metadata', maxMetadataBytes } },
  );
}

async function checkRoom(store: Store, name: string, limits: SnapshotLimits): Promise<void> {
  if (await innerOf(store).get(infoKey(name))) throw snapshotExists(name);
  const { length } = await listStored(store, limits);
  if (length < limits.maxSnapshots) return;
  throw new CodedError('state/snapshot-limit', `the store has ${length} snapshots, the most it takes`, {
    fields: { maxSnapshots: limits.maxSnapshots },
  });
}

function snapshotExists(name: string, cause?: unknown): CodedError {
  return new CodedError('state/snapshot-exists', `there is a snapshot ${name} already`, {
    fields: { name },
    cause,
  });
}

/**
 * Stores records under a name: at once, or not at all.
 * @internal
 */
export async function storeSnapshot(
  store: Store,
  records: readonly BytesRecord[],
  snapshot: {
    readonly info: Pick<SnapshotInfo, 'name' | 'atMs' | 'prefixes' | 'metadata'>;
    readonly journal?: StoredSnapshot['journal'];
  },
  options: SnapshotSettings & Pick<CommitOptions, 'durability'>,
): Promise<SnapshotInfo> {
  const context = toContext(store, options);
  const { name } = snapshot.info;
  const { durability = 'strict' } = options;
  const inner = innerOf(store);
  await checkRoom(store, name, context.limits);
  const { body, adoption } = await writeBody(inner, records, context, durability);
  const { keys, sizeBytes, checksum } = body;
  const info: SnapshotInfo = { ...snapshot.info, keys, sizeBytes, checksum };
  const { journal } = snapshot;
  const value: StoredSnapshot = { format: 1, info, body, ...(journal ? { journal } : {}) };
  try {
    await inner.commit([{ type: 'put', key: infoKey(name), value, expectedRevision: 0 }, adoption], {
      durability,
    });
  } catch (error) {
    if (isConflictOn(error, markerPrefix)) throw interrupted(error);
    if (!isConflictOn(error, infoKey(name))) throw error;
    await inner.commit([adoption, abandonment(body)]);
    await sweepParts(inner, context);
    throw snapshotExists(name, error);
  }
  return info;
}

/**
 * Takes a snapshot of one moment, while others write. It is there, whole, when the promise resolves; a killed one is never
 * listed, and what it left is swept by a later one.
 * @throws `state/snapshot-exists`, `state/snapshot-limit`, `state/snapshot-invalid`, `state/key-invalid`, `state/snapshot-too-large`,
 *   `state/not-encodable`, `state/snapshot-interrupted`, `state/snapshot-contended`, and what the store throws
 */
export async function takeSnapshot(
  store: Store,
  name: string,
  options: TakeSnapshotOptions = {},
): Promise<SnapshotInfo> {
  checkName('snapshot', name);
  const { metadata = {} } = options;
  checkMetadata(metadata);
  const prefixes = toPrefixes(options.prefixes ?? journalOf(store)?.settings.prefixes ?? [[]]);
  const context = toContext(store, options);
  await sweepParts(innerOf(store), context);
  await checkRoom(store, name, context.limits);
  const { records, journal } = await collect(store, prefixes, context.limits.maxSnapshotBytes);
  const info = { name, atMs: context.clock.now(), prefixes, metadata };
  return storeSnapshot(store, records.sorted(), { info, ...(journal ? { journal } : {}) }, options);
}

/** What is stored, whole, in order of name. */
export async function listSnapshots(
  store: Store,
  settings: SnapshotSettings = {},
): Promise<readonly SnapshotInfo[]> {
  const { limits } = toContext(store, settings);
  return (await listStored(store, limits)).map(({ value }) => value.info);
}

/** @internal */
export async function findSnapshot(store: Store, name: string): Promise<Entry<StoredSnapshot>> {
  checkName('snapshot', name);
  const entry = await innerOf(store).get<StoredSnapshot>(infoKey(name));
  if (!entry) {
    throw new CodedError('state/snapshot-not-found', `there is no snapshot ${name}`, { fields: { name } });
  }
  if (entry.value instanceof LostValue) throw checksumFailed(`the snapshot ${name}`, entry.value.error);
  if (!isNewer(entry.value)) {
    if (isStoredSnapshot(entry.value, name)) return entry;
    throw checksumFailed(`the snapshot ${name}`);
  }
  const { format } = entry.value;
  throw new CodedError(
    'state/version-too-new',
    `the snapshot ${name} has format ${String(format)}, expected 1`,
    {
      fields: { name, format: String(format) },
    },
  );
}

/**
 * The records of a snapshot, checked.
 * @internal
 */
export async function readSnapshotRecords(
  store: Store,
  { info, body }: StoredSnapshot,
): Promise<readonly BytesRecord[]> {
  return readBody(innerOf(store), body, `the snapshot ${info.name}`);
}

/** A snapshot of which nothing is known any more but its name. */
async function lostSnapshot(inner: Store, name: string): Promise<Entry<StoredSnapshot> | undefined> {
  checkName('snapshot', name);
  const entry = await inner.get<StoredSnapshot>(infoKey(name));
  if (!entry || isStoredSnapshot(entry.value, name)) return undefined;
  return isNewer(entry.value) ? undefined : entry;
}

/**
 * Deletes a snapshot; its parts go step by step behind it.
 * @throws `state/snapshot-not-found`, and what the store throws
 */
export async function deleteSnapshot(
  store: Store,
  name: string,
  settings: SnapshotSettings = {},
): Promise<void> {
  const inner = innerOf(store);
  const lost = await lostSnapshot(inner, name);
  const { value, revision } = lost ?? (await findSnapshot(store, name));
  await inner.commit([
    { type: 'delete', key: infoKey(name), expectedRevision: revision, forget: true },
    ...(lost ? [] : [abandonment(value.body)]),
  ]);
  // what is lost does not say which parts were its own
  await (lost ? sweepOrphans : sweepParts)(inner, toContext(store, settings));
}
