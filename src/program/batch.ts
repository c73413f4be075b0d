/** One module for many examples: DSPy's `batch`. */
import { CodedError, isCodedError, messageOf } from '../base/index.ts';
import { checkedOptions } from './compose/options.ts';
import { settleEach } from './compose/settle-each.ts';
import type { Settled } from './compose/settle-each.ts';
import { isExample } from './example.ts';
import { isFieldRecord } from './field-record.ts';
import type { FieldRecord } from './field-record.ts';
import { programLimits } from './limits.ts';
import type { CallSettings } from './settings.ts';
import { linkOf } from './view.ts';

/** An example with marked inputs, or an input as it is. */
export type BatchItem<Input> = Input | FieldRecord<unknown>;

export interface BatchProgress {
  readonly done: number;
  readonly total: number;
  readonly errors: number;
}

/** With the settings of each call: `timeoutMs` is for each example, `signal` ends the batch. */
export interface BatchOptions extends CallSettings {
  /** Examples at a time; DSPy's `num_threads`. Default 8; at most 1,024. */
  readonly maxConcurrency?: number | undefined;
  /** The failure with this number ends the batch; 0 counts as 1. Default 10, as in DSPy. */
  readonly maxErrors?: number | undefined;
  /** Answers with {@link BatchResult}. Default false. */
  readonly returnFailedExamples?: boolean | undefined;
  /** After each example. When it throws, that is passed over. */
  readonly onProgress?: ((progress: BatchProgress) => void) | undefined;
}

/** In the order of the examples. */
export interface BatchResult<Item, Output> {
  /** Undefined where the example failed. */
  readonly outputs: readonly (Output | undefined)[];
  readonly failedExamples: readonly Item[];
  /** What was thrown, one for each failed example. */
  readonly errors: readonly unknown[];
}

/** What {@link batchModule} needs to know of a module. */
interface Callable<Output> {
  call(input: unknown, settings: CallSettings): Promise<Output>;
}

/**
 * Each example is a call of its own: when the module is a view, inside that run; else at the top.
 * @throws `program/batch-failed` after `maxErrors` failures, `program/inputs-not-marked`, `program/input-invalid`,
 * `program/composition-invalid`, `port/cancelled`
 */
export async function batchModule<Item, Output>(
  module: Callable<Output>,
  items: readonly Item[],
  options: BatchOptions,
): Promise<BatchResult<Item, Output>> {
  const {
    maxConcurrency,
    maxErrors = 10,
    returnFailedExamples: _,
    onProgress,
    signal,
    ...settings
  } = options;
  const plan = checkedOptions({ maxConcurrency }, ['skip']);
  assertMaxErrors(maxErrors);
  const inputs = inputsOf(items);
  const counts = { done: 0, total: inputs.length, errors: 0 };
  const stopsAfter = ({ ok }: Settled<Output>): boolean => {
    counts.done += 1;
    if (!ok) counts.errors += 1;
    tell(onProgress, { ...counts });
    return !ok && counts.errors >= maxErrors;
  };
  const around = [signal, linkOf(module)?.scope.run?.signal];
  const { outcomes, stoppedBy } = await settleEach<Output>(
    { count: inputs.length, maxConcurrency: plan.maxConcurrency, around, stopsAfter },
    (index, inner) => module.call(inputs[index], { ...settings, signal: inner }),
  );
  if (stoppedBy && !stoppedBy.ok) throw tooMany(counts, maxErrors, stoppedBy.error);
  const failed = outcomes.flatMap((outcome, index) =>
    outcome && !outcome.ok ? [{ item: items[index] as Item, error: outcome.error }] : [],
  );
  return {
    outputs: outcomes.map((outcome) => (outcome?.ok ? outcome.value : undefined)),
    failedExamples: failed.map(({ item }) => item),
    errors: failed.map(({ error }) => error),
  };
}

function inputsOf(items: unknown): unknown[] {
  const { composedItems } = programLimits;
  if (!Array.isArray(items) || items.length > composedItems) {
    const found = Array.isArray(items) ? `a list of ${items.length}` : typeof items;
    throw new CodedError(
      'program/input-invalid',
      `the examples are ${found}, expected a list of at most ${composedItems}`,
      { fields: { expected: [`a list of at most ${composedItems} examples`] } },
    );
  }
  return items.map((item: unknown) => {
    if (isExample(item)) return item.inputs().fields;
    return isFieldRecord(item) ? item.fields : item;
  });
}

function assertMaxErrors(maxErrors: number): void {
  if (maxErrors >= 0) return;
  throw new CodedError('program/settings-invalid', `maxErrors is ${maxErrors}, expected 0 or more`, {
    fields: { name: 'maxErrors', value: String(maxErrors) },
  });
}

function tell(onProgress: BatchOptions['onProgress'], progress: BatchProgress): void {
  try {
    onProgress?.(progress);
  } catch {
    // a broken bar is no reason to lose the answers
  }
}

function tooMany({ done, total, errors }: BatchProgress, maxErrors: number, last: unknown): CodedError {
  return new CodedError(
    'program/batch-failed',
    `the batch ended after ${errors} failures, ${done} of ${total} examples; the last: ${messageOf(last)}`,
    {
      fields: { errors, maxErrors: String(maxErrors), done, total },
      cause: last,
      isRetryable: isCodedError(last) && last.isRetryable,
    },
  );
}
