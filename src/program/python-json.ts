/** JSON as Python's `json.loads` reads it: `1` and `1.0` are told apart, integers have any size, `NaN` is a number. */
import { dictValue, floatValue, maxIntegerDigits, maxValueDepth } from './python-value.ts';
import type { PythonValue } from './python-value.ts';

/** Values in one text: each is many times as large in memory as its two characters may be. */
const maxValues = 2 ** 21;

/** The value, or undefined when the text is no JSON, nests deeper than {@link maxValueDepth}, or holds more than 2 Mi values. */
export function parsePythonJson(text: string): PythonValue | undefined {
  const reader = new JsonReader(text);
  try {
    return reader.readAll();
  } catch (thrown) {
    if (thrown === notJson) return undefined;
    throw thrown;
  }
}

/** Thrown and caught in this file only: the ordinary case, for which an error with a stack is too dear. */
const notJson: unique symbol = Symbol('not JSON');

const blank = /[ \t\n\r]*/y;
const numberPattern = /-?(?:0|[1-9]\d*)(?:(\.\d+)?([eE][+-]?\d+)?)/y;
// oxlint-disable-next-line no-control-regex -- JSON forbids control characters inside texts
const textPattern = /"[^"\\\x00-\x1f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*)*"/y;
const wordPattern = /true|false|null|NaN|-?Infinity/y;

const words: Readonly<Record<string, PythonValue>> = {
  true: true,
  false: false,
  null: null,
  NaN: floatValue(Number.NaN),
  Infinity: floatValue(Infinity),
  '-Infinity': floatValue(-Infinity),
};

class JsonReader {
  readonly #text: string;
  #index = 0;
  #valueCount = 0;

  constructor(text: string) {
    this.#text = text;
  }

  readAll(): PythonValue {
    const value = this.#readValue(maxValueDepth);
    this.#match(blank);
    if (this.#index < this.#text.length) throw notJson;
    return value;
  }

  #readValue(depth: number): PythonValue {
    if (depth <= 0 || ++this.#valueCount > maxValues) throw notJson;
    this.#match(blank);
    if (this.#accept('['))
      return { kind: 'list', items: this.#readMany(']', () => this.#readValue(depth - 1)) };
    if (this.#accept('{')) return dictValue(this.#readMany('}', () => this.#readMember(depth - 1)));
    return this.#readScalar();
  }

  #readScalar(): PythonValue {
    const text = this.#match(textPattern);
    if (text !== undefined) return JSON.parse(text) as string;
    const word = this.#match(wordPattern);
    if (word !== undefined) return words[word] as PythonValue;
    const number = this.#match(numberPattern);
    if (number === undefined) throw notJson;
    if (/[.eE]/.test(number)) return floatValue(Number(number));
    if (number.length > maxIntegerDigits) throw notJson;
    return BigInt(number);
  }

  #readMember(depth: number): readonly [PythonValue, PythonValue] {
    this.#match(blank);
    const key = this.#match(textPattern);
    this.#match(blank);
    if (key === undefined || !this.#accept(':')) throw notJson;
    return [JSON.parse(key) as string, this.#readValue(depth)];
  }

  #readMany<T>(end: string, read: () => T): T[] {
    const items: T[] = [];
    this.#match(blank);
    if (this.#accept(end)) return items;
    do {
      items.push(read());
      this.#match(blank);
    } while (this.#accept(','));
    if (!this.#accept(end)) throw notJson;
    return items;
  }

  #accept(character: string): boolean {
    const isNext = this.#text[this.#index] === character;
    if (isNext) this.#index += 1;
    return isNext;
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#index;
    const found = pattern.exec(this.#text)?.[0];
    if (found !== undefined) this.#index += found.length;
    return found;
  }
}
