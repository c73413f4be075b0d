/**
 * Python's ways with text, where they differ from JavaScript's: what counts as white space, what ends a line, how a
 * docstring loses its indentation, how `repr` quotes. Prompts are equal byte for byte only with these.
 */

/** What `str.isspace` calls white space. `trim()` also takes U+FEFF, and leaves U+001C to U+001F and U+0085. */
const whiteSpace = '[\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]';
const leadingWhiteSpace = new RegExp(`^${whiteSpace}+`);
const oneWhiteSpace = new RegExp(`^${whiteSpace}$`);
// oxlint-disable-next-line no-control-regex -- Python ends lines at control characters too
const lineEnd = /\r\n|[\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029]/;
const tabWidth = 8;

/** True for a single white space character. */
export function isWhiteSpace(character: string): boolean {
  return oneWhiteSpace.test(character);
}

/** `str.lstrip()`. */
function stripStart(text: string): string {
  return text.replace(leadingWhiteSpace, '');
}

/** `str.rstrip()`. Walks from the end: an anchored pattern takes quadratic time on long runs inside the text. */
export function stripEnd(text: string): string {
  let end = text.length;
  while (end > 0 && isWhiteSpace(text.charAt(end - 1))) end -= 1;
  return text.slice(0, end);
}

/** `str.strip()`. */
export function strip(text: string): string {
  return stripEnd(stripStart(text));
}

/** `str.splitlines()`: ten ends of line, and no empty last line. */
export function splitLines(text: string): string[] {
  const lines = text.split(lineEnd);
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

/** `inspect.cleandoc`: tabs become spaces, the common indentation after the first line goes, blank ends go. */
export function cleanDocumentation(text: string): string {
  const [first = '', ...rest] = expandTabs(text).split('\n');
  const indents = rest
    .filter((line) => strip(line) !== '')
    .map((line) => line.length - stripStart(line).length);
  const margin = indents.length === 0 ? 0 : Math.min(...indents);
  const lines = [stripStart(first), ...rest.map((line) => line.slice(margin))];
  while (lines.at(-1) === '') lines.pop();
  while (lines[0] === '') lines.shift();
  return lines.join('\n');
}

/** `textwrap.dedent`: the white space common to all lines goes; lines of blanks become empty. */
export function dedent(text: string): string {
  const lines = text.split('\n').map((line) => (/^[ \t]+$/.test(line) ? '' : line));
  const indents = lines.filter((line) => line !== '').map((line) => /^[ \t]*/.exec(line)?.[0] ?? '');
  const margin = indents.reduce(commonStart, indents[0] ?? '');
  return lines.map((line) => (line.startsWith(margin) ? line.slice(margin.length) : line)).join('\n');
}

/** `repr` of a text: single quotes unless only double ones avoid escapes; what cannot be printed is escaped. */
export function representText(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const body = Array.from(text, (character) => escapeCharacter(character, quote)).join('');
  return `${quote}${body}${quote}`;
}

function escapeCharacter(character: string, quote: string): string {
  if (character === quote || character === '\\') return `\\${character}`;
  if (character === '\n') return '\\n';
  if (character === '\r') return '\\r';
  if (character === '\t') return '\\t';
  return character !== ' ' && /^[\p{C}\p{Z}]$/u.test(character) ? escapeCode(character) : character;
}

function escapeCode(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x100) return `\\x${hex(code, 2)}`;
  return code < 0x10000 ? `\\u${hex(code, 4)}` : `\\U${hex(code, 8)}`;
}

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, '0');
}

function expandTabs(text: string): string {
  if (!text.includes('\t')) return text;
  let column = 0;
  let expanded = '';
  for (const character of text) {
    const piece = character === '\t' ? ' '.repeat(tabWidth - (column % tabWidth)) : character;
    expanded += piece;
    column = character === '\n' || character === '\r' ? 0 : column + (character === '\t' ? piece.length : 1);
  }
  return expanded;
}

function commonStart(one: string, other: string): string {
  let length = 0;
  while (length < one.length && one[length] === other[length]) length += 1;
  return one.slice(0, length);
}
