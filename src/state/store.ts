/**
 * The store: keys to values with revisions. Its promises are these, and `contract/store.contract.ts` tests each of them.
 *
 * - **Acknowledgement.** `commit` resolves only after every write of it is committed at the durability asked for.
 *   A failed commit rejects; it never resolves, and it never stays open.
 * - **All or nothing.** Either every write of a commit is applied or none is. A rejection means that nothing was applied,
 *   unless the error is `state/write-failed` with field `outcome: 'unknown'`: the engine went away without a word.
 * - **Revisions.** A key's first write gives revision 1 and each later write one more, deletes included: a key that was
 *   deleted (and not forgotten) and written again goes on from where it was. A missing key has revision 0 for
 *   `expectedRevision`.
 * - **Compare and set.** A write with `expectedRevision` is applied only if that is the key's revision at commit time. A
 *   check compares and writes nothing.
 * - **Order.** Writes of one commit are applied in their order; a later write to the same key sees the earlier one.
 *   Commits to the same keys are linearizable, whoever makes them: any realm, any tab.
 * - **Appends** of one prefix are numbered 1, 2, 3 … in the order of their commits, without a gap.
 * - **History.** The newest `capabilities.history` revisions of a key are kept, a delete as a mark; the newest one always is.
 * - **Values** are structured-cloneable data. The store keeps a copy of what it was given, as it was at the call, and
 *   hands out copies: nobody changes stored data by changing what they hold.
 * - **Bounds** are in `StoreLimits` and `keyLimits`.
 *
 * What a store on a server cannot give is a capability, and the laws ask for it only where the flag says so. The rest has
 * a means everywhere:
 *
 * | promise | NATS KV | Redis | Postgres |
 * | --- | --- | --- | --- |
 * | revision, from 1, by one | a counter in the stored envelope, delete marks included | a field of the key's hash | a column |
 * | compare and set | `update(key, value, sequence)` after reading the envelope, again if it moved | a Lua script | a serializable transaction |
 * | `atomicCommits` | no: one key at a time | the same script | the same transaction |
 * | order of keys | keys are sorted by the adapter | a sorted set of encoded keys | `bytea` |
 * | `history` | `history` of the bucket, 1 to 64 | a list per key, trimmed | a second table |
 * | `watch` | `watch` of the bucket | keyspace notices or publish | `LISTEN` |
 * | `strict` | the stream's `sync_interval: always` | `appendfsync always` | `synchronous_commit` |
 */
import type { CodedError, Result } from '../base/index.ts';
import type { StorageEstimate } from '../platform/index.ts';
import type { Key } from './key.ts';

/**
 * What an acknowledgement means. `relaxed`: committed; survives the realm, the tab and a crash of the browser, but a
 * loss of power may take the latest commits. `strict`: the operating system was asked to flush before the
 * acknowledgement. No browser can promise that the medium obeyed. It is a request: a store whose
 * `capabilities.strict` is false commits as durably as it can.
 */
export type Durability = 'relaxed' | 'strict';

export interface Entry<T = unknown> {
  readonly key: Key;
  /** A copy that belongs to the reader. */
  readonly value: T;
  /** 1 for a key's first write, then one more for each write. */
  readonly revision: number;
  /** When it was written, by the writer's wall clock, in milliseconds since 1970. */
  readonly atMs: number;
}

export interface Put {
  readonly type: 'put';
  readonly key: Key;
  readonly value: unknown;
  /** The revision that the key must have; 0: it must not exist. Default: any. */
  readonly expectedRevision?: number;
}

/** Deleting what does not exist is no error and changes nothing. */
export interface Delete {
  readonly type: 'delete';
  readonly key: Key;
  /** As for {@link Put}. */
  readonly expectedRevision?: number;
  /**
   * Also forgets the revision (and what history there is), so that nothing at all stays behind; a later write begins at 1
   * again. For keys that nobody will write again, above all appended ones. Default false.
   */
  readonly forget?: boolean;
}

/** Changes nothing, and is a condition of the whole commit: the key must have the revision. 0: it must not exist. */
export interface Check {
  readonly type: 'check';
  readonly key: Key;
  readonly expectedRevision: number;
}

/**
 * A put whose key the store gives inside the transaction: `[...key, n]`, where n is one more than the highest number that
 * was ever given or put under `key`, as 15 digits, so that the order of keys is the order of commits. Writers of any realm
 * never share a number; a commit that is refused or aborted uses up none. A put of such a key by hand counts as a number.
 */
export interface Append {
  readonly type: 'append';
  /** What comes before the number: 1 to 7 segments. The number itself is in {@link Committed.key}, see `appendedNumberOf`. */
  readonly key: Key;
  readonly value: unknown;
  /**
   * Stores `{ value, outcomes, checksum }` instead: outcomes is what the earlier writes of the same group came to, checksum the CRC-32 of
   * their JSON. Default false.
   */
  readonly withOutcomes?: boolean;
}

export type Write = Put | Delete | Append | Check;

/**
 * What one write came to; `key` is the key that was written. For a check, and for a delete of what does not exist: the
 * revision that is there, 0 if none ever was.
 */
export interface Committed {
  readonly key: Key;
  readonly revision: number;
  readonly atMs: number;
}

