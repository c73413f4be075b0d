/** How a signature becomes messages for a language model, and how its answer becomes values. */
import type { LmMessage } from '../../lm/index.ts';
import type { Signature } from '../signature.ts';

/** A worked example: values by field name. An absent name is not the same as null. */
export type Demo = Readonly<Record<string, unknown>>;

export interface Adapter {
  readonly name: string;
  /**
   * The messages of one call: system, demos, then the inputs. Inputs that are absent are left out.
   * @throws `program/value-unsupported` for a value that has no text.
   */
  format(
    signature: Signature,
    demos: readonly Demo[],
    inputs: Readonly<Record<string, unknown>>,
  ): readonly LmMessage[];
  /**
   * The output values in the order of the signature.
   * @throws `program/adapter-parse-failed` when a field is missing or its text does not fit its type.
   */
  parse(signature: Signature, completion: string): Record<string, unknown>;
}
