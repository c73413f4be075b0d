/** Bounds of journals and snapshots, each with its reason. */

const MiB = 2 ** 20;

export interface SnapshotLimits {
  /**
   * Bytes of one snapshot, or of one state that is rebuilt: it is held in memory while it is made or read. What a journal begins with
   * may be more: it is made and read in stretches of a quarter of this. Default 256 MiB.
   */
  readonly maxSnapshotBytes: number;
  /**
   * Bytes of one stored part: below the 16 MiB that a store takes as one value, and many, because in files each part costs a
   * flush. Default 12 MiB.
   */
  readonly partBytes: number;
  /** Named snapshots of one store: they are listed in one read. Default 1,000. */
  readonly maxSnapshots: number;
  /** Silence after which a snapshot that was begun and never finished is swept. Default 10 minutes. */
  readonly abandonedAfterMs: number;
}

export const defaultSnapshotLimits: SnapshotLimits = {
  maxSnapshotBytes: 256 * MiB,
  partBytes: 12 * MiB,
  maxSnapshots: 1000,
  abandonedAfterMs: 600_000,
};

/** Characters of a snapshot's name: it is part of a key. */
export const maxNameLength: number = 200;
/** Bytes of a snapshot's metadata: all of it is read when snapshots are listed. */
export const maxMetadataBytes: number = 16 * 1024;
/** Prefixes of one snapshot or journal: each costs a comparison per write. */
export const maxPrefixes: number = 64;
/** Bytes that one read of many values aims at. */
export const pageBytes: number = 4 * MiB;
/** Bytes of stored values that are held in memory while what they are compared with is still being read. */
export const maxHeldBytes: number = 32 * MiB;
/** Values in one read. */
export const maxPageEntries: number = 1000;
/** Deletes in one commit of a sweep: each is a step, between which others may write. */
export const sweepStep: number = 500;
/** Silence after which writers take a restore that keeps them waiting for dead: its tab was killed, or is frozen. */
export const claimPatienceMs: number = 5000;
/**
 * What a restore asks for beyond that, once, for its commit, during which it can say nothing: a store may write large values into files
 * before the transaction begins. A slow medium writes 4 MiB in a second.
 */
export const commitPatienceMsPerMiB: number = 250;
/** The most that a restore is waited for, whatever it asks: its 64 MiB twice, as values and in the journal, and what anybody gets. */
export const maxClaimPatienceMs: number = claimPatienceMs + 128 * commitPatienceMsPerMiB;
/** How often a restore that reads much says that it lives: five times within their patience. */
export const claimRenewalMs: number = 1000;
/** How often writers look whether a restore is over where no notice tells them. */
export const claimPollMs: number = 25;
/** How often a commit that restores overtook is sent again: each time a restore has come further. */
export const maxOvertaken: number = 256;
/** Parts of one body: more would be somebody's joke, at which a sweep would be busy for ever. */
export const maxBodyParts: number = 2 ** 20;
/** Bodies that are looked at when something of the journal's own is lost: each costs a read of one part, up to 12 MiB. */
export const maxOrphanLooks: number = 1000;
/** How often work that others overtook is begun again. */
export const maxAttempts: number = 16;
