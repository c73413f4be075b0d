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
