/** Decides what a commit does to the keys it names: pure, shared by every store that keeps its own revisions. */
import { CodedError, fail, ok } from '../base/index.ts';
import { encodeKey } from './key.ts';
import type { Key } from './key.ts';
import type { StoreLimits } from './limits.ts';
import type { Committed, GroupOutcome, Write } from './store.ts';
import { takeSnapshot } from './value.ts';

/** A write that was checked, with the store's own copy of its value. */
export interface PreparedWrite {
  readonly type: Write['type'];
  readonly key: Key;
  readonly encoded: string;
  readonly value: unknown;
  readonly sizeBytes: number;
  readonly expectedRevision: number | undefined;
}

export interface PreparedCommit {
  readonly groups: readonly (readonly PreparedWrite[])[];
  readonly encodedKeys: ReadonlySet<string>;
  readonly sizeBytes: number;
}

/** What a store knows of a key. `revision` outlives a delete; a key that never existed has 0. */
export interface KeyState {
  readonly revision: number;
  readonly isLive: boolean;
}

/** The one change that a transaction makes to a key. */
export interface PlannedChange extends KeyState {
  readonly write: PreparedWrite;
  /** What the key was before the transaction. */
  readonly before: KeyState;
}

export interface CommitPlan {
  readonly outcomes: readonly GroupOutcome[];
  readonly changes: ReadonlyMap<string, PlannedChange>;
}

/** Writes of ours whose values are copies already. */
const ownWrites = new WeakMap<Write, PreparedWrite>();

/** Checked writes in the form that a store takes; a store of this realm does not copy their values once more. */
export function toOwnWrites(writes: readonly PreparedWrite[]): readonly Write[] {
  return writes.map((prepared) => {
    const { type, key, value, expectedRevision } = prepared;
    const write = {
      ...(type === 'put' ? { type, key, value } : { type, key }),
      ...(expectedRevision === undefined ? {} : { expectedRevision }),
    } as Write; // a check has its revision: it was prepared
    ownWrites.set(write, prepared);
    return write;
  });
}

/** For callers without types, and values that came over a port. */
function checkWrite({ type, expectedRevision }: Write): void {
  if (type !== 'put' && type !== 'delete' && type !== 'check') {
    throw new CodedError(
      'state/write-invalid',
      `a write has type ${String(type)}, expected put, delete or check`,
    );
  }
  if (expectedRevision === undefined && type !== 'check') return;
  if (!(Number.isSafeInteger(expectedRevision) && Number(expectedRevision) >= 0)) {
    throw new CodedError(
      'state/write-invalid',
      `expectedRevision is ${expectedRevision}, expected 0 or a positive integer`,
    );
  }
}

function prepareWrite(write: Write, limits: StoreLimits): PreparedWrite {
  const own = ownWrites.get(write);
  if (own && own.sizeBytes <= limits.maxValueBytes) return own;
  checkWrite(write);
  const { type, expectedRevision } = write;
  const encoded = encodeKey(write.key);
  const snapshot = type === 'put' ? takeSnapshot(write.value, limits) : { value: undefined, sizeBytes: 0 };
  return { type, key: Object.freeze([...write.key]), encoded, expectedRevision, ...snapshot };
}

function commitTooLarge(limit: number, unit: string): CodedError {
  return new CodedError('state/value-too-large', `a commit exceeds ${limit} ${unit}`, {
    fields: { scope: 'commit', limit, unit },
  });
}

/**
 * Checks writes and copies their values, as they are now.
 * @throws `state/key-invalid`, `state/write-invalid`, `state/not-cloneable`, `state/value-too-large`
 */
export function prepareCommit(groups: readonly (readonly Write[])[], limits: StoreLimits): PreparedCommit {
  const encodedKeys = new Set<string>();
  let sizeBytes = 0;
  let count = 0;
  const prepare = (write: Write): PreparedWrite => {
    if (++count > limits.maxCommitWrites) throw commitTooLarge(limits.maxCommitWrites, 'writes');
    const prepared = prepareWrite(write, limits);
    sizeBytes += prepared.sizeBytes;
    if (sizeBytes > limits.maxCommitBytes) throw commitTooLarge(limits.maxCommitBytes, 'bytes');
    encodedKeys.add(prepared.encoded);
    return prepared;
  };
  return { groups: groups.map((writes) => writes.map(prepare)), encodedKeys, sizeBytes };
}

function conflict(write: PreparedWrite, actual: number, index: number): CodedError {
  return new CodedError(
    'state/conflict',
    `${JSON.stringify(write.key)} is at revision ${actual}, expected ${write.expectedRevision}`,
    { fields: { key: write.key, expected: write.expectedRevision ?? null, actual, index } },
  );
}

function applyGroup(
  writes: readonly PreparedWrite[],
  stateOf: (encoded: string) => KeyState,
  atMs: number,
): { readonly committed: Committed[]; readonly states: Map<string, KeyState & { write: PreparedWrite }> } {
  const states = new Map<string, KeyState & { write: PreparedWrite }>();
  const committed = writes.map((write, index): Committed => {
    const current = states.get(write.encoded) ?? stateOf(write.encoded);
    const actual = current.isLive ? current.revision : 0;
    if (write.expectedRevision !== undefined && write.expectedRevision !== actual) {
      throw conflict(write, actual, index);
    }
    const isChange = write.type === 'put' || (write.type === 'delete' && current.isLive);
    const revision = isChange ? current.revision + 1 : current.revision;
    if (isChange) states.set(write.encoded, { revision, isLive: write.type === 'put', write });
    return { key: write.key, revision, atMs };
  });
  return { committed, states };
}

/**
 * Plans a transaction over keys whose states are known.
 * @param before the state of each key of the commit, as of this transaction
 */
export function planCommit(
  commit: PreparedCommit,
  before: (encoded: string) => KeyState,
  atMs: number,
): CommitPlan {
  const changes = new Map<string, PlannedChange>();
  const stateOf = (encoded: string): KeyState => changes.get(encoded) ?? before(encoded);
  const outcomes = commit.groups.map((writes): GroupOutcome => {
    try {
      const { committed, states } = applyGroup(writes, stateOf, atMs);
      for (const [encoded, state] of states) changes.set(encoded, { ...state, before: before(encoded) });
      return ok(committed);
    } catch (error) {
      return fail(error as CodedError); // applyGroup throws nothing else
    }
  });
  return { outcomes, changes };
}
