/** Decides what a commit does to the keys it names: pure, shared by every store that keeps its own revisions. */
import { CodedError, fail, ok } from '../base/index.ts';
import { appendedKey, appendedNumberOf, encodeCounter, encodeKey, maxAppendedNumber } from './key.ts';
import type { Key } from './key.ts';
import { defaultStoreLimits } from './limits.ts';
import type { StoreLimits } from './limits.ts';
import { withOutcomesOf } from './outcomes.ts';
import type { Committed, GroupOutcome, Write } from './store.ts';
import { measureValue, takeSnapshot } from './value.ts';

/** A write that was checked, with the store's own copy of its value. */
export interface PreparedWrite {
  readonly type: Write['type'];
  /** Of an append what comes before the number, in a {@link PlannedChange} the whole. */
  readonly key: Key;
  /** Of an append its counter. */
  readonly encoded: string;
  readonly value: unknown;
  readonly sizeBytes: number;
  readonly expectedRevision: number | undefined;
  /** The counter that this write raises, encoded. */
  readonly counter?: string;
  readonly withOutcomes?: boolean;
  readonly forget?: boolean;
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

/** One write of a key and what it made of it. */
export interface PlannedRevision extends KeyState {
  readonly write: PreparedWrite;
}

/**
 * What a group makes of a key.
 * A counter is kept as the revision of an encoded key that is never live: stores keep it like the revision of a deleted key.
 */
interface GroupChange extends PlannedRevision {
  /** Every revision that the transaction makes, in order, since it forgot the key if it did; the last is this change. */
  readonly revisions: readonly PlannedRevision[];
  /** The key was forgotten on the way: nothing of what it was before is to be kept. */
  readonly wasForgotten: boolean;
  /** A number under a prefix and no key of a caller: no notice of it, and no history. */
  readonly isCounter: boolean;
  /** Nothing of the key is to be kept, its revision neither. */
  readonly isForgotten: boolean;
}

/** The one change that a transaction makes to a key. */
export interface PlannedChange extends GroupChange {
  /** What the key was before the transaction. */
  readonly before: KeyState;
}

export interface CommitPlan {
  readonly outcomes: readonly GroupOutcome[];
  readonly changes: ReadonlyMap<string, PlannedChange>;
}

/** A write of ours, whose value is a copy already. A copy of it is somebody else's. */
class OwnWrite {
  readonly #prepared: PreparedWrite;

  constructor(prepared: PreparedWrite) {
    Object.assign(this, toWrite(prepared));
    this.#prepared = prepared;
  }

  /** Undefined for writes that were not checked here. */
  static preparedOf(write: Write): PreparedWrite | undefined {
    // callers without types may hand anything over
    const isObject = typeof write === 'object' && write !== null;
    return isObject && #prepared in write ? write.#prepared : undefined;
  }
}

/** Checked writes in the form that a store takes; a store of this realm does not copy their values once more. */
export function toOwnWrites(writes: readonly PreparedWrite[]): readonly Write[] {
  // it has what `toWrite` gave
  return writes.map((prepared) => new OwnWrite(prepared) as unknown as Write);
}

/**
 * A put of bytes that are given away: a store of this realm keeps these and no copy, so nobody may change them any more.
 * @throws `state/key-invalid`
 */
export function toGivenPut(key: Key, bytes: Uint8Array<ArrayBuffer>): Write {
  const encoded = encodeKey(key);
  const prepared: PreparedWrite = {
    type: 'put',
    key: Object.freeze([...key]),
    encoded,
    expectedRevision: undefined,
    ...counterOf({ type: 'put', key, value: bytes }, encoded),
    value: bytes,
    sizeBytes: measureValue(bytes, { ...defaultStoreLimits, maxValueBytes: Infinity }),
  };
  return new OwnWrite(prepared) as unknown as Write;
}

function toWrite({ type, key, value, expectedRevision, withOutcomes, forget }: PreparedWrite): Write {
  if (type === 'append') return { type, key, value, ...(withOutcomes ? { withOutcomes } : {}) };
  return {
    ...(type === 'put' ? { type, key, value } : { type, key }),
    ...(expectedRevision === undefined ? {} : { expectedRevision }),
    ...(forget ? { forget } : {}),
  } as Write; // a check has its revision: it was prepared
}

const writeTypes: readonly string[] = ['put', 'delete', 'append', 'check'] satisfies Write['type'][];

/** For callers without types, and values that came over a port. */
function checkWrite(write: Write): void {
  const { type, expectedRevision }: { readonly type: string; readonly expectedRevision?: number } = write;
  if (!writeTypes.includes(type)) {
    throw new CodedError(
      'state/write-invalid',
      `a write has type ${String(type)}, expected put, delete, append or check`,
    );
  }
  if (expectedRevision === undefined && type !== 'check') return;
  if (type === 'append') {
    throw new CodedError(
      'state/write-invalid',
      'an append has expectedRevision, expected none: its key is new',
    );
  }
  if (!(Number.isSafeInteger(expectedRevision) && Number(expectedRevision) >= 0)) {
    throw new CodedError(
      'state/write-invalid',
      `expectedRevision is ${expectedRevision}, expected 0 or a positive integer`,
    );
  }
}

/** The counter that a write raises, by asking for a number or by putting one. */
function counterOf({ type, key }: Write, encoded: string): { readonly counter?: string } {
  if (type === 'append') return { counter: encoded };
  const isNumbered = type === 'put' && appendedNumberOf(key) !== undefined;
  return isNumbered ? { counter: encodeCounter(key.slice(0, -1)) } : {};
}

function prepareWrite(write: Write, limits: StoreLimits): PreparedWrite {
  const own = OwnWrite.preparedOf(write);
  if (own && own.sizeBytes <= limits.maxValueBytes) return own;
  checkWrite(write);
  const { type } = write;
  const hasValue = type === 'put' || type === 'append';
  const encoded = type === 'append' ? encodeCounter(write.key) : encodeKey(write.key);
  const snapshot = hasValue ? takeSnapshot(write.value, limits) : { value: undefined, sizeBytes: 0 };
  return {
    type,
    key: Object.freeze([...write.key]),
    encoded,
    expectedRevision: type === 'append' ? undefined : write.expectedRevision,
    ...counterOf(write, encoded),
    ...(type === 'append' && write.withOutcomes ? { withOutcomes: true } : {}),
    ...(type === 'delete' && write.forget ? { forget: true } : {}),
    ...snapshot,
  };
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
    if (prepared.counter !== undefined) encodedKeys.add(prepared.counter);
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

function compareRevision(write: PreparedWrite, { isLive, revision }: KeyState, index: number): void {
  const actual = isLive ? revision : 0;
  if (write.expectedRevision !== undefined && write.expectedRevision !== actual) {
    throw conflict(write, actual, index);
  }
}

const neverWritten: KeyState = { revision: 0, isLive: false };

/** The writes of one group, one after the other. */
class GroupPlan {
  readonly changes = new Map<string, GroupChange>();
  readonly #earlier: ReadonlyMap<string, GroupChange>;
  readonly #before: (encoded: string) => KeyState;
  readonly #atMs: number;
  readonly #committed: Committed[] = [];

  /** @param earlier of the groups before, in the same transaction */
  constructor(
    earlier: ReadonlyMap<string, GroupChange>,
    before: (encoded: string) => KeyState,
    atMs: number,
  ) {
    this.#earlier = earlier;
    this.#before = before;
    this.#atMs = atMs;
  }

  /** @throws `state/conflict`, `state/numbers-used-up` */
  apply(writes: readonly PreparedWrite[]): readonly Committed[] {
    for (const [index, write] of writes.entries()) {
      this.#committed.push(write.type === 'append' ? this.#append(write) : this.#write(write, index));
    }
    return this.#committed;
  }

  #stateOf(encoded: string): KeyState {
    const change = this.#changeOf(encoded);
    if (!change) return this.#before(encoded);
    return change.isForgotten ? neverWritten : change;
  }

  #changeOf(encoded: string): GroupChange | undefined {
    return this.changes.get(encoded) ?? this.#earlier.get(encoded);
  }

