/** Runs numbered pieces of work, so many at once, in order of their numbers, and waits until each that began has ended. */
import { cancellation } from '../../platform/index.ts';
import type { FailureMode } from './options.ts';

export type Settled<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: unknown };

export interface SettlePlan<T> {
  readonly count: number;
  readonly maxConcurrency: number;
  /** Signals of what is around the work: one that aborts stops all. */
  readonly around: readonly (AbortSignal | undefined)[];
  /** Asked after each piece; true cancels what runs and begins nothing more. */
  readonly stopsAfter: (outcome: Settled<T>) => boolean;
}

export interface SettledAll<T> {
  /** By number; a hole where nothing began because the rest was stopped. */
  readonly outcomes: readonly (Settled<T> | undefined)[];
  /** What stopped the rest. */
  readonly stoppedBy: Settled<T> | undefined;
}

/**
 * @param work gets a signal that aborts when the rest is stopped; it must settle soon after that
 * @throws what a signal around it says
 */
export async function settleEach<T>(
  { count, maxConcurrency, around, stopsAfter }: SettlePlan<T>,
  work: (index: number, signal: AbortSignal) => Promise<T>,
): Promise<SettledAll<T>> {
  const outcomes: (Settled<T> | undefined)[] = Array.from({ length: count });
  const controller = new AbortController();
  const unfollow = follow(around, controller);
  let stoppedBy: Settled<T> | undefined;
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count && !controller.signal.aborted) {
      const index = next++;
      const outcome = await settle(() => work(index, controller.signal));
      outcomes[index] = outcome;
      if (controller.signal.aborted || !stopsAfter(outcome)) continue;
      stoppedBy = outcome;
      controller.abort();
    }
  };
  await Promise.all(Array.from({ length: Math.min(maxConcurrency, count) }, lane));
  unfollow();
  if (controller.signal.aborted && !stoppedBy) throw cancellation(controller.signal);
  return { outcomes, stoppedBy };
}

function follow(around: readonly (AbortSignal | undefined)[], controller: AbortController): () => void {
  const ends = around.map((signal) => {
    const abort = (): void => controller.abort(signal?.reason);
    if (signal?.aborted) abort();
    signal?.addEventListener('abort', abort, { once: true });
    return () => signal?.removeEventListener('abort', abort);
  });
  return () => {
    for (const end of ends) end();
  };
}

/** All outcomes, or with `fail` the first failure as an error, after the rest was cancelled and has ended. */
export async function settleParts<T>(
  plan: Omit<SettlePlan<T>, 'stopsAfter'>,
  mode: FailureMode,
  work: (index: number, signal: AbortSignal) => Promise<T>,
): Promise<readonly Settled<T>[]> {
  const stopsAfter = ({ ok }: Settled<T>): boolean => mode === 'fail' && !ok;
  const { outcomes, stoppedBy } = await settleEach({ ...plan, stopsAfter }, work);
  if (stoppedBy && !stoppedBy.ok) throw stoppedBy.error;
  // nothing was stopped, so there are no holes
  return outcomes as readonly Settled<T>[];
}

async function settle<T>(work: () => Promise<T>): Promise<Settled<T>> {
  try {
    return { ok: true, value: await work() };
  } catch (error) {
    return { ok: false, error };
  }
}
