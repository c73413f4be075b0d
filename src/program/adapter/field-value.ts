/** How a value looks inside a prompt. */
import { CodedError } from '../../base/index.ts';
import type { Field } from '../field.ts';
import { printJson, printPython, representPython } from '../python-print.ts';
import { isStringType } from '../python-type.ts';
import { toPythonValue } from '../python-value.ts';
import type { PythonValue } from '../python-value.ts';

/**
 * A list in a `str` field becomes a numbered list of «texts»; other lists and dicts are JSON; the rest is Python's `str`.
 * @throws `program/value-unsupported` for what has no text.
 */
export function printFieldValue(field: Field, value: unknown): string {
  const python = toPythonValue(value, field.type);
  if (typeof python !== 'object' || python === null || python.kind === 'float') return printPython(python);
  return python.kind === 'list' && isStringType(field.type)
    ? printBlobs(field, python.items)
    : printJson(python);
}

function printBlobs(field: Field, items: readonly PythonValue[]): string {
  const [only] = items;
  if (only === undefined) return 'N/A';
  if (items.length === 1) return printBlob(field, only);
  return items.map((item, index) => `[${index + 1}] ${printBlob(field, item)}`).join('\n');
}

/** Marks are looked for in texts alone: a container stays on one line, as Python shows it. */
function printBlob(field: Field, item: PythonValue): string {
  if (typeof item !== 'string') return `«${containerText(field, item)}»`;
  return /[\n«»]/.test(item) ? `«««\n    ${item.replaceAll('\n', '\n    ')}\n»»»` : `«${item}»`;
}

/** DSPy fails on numbers, booleans and None here too. */
function containerText(field: Field, item: PythonValue): string {
  if (typeof item === 'object' && item !== null && item.kind !== 'float') return representPython(item);
  throw new CodedError(
    'program/value-unsupported',
    `The list in the text field '${field.name}' holds ${representPython(item)}; give the field a list type, such as list[int].`,
    { fields: { field: field.name, value: representPython(item), expected: 'a list of texts' } },
  );
}
