/** Terms as bytes, as `term_to_binary(Term, [{minor_version, 2}])` writes them, maps in the order of their entries. */
import { tag, termVersion } from './term.ts';
import type { Bitstring, Term } from './term.ts';

const encoder = new TextEncoder();
const maxStringLength = 0xffff;

class TermWriter {
  #bytes = new Uint8Array(256);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  finish(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#length);
  }

  byte(value: number): void {
    const at = this.#reserve(1);
    this.#bytes[at] = value;
  }

  write(term: Term): void {
    if (typeof term === 'number') this.#integer(term);
    else if (typeof term === 'bigint') this.#big(term);
    else if (term instanceof Uint8Array) this.#counted(tag.binary, term);
    else if (Array.isArray(term)) this.#list(term as readonly Term[]);
    else this.#tagged(term as Exclude<Term, number | bigint | Uint8Array | readonly Term[]>);
  }

  #tagged(term: Exclude<Term, number | bigint | Uint8Array | readonly Term[]>): void {
    switch (term.type) {
      case 'atom':
        return this.#atom(term.name);
      case 'float':
        return this.#float(term.value);
      case 'tuple':
        return this.#tuple(term.items);
      case 'map':
        this.byte(tag.map);
        this.#uint32(term.entries.length);
        return term.entries.forEach((entry) => entry.forEach((each) => this.write(each)));
      case 'bitstring':
        return this.#bits(term);
    }
  }

  #float(value: number): void {
    this.byte(tag.newFloat);
    const at = this.#reserve(8);
    this.#view.setFloat64(at, value);
  }

  #integer(value: number): void {
    if (value >= 0 && value <= 0xff) {
      this.byte(tag.smallInteger);
      this.byte(value);
    } else if (value >= -(2 ** 31) && value < 2 ** 31) {
      this.byte(tag.integer);
      this.#uint32(value);
    } else this.#big(BigInt(value));
  }

  #big(value: bigint): void {
    const hex = (value < 0n ? -value : value).toString(16);
    const padded = hex.length % 2 === 0 ? hex : `0${hex}`;
    const digits = (padded.match(/../g) ?? []).map((pair) => Number.parseInt(pair, 16)).toReversed();
    if (digits.length <= 0xff) {
      this.byte(tag.smallBig);
      this.byte(digits.length);
    } else {
      this.byte(tag.largeBig);
      this.#uint32(digits.length);
    }
    this.byte(value < 0n ? 1 : 0);
    this.#raw(Uint8Array.from(digits));
  }

  #atom(name: string): void {
    const bytes = encoder.encode(name);
    if (bytes.length <= 0xff) {
      this.byte(tag.smallAtomUtf8);
      this.byte(bytes.length);
    } else {
      this.byte(tag.atomUtf8);
      this.#uint16(bytes.length);
    }
    this.#raw(bytes);
  }

  #tuple(items: readonly Term[]): void {
    if (items.length <= 0xff) {
      this.byte(tag.smallTuple);
      this.byte(items.length);
    } else {
      this.byte(tag.largeTuple);
      this.#uint32(items.length);
    }
    for (const item of items) this.write(item);
  }

  #list(items: readonly Term[]): void {
    if (items.length === 0) return this.byte(tag.nil);
    if (items.length <= maxStringLength && items.every(isByte)) {
      this.byte(tag.string);
      this.#uint16(items.length);
      return this.#raw(Uint8Array.from(items as readonly number[]));
    }
    this.byte(tag.list);
    this.#uint32(items.length);
    for (const item of items) this.write(item);
    this.byte(tag.nil);
  }

  #bits({ bytes, lastBits }: Bitstring): void {
    this.byte(tag.bitBinary);
    this.#uint32(bytes.length);
    this.byte(lastBits);
    this.#raw(bytes);
  }

  #counted(kind: number, bytes: Uint8Array): void {
    this.byte(kind);
    this.#uint32(bytes.length);
    this.#raw(bytes);
  }

  #uint16(value: number): void {
    const at = this.#reserve(2);
    this.#view.setUint16(at, value);
  }

  #uint32(value: number): void {
    const at = this.#reserve(4);
    this.#view.setUint32(at, value);
  }

  #raw(bytes: Uint8Array): void {
    const at = this.#reserve(bytes.length);
    this.#bytes.set(bytes, at);
  }

  /** Where the next `more` bytes go; called before the buffer is looked at, since it may be another one then. */
  #reserve(more: number): number {
    const [at, needed] = [this.#length, this.#length + more];
    if (needed > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(needed, 2 * this.#bytes.length));
      larger.set(this.#bytes);
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    this.#length = needed;
    return at;
  }
}

function isByte(term: Term): boolean {
  return typeof term === 'number' && term >= 0 && term <= 0xff;
}

/** @param term floats are finite, as in Erlang */
export function encodeTerm(term: Term): Uint8Array<ArrayBuffer> {
  const writer = new TermWriter();
  writer.byte(termVersion);
  writer.write(term);
  return writer.finish();
}
