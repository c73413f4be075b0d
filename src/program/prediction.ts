/** What a predictor answered: the fields of the first completion as properties, and all completions. Immutable. */
import { CodedError } from '../base/index.ts';
import type { LmUsage } from '../lm/index.ts';
import { FieldRecord } from './field-record.ts';
import type { Fields } from './field-record.ts';
import { giveBrand, hasBrand } from './kind.ts';

const predictionBrand: unique symbol = Symbol.for('vivarium.prediction');

/** Tokens by model name. */
export type UsageByModel = Readonly<Record<string, LmUsage>>;

/** A prediction with its fields as properties: `prediction.answer`. */
export type Prediction<F = Fields> = PredictionRecord<F> & Readonly<Omit<F, keyof PredictionRecord<F>>>;

export class PredictionRecord<F = Fields> extends FieldRecord<F> {
  static {
    giveBrand(this.prototype, predictionBrand);
  }

  readonly #completions: Completions<F> | undefined;
  #lmUsage: UsageByModel | undefined;

  constructor(fields: F | FieldRecord<F>, completions?: Completions<F>) {
    super(fields);
    this.#completions = completions;
  }

  /** The first completion's fields, with all completions kept. @throws `program/completions-invalid` */
  static fromCompletions<F>(completions: CompletionsInput<F>): Prediction<F> {
    const all = new Completions<F>(completions);
    return new PredictionRecord(all.fieldsAt(0), all) as Prediction<F>;
  }

  /** All answers; undefined for a prediction that was made by hand. */
  get completions(): Completions<F> | undefined {
    return this.#completions;
  }

  /** Tokens that the outermost call used to make this; undefined until that call has ended. */
  get lmUsage(): UsageByModel | undefined {
    return this.#lmUsage;
  }

  setLmUsage(usage: UsageByModel): void {
    this.#lmUsage = usage;
  }

  /** A copy with some fields changed or added. */
  copy<Changes extends Fields = Record<never, never>>(
    changes?: Changes,
  ): Prediction<Omit<F, keyof Changes> & Changes> {
    const fields = { ...this.fields, ...changes } as unknown as Omit<F, keyof Changes> & Changes;
    return new PredictionRecord(fields) as Prediction<Omit<F, keyof Changes> & Changes>;
  }

  /** As a number: the field `score`, so that predictions can be added and ordered. @throws `program/score-missing` */
  [Symbol.toPrimitive](hint: 'number' | 'string' | 'default'): number | string {
    if (hint === 'string') return `Prediction(${JSON.stringify(this)})`;
    const score: unknown = this.get('score');
    const value = score === undefined || score === null ? NaN : Number(score);
    if (!Number.isNaN(value)) return value;
    throw new CodedError(
      'program/score-missing',
      'a prediction is a number only through a numeric field score',
      {
        fields: { expected: 'a field score', names: Object.keys(this.fields as object) },
      },
    );
  }
}

/** One record for each completion, or one list for each field. */
export type CompletionsInput<F> = readonly F[] | { readonly [Name in keyof F]: readonly F[Name][] };

/** Several answers to one question. */
export class Completions<F = Fields> {
  readonly #records: readonly F[];

  /** @throws `program/completions-invalid` when empty, or when lists differ in length. */
  constructor(completions: CompletionsInput<F>) {
    this.#records = Array.isArray(completions)
      ? [...(completions as readonly F[])]
      : rowsOf<F>(completions as object);
    if (this.#records.length === 0) throw invalid('at least one completion is needed');
  }

  get length(): number {
    return this.#records.length;
  }

  /** @throws `program/completion-not-found` */
  at(index: number): Prediction<F> {
    return new PredictionRecord(this.fieldsAt(index)) as Prediction<F>;
  }

  /** The fields of one completion. @throws `program/completion-not-found` */
  fieldsAt(index: number): F {
    const record = this.#records[index];
    if (record !== undefined) return record;
    throw new CodedError(
      'program/completion-not-found',
      `there is no completion ${index}, only ${this.length}`,
      {
        fields: { index, length: this.length },
      },
    );
  }

  /** The values of one field, one for each completion. */
  field<Name extends keyof F>(name: Name): F[Name][] {
    return this.#records.map((record) => record[name]);
  }

  *[Symbol.iterator](): IterableIterator<Prediction<F>> {
    for (let index = 0; index < this.length; index += 1) yield this.at(index);
  }
}

function rowsOf<F>(columns: object): F[] {
  const entries = Object.entries(columns) as [string, unknown][];
  if (!entries.every(([, list]) => Array.isArray(list))) throw invalid('all values must be lists');
  const lists = entries as [string, readonly unknown[]][];
  const length = lists[0]?.[1].length ?? 0;
  if (!lists.every(([, list]) => list.length === length))
    throw invalid('all lists must have the same length');
  return Array.from(
    { length },
    (_, index) => Object.fromEntries(lists.map(([name, list]) => [name, list[index]])) as F,
  );
}

function invalid(problem: string): CodedError {
  return new CodedError('program/completions-invalid', problem, { fields: { expected: problem } });
}

interface PredictionConstructor {
  new <F extends Fields>(fields: F): Prediction<F>;
  /** The first completion's fields, with all completions kept. @throws `program/completions-invalid` */
  fromCompletions<F>(completions: CompletionsInput<F>): Prediction<F>;
}

/** `new Prediction({ answer: 'a' })`: an answer made by hand. */
export const Prediction: PredictionConstructor = PredictionRecord as never;

/** True for predictions of this or another copy of the library. */
export function isPrediction(value: unknown): value is Prediction {
  return hasBrand(value, predictionBrand);
}
