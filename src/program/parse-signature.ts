/** From a text such as `question, k: int -> answer: list[str]` to a signature. */
import type { PythonTypeOptions } from './parse-python-type.ts';
import type { InputsOf, OutputsOf } from './signature-types.ts';
import { Signature } from './signature.ts';

export type SignatureOptions = PythonTypeOptions;

/**
 * Without instructions a sentence that names the fields is made.
 * @throws `program/signature-invalid` with the place and what was expected there.
 */
export function parseSignature<const S extends string>(
  text: S,
  instructions?: string,
  options: SignatureOptions = {},
): Signature<InputsOf<S>, OutputsOf<S>> {
  void options;
  return new Signature({ instructions, fields: [] });
}
