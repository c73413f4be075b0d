/** A signature as the text that parses back to it. */
import type { Field } from './field.ts';
import { printPythonType } from './print-python-type.ts';
import type { Signature } from './signature.ts';

/**
 * Names and types, such as `question, k: int -> answer: list[str]`. Instructions, descriptions and prefixes are not in it;
 * enums and custom types need their `customTypes` to be read again.
 */
export function printSignature(signature: Signature): string {
  const print = (fields: readonly Field[]): string => fields.map(printField).join(', ');
  return `${print(signature.inputFields)} -> ${print(signature.outputFields)}`;
}

function printField(field: Field): string {
  return field.isTypeUndefined ? field.name : `${field.name}: ${printPythonType(field.type)}`;
}
