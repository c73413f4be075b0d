/**
 * The external term format of Erlang, read: all terms that are data. Processes, ports, references and functions are none, nor are
 * improper lists. https://www.erlang.org/doc/apps/erts/erl_ext_dist.html
 */
import { damaged, tooLarge, ValueCounter } from '../codec.ts';
import type { FormatLimits } from '../codec.ts';
import { inflateWhole } from '../inflate-whole.ts';
import { atom, tag, termVersion } from './term.ts';
import type { Atom, Term } from './term.ts';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const maxAtomCharacters = 255;
/** `%.20e` and zeros, as `term_to_binary` wrote floats before 2005. */
const oldFloatBytes = 31;
const compressedHeaderBytes = 6;

class TermReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #limits: FormatLimits;
  readonly #counter: ValueCounter;
  #at: number;

  constructor(bytes: Uint8Array, from: number, limits: FormatLimits) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#limits = limits;
    this.#counter = new ValueCounter('etf', limits);
    this.#at = from;
  }

  readAll(): Term {
    const term = this.#read(0);
    if (this.#at !== this.#bytes.length) throw damaged('etf', 'nothing behind the term');
    return term;
  }

  #read(depth: number): Term {
    this.#counter.add();
    this.#counter.enter(depth);
    const kind = this.#number(1);
    const read = this.#readers[kind];
    if (!read) throw damaged('etf', `a term that is data, not one of type ${kind}`);
    return read(depth + 1);
  }

  readonly #readers: Readonly<Record<number, (depth: number) => Term>> = {
    [tag.smallInteger]: () => this.#number(1),
    [tag.integer]: () => this.#view.getInt32(this.#take(4)),
    [tag.smallBig]: () => this.#big(this.#number(1)),
    [tag.largeBig]: () => this.#big(this.#number(4)),
    [tag.newFloat]: () => float(this.#view.getFloat64(this.#take(8))),
    [tag.float]: () => this.#oldFloat(),
    [tag.atom]: () => this.#latin1Atom(2),
    [tag.smallAtom]: () => this.#latin1Atom(1),
    [tag.atomUtf8]: () => this.#utf8Atom(2),
    [tag.smallAtomUtf8]: () => this.#utf8Atom(1),
    [tag.binary]: () => this.#raw(this.#number(4)),
    [tag.bitBinary]: () => this.#bits(),
    [tag.nil]: () => [],
    [tag.string]: () => this.#string(),
    [tag.list]: (depth) => this.#list(depth),
    [tag.smallTuple]: (depth) => ({ type: 'tuple', items: this.#many(this.#number(1), depth) }),
    [tag.largeTuple]: (depth) => ({ type: 'tuple', items: this.#many(this.#number(4), depth) }),
    [tag.map]: (depth) => this.#map(depth),
  };

  #big(length: number): Term {
    const { maxBigintBytes } = this.#limits;
    if (length > maxBigintBytes) throw damaged('etf', `an integer of at most ${maxBigintBytes} bytes`);
    const sign = this.#number(1);
    if (sign > 1) throw damaged('etf', 'a sign');
    const hex = Array.from(this.#raw(length).toReversed(), (byte) => byte.toString(16).padStart(2, '0'));
    const size = BigInt(`0x0${hex.join('')}`);
    const value = sign === 1 ? -size : size;
    return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  }

  #oldFloat(): Term {
    const text = String.fromCharCode(...this.#raw(oldFloatBytes)).replace(/\0+$/, '');
    if (!/^[+-]?\d+\.\d+e[+-]?\d+$/.test(text)) throw damaged('etf', 'the digits of a float');
    return float(Number(text));
  }

  #latin1Atom(lengthBytes: 1 | 2): Atom {
    return checkedAtom(String.fromCharCode(...this.#raw(this.#atomLength(lengthBytes))));
  }

  #utf8Atom(lengthBytes: 1 | 2): Atom {
    return checkedAtom(textOf(this.#raw(this.#atomLength(lengthBytes))));
  }

  #atomLength(lengthBytes: 1 | 2): number {
    const length = this.#number(lengthBytes);
    if (length > 4 * maxAtomCharacters)
      throw damaged('etf', `an atom of at most ${maxAtomCharacters} characters`);
    return length;
  }

  #bits(): Term {
    const [length, lastBits] = [this.#number(4), this.#number(1)];
    if (lastBits < 1 || lastBits > 8 || length === 0) throw damaged('etf', 'bits in the last byte');
    const bytes = this.#raw(length);
    return lastBits === 8 ? bytes : { type: 'bitstring', bytes, lastBits };
  }

  #string(): Term {
    const bytes = this.#raw(this.#number(2));
    this.#counter.add(bytes.length);
    return Array.from(bytes);
  }

  #list(depth: number): Term {
    const items = this.#many(this.#number(4), depth);
    if (this.#number(1) !== tag.nil) throw damaged('etf', 'a proper list');
    return items;
  }

  #map(depth: number): Term {
    const count = this.#number(4);
    const parts = this.#many(2 * count, depth);
    const entries = Array.from({ length: count }, (_, index) => {
      return [parts[2 * index] as Term, parts[2 * index + 1] as Term] as const;
    });
    return { type: 'map', entries };
  }

  /** Each takes a byte at least. */
  #many(count: number, depth: number): readonly Term[] {
    this.#assertLeft(count);
    const terms: Term[] = [];
    for (let index = 0; index < count; index++) terms.push(this.#read(depth));
    return terms;
  }

  #raw(length: number): Uint8Array {
    const from = this.#take(length);
    return this.#bytes.slice(from, from + length);
  }

  #number(size: 1 | 2 | 4): number {
    const at = this.#take(size);
    if (size === 1) return this.#view.getUint8(at);
    return size === 2 ? this.#view.getUint16(at) : this.#view.getUint32(at);
  }

  #take(length: number): number {
    this.#assertLeft(length);
    const at = this.#at;
    this.#at += length;
    return at;
  }

  #assertLeft(length: number): void {
    if (this.#at + length > this.#bytes.length) throw damaged('etf', 'more bytes');
  }
}

function float(value: number): Term {
  if (!Number.isFinite(value)) throw damaged('etf', 'a finite float');
  return { type: 'float', value };
}

function checkedAtom(name: string): Atom {
  if (Array.from(name).length <= maxAtomCharacters) return atom(name);
  throw damaged('etf', `an atom of at most ${maxAtomCharacters} characters`);
}

/** @throws `state/format-damaged` for what is no UTF-8 */
export function textOf(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch (error) {
    throw damaged('etf', 'UTF-8', error);
  }
}

/**
 * The term that `bytes` are, inflated if it was compressed.
 * @throws `state/format-damaged`, `state/value-too-large`
 */
export async function decodeTerm(bytes: Uint8Array, limits: FormatLimits): Promise<Term> {
  if (bytes[0] !== termVersion) throw damaged('etf', `${termVersion} as the first byte`);
  if (bytes[1] !== tag.compressed) return new TermReader(bytes, 1, limits).readAll();
  if (bytes.length < compressedHeaderBytes) throw damaged('etf', 'more bytes');
  const size = new DataView(bytes.buffer, bytes.byteOffset).getUint32(2);
  if (size > limits.maxFileBytes) throw tooLarge('file', limits.maxFileBytes, 'bytes');
  const inflated = await inflateWhole(bytes.subarray(compressedHeaderBytes), 'deflate', limits);
  if (inflated.length !== size) throw damaged('etf', 'as many bytes as it says');
  return new TermReader(inflated, 0, limits).readAll();
}
