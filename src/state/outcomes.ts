/** What writes came to, kept beside a value that was appended with them. */
import { crc32 } from './codec/crc32.ts';
import type { Committed } from './store.ts';

/** How an append is stored that asks for the outcomes of the writes before it. */
export interface ValueWithOutcomes<T = unknown> {
  readonly value: T;
  readonly outcomes: readonly Committed[];
  /** Of the outcomes: nobody knows them before the transaction. Missing in what was stored without. */
  readonly checksum?: number;
}

function checksumOf(outcomes: readonly Committed[]): number {
  return crc32(new TextEncoder().encode(JSON.stringify(outcomes)));
}

export function withOutcomesOf<T>(value: T, committed: readonly Committed[]): ValueWithOutcomes<T> {
  const outcomes = committed.map(({ key, revision, atMs }) => ({ key: [...key], revision, atMs }));
  return { value, outcomes, checksum: checksumOf(outcomes) };
}

/** Whether the outcomes are what was written, as far as a checksum tells. */
export function areOutcomesWhole({ outcomes, checksum }: ValueWithOutcomes): boolean {
  return Array.isArray(outcomes) && (checksum === undefined || checksum === checksumOf(outcomes));
}
