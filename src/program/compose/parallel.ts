/** Several modules on one input, at the same time. */
import type { JsonObject } from '../../base/index.ts';
import { isModule, Module } from '../module.ts';
import type { OutputOf } from '../module.ts';
import type { Run } from '../run.ts';
import type { Branches, SharedInput } from './branch.ts';
import { assertParts, checkedOptions, toPartOutcome } from './options.ts';
import type { ComposeOptions, FailureMode, PartOutcome } from './options.ts';
import { settleParts } from './settle-each.ts';
import type { Settled } from './settle-each.ts';

type OutputsOf<B extends Branches> = { -readonly [Name in keyof B]: OutputOf<B[Name]> };

/** By the names of the modules. With `skip` a name may be missing; with `collect` it says of each how it ended. */
export type ParallelOutput<B extends Branches, Mode extends FailureMode> = Mode extends 'collect'
  ? { -readonly [Name in keyof B]: PartOutcome<OutputOf<B[Name]>> }
  : Mode extends 'skip'
    ? Partial<OutputsOf<B>>
    : OutputsOf<B>;

/** Made by {@link parallel}. */
export class ParallelModules<B extends Branches, Mode extends FailureMode> extends Module<
  SharedInput<B>,
  ParallelOutput<B, Mode>
> {
  readonly branches: B;
  readonly maxConcurrency: number;
  readonly onFailure: FailureMode;

  constructor(branches: B, options: ComposeOptions<Mode>) {
    super();
    assertParts('branches', Object.values(branches), isModule);
    const { maxConcurrency, onFailure } = checkedOptions<FailureMode>(options, ['fail', 'skip', 'collect']);
    this.branches = { ...branches };
    this.maxConcurrency = maxConcurrency;
    this.onFailure = onFailure;
  }

  override reflectConfig(): JsonObject {
    return { maxConcurrency: this.maxConcurrency, onFailure: this.onFailure };
  }

  /** @throws with `fail` what the first failed module threw */
  override async forward(input: SharedInput<B>, run: Run): Promise<ParallelOutput<B, Mode>> {
    const { maxConcurrency, onFailure } = this;
    const parts = Object.entries(this.branches);
    const plan = { count: parts.length, maxConcurrency, around: [run.signal] };
    const outcomes = await settleParts<unknown>(plan, onFailure, (index, signal) =>
      (parts[index] as [string, Module])[1].call(input as never, { signal }),
    );
    const entries = parts.flatMap(([name], index): [string, unknown][] => {
      const outcome = outcomes[index] as Settled<unknown>;
      if (onFailure === 'collect') return [[name, toPartOutcome(outcome)]];
      return outcome.ok ? [[name, outcome.value]] : [];
    });
    return Object.fromEntries(entries) as ParallelOutput<B, Mode>;
  }
}

/**
 * A module that gives its input to all the modules and answers with their answers by name. They are called `branches['name']`.
 * @throws `program/composition-invalid`
 */
export function parallel<const B extends Branches, Mode extends FailureMode = 'fail'>(
  branches: B,
  options: ComposeOptions<Mode> = {},
): ParallelModules<B, Mode> {
  return new ParallelModules(branches, options);
}
