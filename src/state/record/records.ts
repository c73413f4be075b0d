/** Records: every saved state of a thing under its own version, with checksums that are verified when it is loaded. */
import { CodedError, isCodedError } from '../../base/index.ts';
import { systemClock } from '../../platform/index.ts';
import type { Clock } from '../../platform/index.ts';
import { recordLimits } from '../limits.ts';
import { withLostValues } from '../lost-value.ts';
import type { CommitOptions, Store } from '../store.ts';
import type { ConflictResolver } from './conflict.ts';
import { readHead } from './head.ts';
import { infosAfter, infosBefore, infosPerPage } from './list-infos.ts';
import { highestSequence, lastWholeVersion, loadLatest, loadSequence, loadVersion } from './load.ts';
import { idKey, idPrefix } from './record-key.ts';
import { readInfo, recordDamaged } from './record.ts';
import type { RecordInfo, RecordVersion, StateRecord } from './record.ts';
import { deleteRecord, deleteVersion, pruneRecord, setPinned } from './remove.ts';
import { repairRecord, verifyRecord } from './repair.ts';
import type { RecordCheck } from './repair.ts';
import { checkRetention } from './retention.ts';
import type { Retention } from './retention.ts';
import { commitOptionsOf, saveState } from './save.ts';
import type { SaveContext, SaveOptions } from './save.ts';
import type { Versioning } from './version.ts';

export interface RecordsOptions {
  /** How versions are named. Default `incremental`. */
  readonly versioning?: Versioning;
  /** What is kept. Default everything. */
  readonly retention?: Retention;
  /** What a save does whose expected version is not the latest. Default `reject`. */
  readonly onConflict?: ConflictResolver;
  /** How long a merge function may take, in milliseconds. Default 10 s. */
  readonly mergeTimeoutMs?: number;
  readonly clock?: Clock;
}

export interface VersionsOptions {
  /** Default `oldest-first`. */
  readonly order?: 'oldest-first' | 'newest-first';
  /** The sequence number of the last one of the page before. */
  readonly after?: number;
  /** At most 1,000, which is the default. */
  readonly limit?: number;
}

export interface IdsOptions {
  /** Only ids that start with it. */
  readonly prefix?: string;
  /** The last id of the page before. */
  readonly after?: string;
  /** At most 1,000, which is the default. */
  readonly limit?: number;
}

/**
 * States under ids, each save a version of its own that never changes. One version is one transaction: it is there with all its parts,
 * or not at all. Several may save at once, from any realm and tab; their saves have one order.
 *
 * Every method also throws what the store throws.
 */
export interface Records {
  /**
   * Saves `state` as the next version of `id`, as it is at the call.
   * @throws `state/conflict` when the latest is not the expected version, or when 16 others were faster; `state/merge-failed`;
   *   `state/version-invalid`, `state/version-taken`; `state/pin-limit`; `state/option-invalid`; `state/not-encodable` for states
   *   without canonical bytes; `state/not-cloneable`; `state/checksum-failed` when what the record is now is damaged: see `repair`.
   *   Whatever it throws, nothing was changed.
   */
  save<T>(id: string, state: T, options?: SaveOptions<T>): Promise<StateRecord<T>>;

  /**
   * Loads a version, by name or sequence number; undefined when there is none.
   * @param version default `latest`
   * @throws `state/checksum-failed` when what is stored is not what was saved: `version` is its sequence number, null when the latest is
   *   not known any more; `lastGoodVersion` that of the newest older version that is whole (the 32 before are tried), or null
   */
  load<T = unknown>(id: string, version?: RecordVersion): Promise<StateRecord<T> | undefined>;

  /** The latest version, or the newest older one that is whole. Undefined when there is none, or none of the 32 before is whole. */
  loadLastGood<T = unknown>(id: string): Promise<StateRecord<T> | undefined>;

  /**
   * What is known of the versions, without the states.
   * @throws `state/limit-invalid`; `state/checksum-failed` when that of one of them is damaged
   */
  versions(id: string, options?: VersionsOptions): Promise<readonly RecordInfo[]>;

  /** Ids that have a version, in order of their UTF-16 code units. */
  ids(options?: IdsOptions): Promise<readonly string[]>;

  /**
   * Deletes one version, or the record with all its versions, pinned ones too. Sequence numbers are not given again. When it rejects, the
   * record may be gone with room still to be freed; calling it again frees it.
   * @returns whether it was there
   */
  delete(id: string, version?: RecordVersion, options?: CommitOptions): Promise<boolean>;

  /**
   * Keeps a version whatever the retention rules say.
   * @returns whether there is such a version
   * @throws `state/pin-limit`
   */
  pin(id: string, version: RecordVersion, options?: CommitOptions): Promise<boolean>;

  /** Leaves a version to the retention rules again. */
  unpin(id: string, version: RecordVersion, options?: CommitOptions): Promise<boolean>;

  /**
   * Lets go at once of all that exceeds the retention rules. Without it each save lets go of 16 versions at most.
   * @returns how many went
   */
  prune(id: string, options?: CommitOptions): Promise<number>;

  /** Reads every part of every version and says what is damaged. */
  verify(id: string): Promise<RecordCheck>;

  /**
   * Drops damaged versions, and makes the newest whole one the latest, unless the latest is whole.
   * @returns the sequence numbers of what was dropped
   */
  repair(id: string, options?: CommitOptions): Promise<readonly number[]>;
}

/**
 * Records in `store`. Whoever works on the same ids, in whatever realm, should use the same options.
 * @throws `state/option-invalid`
 */
