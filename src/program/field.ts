/** One input or output of a signature. */
import { inferPrefix } from './infer-prefix.ts';
import { parsePythonType } from './parse-python-type.ts';
import { stringType } from './python-type.ts';
import type { PythonType } from './python-type.ts';

export type FieldKind = 'input' | 'output';

export interface Field {
  readonly name: string;
  readonly kind: FieldKind;
  readonly type: PythonType;
  /** True for inputs of a string signature that were written without a type; DSPy says it of no other field. */
  readonly isTypeUndefined: boolean;
  /** Such as `Question:`. Kept for saved programs; chat prompts do not print it. */
  readonly prefix: string;
  /** `${name}` means that there is no description. */
  readonly description: string;
  /** Text such as `greater than: 0`, printed beneath the field. */
  readonly constraints?: string;
}

/** What is said about a new field. `type` may be the text of an annotation, such as `list[str]`; the default is `str`. */
export interface FieldSpec {
  readonly kind: FieldKind;
  readonly type?: PythonType | string;
  readonly description?: string;
  readonly prefix?: string;
  readonly constraints?: string;
}

/** What `withUpdatedFields` may change. */
export interface FieldChanges {
  readonly type?: PythonType | string;
  readonly description?: string;
  readonly prefix?: string;
  readonly constraints?: string;
}

/** A field with DSPy's defaults: the prefix is made of the name, the description says nothing. */
export function createField(name: string, spec: FieldSpec): Field {
  return Object.freeze({
    name,
    kind: spec.kind,
    type: spec.type === undefined ? stringType : toPythonType(spec.type),
    isTypeUndefined: false,
    prefix: spec.prefix ?? `${inferPrefix(name)}:`,
    description: spec.description ?? `\${${name}}`,
    ...(spec.constraints === undefined ? {} : { constraints: spec.constraints }),
  });
}

/** @throws `program/signature-invalid` for a text that is no annotation. */
export function toPythonType(type: PythonType | string): PythonType {
  return typeof type === 'string' ? parsePythonType(type) : type;
}
