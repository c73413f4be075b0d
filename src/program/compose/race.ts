/** Several modules on one input; the first answer counts, and the others are cancelled. */
import { CodedError, isCodedError, messageOf } from '../../base/index.ts';
import type { JsonObject } from '../../base/index.ts';
import { isModule, Module } from '../module.ts';
import type { OutputOf } from '../module.ts';
import type { Run } from '../run.ts';
import type { SharedInput } from './branch.ts';
import { assertParts, checkedOptions, toPartFailure } from './options.ts';
import type { ComposeOptions } from './options.ts';
import { settleEach } from './settle-each.ts';
import type { Settled } from './settle-each.ts';

type Entrants = readonly [Module, ...Module[]];
type ByPlace<E extends Entrants> = { readonly [Place in keyof E & `${number}`]: E[Place] & Module };

/** `skip`: a failed module is out of the race, which fails when all have. `fail`: the first to end decides, also when it fails. */
export type RaceFailureMode = 'skip' | 'fail';

/** Made by {@link race}. */
export class Race<E extends Entrants> extends Module<SharedInput<ByPlace<E>>, OutputOf<E[number]>> {
  readonly entrants: E;
  readonly maxConcurrency: number;
  readonly onFailure: RaceFailureMode;

  constructor(entrants: E, options: ComposeOptions<RaceFailureMode>) {
    super();
    assertParts('entrants', entrants, isModule);
    const { maxConcurrency, onFailure } = checkedOptions<RaceFailureMode>(options, ['skip', 'fail']);
    this.entrants = entrants;
    this.maxConcurrency = maxConcurrency;
    this.onFailure = onFailure;
  }

  override reflectConfig(): JsonObject {
    return { maxConcurrency: this.maxConcurrency, onFailure: this.onFailure };
  }

  /** @throws `program/race-failed` when all failed, or with `fail` what the first to end threw */
  override async forward(input: SharedInput<ByPlace<E>>, run: Run): Promise<OutputOf<E[number]>> {
    type Answer = OutputOf<E[number]>;
    const { entrants, maxConcurrency, onFailure } = this;
    const stopsAfter = ({ ok }: Settled<Answer>): boolean => ok || onFailure === 'fail';
    const { outcomes, stoppedBy } = await settleEach<Answer>(
      { count: entrants.length, maxConcurrency, around: [run.signal], stopsAfter },
      (index, signal) => (entrants[index] as Module).call(input as never, { signal }) as Promise<Answer>,
    );
    if (stoppedBy?.ok) return stoppedBy.value;
    if (stoppedBy) throw stoppedBy.error;
    throw allFailed(outcomes.flatMap((outcome) => (outcome && !outcome.ok ? [outcome.error] : [])));
  }
}

/**
 * A module that answers with the first answer; the other entrants are cancelled and have ended by then. At most
 * `maxConcurrency` run at once: the next one starts when one has failed. They are called `entrants[0]`, `entrants[1]`, …
 * @throws `program/composition-invalid`
 */
export function race<const E extends Entrants>(
  entrants: E,
  options: ComposeOptions<RaceFailureMode> = {},
): Race<E> {
  return new Race(entrants, options);
}

function allFailed(errors: readonly unknown[]): CodedError {
  const failures = errors.map((error) => {
    const { code, message } = toPartFailure(error);
    return { code, message };
  });
  return new CodedError(
    'program/race-failed',
    `all ${errors.length} entrants failed; the first: ${messageOf(errors[0])}`,
    {
      fields: { failures },
      cause: errors[0],
      isRetryable: errors.some((error) => isCodedError(error) && error.isRetryable),
    },
  );
}
