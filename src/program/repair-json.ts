/**
 * Reads the JSON that language models write: cut off, single-quoted, unquoted, with comments and commas too many, inside
 * prose or a code fence. What can be read is read; nothing is refused. Meant to agree with the `json_repair` of DSPy on
 * ordinary mistakes; the rules are this file's own.
 */
import { isWhiteSpace } from './python-text.ts';
import { parsePythonJson } from './python-json.ts';
import { readBareText, readQuotedText } from './repair-text.ts';
import type { TextPlace } from './repair-text.ts';
import { hasSameShape, isEmpty } from './value-shape.ts';
import { dictValue, floatValue, maxIntegerDigits, maxValueDepth } from './python-value.ts';
import type { PythonValue } from './python-value.ts';

/** The longest text that is repaired, in UTF-16 units. Strict JSON may be longer. */
export const maxRepairLength = 1_000_000;

/** The most characters that are looked at, again and again included; after that, what was found so far stands. */
export const maxRepairWork = 5_000_000;

/**
 * Strict JSON as it is; otherwise the first lists and objects found in the text; the empty text when there is none.
 * Several become a list, except that an object of the same shape replaces the one before it.
 */
export function repairJson(text: string): PythonValue {
  const strict = parsePythonJson(text);
  if (strict !== undefined) return strict;
  return text.length > maxRepairLength ? '' : new JsonRepairer(text).readAll();
}

const quotes = '"\'“”';
const literals: Readonly<Record<string, PythonValue>> = { true: true, false: false, null: null, none: null };
const literalPattern = /(?:true|false|null|none)(?=$|[\s,)\]}])/iy;
const numberCharacters = /(?:[0-9\-.eE/_]|(?<=[eE])\+)+/y;
const numberCharactersWithCommas = /(?:[0-9\-.eE/,_]|(?<=[eE])\+)+/y;

/** Thrown and caught in this file only. */
const workDone: unique symbol = Symbol('work done');

class JsonRepairer {
  readonly #text: string;
  #index = 0;
  #depth = 0;
  #work = maxRepairWork;

  constructor(text: string) {
    this.#text = text;
  }

  readAll(): PythonValue {
    const found: PythonValue[] = [];
    try {
      this.#readInto(found);
    } catch (thrown) {
      if (thrown !== workDone) throw thrown;
    }
    const [only = ''] = found;
    return found.length > 1 ? { kind: 'list', items: found } : only;
  }

  spend(characters: number): void {
    this.#work -= characters;
    if (this.#work < 0) throw workDone;
  }

  #readInto(found: PythonValue[]): void {
    let separator = '';
    while (this.#index < this.#text.length) {
      const value = this.#startsContainer() ? this.#readContainer() : undefined;
      if (value === undefined) separator = this.#skipProse(separator);
      else {
        addFound(found, value, separator === ',');
        separator = '';
      }
    }
  }

