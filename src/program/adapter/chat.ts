/**
 * The chat format of DSPy 3.3.1, byte for byte: fields between `[[ ## name ## ]]` headers, worked examples as earlier
 * turns. Texts that mark custom types in DSPy are not expanded: they stay text.
 */
import { CodedError, isCodedError, messageOf } from '../../base/index.ts';
import type { Json } from '../../base/index.ts';
import type { LmMessage } from '../../lm/index.ts';
import type { Field } from '../field.ts';
import { parseValue } from '../parse-value.ts';
import { literalText, typeNameOf } from '../print-python-type.ts';
import { printSchema } from '../python-schema.ts';
import { dedent, splitLines, strip } from '../python-text.ts';
import { allowsNone, isStringType } from '../python-type.ts';
import type { Signature } from '../signature.ts';
import type { Adapter, Demo } from './adapter.ts';
import { printFieldValue } from './field-value.ts';

const adapterName = 'ChatAdapter';
const completedHeader = '[[ ## completed ## ]]';
const incompletePrefix =
  'This is an example of the task, though some input or output fields are not supplied.';
const missingInIncomplete = 'Not supplied for this particular example. ';
const header = /^\[\[ ## ([\p{L}\p{N}_]+) ## \]\]/u;

/** The longest answer that is read, in UTF-16 units; a longer one is refused unread. */
export const maxCompletionLength = 4_000_000;

type Values = Readonly<Record<string, unknown>>;

/** Formats and parses as DSPy's `ChatAdapter`. Has no state: one instance serves any number of calls. */
export class ChatAdapter implements Adapter {
  readonly name: string = adapterName;

  /** @throws `program/value-unsupported` or `program/type-unsupported` for what has no text. */
  format(signature: Signature, demos: readonly Demo[], inputs: Values): readonly LmMessage[] {
    const request = userTurn(signature, inputs, '', outputReminder(signature));
    return [
      { role: 'system', content: systemText(signature) },
      ...demoTurns(signature, demos),
      ...(request === '' ? [] : [{ role: 'user' as const, content: request }]),
    ];
  }

  /** @throws `program/adapter-parse-failed` with the answer and the fields that were found. */
  parse(signature: Signature, completion: string): Record<string, unknown> {
    if (completion.length > maxCompletionLength) throw tooLong(signature, completion);
    const found = new Map<string, unknown>();
    for (const [name, text] of sectionsOf(completion)) {
      const field = signature.outputFields.find((output) => output.name === name);
      if (field !== undefined && !found.has(name))
        found.set(name, this.#value(signature, completion, field, text));
    }
    for (const field of signature.outputFields) {
      if (!found.has(field.name) && allowsNone(field.type)) found.set(field.name, null);
    }
    const missing = signature.outputFields.filter((field) => !found.has(field.name));
    if (missing.length > 0) throw parseFailed(signature, completion, { found, missing });
    return Object.fromEntries(signature.outputFields.map((field) => [field.name, found.get(field.name)]));
  }

  #value(signature: Signature, completion: string, field: Field, text: string): unknown {
    try {
      return parseValue(text, field.type);
    } catch (thrown) {
      if (!isCodedError(thrown)) throw thrown;
      const reason = `Failed to parse field ${field.name} with value ${text} from the LM response. Error message: ${messageOf(thrown)}`;
      throw parseFailed(signature, completion, { reason, field: field.name, cause: thrown });
    }
  }
}

function systemText(signature: Signature): string {
  const structure = [
    'All interactions will be structured in the following way, with the appropriate values filled in.',
    sections(signature.inputFields.map((field) => [field.name, `{${field.name}}`])),
    sections(signature.outputFields.map((field) => [field.name, `{${field.name}}${outputNote(field)}`])),
    completedHeader,
  ];
  const objective = splitLines(dedent(signature.instructions)).map((line) => `\n        ${line}`);
  return [
    `Your input fields are:\n${fieldList(signature.inputFields)}`,
    `Your output fields are:\n${fieldList(signature.outputFields)}`,
    strip(structure.join('\n\n')),
    `In adhering to this structure, your objective is: ${objective.join('')}`,
  ].join('\n');
}

function fieldList(fields: readonly Field[]): string {
  const lines = fields.map((field, index) => {
    const description = field.description === `\${${field.name}}` ? '' : field.description;
    const constraints =
      field.constraints === undefined || field.constraints === ''
        ? ''
        : `\nConstraints: ${field.constraints}`;
    const line = `${index + 1}. \`${field.name}\` (${typeNameOf(field.type)}): ${description}`;
    return `${line}${typeDescriptions(field)}${constraints}`;
  });
  return strip(lines.join('\n'));
}

function typeDescriptions(field: Field): string {
  if (field.type.kind !== 'custom' || field.type.description === undefined) return '';
  return `\n    Type description of ${field.type.name}: ${field.type.description}`;
}

/** What the model is told about the form of an output, behind eight blanks. */
function outputNote(field: Field): string {
  const rule = outputRule(field);
  return rule === '' ? '' : `        # note: the value you produce ${rule}`;
}

function outputRule({ type }: Field): string {
  if (isStringType(type)) return '';
  if (type.kind === 'scalar' && type.name === 'bool') return 'must be True or False';
  if (type.kind === 'scalar' && (type.name === 'int' || type.name === 'float'))
    return `must be a single ${type.name} value`;
  if (type.kind === 'enum') return `must be one of: ${type.members.map((member) => member.value).join('; ')}`;
  if (type.kind === 'literal')
    return `must exactly match (no extra characters) one of: ${type.values.map(literalText).join('; ')}`;
  return `must adhere to the JSON schema: ${printSchema(type)}`;
}

function outputReminder(signature: Signature): string {
  const names = signature.outputFields.map((field) => {
    const type = isStringType(field.type)
      ? ''
      : ` (must be formatted as a valid Python ${typeNameOf(field.type)})`;
    return `\`[[ ## ${field.name} ## ]]\`${type}`;
  });
  return `Respond with the corresponding output fields, starting with the field ${names.join(', then ')}, and then ending with the marker for \`${completedHeader}\`.`;
}

function demoTurns(signature: Signature, demos: readonly Demo[]): LmMessage[] {
  const complete = demos.filter((demo) =>
    signature.fields.every((field) => has(demo, field) && demo[field.name] !== null),
  );
  const incomplete = demos.filter((demo) => !complete.includes(demo) && isPartial(signature, demo));
  return [
    ...incomplete.flatMap((demo) => turnPair(signature, demo, incompletePrefix)),
    ...complete.flatMap((demo) => turnPair(signature, demo, '')),
  ];
}

/** Of a demo that lacks something, at least one input and one output must be there. */
function isPartial(signature: Signature, demo: Demo): boolean {
  return (
    signature.inputFields.some((field) => has(demo, field)) &&
    signature.outputFields.some((field) => has(demo, field))
  );
}

function turnPair(signature: Signature, demo: Demo, prefix: string): LmMessage[] {
  const outputs = signature.outputFields.map((field): readonly [string, string] => [
    field.name,
    has(demo, field) ? printFieldValue(field, demo[field.name]) : missingInIncomplete,
  ]);
  return [
    { role: 'user', content: userTurn(signature, demo, prefix, '') },
    { role: 'assistant', content: `${sections(outputs)}\n\n${completedHeader}\n` },
  ];
}

function userTurn(signature: Signature, values: Values, prefix: string, reminder: string): string {
  const inputs = signature.inputFields
    .filter((field) => has(values, field))
    .map((field) => `[[ ## ${field.name} ## ]]\n${printFieldValue(field, values[field.name])}`);
  return strip([prefix, ...inputs, reminder].join('\n\n'));
}

function sections(texts: readonly (readonly [name: string, text: string])[]): string {
  return strip(texts.map(([name, text]) => `[[ ## ${name} ## ]]\n${text}`).join('\n\n'));
}

/** Absent is not null: an input that is undefined was not supplied. */
function has(values: Values, field: Field): boolean {
  return Object.hasOwn(values, field.name) && values[field.name] !== undefined;
}

/**
 * The texts under each header, in order. A header stands at the start of a line, white space aside; what follows it on
 * its line is content, cut at the header's length from the line as it came, so an indented header leaves a rest, as in DSPy.
 */
function sectionsOf(completion: string): (readonly [name: string, text: string])[] {
  const found: { name: string; lines: string[] }[] = [];
  for (const line of splitLines(completion)) {
    const match = header.exec(strip(line));
    if (match === null) found.at(-1)?.lines.push(line);
    else {
      const rest = strip(line.slice(match[0].length));
      found.push({ name: match[1] ?? '', lines: rest === '' ? [] : [rest] });
    }
  }
  return found.map(({ name, lines }) => [name, strip(lines.join('\n'))]);
}

interface ParseFailure {
  /** Why, when a value did not fit; absent when fields are missing. */
  readonly reason?: string;
  readonly field?: string;
  readonly found?: ReadonlyMap<string, unknown>;
  readonly missing?: readonly Field[];
  readonly cause?: unknown;
}

function parseFailed(signature: Signature, response: string, failure: ParseFailure): CodedError {
  const expected = signature.outputFields.map((field) => field.name);
  const parsed = signature.outputFields
    .filter((field) => failure.found?.has(field.name))
    .map((field) => field.name);
  const reason = failure.reason === undefined ? '' : `${failure.reason}\n\n`;
  const actual =
    failure.found === undefined
      ? ''
      : `Actual output fields parsed from the LM response: [${parsed.join(', ')}] \n\n`;
  const message =
    `${reason}Adapter ${adapterName} failed to parse the LM response. \n\nLM Response: ${response} \n\n` +
    `Expected to find output fields in the LM response: [${expected.join(', ')}] \n\n${actual}`;
  const fields: Record<string, Json> = {
    adapter: adapterName,
    signature: signature.text,
    response,
    expected,
    parsed,
  };
  if (failure.field !== undefined) fields['field'] = failure.field;
  if (failure.missing !== undefined) fields['missing'] = failure.missing.map((field) => field.name);
  return new CodedError('program/adapter-parse-failed', message, { fields, cause: failure.cause });
}

function tooLong(signature: Signature, completion: string): CodedError {
  const reason = `The LM response has ${completion.length} characters; at most ${maxCompletionLength} are read.`;
  return parseFailed(signature, `${completion.slice(0, 1000)}…`, { reason });
}
