/** One row of data for training and evaluation: fields, some of them marked as inputs. Immutable. */
import { CodedError } from '../base/index.ts';
import { FieldRecord } from './field-record.ts';
import type { Fields } from './field-record.ts';
import { giveBrand, hasBrand } from './kind.ts';

const exampleBrand: unique symbol = Symbol.for('vivarium.example');

/** An example with its fields as properties: `new Example({ question: 'q' }).question`. */
export type Example<F = Fields> = ExampleRecord<F> & Readonly<Omit<F, keyof ExampleRecord<F>>>;

export class ExampleRecord<F = Fields> extends FieldRecord<F> {
  static {
    giveBrand(this.prototype, exampleBrand);
  }

  readonly #inputKeys: ReadonlySet<string> | undefined;

  constructor(fields: F | FieldRecord<F>, inputKeys?: Iterable<string>) {
    super(fields);
    const inherited = isExample(fields) ? fields.inputKeys : undefined;
    const keys = inputKeys ?? inherited;
    this.#inputKeys = keys === undefined ? undefined : new Set([...keys].filter((key) => this.has(key)));
  }

  /** The marked inputs; undefined when none were ever marked. */
  get inputKeys(): readonly string[] | undefined {
    return this.#inputKeys === undefined ? undefined : [...this.#inputKeys];
  }

  /**
   * A copy with exactly these fields marked as inputs.
   * @throws `program/field-missing` for a name that is not a field.
   */
  withInputs(...names: readonly (keyof F & string)[]): Example<F> {
    const missing = names.find((name) => !this.has(name));
    if (missing !== undefined) {
      const known = Object.keys(this.fields as object);
      throw new CodedError(
        'program/field-missing',
        `there is no field '${missing}'; the fields are: ${known.join(', ')}`,
        {
          fields: { field: missing, expected: known },
        },
      );
    }
    return makeExample(this.fields, names);
  }

  /** Only the inputs, still marked. @throws `program/inputs-not-marked` */
  inputs(): Example<Partial<F>> {
    const marked = this.#marked();
    return makeExample(
      this.#pick((name) => marked.has(name)),
      marked,
    );
  }

  /** The fields that are not inputs. @throws `program/inputs-not-marked` */
  labels(): Example<Partial<F>> {
    const marked = this.#marked();
    return makeExample(this.#pick((name) => !marked.has(name)));
  }

  /** A copy with some fields changed or added. Marked inputs stay marked; DSPy 3.3.1 loses them here. */
  copy<Changes extends Fields = Record<never, never>>(
    changes?: Changes,
  ): Example<Omit<F, keyof Changes> & Changes> {
    const fields = { ...this.fields, ...changes } as unknown as Omit<F, keyof Changes> & Changes;
    return makeExample(fields, this.#inputKeys);
  }

  /** A copy without these fields; the other inputs stay marked. */
  without<Name extends keyof F & string>(...names: readonly Name[]): Example<Omit<F, Name>> {
    const left = this.#pick((name) => !(names as readonly string[]).includes(name));
    return makeExample(left as Omit<F, Name>, this.#inputKeys);
  }

  #marked(): ReadonlySet<string> {
    if (this.#inputKeys) return this.#inputKeys;
    throw new CodedError(
      'program/inputs-not-marked',
      'no inputs are marked; use example.withInputs(…) to mark them',
    );
  }

  #pick(accepts: (name: string) => boolean): Partial<F> {
    const entries = Object.entries(this.fields as object).filter(([name]) => accepts(name));
    return Object.fromEntries(entries) as Partial<F>;
  }
}

function makeExample<F>(fields: F, inputKeys?: Iterable<string>): Example<F> {
  return new ExampleRecord(fields, inputKeys) as Example<F>;
}

/** `new Example({ question: 'q', answer: 'a' })`, or from another example, whose marked inputs are kept. */
export const Example: new <F extends Fields>(fields: F | ExampleRecord<F>) => Example<F> =
  ExampleRecord as never;

/** True for examples of this or another copy of the library. */
export function isExample(value: unknown): value is Example {
  return hasBrand(value, exampleBrand);
}
