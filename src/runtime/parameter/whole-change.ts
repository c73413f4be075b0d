/** Work in several steps that one instance of each module must see from its beginning to its end, one after another in each of them. */
import { withDeadline } from '../../platform/index.ts';
import type { Clock } from '../../platform/index.ts';

/** Work that waits for its turn, or has it. */
export interface WholeChange {
  readonly isAlone: boolean;
  /** Resolves when it has ended, or given up: then to those it waited for in each queue, for whoever stands behind it. */
  readonly over: Promise<ReadonlyMap<Changing, readonly WholeChange[]>>;
}

/** What has turns: a module, or a shared parameter. Whoever needs both takes the shared parameters' first. */
export interface Changing {
  /** In the order in which they were asked for. */
  readonly changes: WholeChange[];
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
  const before = new Map(all.map((each) => [each, standingBefore(each, isAlone)] as const));
  let leave: (left: typeof before) => void = () => undefined;
  const change: WholeChange = { isAlone, over: new Promise((resolve) => (leave = resolve)) };
  for (const { changes } of before.keys()) changes.push(change);
  let isWaiting = [...before.values()].some(({ length }) => length > 0);
  try {
    if (isWaiting)
      await withDeadline(clock, { timeoutMs, signal }, () =>
        Promise.all([...before].map(([each, others]) => areOver(each, others, isAlone))),
      );
    isWaiting = false;
    return await work();
  } finally {
    for (const { changes } of before.keys()) changes.splice(changes.indexOf(change), 1);
    leave(isWaiting ? before : new Map());
  }
}

/** The last that is alone has waited for all before it. */
function standingBefore({ changes }: Changing, isAlone: boolean): readonly WholeChange[] {
  const last = changes.findLastIndex((each) => each.isAlone);
  if (isAlone) return changes.slice(Math.max(0, last));
  return last < 0 ? [] : changes.slice(last, last + 1);
}

/** For whoever is alone, or goes together with those that are not. */
async function areOver(queue: Changing, changes: readonly WholeChange[], isAlone: boolean): Promise<void> {
  for (const change of changes) {
    if (!isAlone && !change.isAlone) continue;
    const left = await change.over;
    await areOver(queue, left.get(queue) ?? [], isAlone);
  }
}
