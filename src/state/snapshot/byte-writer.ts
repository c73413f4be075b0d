/** Bytes, written one after the other. */
import { CodedError } from '../../base/index.ts';

const encoder = new TextEncoder();
/** Up to here a loop over ASCII beats the platform's encoder. */
const shortText = 64;
/** Memory that a writer keeps when it begins again. */
const keptBytes = 64 * 1024;

export class ByteWriter {
  #bytes = new Uint8Array(256);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;
  #maxBytes: number;

  /** @param maxBytes beyond it every method throws `state/value-too-large` */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Begins again; what is written so far is gone. */
  reset(maxBytes: number): void {
    this.#length = 0;
    this.#maxBytes = maxBytes;
    // one large value must not keep its memory for ever
    if (this.#bytes.length > keptBytes) this.#grow(256);
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
  }

  /** A tag: one ASCII character. */
  tag(tag: string): void {
    this.byte(tag.charCodeAt(0));
  }

  /** A non-negative integer below 2^53, seven bits a byte, the lowest first; the high bit says that more follow. */
  count(value: number): void {
    this.#reserve(8);
    let rest = value;
    while (rest > 0x7f) {
      this.#bytes[this.#length++] = (rest % 0x80) + 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#bytes[this.#length++] = rest;
  }

  /** An IEEE 754 double, little-endian; every NaN is the same NaN. */
  double(value: number): void {
    this.#reserve(8);
    this.#view.setFloat64(this.#length, Number.isNaN(value) ? Number.NaN : value, true);
    this.#length += 8;
  }

  uint32(value: number): void {
    this.#reserve(4);
    this.#view.setUint32(this.#length, value, true);
    this.#length += 4;
  }

  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** The number of bytes, and the bytes. */
  counted(bytes: Uint8Array): void {
    this.count(bytes.length);
    this.raw(bytes);
  }

  /** Well-formed text: the number of its bytes in UTF-8, and these. */
  text(text: string): void {
    if (text.length < shortText && this.#ascii(text)) return;
    this.counted(encoder.encode(text));
  }

  /** A view on what is written so far, good until the next write. */
  written(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length);
  }

  finish(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#length);
  }

  /** Writes short ASCII; false, and nothing written, for other text. */
  #ascii(text: string): boolean {
    this.#reserve(shortText + 1);
    const start = this.#length;
    this.#bytes[start] = text.length;
    for (let index = 0; index < text.length; index++) {
      const unit = text.charCodeAt(index);
      if (unit > 0x7f) return false;
      this.#bytes[start + 1 + index] = unit;
    }
    this.#length = start + 1 + text.length;
    return true;
  }

  #reserve(more: number): void {
    const needed = this.#length + more;
    if (needed <= this.#bytes.length) return;
    if (this.#length > this.#maxBytes || (more > 2 * shortText && needed > this.#maxBytes)) {
      throw new CodedError('state/value-too-large', `the bytes of a value exceed ${this.#maxBytes}`, {
        fields: { scope: 'encoded', limit: this.#maxBytes, unit: 'bytes' },
      });
    }
    this.#grow(Math.max(needed, 2 * this.#bytes.length));
  }

  #grow(length: number): void {
    const other = new Uint8Array(length);
    other.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = other;
    this.#view = new DataView(other.buffer);
  }
}
