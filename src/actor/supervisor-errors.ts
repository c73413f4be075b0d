/** The errors of supervisors, each naming the supervisor and the child. */
import { CodedError } from '../base/index.ts';
import type { ErrorCode } from '../base/index.ts';
import type { RestartLimits } from './restart.ts';

const wording: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  'already-started': ['actor/already-started', 'already has a child'],
  'already-present': ['actor/already-present', 'still has a child that does not run,'],
  'not-found': ['actor/child-not-found', 'has no child'],
  running: ['actor/child-running', 'cannot do that while it runs:'],
  restarting: ['actor/child-restarting', 'cannot do that while it is restarted:'],
};

/** Why a request was refused. */
export function refusal(supervisor: string, child: string, answer: string): CodedError {
  const [code, words] = wording[answer] ?? (['actor/supervisor-stopped', 'has stopped;'] as const);
  return new CodedError(code, `supervisor "${supervisor}" ${words} "${child}"`, {
    fields: { supervisor, child },
  });
}

export function supervisorStopped(supervisor: string): CodedError {
  return new CodedError('actor/supervisor-stopped', `supervisor "${supervisor}" has stopped`, {
    fields: { supervisor },
  });
}

export function gaveUp(supervisor: string, child: string, limits: RestartLimits): CodedError {
  const { maxRestarts, maxSeconds } = limits;
  return new CodedError(
    'actor/supervisor-gave-up',
    `supervisor "${supervisor}" gave up: more than ${maxRestarts} restarts within ${maxSeconds} s, the last of "${child}"`,
    { fields: { supervisor, child, maxRestarts, maxSeconds } },
  );
}

/** Nothing of the supervisor runs: what had started before this child was stopped again. */
export function childStartFailed(supervisor: string, child: string, cause: unknown): CodedError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new CodedError(
    'actor/child-start-failed',
    `supervisor "${supervisor}" could not start its child "${child}": ${why}`,
    { fields: { supervisor, child }, cause },
  );
}

export function endedEarly(child: string): CodedError {
  return new CodedError('actor/start-failed', `actor "${child}" ended or was stopped while it started`, {
    fields: { actor: child },
  });
}

export function tooManyRequests(supervisor: string, allowed: number): CodedError {
  return new CodedError(
    'actor/mailbox-full',
    `supervisor "${supervisor}" already has ${allowed} open requests`,
    { fields: { supervisor, allowed }, isRetryable: true },
  );
}