  #write(write: PreparedWrite, index: number): Committed {
    const { encoded, key, type, counter, forget = false } = write;
    const current = this.#stateOf(encoded);
    compareRevision(write, current, index);
    const isPut = type === 'put';
    const isChange = isPut || (type === 'delete' && current.isLive);
    const revision = isChange ? current.revision + 1 : current.revision;
    const isForgotten = forget && current.revision > 0;
    if (isChange || isForgotten) {
      this.#change({ revision, isLive: isPut, write }, isForgotten);
    }
    if (counter !== undefined) this.#raise(counter, write, appendedNumberOf(key) ?? 0);
    return { key, revision, atMs: this.#atMs };
  }

  #change(made: PlannedRevision, isForgotten: boolean): void {
    const { encoded } = made.write;
    const earlier = this.#changeOf(encoded);
    this.changes.set(encoded, {
      ...made,
      revisions: isForgotten ? [] : [...(earlier?.revisions ?? []), made],
      wasForgotten: isForgotten || (earlier?.wasForgotten ?? false),
      isCounter: false,
      isForgotten,
    });
  }

  #append(append: PreparedWrite): Committed {
    const number = this.#stateOf(append.encoded).revision + 1;
    if (number > maxAppendedNumber) {
      throw new CodedError(
        'state/numbers-used-up',
        `${JSON.stringify(append.key)} has the number ${maxAppendedNumber}, the last that there is`,
        { fields: { key: append.key, maxAppendedNumber } },
      );
    }
    this.#raise(append.encoded, append, number);
    const key = appendedKey(append.key, number);
    const encoded = encodeKey(key);
    const value = append.withOutcomes ? withOutcomesOf(append.value, this.#committed) : append.value;
    const write: PreparedWrite = { ...append, type: 'put', key, encoded, value };
    // every number that was ever written is counted: nobody wrote this key before
    this.#change({ revision: 1, isLive: true, write }, false);
    return { key, revision: 1, atMs: this.#atMs };
  }

  #raise(counter: string, { key }: PreparedWrite, number: number): void {
    if (number <= this.#stateOf(counter).revision) return;
    const write: PreparedWrite = {
      type: 'delete',
      key,
      encoded: counter,
      value: undefined,
      sizeBytes: 0,
      expectedRevision: undefined,
    };
    const made = { revision: number, isLive: false, write };
    this.changes.set(counter, {
      ...made,
      revisions: [made],
      wasForgotten: false,
      isCounter: true,
      isForgotten: false,
    });
  }
}

/**
 * Plans a transaction over keys whose states are known.
 * @param before the state of each key of the commit (`encodedKeys`), as of this transaction; it is also asked for keys that
 *   are new to the store, and must say so: {@link KeyState} with revision 0
 */
export function planCommit(
  commit: PreparedCommit,
  before: (encoded: string) => KeyState,
  atMs: number,
): CommitPlan {
  const changes = new Map<string, PlannedChange>();
  const outcomes = commit.groups.map((writes): GroupOutcome => {
    const group = new GroupPlan(changes, before, atMs);
    try {
      const committed = group.apply(writes);
      for (const [encoded, change] of group.changes) {
        changes.set(encoded, { ...change, before: before(encoded) });
      }
      return ok(committed);
    } catch (error) {
      return fail(error as CodedError); // apply throws nothing else
    }
  });
  return { outcomes, changes };
}
