/** Python's three ways to write a value: `str`, `repr` and `json.dumps(…, ensure_ascii=False)`. */
import { representText } from './python-text.ts';
import { floatText, keyText } from './python-value.ts';
import type { DictValue, PythonValue, SequenceValue } from './python-value.ts';

/** `str(value)`: text as it is, everything else as `repr` shows it. */
export function printPython(value: PythonValue): string {
  return typeof value === 'string' ? value : representPython(value);
}

/** `repr(value)`. */
export function representPython(value: PythonValue): string {
  if (value === null) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'string') return representText(value);
  if (value.kind === 'float') return floatText(value.value);
  return value.kind === 'dict' ? representDict(value) : representSequence(value);
}

/** `json.dumps(value, ensure_ascii=False)` of what pydantic makes of a value first: sets and tuples are arrays, `nan` is null. */
export function printJson(value: PythonValue): string {
  if (value === null) return 'null';
  if (typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  if (typeof value === 'string') return quoteJson(value);
  if (value.kind === 'float') return Number.isFinite(value.value) ? floatText(value.value) : 'null';
  if (value.kind !== 'dict') return `[${value.items.map(printJson).join(', ')}]`;
  const members = value.entries.map(([key, item]) => `${quoteJson(keyText(key))}: ${printJson(item)}`);
  return `{${members.join(', ')}}`;
}

const shortEscapes: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\b': '\\b',
  '\f': '\\f',
};

/** Only quotes, backslashes and what lies under U+0020 are escaped. `JSON.stringify` also escapes lone surrogates. */
function quoteJson(text: string): string {
  const body = text.replace(
    // oxlint-disable-next-line no-control-regex -- the control characters are what must be escaped
    /["\\\x00-\x1f]/g,
    (character) => shortEscapes[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return `"${body}"`;
}

function representSequence(value: SequenceValue): string {
  const items = value.items.map(representPython).join(', ');
  if (value.kind === 'list') return `[${items}]`;
  if (value.kind === 'tuple') return value.items.length === 1 ? `(${items},)` : `(${items})`;
  return value.items.length === 0 ? 'set()' : `{${items}}`;
}

function representDict(value: DictValue): string {
  return `{${value.entries.map(([key, item]) => `${representPython(key)}: ${representPython(item)}`).join(', ')}}`;
}