export function createRecords(store: Store, options: RecordsOptions = {}): Records {
  return new StoreRecords(store, options);
}

class StoreRecords implements Records {
  readonly #store: Store;
  readonly #context: SaveContext;
  readonly #onConflict: ConflictResolver;

  constructor(store: Store, options: RecordsOptions) {
    const {
      versioning = 'incremental',
      retention = {},
      clock = systemClock,
      onConflict = 'reject',
    } = options;
    const { mergeTimeoutMs = recordLimits.mergeTimeoutMs } = options;
    checkRetention(retention);
    // a part that is lost is a damaged part
    this.#store = withLostValues(store);
    this.#context = { store: this.#store, versioning, retention: { ...retention }, clock, mergeTimeoutMs };
    this.#onConflict = onConflict;
  }

  save<T>(id: string, state: T, options: SaveOptions<T> = {}): Promise<StateRecord<T>> {
    // one resolver for all ids: whoever gave it answers for what it makes of their states
    const onConflict = this.#onConflict as ConflictResolver<T>;
    return saveState({ ...this.#context, onConflict }, id, state, options);
  }

  load<T>(id: string, version: RecordVersion = 'latest'): Promise<StateRecord<T> | undefined> {
    return version === 'latest' ? loadLatest(this.#store, id) : loadVersion(this.#store, id, version);
  }

  async loadLastGood<T>(id: string): Promise<StateRecord<T> | undefined> {
    try {
      return await loadLatest<T>(this.#store, id);
    } catch (error) {
      const sequence = isCodedError(error, 'state/checksum-failed') && error.fields.lastGoodVersion;
      if (sequence === false) throw error;
      return typeof sequence === 'number' ? loadSequence<T>(this.#store, id, sequence) : undefined;
    }
  }

  async versions(id: string, options: VersionsOptions = {}): Promise<readonly RecordInfo[]> {
    const { order = 'oldest-first', after, limit = infosPerPage } = options;
    checkLimit(limit);
    const { head } = await readHead(this.#store, id);
    const erasedThrough = head?.erasedThrough ?? 0;
    const stored =
      order === 'oldest-first'
        ? await infosAfter(this.#store, id, Math.max(after ?? 0, erasedThrough), limit)
        : await infosBefore(this.#store, id, {
            before: after ?? (head?.sequence ?? (await highestSequence(this.#store, id))) + 1,
            after: erasedThrough,
            limit,
          });
    return Promise.all(
      stored.map(async ({ sequence, value }) => {
        const info = await readInfo(value, id, sequence);
        if (info) return info;
        throw recordDamaged(id, sequence, await lastWholeVersion(this.#store, id, sequence));
      }),
    );
  }

  async ids({ prefix = '', after, limit = infosPerPage }: IdsOptions = {}): Promise<readonly string[]> {
    checkLimit(limit);
    // the id that is the prefix itself stands before those that go on
    const isFirst = prefix !== '' && (after === undefined || after < prefix);
    const exact = isFirst ? await this.#store.get(idKey(prefix)) : undefined;
    const from = isFirst ? prefix : after;
    const entries = await this.#store.list(idPrefix, {
      limit,
      ...(from === undefined || from === '' ? {} : { after: idKey(from) }),
    });
    const ids = entries.map(({ key }) => key[1] as string).filter((id) => id.startsWith(prefix));
    return [...(exact ? [prefix] : []), ...ids].slice(0, limit);
  }

  delete(id: string, version?: RecordVersion, options: CommitOptions = {}): Promise<boolean> {
    const commitOptions = commitOptionsOf(options);
    return version === undefined
      ? deleteRecord(this.#store, id, commitOptions)
      : deleteVersion(this.#store, id, version, commitOptions);
  }

  pin(id: string, version: RecordVersion, options: CommitOptions = {}): Promise<boolean> {
    return setPinned(this.#store, id, { version, isPinned: true }, commitOptionsOf(options));
  }

  unpin(id: string, version: RecordVersion, options: CommitOptions = {}): Promise<boolean> {
    return setPinned(this.#store, id, { version, isPinned: false }, commitOptionsOf(options));
  }

  prune(id: string, options: CommitOptions = {}): Promise<number> {
    const { retention, clock } = this.#context;
    return pruneRecord(this.#store, id, { retention, now: () => clock.now() }, commitOptionsOf(options));
  }

  verify(id: string): Promise<RecordCheck> {
    return verifyRecord(this.#store, id);
  }

  repair(id: string, options: CommitOptions = {}): Promise<readonly number[]> {
    return repairRecord(this.#store, id, commitOptionsOf(options));
  }
}

function checkLimit(limit: number): void {
  if (Number.isInteger(limit) && limit >= 1 && limit <= infosPerPage) return;
  throw new CodedError(
    'state/limit-invalid',
    `limit is ${limit}, expected an integer from 1 to ${infosPerPage}`,
    {
      fields: { limit: String(limit), maxListEntries: infosPerPage },
    },
  );
}

/** {@link Records.save} with all options at their defaults. */
export function saveRecord<T>(
  store: Store,
  id: string,
  state: T,
  { clock, ...options }: SaveOptions<T> & { readonly clock?: Clock } = {},
): Promise<StateRecord<T>> {
  return createRecords(store, clock ? { clock } : {}).save(id, state, options);
}

/** {@link Records.load} with all options at their defaults. */
export function loadRecord<T = unknown>(
  store: Store,
  id: string,
  version?: RecordVersion,
): Promise<StateRecord<T> | undefined> {
  return createRecords(store).load(id, version);
}
