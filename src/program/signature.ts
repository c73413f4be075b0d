/** What a predictor is asked to do: named, typed inputs and outputs, and instructions. Immutable: every change is a new signature. */
import { CodedError } from '../base/index.ts';
import { createField, toPythonType } from './field.ts';
import type { Field, FieldChanges, FieldKind, FieldSpec } from './field.ts';
import { cleanDocumentation } from './python-text.ts';
import type { PythonType } from './python-type.ts';
import type { ValueOf } from './signature-types.ts';

/** The stored form, with DSPy's names. Fields are told apart by their position. */
export interface SignatureState {
  readonly instructions: string;
  readonly fields: readonly { readonly prefix: string; readonly description: string }[];
}

export interface SignatureParts {
  /** Default `StringSignature`. */
  readonly name?: string;
  /** Absent or empty: a sentence that names the fields. */
  readonly instructions?: string | undefined;
  /** The empty text stays empty: a saved program may say so. */
  readonly keepsEmptyInstructions?: true;
  readonly fields: readonly Field[];
}

type SpecValue<Spec extends FieldSpec> = Spec extends { readonly type: infer Type extends string }
  ? ValueOf<Type>
  : Spec extends { readonly type: PythonType }
    ? unknown
    : string;

/** `Known` with the new field added when its kind is `Kind`. */
export type WithField<
  Known,
  Kind extends FieldKind,
  Name extends string,
  Spec extends FieldSpec,
> = Spec['kind'] extends Kind
  ? { [Key in keyof Known | Name]: Key extends Name ? SpecValue<Spec> : Known[Key & keyof Known] }
  : Known;

const marker: unique symbol = Symbol.for('vivarium.signature');

export class Signature<Inputs = Record<string, unknown>, Outputs = Record<string, unknown>> {
  /** Types only: these members never exist. */
  declare readonly inputsType?: Inputs;
  declare readonly outputsType?: Outputs;
  readonly name: string;
  /** With the indentation of a Python docstring removed. */
  readonly instructions: string;
  /** Inputs, then outputs. */
  readonly fields: readonly Field[];
  readonly inputFields: readonly Field[];
  readonly outputFields: readonly Field[];

  /** @throws `program/signature-invalid` when two fields have one name. */
  constructor(parts: SignatureParts) {
    Object.defineProperty(this, marker, { value: true });
    this.name = parts.name ?? 'StringSignature';
    this.inputFields = parts.fields.filter((field) => field.kind === 'input');
    this.outputFields = parts.fields.filter((field) => field.kind === 'output');
    this.fields = [...this.inputFields, ...this.outputFields];
    assertDistinct(this.fields);
    this.instructions = cleanDocumentation(this.#instructionsOf(parts));
    for (const list of [this.inputFields, this.outputFields, this.fields]) Object.freeze(list);
    Object.freeze(this);
  }

  /** Such as `question, context -> answer`: names without types. */
  get text(): string {
    return `${namesOf(this.inputFields)} -> ${namesOf(this.outputFields)}`;
  }

  field(name: string): Field | undefined {
    return this.fields.find((field) => field.name === name);
  }

  withInstructions(instructions: string): Signature<Inputs, Outputs> {
    return new Signature({ name: this.name, instructions, fields: this.fields });
  }

  /** Adds a paragraph after the present instructions. */
  appendInstructions(instructions: string): Signature<Inputs, Outputs> {
    return this.withInstructions(`${this.instructions}\n\n${instructions}`);
  }

  /**
   * Changes one field. The TypeScript types stay as they were, so a new `type` is seen at run time only.
   * @throws `program/field-missing` when there is no such field.
   */
  withUpdatedFields(name: string, changes: FieldChanges): Signature<Inputs, Outputs> {
    if (this.field(name) === undefined) throw fieldMissing(name, this.fields);
    const { type, ...texts } = changes;
    const change = { ...texts, ...(type === undefined ? {} : { type: toPythonType(type) }) };
    const fields = this.fields.map((field) =>
      field.name === name ? Object.freeze({ ...field, ...change }) : field,
    );
    return this.withFields(fields);
  }

  /** A new field before the others of its kind. */
  prepend<const Name extends string, const Spec extends FieldSpec>(
    name: Name,
    spec: Spec,
  ): Signature<WithField<Inputs, 'input', Name, Spec>, WithField<Outputs, 'output', Name, Spec>> {
    return this.insert(0, name, spec);
  }

  /** A new field after the others of its kind. */
  append<const Name extends string, const Spec extends FieldSpec>(
    name: Name,
    spec: Spec,
  ): Signature<WithField<Inputs, 'input', Name, Spec>, WithField<Outputs, 'output', Name, Spec>> {
    return this.insert(-1, name, spec);
  }

  /**
   * A new field at a position among those of its kind; -1 is behind the last. A field of that name moves there and is replaced.
   * @throws `program/signature-invalid` for a position outside the list.
   */
  insert<const Name extends string, const Spec extends FieldSpec>(
    position: number,
    name: Name,
    spec: Spec,
  ): Signature<WithField<Inputs, 'input', Name, Spec>, WithField<Outputs, 'output', Name, Spec>> {
    const list = spec.kind === 'input' ? [...this.inputFields] : [...this.outputFields];
    const others = spec.kind === 'input' ? this.outputFields : this.inputFields;
    const index = position < 0 ? position + list.length + 1 : position;
    if (!Number.isInteger(index) || index < 0 || index > list.length)
      throw positionInvalid(index, list.length, spec.kind);
    list.splice(index, 0, createField(name, spec));
    return this.withFields([
      ...lastOfEachName(list, index),
      ...others.filter((field) => field.name !== name),
    ]);
  }

  /** Without that field; the same signature again when there is none. */
  delete<const Name extends string>(name: Name): Signature<Omit<Inputs, Name>, Omit<Outputs, Name>> {
    return this.withFields(this.fields.filter((field) => field.name !== name));
  }

  /** Same instructions, and fields with the same names, kinds, prefixes, descriptions and constraints. Types are not compared, as in DSPy. */
  equals(other: Signature): boolean {
    if (this.instructions !== other.instructions || this.fields.length !== other.fields.length) return false;
    return this.fields.every((field) => {
      const twin = other.field(field.name);
      return twin !== undefined && comparedMembers.every((member) => field[member] === twin[member]);
    });
  }

  dumpState(): SignatureState {
    const fields = this.fields.map(({ prefix, description }) => ({ prefix, description }));
    return { instructions: this.instructions, fields };
  }

  /** Takes instructions, prefixes and descriptions. Fields are matched by position; what is too long on either side is left. */
  loadState(state: SignatureState): Signature<Inputs, Outputs> {
    const fields = this.fields.map((field, index) =>
      Object.freeze({ ...field, ...textsOf(state.fields[index]) }),
    );
    return new Signature({
      name: this.name,
      instructions: state.instructions,
      fields,
      keepsEmptyInstructions: true,
    });
  }

  #instructionsOf({ instructions = '', keepsEmptyInstructions }: SignatureParts): string {
    if (instructions !== '' || keepsEmptyInstructions === true) return instructions;
    return defaultInstructions(this.inputFields, this.outputFields);
  }

