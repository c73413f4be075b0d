/** Environment markers: `python_version < "3.12" and extra == "test"`. Source: the dependency specifiers specification (PEP 508). */
import { invalidPackage } from './fault.ts';
import { markerEnvironment } from './python-target.ts';
import { fitsSpecifier, parsePythonVersion, parseSpecifier } from './version.ts';

/** Whether a marker holds when `extra` is asked for; an empty text for none. */
export type Marker = (extra: string) => boolean;

/** Nobody nests deeper. */
const maxDepth = 32;
const token = /\s*(?:(===|~=|==|!=|<=|>=|<|>|\(|\))|'([^']*)'|"([^"]*)"|([A-Za-z_][A-Za-z0-9_.]*))\s*/uy;

type Token =
  | { readonly kind: 'sign' | 'word'; readonly text: string }
  | { readonly kind: 'text'; readonly text: string };
type Operand = (extra: string) => string;

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

/** Versions compare as versions, other texts as texts. */
function compare(left: string, operator: string, right: string): boolean {
  const version = parsePythonVersion(left);
  const specifier = version && parseSpecifier(`${operator}${right}`);
  if (version && specifier) return fitsSpecifier(version, specifier);
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
    const marker = this.#any(0);
    if (this.#at < this.#tokens.length) throw this.#wrong();
    return marker;
  }

  #any(depth: number): Marker {
    const parts = [this.#all(depth)];
    while (this.#take('or')) parts.push(this.#all(depth));
    return (extra) => parts.some((part) => part(extra));
  }

  #all(depth: number): Marker {
    const parts = [this.#one(depth)];
    while (this.#take('and')) parts.push(this.#one(depth));
    return (extra) => parts.every((part) => part(extra));
  }

  #one(depth: number): Marker {
    if (depth > maxDepth) throw this.#wrong();
    if (this.#take('(')) {
      const inner = this.#any(depth + 1);
      if (!this.#take(')')) throw this.#wrong();
      return inner;
    }
    const left = this.#operand();
    const isDenied = this.#take('not');
    if (this.#take('in')) {
      const whole = this.#operand();
      return (extra) => whole(extra).includes(left(extra)) !== isDenied;
    }
    const operator = this.#next();
    if (isDenied || operator?.kind !== 'sign') throw this.#wrong();
    const right = this.#operand();
    return (extra) => compare(left(extra), operator.text, right(extra));
  }

  #operand(): Operand {
    const next = this.#next();
    if (next?.kind === 'text') return () => next.text;
    if (next?.kind !== 'word') throw this.#wrong();
    const name = next.text.replaceAll('.', '_');
    if (name === 'extra') return (extra) => extra;
    if (!Object.hasOwn(markerEnvironment, name)) throw this.#wrong();
    return () => markerEnvironment[name] ?? '';
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