  #skipProse(separator: string): string {
    const character = this.#text.charAt(this.#index);
    if (character === '/' || character === '#') this.#skipComment();
    else this.#index += 1;
    return isWhiteSpace(character) ? separator : character;
  }

  #startsContainer(): boolean {
    const character = this.#text[this.#index];
    return character === '{' || character === '[' || (character === '(' && this.#startsTuple());
  }

  /** A parenthesis in prose is prose: a tuple stands alone on its lines and begins like a value. */
  #startsTuple(): boolean {
    const line = this.#text.slice(this.#text.lastIndexOf('\n', this.#index) + 1, this.#index);
    const rest = this.#text.slice(this.#index + 1, this.#index + 64);
    this.spend(line.length);
    if (line.trim() !== '' || !/^\s*(?:[)[{("'“\-.\d]|true|false|null|none)/i.test(rest)) return false;
    const close = this.#closingParenthesis();
    return close < 0 || /^[^\S\n]*(?:\n|$)/.test(this.#text.slice(close + 1, close + 64));
  }

  #closingParenthesis(): number {
    let depth = 0;
    for (let index = this.#index; index < this.#text.length; index += 1) {
      this.spend(1);
      const character = this.#text.charAt(index);
      if (quotes.includes(character)) {
        const close = this.#closingQuote(index);
        if (close < 0) return -1;
        index = close;
      }
      if (character === '(') depth += 1;
      if (character === ')') depth -= 1;
      if (depth === 0) return index;
    }
    return -1;
  }

  #readContainer(isMemberValue: boolean = false): PythonValue {
    this.#depth += 1;
    try {
      // deeper than this the rest of the text is one skipped piece
      if (this.#depth > maxValueDepth) this.#index = this.#text.length;
      const opening = this.#text.charAt(this.#index);
      this.#index += 1;
      if (opening === '[') return { kind: 'list', items: this.#readItems(']', isMemberValue) };
      if (opening === '(') return this.#readParenthesis();
      return this.#isSet() ? { kind: 'list', items: this.#readItems('}') } : dictValue(this.#readMembers());
    } finally {
      this.#depth -= 1;
    }
  }

  /** `(1)` is a value in parentheses, `(1,)` and `(1, 2)` are lists. */
  #readParenthesis(): PythonValue {
    const start = this.#index;
    const items = this.#readItems(')');
    const inside = this.#text.slice(start, this.#index - 1);
    return items.length === 1 && !inside.trimEnd().endsWith(',')
      ? (items[0] as PythonValue)
      : { kind: 'list', items };
  }

  /** Braces around something without a single colon outside texts, unless it is a quoted key whose colon is missing. */
  #isSet(): boolean {
    if (/^\s*"[^"]*"\s*[^\s,}:]/.test(this.#text.slice(this.#index, this.#index + 256))) return false;
    let depth = 0;
    let hasContent = false;
    for (let index = this.#index; index < this.#text.length; index += 1) {
      this.spend(1);
      const character = this.#text.charAt(index);
      if (depth === 0 && character === '}') return hasContent;
      if (character === ':' || (depth === 0 && character === ';')) return false;
      if (quotes.includes(character)) {
        index = this.#closingQuote(index);
        if (index < 0) return false;
      }
      depth += depthChange(character);
      hasContent ||= !isWhiteSpace(character);
    }
    return false;
  }

  #closingQuote(start: number): number {
    const quote = this.#text.charAt(start) === '“' ? '”' : this.#text.charAt(start);
    for (let index = start + 1; index < this.#text.length; index += 1) {
      this.spend(1);
      const character = this.#text.charAt(index);
      if (character === '\\') index += 1;
      else if (character === quote) return index;
    }
    return -1;
  }

  /** A list that is a member's value and holds no containers ends, unclosed, where the next member begins. */
  #readItems(end: string, isMemberValue: boolean = false): PythonValue[] {
    const items: PythonValue[] = [];
    while (!this.#closes(end) && this.#index < this.#text.length) {
      if (this.#text[this.#index] === ',') this.#index += 1;
      else if (isMemberValue && items.length > 0 && items.every(isScalar) && this.#startsMember())
        return items;
      else {
        const value = this.#startsMember() ? dictValue(this.#readMembers()) : this.#readValue('item');
        if (value !== undefined && value !== '...') items.push(value);
      }
    }
    this.#index += 1;
    return items;
  }

  #closes(end: string): boolean {
    this.#skipBlanks();
    const character = this.#text[this.#index];
    return character === end || character === '}';
  }

  /** A quoted text before a colon, inside a list: an object whose brace is missing. */
  #startsMember(): boolean {
    if (!quotes.includes(this.#text.charAt(this.#index))) return false;
    const close = this.#closingQuote(this.#index);
    return close > 0 && /^\s*:/.test(this.#text.slice(close + 1, close + 64));
  }

  #readMembers(): (readonly [PythonValue, PythonValue])[] {
    const members: (readonly [PythonValue, PythonValue])[] = [];
    while (!this.#closes('}') && this.#index < this.#text.length) {
      if (this.#text[this.#index] === ',') this.#index += 1;
      else if (this.#text[this.#index] === ']' && members.length > 0) return members;
      else this.#readMember(members);
    }
    this.#index += 1;
    return members;
  }

  /** A key without a colon before the end is dropped. */
  #readMember(members: (readonly [PythonValue, PythonValue])[]): void {
    const key = this.#readText('key');
    if (/^["'”]\s*:/.test(this.#text.slice(this.#index, this.#index + 64))) this.#index += 1;
    this.#skipBlanks();
    const character = this.#text[this.#index];
    if (key === undefined || character === undefined || character === '}') return;
    // whatever stands where the colon belongs is taken for it, unless it begins something
    if (!/[\p{L}"'“]/u.test(character)) this.#index += 1;
    else if (!quotes.includes(character)) return;
    members.push([key, this.#readMemberValue()]);
  }

  /** Passes over what begins no value: `: => + $`. */
  #readMemberValue(): PythonValue {
    for (;;) {
      this.#skipBlanks();
      const character = this.#text[this.#index];
      if (character === undefined || character === ',' || character === '}' || character === ']') return '';
      const value = this.#readValue('value');
      if (value !== undefined) return value;
    }
  }

  /** Undefined when nothing here begins a value; then one character was passed over. */
  #readValue(place: TextPlace): PythonValue | undefined {
    const character = this.#text.charAt(this.#index);
    if (character !== '' && '{[('.includes(character)) return this.#readContainer(place === 'value');
    if (/[-.\d]/.test(character)) return this.#readNumber(place);
    const literal = this.#match(literalPattern);
    if (literal !== undefined) return literals[literal.toLowerCase()] as PythonValue;
    return this.#readText(place);
  }

  #readNumber(place: TextPlace): PythonValue | undefined {
    const start = this.#index;
    const found = this.#match(place === 'item' ? numberCharacters : numberCharactersWithCommas) ?? '';
    if (/^\p{L}/u.test(this.#text.slice(this.#index, this.#index + 2))) {
      this.#index = start;
      return this.#readText(place);
    }
    const word = /[-+eE/,]$/.test(found) ? found.slice(0, -1) : found;
    this.#index = start + Math.max(word.length, 1);
    return word === '' ? undefined : numberOf(word.replaceAll('_', ''));
  }

  #readText(place: TextPlace): string | undefined {
    const character = this.#text.charAt(this.#index);
    const isQuoted = quotes.includes(character) && character !== '';
    if (!isQuoted && !/[\p{L}\p{N}_.]/u.test(character)) {
      this.#index += 1;
      return undefined;
    }
    const read = isQuoted ? readQuotedText : readBareText;
    const { text, end } = read(this.#text, this.#index, place, this);
    this.#index = Math.max(end, this.#index + 1);
    return text;
  }

  #skipBlanks(): void {
    while (this.#index < this.#text.length) {
      const character = this.#text.charAt(this.#index);
      if (isWhiteSpace(character)) this.#index += 1;
      else if (character === '#' || character === '/') this.#skipComment();
      else return;
    }
  }

  /** A `#` in a list or an object ends at the line's end or at what closes the container. */
  #skipComment(): void {
    const rest = this.#text.slice(this.#index, this.#index + 2);
    const endPattern =
      rest === '/*' ? /\*\//g : rest.startsWith('#') && this.#depth > 0 ? /[\n\r\]}]/g : /[\n\r]/g;
    endPattern.lastIndex = this.#index + 2;
    if (rest !== '/*' && rest !== '//' && !rest.startsWith('#')) this.#index += 1;
    else {
      const end = endPattern.exec(this.#text);
      this.#index = end === null ? this.#text.length : end.index + (rest === '/*' ? 2 : 0);
    }
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#index;
    const found = pattern.exec(this.#text)?.[0];
    if (found !== undefined) this.#index += found.length;
    return found;
  }
}

/** Text when Python could not read it as a number, such as `1/2` or `1,000`. */
function numberOf(word: string): PythonValue {
  if (/^-?\d+$/.test(word)) return word.length > maxIntegerDigits ? word : BigInt(word);
  return /^-?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?$/.test(word) ? floatValue(Number(word)) : word;
}

function addFound(found: PythonValue[], value: PythonValue, afterComma: boolean): void {
  const last = found.at(-1);
  if (last !== undefined && isEmpty(value)) return;
  if (last !== undefined && ((!afterComma && hasSameShape(last, value)) || isEmpty(last))) found.pop();
  found.push(value);
}

function isScalar(value: PythonValue): boolean {
  return typeof value !== 'object' || value === null || value.kind === 'float';
}

function depthChange(character: string): number {
  return '[{('.includes(character) ? 1 : ']})'.includes(character) ? -1 : 0;
}
