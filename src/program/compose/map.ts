/** One module for each item of a list. */
import { CodedError } from '../../base/index.ts';
import type { JsonObject } from '../../base/index.ts';
import { programLimits } from '../limits.ts';
import { isModule, Module } from '../module.ts';
import type { InputOf, OutputOf } from '../module.ts';
import type { Run } from '../run.ts';
import { assertParts, checkedOptions, toPartOutcome } from './options.ts';
import type { ComposeOptions, FailureMode, PartOutcome } from './options.ts';
import { settleParts } from './settle-each.ts';
import type { Settled } from './settle-each.ts';

/** With `skip` it may be shorter than the input; with `collect` it says of each item how it ended. */
export type MapOutput<T, Mode extends FailureMode> = Mode extends 'collect' ? PartOutcome<T>[] : T[];

/** Made by {@link map}. */
export class MapEach<M extends Module, Mode extends FailureMode> extends Module<
  readonly InputOf<M>[],
  MapOutput<OutputOf<M>, Mode>
> {
  readonly each: M;
  readonly maxConcurrency: number;
  readonly onFailure: FailureMode;

  constructor(each: M, options: ComposeOptions<Mode>) {
    super();
    assertParts('each', [each], isModule);
    const { maxConcurrency, onFailure } = checkedOptions<FailureMode>(options, ['fail', 'skip', 'collect']);
    this.each = each;
    this.maxConcurrency = maxConcurrency;
    this.onFailure = onFailure;
  }

  override reflectConfig(): JsonObject {
    return { maxConcurrency: this.maxConcurrency, onFailure: this.onFailure };
  }

  /** @throws `program/input-invalid`, and with `fail` what the first failed item threw */
  override async forward(input: readonly InputOf<M>[], run: Run): Promise<MapOutput<OutputOf<M>, Mode>> {
    const { each, maxConcurrency, onFailure } = this;
    const items = checkedItems(input);
    const plan = { count: items.length, maxConcurrency, around: [run.signal] };
    const outcomes = await settleParts<OutputOf<M>>(plan, onFailure, (index, signal) =>
      each.call(items[index] as never, { signal }),
    );
    return told(outcomes, onFailure) as MapOutput<OutputOf<M>, Mode>;
  }
}

/**
 * A module that takes a list and gives a list in the same order; its part is called `each`.
 * @throws `program/composition-invalid`
 */
export function map<M extends Module, Mode extends FailureMode = 'fail'>(
  each: M,
  options: ComposeOptions<Mode> = {},
): MapEach<M, Mode> {
  return new MapEach(each, options);
}

function told<T>(outcomes: readonly Settled<T>[], mode: FailureMode): T[] | PartOutcome<T>[] {
  if (mode !== 'collect') return outcomes.flatMap((outcome) => (outcome.ok ? [outcome.value] : []));
  return outcomes.map(toPartOutcome);
}

function checkedItems<T>(items: readonly T[]): readonly T[] {
  const { composedItems } = programLimits;
  if (Array.isArray(items) && items.length <= composedItems) return items;
  const found = Array.isArray(items) ? `a list of ${items.length}` : typeof items;
  throw new CodedError(
    'program/input-invalid',
    `the input is ${found}, expected a list of at most ${composedItems} items`,
    { fields: { expected: [`a list of at most ${composedItems} items`] } },
  );
}
