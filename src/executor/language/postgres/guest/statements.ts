/** Cuts a script for Postgres into its statements, and puts `$1`, `$2`, … in the place of the names of variables. */

/** One statement, with its parameters numbered. */
export interface Statement {
  readonly text: string;
  /** Where it begins in the script. */
  readonly start: number;
  /** Variables in the order of their numbers. */
  readonly names: readonly string[];
  /** Where in `text` something stands for a name of the script, and by how much it is longer. */
  readonly edits: readonly { readonly at: number; readonly longer: number }[];
}

const nameStart = 'A-Za-z_\\u0080-\\uffff';
const piece = new RegExp(
  [
    '--[^\\n]*',
    '/\\*',
    // with escapes, and without
    "[eE]'[^'\\\\]*(?:(?:\\\\[\\s\\S]|'')[^'\\\\]*)*(?:'|$)",
    "'[^']*(?:''[^']*)*(?:'|$)",
    '"[^"]*(?:""[^"]*)*(?:"|$)',
    `\\$(?:[${nameStart}][\\w\\u0080-\\uffff]*)?\\$`,
    '::',
    ':[A-Za-z_]\\w*',
    `[${nameStart}][\\w$\\u0080-\\uffff]*`,
    '\\s+',
    '[\\d.]+',
    '[\\s\\S]',
  ].join('|'),
  'y',
);

/** Where the comment ends that begins here; comments may be inside comments. */
function endOfComment(script: string, start: number): number {
  let depth = 0;
  const mark = /\/\*|\*\//gu;
  mark.lastIndex = start;
  for (let found = mark.exec(script); found; found = mark.exec(script)) {
    depth += found[0] === '/*' ? 1 : -1;
    if (depth === 0) return mark.lastIndex;
  }
  return script.length;
}

/** Where the text between two marks like `$tag$` ends. */
function endOfQuote(script: string, mark: string, start: number): number {
  const end = script.indexOf(mark, start);
  return end < 0 ? script.length : end + mark.length;
}

const routine = /^create (?:or replace )?(?:function|procedure) /u;

class Cutter {
  readonly #script: string;
  readonly #isParameter: (name: string) => boolean;
  readonly #statements: Statement[] = [];
  #start = 0;
  #text = '';
  #names: string[] = [];
  #edits: { at: number; longer: number }[] = [];
  /** The first words, to see what it is. */
  #words = '';
  #isEmpty = true;
  #parentheses = 0;
  /** Of `BEGIN ATOMIC`, and of what ends with END inside. */
  #blocks = 0;

  constructor(script: string, isParameter: (name: string) => boolean) {
    this.#script = script;
    this.#isParameter = isParameter;
  }

  cut(): readonly Statement[] {
    const script = this.#script;
    for (let at = 0; at < script.length;) {
      piece.lastIndex = at;
      const [found] = piece.exec(script) as RegExpExecArray;
      const end =
        found === '/*'
          ? endOfComment(script, at)
          : found.startsWith('$') && found.length > 1 && found.endsWith('$')
            ? endOfQuote(script, found, at + found.length)
            : at + found.length;
      this.#take(script.slice(at, end), at, end);
      at = end;
    }
    this.#finish(script.length);
    return this.#statements;
  }

  #take(found: string, at: number, end: number): void {
    if (found === ';' && this.#parentheses <= 0 && this.#blocks === 0) {
      this.#text += found;
      return this.#finish(end);
    }
    if (found.startsWith('--') || found.startsWith('/*') || found.trim() === '') {
      this.#text += found;
      return;
    }
    this.#isEmpty = false;
    if (found.length > 1 && found.startsWith(':') && this.#isParameter(found.slice(1))) {
      return this.#number(found.slice(1));
    }
    this.#text += found;
    if (found === '(') this.#parentheses += 1;
    else if (found === ')') this.#parentheses -= 1;
    else this.#see(found.toLowerCase());
  }

  /** Words that say where a routine's own statements begin and end. */
  #see(word: string): void {
    if (this.#words.length < 200) this.#words += `${word} `;
    if (!routine.test(this.#words) || this.#parentheses > 0) return;
    if (word === 'begin' || (word === 'case' && this.#blocks > 0)) this.#blocks += 1;
    else if (word === 'end' && this.#blocks > 0) this.#blocks -= 1;
  }

  #number(name: string): void {
    let index = this.#names.indexOf(name);
    if (index < 0) index = this.#names.push(name) - 1;
    // a space: what follows may begin with a digit
    const written = `$${index + 1} `;
    this.#edits.push({ at: this.#text.length, longer: written.length - name.length - 1 });
    this.#text += written;
  }

  #finish(end: number): void {
    const [text, names, edits, start] = [this.#text, this.#names, this.#edits, this.#start];
    if (!this.#isEmpty) this.#statements.push({ text, start, names, edits });
    this.#start = end;
    this.#text = this.#words = '';
    this.#names = [];
    this.#edits = [];
    this.#isEmpty = true;
    this.#parentheses = this.#blocks = 0;
  }
}

/**
 * Statements in order; what is nothing but space and comments is left out.
 * @param isParameter whether `:name` stands for a variable; else it is left as it is, for Postgres to judge
 */
export function cutStatements(script: string, isParameter: (name: string) => boolean): readonly Statement[] {
  return new Cutter(script, isParameter).cut();
}

/** The index in the script of a character of a statement. @param position in characters from 1; `undefined`: the statement's first word */
export function indexInScript({ text, start, edits }: Statement, position: number | undefined): number {
  if (position === undefined) return start + (/^(?:\s|--[^\n]*(?:\n|$))*/u.exec(text)?.[0].length ?? 0);
  const index = Array.from(text)
    .slice(0, position - 1)
    .join('').length;
  const shift = edits.reduce((sum, { at, longer }) => (at < index ? sum + longer : sum), 0);
  return start + index - shift;
}
