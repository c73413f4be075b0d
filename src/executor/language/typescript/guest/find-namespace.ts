/** Finds namespaces that run: the stripper takes them for types, and takes them off without a word. */
import { getFormattedTokens } from 'sucrase';
import type { ScriptFault } from '../../javascript/guest/script.ts';

/** Most programs have neither word, and are not read twice. */
const mayHaveOne = /\b(?:namespace|module)\s+[\p{ID_Start}$_'"]/u;
const tokenLine = /^(?<line>\d+):(?<column>\d+)-\S+\s+(?<label>\S+)\s+(?<raw>.*)$/u;

interface Token {
  readonly label: string;
  /** As it stands, and what the reader says of it. */
  readonly raw: string;
  readonly line: number;
  readonly column: number;
}

function readToken(text: string): Token | undefined {
  const groups = tokenLine.exec(text)?.groups;
  if (!groups) return undefined;
  const { label = '', raw = '', line, column } = groups;
  return { label, raw, line: Number(line), column: Number(column) };
}

const isWord = (token: Token | undefined): boolean =>
  token?.label === 'name' && /^(?:namespace|module)\s.*\bisType\b/u.test(token.raw);

const isNamespace = (tokens: readonly Token[], at: number): boolean =>
  isWord(tokens[at]) &&
  /^(?:name|string)$/u.test(tokens[at + 1]?.label ?? '') &&
  /^[.{]$/u.test(tokens[at + 2]?.label ?? '');

const isDeclared = (tokens: readonly Token[], at: number): boolean => {
  const next = tokens[at + 1];
  return tokens[at]?.label === 'declare' && (isWord(next) || /^global\s/u.test(next?.raw ?? ''));
};

function faultAt(tokens: readonly Token[], at: number): ScriptFault {
  const { line = null, column = null } = tokens[at] ?? {};
  const name = tokens[at + 1]?.raw.split(/\s/u, 1)[0] ?? '';
  const message = `the namespace ${name} would be taken off with the types: write a module or an object instead`;
  return { message, line, column };
}

/** The index after the block that begins at `from` or later; `declare module "x"` may have none. */
function afterBlock(tokens: readonly Token[], from: number): number {
  let depth = 0;
  for (let at = from; at < tokens.length; at += 1) {
    const label = tokens[at]?.label;
    if (label === ';' && depth === 0) return at;
    if (label === '{' || label === '${') depth += 1;
    if (label === '}' && (depth -= 1) === 0) return at + 1;
  }
  return tokens.length;
}

/** The first one that is not `declare`d, as what cannot be compiled; `undefined` where there is none. @param source what the stripper has read */
export function findNamespace(source: string): ScriptFault | undefined {
  if (!mayHaveOne.test(source)) return undefined;
  const text = getFormattedTokens(source, { transforms: ['typescript'], disableESTransforms: true });
  const tokens = text.split('\n').flatMap((line) => readToken(line) ?? []);
  for (let at = 0; at < tokens.length; at += 1) {
    if (isDeclared(tokens, at)) at = afterBlock(tokens, at) - 1;
    else if (isNamespace(tokens, at)) return faultAt(tokens, at);
  }
  return undefined;
}