  private withFields<NewInputs, NewOutputs>(fields: readonly Field[]): Signature<NewInputs, NewOutputs> {
    return new Signature({ name: this.name, instructions: this.instructions, fields });
  }
}

/** True for signatures of this or another copy of the library. */
export function isSignature(value: unknown): value is Signature {
  return typeof value === 'object' && value !== null && marker in value;
}

const comparedMembers = ['kind', 'prefix', 'description', 'constraints', 'isTypeUndefined'] as const;

function textsOf(
  saved: SignatureState['fields'][number] | undefined,
): Pick<Field, 'prefix' | 'description'> | undefined {
  return saved === undefined ? undefined : { prefix: saved.prefix, description: saved.description };
}

function lastOfEachName(fields: readonly Field[], keptIndex: number): Field[] {
  const kept = fields[keptIndex];
  return fields.filter((field) => field === kept || field.name !== kept?.name);
}

function namesOf(fields: readonly Field[]): string {
  return fields.map((field) => field.name).join(', ');
}

function defaultInstructions(inputs: readonly Field[], outputs: readonly Field[]): string {
  const quoted = (fields: readonly Field[]): string => fields.map((field) => `\`${field.name}\``).join(', ');
  return `Given the fields ${quoted(inputs)}, produce the fields ${quoted(outputs)}.`;
}

function assertDistinct(fields: readonly Field[]): void {
  const names = fields.map((field) => field.name);
  const repeated = [...new Set(names.filter((name, index) => names.indexOf(name) !== index))].toSorted();
  if (repeated.length === 0) return;
  throw new CodedError(
    'program/signature-invalid',
    `Input and output fields must have distinct names, but found duplicates: '${repeated.join(', ')}'.`,
    { fields: { names: repeated, expected: 'distinct names' } },
  );
}

function fieldMissing(name: string, fields: readonly Field[]): CodedError {
  const known = fields.map((field) => field.name);
  return new CodedError(
    'program/field-missing',
    `There is no field '${name}'; the fields are: ${known.join(', ')}.`,
    {
      fields: { field: name, expected: known },
    },
  );
}

function positionInvalid(index: number, length: number, kind: FieldKind): CodedError {
  return new CodedError(
    'program/signature-invalid',
    `Invalid index to insert: ${index}, index must be in the range of [${length - 1}, ${length}] for ${kind} fields, but received: ${index}.`,
    { fields: { position: index, kind, expected: `0 to ${length}` } },
  );
}
