/** Cuts a script into its statements, and finds places in it. */

export interface Statement {
  readonly text: string;
  /** Where it begins, in characters of the script. */
  readonly start: number;
}

/** From 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** What hides a semicolon: comments, texts and quoted names, closed or not. */
const pieces =
  /--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|'(?:[^']|'')*(?:'|$)|"(?:[^"]|"")*(?:"|$)|`(?:[^`]|``)*(?:`|$)|\[[^\]]*(?:\]|$)|;|[^-/'"`[;]+|[-/]/gu;
const comment = /^(?:--|\/\*)/u;
const trigger = /^\s*(?:explain\s+(?:query\s+plan\s+)?)?create\s+(?:temp\s+|temporary\s+)?trigger\b/iu;
/** What stands between two semicolons where a trigger ends. */
const endOfTrigger = /^\s*end\s*$/iu;

/** Statements in order; what is nothing but space and comments is left out. */
export function cutStatements(script: string): readonly Statement[] {
  const statements: Statement[] = [];
  let start = 0;
  // the statement without comments, to see what it is
  let bare = '';
  // of a trigger: what has come since its last semicolon, and before the first nothing
  let tail: string | undefined;
  const add = (piece: string): void => {
    bare += piece;
    if (tail !== undefined) tail += piece;
  };
  /** Looks at no piece a second time, or a script of semicolons would take hours. */
  const isInTrigger = (): boolean => (tail === undefined ? trigger.test(bare) : !endOfTrigger.test(tail));
  const finish = (end: number): void => {
    if (bare.trim() !== '') statements.push({ text: script.slice(start, end), start });
    start = end;
    bare = '';
    tail = undefined;
  };
  for (const { 0: piece, index } of script.matchAll(pieces)) {
    if (comment.test(piece)) add(' ');
    else if (piece !== ';') add(piece);
    else if (isInTrigger()) tail = '';
    else finish(index + 1);
  }
  finish(script.length);
  return statements;
}

/** Of a character in the script. */
export function placeOf(script: string, index: number): Place {
  const before = script.slice(0, index);
  const lineStart = before.lastIndexOf('\n') + 1;
  return { line: before.split('\n').length, column: index - lineStart + 1 };
}

/** The place of a byte in a statement; where none is known, that of the statement's first word. */
export function placeIn(script: string, { text, start }: Statement, byteOffset: number): Place {
  if (byteOffset < 0) return placeOf(script, start + text.length - text.trimStart().length);
  const before = new TextDecoder().decode(new TextEncoder().encode(text).subarray(0, byteOffset));
  return placeOf(script, start + before.length);
}
