/** Bytes that anybody may have made, read one after the other: every length is checked before it is believed. */
import { damaged } from './value-format.ts';

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Up to here a loop over ASCII beats the platform's decoder. */
const shortText = 24;
/** Arguments that a call can take in every engine. */
const unitsAtOnce = 8192;

/** Every method throws `state/bytes-damaged` when the bytes do not hold what is asked for. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get offset(): number {
    return this.#offset;
  }

  get remaining(): number {
    return this.#bytes.length - this.#offset;
  }

  fail(reason: string, cause?: unknown): never {
    throw damaged(reason, this.#offset, cause);
  }

  byte(): number {
    return this.#view.getUint8(this.#take(1));
  }

  count(): number {
    let value = 0;
    for (let factor = 1; factor <= 2 ** 49; factor *= 0x80) {
      const byte = this.byte();
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value > Number.MAX_SAFE_INTEGER ? this.fail('a count is too large') : value;
    }
    return this.fail('a count is too long');
  }

  /** A count of things of which each takes `bytesEach` at the least: more than there can be is refused at once. */
  countOf(what: string, bytesEach: number): number {
    const count = this.count();
    if (count * bytesEach > this.remaining) this.fail(`${count} ${what} in ${this.remaining} bytes`);
    return count;
  }

  double(): number {
    return this.#view.getFloat64(this.#take(8), true);
  }

  uint32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  /** A view on the next bytes. */
  raw(length: number): Uint8Array {
    const start = this.#take(length);
    return this.#bytes.subarray(start, start + length);
  }

  counted(): Uint8Array {
    return this.raw(this.countOf('bytes', 1));
  }

  text(): string {
    const marked = this.count();
    const length = Math.floor(marked / 2);
    const start = this.#take(length);
    if (marked % 2 === 1) return this.#utf16(start, length);
    const ascii = length < shortText ? this.#ascii(start, length) : undefined;
    if (ascii !== undefined) return ascii;
    try {
      return decoder.decode(this.#bytes.subarray(start, start + length));
    } catch (error) {
      return this.fail('text is not UTF-8', error);
    }
  }

  end(): void {
    if (this.remaining > 0) this.fail(`${this.remaining} bytes too many`);
  }

  #ascii(start: number, length: number): string | undefined {
    let text = '';
    for (let at = start; at < start + length; at++) {
      const unit = this.#view.getUint8(at);
      if (unit > 0x7f) return undefined;
      text += String.fromCharCode(unit);
    }
    return text;
  }

  #utf16(start: number, length: number): string {
    if (length % 2 === 1) this.fail('UTF-16 has an odd number of bytes');
    const units = new Uint16Array(this.#bytes.slice(start, start + length).buffer);
    let text = '';
    for (let at = 0; at < units.length; at += unitsAtOnce)
      text += String.fromCharCode(...units.subarray(at, at + unitsAtOnce));
    return text;
  }

  #take(length: number): number {
    if (length > this.remaining) this.fail(`the end comes ${length - this.remaining} bytes too early`);
    const start = this.#offset;
    this.#offset += length;
    return start;
  }
}
