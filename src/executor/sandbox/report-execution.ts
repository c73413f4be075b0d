/** Tells the hub of every call that an executor accepts, how it ended, and when. */
import { isCodedError } from '../../base/index.ts';
import type { Clock } from '../../platform/index.ts';
import type { EventOf, Hub } from '../../telemetry/index.ts';
import type { LanguageName } from '../language/language.ts';
import type { Outcome } from '../outcome.ts';
import { createExecutionId } from './sandbox-id.ts';
import type { SandboxId } from './sandbox-id.ts';

export interface ReportOptions {
  readonly clock: Clock;
  readonly hub: Hub;
  readonly language: LanguageName;
}

/** Which interpreter a run reaches, when it does. */
export type OnReach = (sandbox: SandboxId) => void;

type End = EventOf<'execution-end'>;

/** Ends as `work` does, which begins at once. */
export async function reportExecution(
  { clock, hub, language }: ReportOptions,
  work: (onReach: OnReach) => Promise<Outcome>,
): Promise<Outcome> {
  const execution = createExecutionId();
  const startMs = clock.monotonic();
  let reached: { readonly sandbox?: SandboxId } = {};
  const end = (how: Pick<End, 'outcome' | 'limit' | 'code'>, durationMs: number): void => {
    const waitMs = Math.max(0, clock.monotonic() - startMs - durationMs);
    hub.emit({ type: 'execution-end', execution, language, ...reached, ...how, waitMs, durationMs });
  };
  hub.emit({ type: 'execution-start', execution, language });
  try {
    const outcome = await work((sandbox) => (reached = { sandbox }));
    end(describe(outcome), outcome.durationMs);
    return outcome;
  } catch (error) {
    end({ outcome: 'refused', ...(isCodedError(error) ? { code: error.code } : {}) }, 0);
    throw error;
  }
}

function describe(outcome: Outcome): Pick<End, 'outcome' | 'limit' | 'code'> {
  const { type } = outcome;
  if (type === 'exceeded') return { outcome: type, limit: outcome.limit };
  return type === 'denied' || type === 'failed' ? { outcome: type, code: outcome.code } : { outcome: type };
}
