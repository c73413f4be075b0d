/** `ast.literal_eval` for what is left when no list or object was found: numbers, texts, constants, bare tuples. */
import { unescapePython } from './python-escape.ts';
import { stripEnd } from './python-text.ts';
import { dictValue, floatValue, maxIntegerDigits } from './python-value.ts';
import type { PythonValue } from './python-value.ts';

/** The longest text that is read as a literal, in UTF-16 units. */
export const maxLiteralLength = 10_000;

/** The value, or undefined when the text is no such literal. Complex numbers, `...` and f-strings are none. */
export function parsePythonLiteral(source: string): PythonValue | undefined {
  if (source.length > maxLiteralLength) return undefined;
  const text = stripEnd(source.replace(/^[ \t]+/, ''));
  if (text === '{}') return dictValue([]);
  const items: PythonValue[] = [];
  let index = 0;
  let isTuple = false;
  while (index < text.length) {
    const item = itemAt(text, index);
    if (item === undefined) return undefined;
    items.push(item.value);
    index = skip(text, item.end);
    if (index >= text.length) break;
    if (text[index] !== ',') return undefined;
    isTuple = true;
    index = skip(text, index + 1);
  }
  const [only] = items;
  return isTuple ? { kind: 'tuple', items } : only;
}

interface Found {
  readonly value: PythonValue;
  readonly end: number;
}

const constants: Readonly<Record<string, PythonValue>> = { True: true, False: false, None: null };
const numberPattern =
  /[-+]?[ \t]*(?:0[xX](?:_?[0-9a-fA-F])+|0[oO](?:_?[0-7])+|0[bB](?:_?[01])+|(?:\d(?:_?\d)*)?(?:\.(?:\d(?:_?\d)*)?)?(?:[eE][-+]?\d(?:_?\d)*)?)(?![\w.])/y;
const textPattern =
  /([rR]|[uU]|[bB]|[rR][bB]|[bB][rR])?(?:'''([^]*?(?<!\\)(?:\\\\)*)'''|"""([^]*?(?<!\\)(?:\\\\)*)"""|'((?:[^'\\\n]|\\[^])*)'|"((?:[^"\\\n]|\\[^])*)")/y;

function itemAt(text: string, index: number): Found | undefined {
  const word = /^(?:True|False|None)(?!\w)/.exec(text.slice(index, index + 6))?.[0];
  if (word !== undefined) return { value: constants[word] as PythonValue, end: index + word.length };
  return textsAt(text, index) ?? numberAt(text, index);
}

/** Neighbouring texts are one. */
function textsAt(text: string, start: number): Found | undefined {
  let joined: string | undefined;
  let end = start;
  for (let match = matchAt(textPattern, text, start); match !== undefined;) {
    const content = contentOf(match);
    if (content === undefined) return undefined;
    joined = (joined ?? '') + content;
    end += match[0].length;
    const next = skip(text, end);
    match = matchAt(textPattern, text, next);
    if (match !== undefined) end = next;
  }
  return joined === undefined ? undefined : { value: joined, end };
}

function contentOf(match: RegExpExecArray): string | undefined {
  const body = match[2] ?? match[3] ?? match[4] ?? match[5] ?? '';
  return /[rR]/.test(match[1] ?? '') ? body : unescapePython(body);
}

function numberAt(text: string, index: number): Found | undefined {
  const found = matchAt(numberPattern, text, index)?.[0];
  if (found === undefined || !/\d/.test(found)) return undefined;
  const plain = found.replace(/[_ \t]/g, '');
  const value = integerOf(plain) ?? (/^[-+]?0[xXoObB]/.test(plain) ? undefined : floatOf(plain));
  return value === undefined ? undefined : { value, end: index + found.length };
}

/** Python refuses leading zeros: `01` is no integer. */
function integerOf(plain: string): PythonValue | undefined {
  const digits = plain.replace(/^[-+]/, '');
  if (
    !/^(?:0+|[1-9]\d*|0[xX][0-9a-fA-F]+|0[oO][0-7]+|0[bB][01]+)$/.test(digits) ||
    digits.length > maxIntegerDigits
  )
    return undefined;
  const size = BigInt(digits.replace(/^0+$/, '0'));
  return plain.startsWith('-') ? -size : size;
}

function floatOf(plain: string): PythonValue | undefined {
  return /[.eE]/.test(plain) ? floatValue(Number(plain)) : undefined;
}

function matchAt(pattern: RegExp, text: string, index: number): RegExpExecArray | undefined {
  pattern.lastIndex = index;
  return pattern.exec(text) ?? undefined;
}

function skip(text: string, index: number): number {
  let next = index;
  while (text[next] === ' ' || text[next] === '\t') next += 1;
  const isLastComment = text[next] === '#' && !text.includes('\n', next);
  return isLastComment ? text.length : next;
}
