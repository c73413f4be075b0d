/** What differs between two states of the past. */
import { CodedError } from '../../base/index.ts';
import { toValueBytes } from '../codec/to-value-bytes.ts';
import { compareKeys } from '../key.ts';
import type { Key } from '../key.ts';
import type { Store } from '../store.ts';
import { diffValues } from './diff-values.ts';
import type { ValueChange } from './diff-values.ts';
import { readPast } from './point-in-time.ts';
import type { StateSource } from './point-in-time.ts';
import { isSameBytes, valueOf } from './records.ts';
import type { BytesRecord } from './records.ts';

export interface DiffOptions {
  /** What is compared: all keys under it. Default everything. */
  readonly prefix?: Key;
  /** Keys that are told at most. Default 1,000. */
  readonly maxKeys?: number;
  /** Paths that are told of one key at most. Default 100. */
  readonly maxPaths?: number;
}

/** A key that is different. */
export type KeyChange =
  | { readonly type: 'added'; readonly key: Key; readonly after: unknown }
  | { readonly type: 'removed'; readonly key: Key; readonly before: unknown }
  | {
      readonly type: 'changed';
      readonly key: Key;
      readonly before: unknown;
      readonly after: unknown;
      /** Where they differ, at most `maxPaths`. A single change without `before` and `after`: only the order differs. */
      readonly changes: readonly ValueChange[];
      /** There are more than `maxPaths`. */
      readonly isTruncated: boolean;
    };

export interface StateDiff {
  /** In order of key, at most `maxKeys`. */
  readonly changes: readonly KeyChange[];
  /** How many keys differ in all. */
  readonly added: number;
  readonly removed: number;
  readonly changed: number;
}

function isEqual(a: unknown, b: unknown): boolean {
  if (typeof a !== 'object' || a === null || typeof b !== 'object' || b === null) return Object.is(a, b);
  return isSameBytes(toValueBytes(a), toValueBytes(b));
}

type Pair = readonly [BytesRecord | undefined, BytesRecord | undefined];

/** Walks two lists in order of key side by side. */
function* pairsOf(left: readonly BytesRecord[], right: readonly BytesRecord[]): Generator<Pair> {
  for (let [i, j] = [0, 0]; i < left.length || j < right.length;) {
    const [a, b] = [left[i], right[j]];
    const order = a === undefined ? 1 : b === undefined ? -1 : compareKeys(a.key, b.key);
    yield [order <= 0 ? a : undefined, order >= 0 ? b : undefined];
    if (order <= 0) i++;
    if (order >= 0) j++;
  }
}

function kindOf([a, b]: Pair): 'added' | 'removed' | 'changed' | undefined {
  if (!a || !b) return a ? 'removed' : 'added';
  return isSameBytes(a.bytes, b.bytes) ? undefined : 'changed';
}

function toChange([a, b]: Pair, maxPaths: number): KeyChange | undefined {
  if (a && b) {
    const [before, after] = [valueOf(a), valueOf(b)];
    return { type: 'changed', key: a.key, before, after, ...diffValues(before, after, maxPaths, isEqual) };
  }
  if (a) return { type: 'removed', key: a.key, before: valueOf(a) };
  return b && { type: 'added', key: b.key, after: valueOf(b) };
}

function checkBound(field: string, value: number): void {
  if (Number.isSafeInteger(value) && value >= 1) return;
  throw new CodedError('state/snapshot-invalid', `${field} is ${value}, expected a whole number from 1`, {
    fields: { field },
  });
}

/**
 * What was added, removed and changed between two states, each a snapshot or a time.
 * @throws as `stateAt`
 */
export async function diffSnapshots(
  store: Store,
  before: StateSource,
  after: StateSource,
  options: DiffOptions = {},
): Promise<StateDiff> {
  const { prefix = [], maxKeys = 1000, maxPaths = 100 } = options;
  checkBound('maxKeys', maxKeys);
  checkBound('maxPaths', maxPaths);
  const [left, right] = [await readPast(store, before, prefix), await readPast(store, after, prefix)];
  const counts = { added: 0, removed: 0, changed: 0 };
  const changes: KeyChange[] = [];
  for (const pair of pairsOf(left.records, right.records)) {
    const kind = kindOf(pair);
    if (!kind) continue;
    counts[kind]++;
    const change = changes.length < maxKeys ? toChange(pair, maxPaths) : undefined;
    if (change) changes.push(change);
  }
  return { changes, ...counts };
}
