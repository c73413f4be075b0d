/** What happens when somebody else saved since the saver looked. */
import { CodedError, isCodedError } from '../../base/index.ts';
import { withDeadline } from '../../platform/index.ts';
import type { Clock } from '../../platform/index.ts';
import type { RecordInfo, RecordVersion } from './record.ts';

/**
 * Makes one state of two. It may be called again with later `theirs`, and must not count on being called once.
 *
 * @param mine what was to be saved
 * @param theirs the latest, saved by somebody else; undefined when the record was deleted
 * @param base what mine started from, the state of the expected version; undefined when it is not kept any more, or never was
 */
export type MergeFunction<T> = (mine: T, theirs: T | undefined, base: T | undefined) => T | Promise<T>;

/**
 * What to do when the latest version is not the expected one.
 *
 * - `reject`: nothing is saved; `state/conflict`
 * - `last-writer`: saved on top, as if no version had been expected
 * - a function: what it makes of both is saved on top
 */
export type ConflictResolver<T = unknown> = 'reject' | 'last-writer' | MergeFunction<T>;

/** Whether `latest` is the version that the saver expects; null: there is none. */
export function isExpected(latest: RecordInfo | null, expected: RecordVersion | null): boolean {
  if (latest === null || expected === null) return latest === expected;
  return typeof expected === 'number' ? latest.sequence === expected : latest.version === expected;
}

export function saveConflict(
  id: string,
  expected: RecordVersion | null,
  latest: RecordInfo | null,
): CodedError {
  const actual = latest?.version ?? null;
  return new CodedError(
    'state/conflict',
    `the latest version of ${id} is ${actual ?? 'none'}, expected ${expected ?? 'none'}`,
    { fields: { id, expected, actual } },
  );
}

/**
 * Runs a merge, which ends in every case.
 * @throws `state/merge-failed` when it throws or is not done in time; `port/cancelled`
 */
export async function runMerge<T>(
  id: string,
  merge: () => T | Promise<T>,
  limits: { readonly clock: Clock; readonly timeoutMs: number; readonly signal: AbortSignal | undefined },
): Promise<T> {
  const { clock, timeoutMs, signal } = limits;
  try {
    return await withDeadline(clock, { timeoutMs, signal }, async () => merge());
  } catch (cause) {
    if (signal?.aborted) throw cause;
    const isLate = isCodedError(cause, 'port/timeout');
    const what = isLate ? `was not done within ${timeoutMs} ms` : 'threw';
    throw new CodedError('state/merge-failed', `the merge function for ${id} ${what}`, {
      fields: { id, timeoutMs },
      cause,
    });
  }
}
