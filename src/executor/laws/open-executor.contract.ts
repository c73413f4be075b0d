/** What the laws of `Executor` share: how one is opened, and how its answers are read. */
import { isCodedError } from '../../base/index.ts';
import type { Hub } from '../../telemetry/index.ts';
import type { Executor } from '../executor.ts';
import type { GuestValue } from '../guest-value.ts';
import type { ExecutorLimits } from '../limits.ts';
import type { Outcome } from '../outcome.ts';
import type { PolicyInput } from '../policy/policy.ts';

export interface OpenOptions {
  readonly limits?: Partial<ExecutorLimits>;
  readonly policy?: PolicyInput;
  readonly hub?: Hub;
}

/** Makes an executor; the law disposes it. */
export type OpenExecutor = (options?: OpenOptions) => Executor;

/** The code of the error that `work` rejects with. */
export async function codeOf(work: Promise<unknown>): Promise<string> {
  const error: unknown = await work.then(
    () => 'nothing',
    (reason: unknown) => reason,
  );
  return isCodedError(error) ? error.code : `no coded error: ${String(error)}`;
}

type OutcomeOf<T extends Outcome['type']> = Extract<Outcome, { type: T }>;

/** The outcome, which must be of this type. */
export function expectType<T extends Outcome['type']>(outcome: Outcome, type: T): OutcomeOf<T> {
  if (outcome.type !== type)
    throw new Error(`expected ${type}, got ${JSON.stringify(outcome).slice(0, 2000)}`);
  return outcome as OutcomeOf<T>;
}

/** The value that `code` returns. */
export async function valueOf(session: Pick<Executor, 'execute'>, code: string): Promise<GuestValue> {
  return expectType(await session.execute(code), 'returned').value;
}
