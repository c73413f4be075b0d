/** From the text that a model wrote for a field to the field's value. */
import { CodedError } from '../base/index.ts';
import { checkValue, literalValue } from './check-value.ts';
import { representLiteral, typeNameOf } from './print-python-type.ts';
import { parsePythonLiteral } from './python-literal.ts';
import { representText, strip } from './python-text.ts';
import { isStringType } from './python-type.ts';
import type { PythonEnumType, PythonLiteral, PythonType } from './python-type.ts';
import { fromPythonValue } from './python-value.ts';
import type { PythonValue } from './python-value.ts';
import { repairJson } from './repair-json.ts';

/**
 * The value in plain JavaScript: sets and tuples are arrays, integers beyond 2^53 are bigints. Text for `str` is taken as
 * it is. Everything else is read as JSON with repairs, then as a Python literal, then as text, and checked.
 * @throws `program/value-invalid` when the text does not fit the type.
 */
export function parseValue(text: string, type: PythonType): unknown {
  return fromPythonValue(readValue(text, type));
}

function readValue(text: string, type: PythonType): PythonValue {
  if (isStringType(type)) return text;
  if (type.kind === 'enum') return readMember(text, type);
  if (type.kind === 'literal') return readLiteral(text, type.values);
  const checked = checkValue(takesTextAsItIs(type) ? text : readCandidate(text), type);
  if (checked.isFit) return checked.value;
  throw invalid(`Not a valid ${typeNameOf(type)}: ${checked.problem}.`, text, typeNameOf(type));
}

function readCandidate(text: string): PythonValue {
  const repaired = repairJson(text);
  if (repaired !== '' || text === '') return repaired;
  const literal = parsePythonLiteral(text);
  return literal === undefined ? text : literal;
}

/** Where both text and `None` are welcome, `null` is text. */
function takesTextAsItIs(type: PythonType): boolean {
  if (type.kind !== 'union') return false;
  return type.members.some(isStringType) && type.members.some((member) => member.kind === 'none');
}

/** By value, then by name. */
function readMember(text: string, type: PythonEnumType): PythonValue {
  const member =
    type.members.find((candidate) => candidate.value === text) ??
    type.members.find((candidate) => candidate.name === text);
  if (member !== undefined) return literalValue(member.value);
  const expected = type.members.map((candidate) => candidate.value).join(', ');
  throw invalid(`${text} is not a valid name or value for the enum ${type.name}`, text, expected);
}

/** Only texts match; a `Literal[…]` and one pair of quotes around them are forgiven. */
function readLiteral(text: string, allowed: readonly PythonLiteral[]): PythonValue {
  if (allowed.includes(text)) return text;
  let word = strip(text);
  if (/^(?:Literal|str)\[/.test(word) && word.endsWith(']')) word = word.slice(word.indexOf('[') + 1, -1);
  if (word.length > 1 && word.at(-1) === word[0] && /["']/.test(word[0] ?? '')) word = word.slice(1, -1);
  if (allowed.includes(word)) return word;
  const list = `(${allowed.map(representLiteral).join(', ')}${allowed.length === 1 ? ',' : ''})`;
  throw invalid(`${representText(text)} is not one of ${list}`, text, list);
}

function invalid(message: string, text: string, expected: string): CodedError {
  return new CodedError('program/value-invalid', message, {
    fields: { value: text.slice(0, 1000), expected },
  });
}
