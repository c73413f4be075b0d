/** The parts that encoded values are made of: bytes, integers, floats, text. */
import { CodedError } from '../base/index.ts';

/** What bytes that were not written here end in. */
export function damagedBytes(found: string): CodedError {
  return new CodedError('state/value-damaged', `a stored value cannot be decoded: ${found}`, {
    fields: { problem: 'encoding' },
  });
}

/** Up to this length a loop is faster than the platform's encoder. */
const shortText = 40;
const isWellFormed = (text: string): boolean => !/\p{Surrogate}/u.test(text);

/** Appends to a buffer that grows. Every method answers true, so that writes can be chained. */
export class ByteWriter {
  #bytes = new Uint8Array(256);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;
  readonly #encoder = new TextEncoder();

  finish(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length);
  }

  byte(value: number): true {
    this.#room(1);
    this.#bytes[this.#length++] = value;
    return true;
  }

  /** A non-negative safe integer, seven bits to a byte, the lowest first. */
  integer(value: number): true {
    this.#room(8);
    let rest = value;
    while (rest >= 128) {
      this.#bytes[this.#length++] = (rest % 128) + 128;
      rest = Math.floor(rest / 128);
    }
    this.#bytes[this.#length++] = rest;
    return true;
  }

  float(value: number): true {
    this.#room(8);
    this.#view.setFloat64(this.#length, value);
    this.#length += 8;
    return true;
  }

  bytes(value: Uint8Array): true {
    this.integer(value.length);
    this.#room(value.length);
    this.#bytes.set(value, this.#length);
    this.#length += value.length;
    return true;
  }

  /** The length in bytes times two, plus one for text that has no UTF-8 and is kept as code units. */
  text(text: string): true {
    if (text.length <= shortText && this.#ascii(text)) return true;
    return isWellFormed(text) ? this.#utf8(text) : this.#codeUnits(text);
  }

  #ascii(text: string): boolean {
    const start = this.#length;
    this.integer(text.length * 2);
    this.#room(text.length);
    for (let index = 0; index < text.length; index++) {
      const unit = text.charCodeAt(index);
      if (unit > 127) {
        this.#length = start;
        return false;
      }
      this.#bytes[this.#length++] = unit;
    }
    return true;
  }

  #utf8(text: string): true {
    const encoded = this.#encoder.encode(text);
    this.integer(encoded.length * 2);
    this.#room(encoded.length);
    this.#bytes.set(encoded, this.#length);
    this.#length += encoded.length;
    return true;
  }

  #codeUnits(text: string): true {
    this.integer(text.length * 4 + 1);
    this.#room(text.length * 2);
    for (let index = 0; index < text.length; index++) {
      this.#view.setUint16(this.#length, text.charCodeAt(index));
      this.#length += 2;
    }
    return true;
  }

  #room(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    grown.set(this.#bytes);
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}

/** Reads what {@link ByteWriter} wrote; anything else ends in `state/value-damaged`. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  byte(): number {
    return this.#view.getUint8(this.#take(1));
  }

  integer(): number {
    let value = 0;
    for (let scale = 1; scale <= Number.MAX_SAFE_INTEGER; scale *= 128) {
      const byte = this.byte();
      value += (byte % 128) * scale;
      if (!Number.isSafeInteger(value)) break;
      if (byte < 128) return value;
    }
    throw damagedBytes('a number too large');
  }

  /** How many values follow: each takes a byte at the least. */
  count(): number {
    const count = this.integer();
    if (count > this.#bytes.length - this.#at) throw damagedBytes('a length beyond the end');
    return count;
  }

  float(): number {
    return this.#view.getFloat64(this.#take(8));
  }

  bytes(): Uint8Array {
    const length = this.integer();
    const start = this.#take(length);
    return this.#bytes.subarray(start, start + length);
  }

  text(): string {
    const marked = this.integer();
    const length = Math.floor(marked / 2);
    const start = this.#take(length);
    if (marked % 2 === 1) return this.#codeUnits(start, length);
    if (length <= shortText) {
      const ascii = this.#ascii(start, length);
      if (ascii !== undefined) return ascii;
    }
    try {
      return this.#decoder.decode(this.#bytes.subarray(start, start + length));
    } catch {
      throw damagedBytes('text that is none');
    }
  }

  #ascii(start: number, length: number): string | undefined {
    let text = '';
    for (let index = start; index < start + length; index++) {
      const unit = this.#view.getUint8(index);
      if (unit > 127) return undefined;
      text += String.fromCharCode(unit);
    }
    return text;
  }

  #codeUnits(start: number, length: number): string {
    if (length % 2 === 1) throw damagedBytes('text that is none');
    const parts: string[] = [];
    for (let at = start; at < start + length; at += 8192) {
      const units = Math.min(4096, (start + length - at) / 2);
      parts.push(
        String.fromCharCode(
          ...Array.from({ length: units }, (_, index) => this.#view.getUint16(at + index * 2)),
        ),
      );
    }
    return parts.join('');
  }

  #take(bytes: number): number {
    const start = this.#at;
    if (bytes > this.#bytes.length - start) throw damagedBytes('it ends early');
    this.#at = start + bytes;
    return start;
  }
}
