/** Environment markers: `python_version < "3.12" and extra == "test"`. Source: the dependency specifiers specification (PEP 508). */
import { invalidPackage } from './fault.ts';
import { normalizeName } from './package-name.ts';
import { markerEnvironment } from './python-target.ts';
import { fitsSpecifier, parsePythonVersion, parseSpecifier } from './version.ts';

/** Whether a marker holds when `extra` is asked for, in the one form in which names are compared; an empty text for none. */
export type Marker = (extra: string) => boolean;

/** Nobody nests deeper. */
const maxDepth = 32;
const token = /\s*(?:(===|~=|==|!=|<=|>=|<|>|\(|\))|'([^']*)'|"([^"]*)"|([A-Za-z_][A-Za-z0-9_.]*))\s*/uy;

type Token =
  | { readonly kind: 'sign' | 'word'; readonly text: string }
  | { readonly kind: 'text'; readonly text: string };
/** `undefined` for the extra that is asked for: all else is known when the marker is read. */
type Operand = string | undefined;
/** Whether it holds, where that is known already. */
type Part = boolean | Marker;

function tokenize(text: string): readonly Token[] | undefined {
  const tokens: Token[] = [];
  token.lastIndex = 0;
  while (token.lastIndex < text.length) {
    const match = token.exec(text);
    if (!match) return undefined;
    const [, sign, single, double, word] = match;
    if (sign !== undefined) tokens.push({ kind: 'sign', text: sign });
    else if (word !== undefined) tokens.push({ kind: 'word', text: word });
    else tokens.push({ kind: 'text', text: single ?? double ?? '' });
  }
  return tokens;
}

function compareTexts(left: string, operator: string, right: string): boolean {
  switch (operator) {
    case '==':
    case '===':
      return left === right;
    case '!=':
      return left !== right;
    case '<':
      return left < right;
    case '>':
      return left > right;
    case '<=':
      return left <= right;
    case '>=':
      return left >= right;
    default:
      return false;
  }
}

/** Versions compare as versions, other texts as texts. */
function compare(left: string, operator: string, right: string): boolean {
  const version = parsePythonVersion(left);
  const specifier = version && parseSpecifier(`${operator}${right}`);
  return version && specifier ? fitsSpecifier(version, specifier) : compareTexts(left, operator, right);
}

/** A question about two operands; `known` answers it where neither is the extra, `asked` where one is: an extra is a name, never a version. */
function question(
  [left, right]: readonly [Operand, Operand],
  known: (left: string, right: string) => boolean,
  asked: (left: string, right: string) => boolean,
): Part {
  if (left !== undefined && right !== undefined) return known(left, right);
  // PEP 685: extras are one where their names are one
  const [one, other] = [left, right].map((text) => text && normalizeName(text));
  return (extra) => asked(one ?? extra, other ?? extra);
}

class MarkerParser {
  readonly #text: string;
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(text: string) {
    this.#text = text;
    const tokens = tokenize(text);
    if (!tokens) throw this.#wrong();
    this.#tokens = tokens;
  }

  parse(): Marker {
    const part = this.#any(0);
    if (this.#at < this.#tokens.length) throw this.#wrong();
    return typeof part === 'boolean' ? () => part : part;
  }

  #any(depth: number): Part {
    const parts = [this.#all(depth)];
    while (this.#take('or')) parts.push(this.#all(depth));
    if (parts.includes(true)) return true;
    const open = parts.filter((part) => typeof part === 'function');
    return open.length === 0 ? false : (extra) => open.some((part) => part(extra));
  }

  #all(depth: number): Part {
    const parts = [this.#one(depth)];
    while (this.#take('and')) parts.push(this.#one(depth));
    if (parts.includes(false)) return false;
    const open = parts.filter((part) => typeof part === 'function');
    return open.length === 0 ? true : (extra) => open.every((part) => part(extra));
  }

  #one(depth: number): Part {
    if (depth > maxDepth) throw this.#wrong();
    if (this.#take('(')) {
      const inner = this.#any(depth + 1);
      if (!this.#take(')')) throw this.#wrong();
      return inner;
    }
    const left = this.#operand();
    const isDenied = this.#take('not');
    if (this.#take('in')) {
      const isIn = (part: string, whole: string): boolean => whole.includes(part) !== isDenied;
      return question([left, this.#operand()], isIn, isIn);
    }
    const operator = this.#next();
    if (isDenied || operator?.kind !== 'sign') throw this.#wrong();
    const { text } = operator;
    return question(
      [left, this.#operand()],
      (one, other) => compare(one, text, other),
      (one, other) => compareTexts(one, text, other),
    );
  }

  #operand(): Operand {
    const next = this.#next();
    if (next?.kind === 'text') return next.text;
    if (next?.kind !== 'word') throw this.#wrong();
    const name = next.text.replaceAll('.', '_');
    if (name === 'extra') return undefined;
    if (!Object.hasOwn(markerEnvironment, name)) throw this.#wrong();
    return markerEnvironment[name] ?? '';
  }

  #next(): Token | undefined {
    return this.#tokens[this.#at++];
  }

  #take(text: string): boolean {
    const found = this.#tokens[this.#at];
    if (found?.kind === 'text' || found?.text !== text) return false;
    this.#at += 1;
    return true;
  }

  #wrong(): Error {
    return invalidPackage('marker', 'an environment marker', this.#text);
  }
}

/** An empty text holds always. Throws `executor/package-invalid`. */
export function parseMarker(text: string): Marker {
  return text.trim() === '' ? () => true : new MarkerParser(text).parse();
}
