/** How a run ends that needs no interpreter to end. */
import type { Outcome } from '../outcome.ts';
import { nothingPrinted } from './nothing-printed.ts';
import type { PreparedRun } from './prepare-run.ts';

/** `undefined` for one that has to begin. */
export function findEarlyOutcome(
  { grant }: PreparedRun,
  signal: AbortSignal | undefined,
): Outcome | undefined {
  if (signal?.aborted) return { type: 'cancelled', ...nothingPrinted };
  if (grant.denial) return { type: 'denied', code: 'executor/denied', ...grant.denial, ...nothingPrinted };
  return undefined;
}
