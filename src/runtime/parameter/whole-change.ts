/** Work in several steps that one instance of each module must see from its beginning to its end, one after another in each of them. */
import { withDeadline } from '../../platform/index.ts';
import type { Clock } from '../../platform/index.ts';

/** Work that waits for its turn, or has it. */
export interface WholeChange {
  readonly isAlone: boolean;
  readonly ended: Promise<void>;
}

/** What has turns: a module, or a shared parameter. Whoever needs both takes the shared parameters' first. */
export interface Changing {
  readonly changes: Set<WholeChange>;
}

/** How long to wait for the turn at most; the work itself is not bounded here. */
export interface Turn {
  readonly clock: Clock;
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Nothing else may change them meanwhile. Otherwise others that say the same may run beside it. */
  readonly isAlone: boolean;
}

/**
 * Runs `work` when all that was asked for before, of any of them, and does not go together with it has ended. It stands in all the
 * queues at once, so that nobody waits in a circle.
 * @throws `port/timeout` and `port/cancelled` from the wait, then without `work`, and what `work` throws
 */
export async function inTurn<T>(
  all: readonly Changing[],
  { clock, isAlone, timeoutMs, signal }: Turn,
  work: () => Promise<T>,
): Promise<T> {
  const others = new Set(all.flatMap(({ changes }) => [...changes]));
  const before = [...others].filter((other) => isAlone || other.isAlone);
  let end = (): void => undefined;
  const change = { isAlone, ended: new Promise<void>((resolve) => (end = resolve)) };
  for (const module of all) module.changes.add(change);
  try {
    if (before.length > 0)
      await withDeadline(clock, { timeoutMs, signal }, () => Promise.all(before.map(({ ended }) => ended)));
    return await work();
  } finally {
    for (const module of all) module.changes.delete(change);
    end();
  }
}
