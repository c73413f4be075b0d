/** What a store refuses, and why. */

export interface StoreLimits {
  /** Bytes of one value, as `measureValue` counts them. Beyond it one value starves a commit; bodies this big belong in files. */
  readonly maxValueBytes: number;
  /** Bytes of all values in one transaction: engines hold a transaction in memory until it commits. */
  readonly maxCommitBytes: number;
  /** Writes in one transaction: a longer one blocks every other writer of the store. */
  readonly maxCommitWrites: number;
  /** Nesting of a value: engines clone recursively. */
  readonly maxValueDepth: number;
  /** Entries that one `list` returns. */
  readonly maxListEntries: number;
  /** Watchers of one store: each costs a comparison per change. */
  readonly maxWatchers: number;
}

const MiB = 2 ** 20;

/** The defaults of every store. */
export const defaultStoreLimits: StoreLimits = {
  maxValueBytes: 16 * MiB,
  maxCommitBytes: 64 * MiB,
  maxCommitWrites: 10_000,
  maxValueDepth: 256,
  maxListEntries: 10_000,
  maxWatchers: 1000,
};

/** Entries that `list` returns when no limit is given. */
export const defaultListEntries: number = 1000;

/** Revisions of a key that a store can be asked to keep: as many as NATS KV keeps, so that every store can promise as much. */
export const maxKeepHistory: number = 64;

/** What records refuse, and why. */
export interface RecordLimits {
  /** Savers of the same id that collide try again this often: as many savers at once all get through. */
  readonly maxAttempts: number;
  /** Versions that are tried when the one that was asked for is damaged: each costs a read of its state. */
  readonly maxVersionsTried: number;
  /** Canonical bytes of the metadata of one version: it is read with every listing. */
  readonly maxMetadataBytes: number;
  /** Characters of a version that is given: it is part of a key. */
  readonly maxVersionLength: number;
  /** Versions that one save drops at most, so that a new rule does not make the next save slow. */
  readonly maxDroppedPerSave: number;
  /** Versions that one transaction of `prune` or `delete` drops. */
  readonly maxDroppedPerCommit: number;
  /** Pinned versions of one id: each is read again whenever old versions are looked for. */
  readonly maxPinned: number;
  /** How long a merge function may take: a save waits for it. */
  readonly mergeTimeoutMs: number;
}

/** The limits of all records. */
export const recordLimits: RecordLimits = {
  maxAttempts: 16,
  maxVersionsTried: 32,
  maxMetadataBytes: 64 * 1024,
  maxVersionLength: 128,
  maxDroppedPerSave: 16,
  maxDroppedPerCommit: 400,
  maxPinned: 512,
  mergeTimeoutMs: 10_000,
};

/** Bounds on taking a lease. */
export interface LeaseLimits {
  /** How long to wait for the lock: as long as a user waits for a page that seems to do nothing. */
  readonly waitTimeoutMs: number;
  /** Holders that raise the fence at once: only where there are no locks, or where they are stolen. */
  readonly maxAttempts: number;
}

/** The limits of all leases. */
export const leaseLimits: LeaseLimits = { waitTimeoutMs: 30_000, maxAttempts: 16 };