export interface CommitOptions {
  /** Default `strict`. */
  readonly durability?: Durability;
  /** Aborts what is not committed yet. A commit that was too far along resolves all the same. */
  readonly signal?: AbortSignal;
}

/** What a group of `commitEach` came to: its writes' outcomes, or its own `state/conflict`. */
export type GroupOutcome = Result<readonly Committed[], CodedError>;

/** Notice of a committed change. It carries no value: read the key for that. */
export interface Change {
  readonly type: 'put' | 'delete';
  readonly key: Key;
  readonly revision: number;
  readonly atMs: number;
  /** False when another realm, or another store on the same data, made it. */
  readonly isLocal: boolean;
}

/** One revision of a key that is kept: the value that was put, or the mark that it was deleted. */
export type Revision<T = unknown> =
  | (Entry<T> & { readonly type: 'put' })
  | {
      readonly type: 'delete';
      readonly key: Key;
      readonly revision: number;
      readonly atMs: number;
    };

export interface HistoryOptions {
  /** The newest at most so many, 1 to 64; default all that are kept. */
  readonly limit?: number;
}

export interface ListOptions {
  /** Entries at most; default 1,000, at most `maxListEntries`. */
  readonly limit?: number;
  /** Only keys after this one: the last key of the page before. */
  readonly after?: Key;
  /**
   * Nothing after the entry with which the values come to so many bytes, as the store counts them: what is read at once is
   * at most this and one value. There is at least one entry. Default no such bound.
   */
  readonly maxBytes?: number;
}

/** What `list` gives. */
export type Listing<T = unknown> = readonly Entry<T>[] & {
  /** True when it ends because of `maxBytes`: there may be more, though there are fewer than `limit`. */
  readonly isCut?: boolean;
};

export interface StoreCapabilities {
  /** Whether acknowledged writes outlive the realm. */
  readonly durable: boolean;
  /** Whether `strict` is more than `relaxed`. */
  readonly strict: boolean;
  /** Whether `watch` hears anything. */
  readonly watch: boolean;
  /** Whether other realms of the origin see the same data. */
  readonly sharedAcrossRealms: boolean;
  /** Revisions kept per key, delete marks included: 1, the latest alone, to 64. Older ones are gone. */
  readonly history: number;
  /**
   * Whether a commit of several writes is all or nothing and a list is from one moment. Where false, a commit of more
   * than one write is refused with `state/write-invalid`, never torn, and the groups of `commitEach` are applied one by one.
   */
  readonly atomicCommits: boolean;
}

/** Every method but `watch` answers through its promise; after `close` they reject with `state/closed`. */
export interface Store extends AsyncDisposable {
  readonly name: string;
  readonly capabilities: StoreCapabilities;

  /**
   * The entry, or undefined when there is none.
   * @throws `state/key-invalid`, `state/read-failed`, `state/storage-unavailable`, `state/blocked`, `state/closed`
   */
  get<T = unknown>(key: Key): Promise<Entry<T> | undefined>;

  /**
   * Entries whose key starts with `prefix` (the empty prefix: all), in order of key, all from one moment.
   * @throws as `get`, and `state/limit-invalid`
   */
  list<T = unknown>(prefix: Key, options?: ListOptions): Promise<Listing<T>>;

  /**
   * The newest revisions of one key that are kept, oldest first; empty for a key that was never written. What was
   * written while fewer were kept may be missing.
   * @throws as `get`, and `state/limit-invalid`
   */
  history<T = unknown>(key: Key, options?: HistoryOptions): Promise<readonly Revision<T>[]>;

  /**
   * Applies all writes or none; one outcome per write, in order.
   * @throws `state/conflict` (fields key, expected, actual, index), `state/value-too-large`, `state/not-cloneable`,
   *   `state/key-invalid`, `state/write-invalid`, `state/quota-exceeded`, `state/write-failed` (field outcome),
   *   `state/numbers-used-up`, `state/storage-unavailable`, `state/blocked`, `state/closed`, `port/cancelled`
   */
  commit(writes: readonly Write[], options?: CommitOptions): Promise<readonly Committed[]>;

  /**
   * Several commits in one transaction, in order. Each group is all or nothing for itself: a conflict fails its own
   * group and leaves the others. Any other failure rejects and nothing of any group is applied.
   * @throws as `commit`, except `state/conflict`
   */
  commitEach(
    groups: readonly (readonly Write[])[],
    options?: CommitOptions,
  ): Promise<readonly GroupOutcome[]>;

  /**
   * Calls `listener` after each commit that changed keys under `prefix`, once per key, with its latest revision.
   * Never before the commit is committed. Revisions of one key rise, but some may be skipped, and notices from
   * other realms may be lost while the page is frozen: re-read on resume. The returned function ends it.
   * @throws `state/key-invalid`, `state/watch-limit`, `state/closed`, at once
   */
  watch(prefix: Key, listener: (change: Change) => void): () => void;

  /** What the platform says about space. Undefined numbers are unknown. */
  estimate(): Promise<StorageEstimate>;

  /** Lets commits in flight settle, then frees what is held. Closing twice is harmless. */
  close(): Promise<void>;
}
