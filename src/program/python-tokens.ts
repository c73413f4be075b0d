/** The words of a Python parameter list: names, numbers, texts and operators, each with its place. */
import { CodedError } from '../base/index.ts';
import { unescapePython } from './python-escape.ts';

export interface PythonToken {
  readonly kind: 'name' | 'number' | 'text' | 'operator' | 'end';
  /** A name in its normal form (NFKC), a text without its quotes. */
  readonly text: string;
  /** Index in the whole text. */
  readonly position: number;
}

const patterns: readonly (readonly [PythonToken['kind'], RegExp])[] = [
  ['text', /'(?:[^'\\\n]|\\[^])*'|"(?:[^"\\\n]|\\[^])*"/uy],
  ['number', /0[xX][0-9a-fA-F]+|(?:\d[\d_]*(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?/uy],
  ['name', /[\p{XID_Start}_]\p{XID_Continue}*/uy],
  ['operator', /\.\.\.|\*\*|->|[()[\]{},:=*/|.+\-~@%<>!&^;]/uy],
];
const blank = /(?:[ \t\f\n\r]|\\\r?\n)+/uy;

/** @throws `program/signature-invalid` at a character that begins no word. */
export function readPythonTokens(text: string, from: number = 0, to: number = text.length): PythonToken[] {
  const tokens: PythonToken[] = [];
  const part = text.slice(0, to);
  let position = skipBlank(part, from);
  while (position < part.length) {
    const token = tokenAt(part, position);
    if (token === undefined) throw signatureInvalid(text, position, 'a name, a type or a comma');
    tokens.push(token.token);
    position = skipBlank(part, position + token.length);
  }
  return [...tokens, { kind: 'end', text: '', position: to }];
}

/** The one shape of a signature's syntax errors. */
export function signatureInvalid(text: string, position: number, expected: string): CodedError {
  const found = position < text.length ? `'${text.slice(position, position + 20)}'` : 'the end';
  return new CodedError(
    'program/signature-invalid',
    `Invalid signature format: '${text.slice(0, 200)}', at position ${position}: expected ${expected}, but found ${found}.`,
    { fields: { signature: text.slice(0, 200), position, expected } },
  );
}

function skipBlank(text: string, position: number): number {
  blank.lastIndex = position;
  return position + (blank.exec(text)?.[0].length ?? 0);
}

function tokenAt(text: string, position: number): { token: PythonToken; length: number } | undefined {
  for (const [kind, pattern] of patterns) {
    pattern.lastIndex = position;
    const found = pattern.exec(text)?.[0];
    if (found === undefined) continue;
    const content = contentOf(kind, found);
    if (content === undefined)
      throw signatureInvalid(text, position, 'a text with escapes that Python knows');
    return { token: { kind, text: content, position }, length: found.length };
  }
  return undefined;
}

function contentOf(kind: PythonToken['kind'], found: string): string | undefined {
  if (kind === 'name') return found.normalize('NFKC');
  return kind === 'text' ? unescapePython(found.slice(1, -1)) : found;
}
