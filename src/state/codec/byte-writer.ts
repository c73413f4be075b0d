/** Bytes, written one after the other. */
import { CodedError } from '../../base/index.ts';

const encoder = new TextEncoder();
/** Below it a loop over ASCII beats the platform's encoder, and twice the length is a count of one byte. */
const shortText = 64;
/** A run of bytes this long is not copied before the end. */
const longRun = 16 * 1024;
const firstChunk = 256;
const largestChunk = 2 ** 20;
/** Memory that a writer keeps when it begins again. */
const keptBytes = 64 * 1024;

/**
 * What is written fills chunks, and long runs of bytes stand between them as they are: all of it is copied once, at the end. So
 * nobody may change such a run before {@link ByteWriter.finish}.
 */
export class ByteWriter {
  #chunk = new Uint8Array(firstChunk);
  #view = new DataView(this.#chunk.buffer);
  #length = 0;
  #parts: Uint8Array[] = [];
  #partsBytes = 0;
  #maxBytes: number;

  /** @param maxBytes beyond it writing ends in `state/value-too-large`, at `finish` at the latest */
  constructor(maxBytes: number = Infinity) {
    this.#maxBytes = maxBytes;
  }

  /** Begins again; what is written so far is gone. */
  reset(maxBytes: number): void {
    this.#maxBytes = maxBytes;
    this.#length = 0;
    this.#partsBytes = 0;
    if (this.#parts.length > 0) this.#parts = [];
    // one large value must not keep its memory for ever
    if (this.#chunk.length > keptBytes) this.#startChunk(firstChunk);
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#chunk[this.#length++] = value;
  }

  /** A non-negative integer below 2^53, seven bits a byte, the lowest first; the high bit says that more follow. */
  count(value: number): void {
    this.#reserve(8);
    let rest = value;
    while (rest > 0x7f) {
      this.#chunk[this.#length++] = (rest % 0x80) + 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#chunk[this.#length++] = rest;
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
    if (bytes.length >= longRun) {
      if (this.#length > 0) this.#endChunk(firstChunk);
      this.#keep(bytes);
    } else {
      this.#reserve(bytes.length);
      this.#chunk.set(bytes, this.#length);
      this.#length += bytes.length;
    }
  }

  /** The number of bytes, and the bytes. */
  counted(bytes: Uint8Array): void {
    this.count(bytes.length);
    this.raw(bytes);
  }

  /** Twice the number of bytes, one more for text that is not well formed, and the bytes: UTF-8, or UTF-16. */
  text(text: string): void {
    if (text.length < shortText && this.#ascii(text)) return;
    const isWellFormed = !/\p{Surrogate}/u.test(text);
    const bytes = isWellFormed ? encoder.encode(text) : toUtf16(text);
    this.count(2 * bytes.length + (isWellFormed ? 0 : 1));
    this.raw(bytes);
  }

  /** All that was written. The writer can go on. */
  finish(): Uint8Array<ArrayBuffer> {
    this.#check();
    if (this.#parts.length === 0) return this.#chunk.slice(0, this.#length);
    const whole = new Uint8Array(this.#partsBytes + this.#length);
    let length = 0;
    for (const part of this.#parts) {
      whole.set(part, length);
      length += part.length;
    }
    whole.set(this.#chunk.subarray(0, this.#length), length);
    return whole;
  }

  /** Writes short ASCII; false, and nothing written, for other text. */
  #ascii(text: string): boolean {
    this.#reserve(shortText);
    const start = this.#length;
    this.#chunk[start] = 2 * text.length;
    for (let index = 0; index < text.length; index++) {
      const unit = text.charCodeAt(index);
      if (unit > 0x7f) return false;
      this.#chunk[start + 1 + index] = unit;
    }
    this.#length = start + 1 + text.length;
    return true;
  }

  #reserve(more: number): void {
    if (this.#length + more > this.#chunk.length)
      this.#endChunk(Math.max(more, Math.min(2 * this.#chunk.length, largestChunk)));
  }

  #endChunk(nextLength: number): void {
    this.#keep(this.#chunk.subarray(0, this.#length));
    this.#startChunk(nextLength);
  }

  #startChunk(length: number): void {
    this.#chunk = new Uint8Array(length);
    this.#view = new DataView(this.#chunk.buffer);
    this.#length = 0;
  }

  #keep(part: Uint8Array): void {
    this.#parts.push(part);
    this.#partsBytes += part.length;
    this.#check();
  }

  #check(): void {
    if (this.#partsBytes + this.#length <= this.#maxBytes) return;
    throw new CodedError('state/value-too-large', `the bytes of a value exceed ${this.#maxBytes}`, {
      fields: { scope: 'encoded', limit: this.#maxBytes, unit: 'bytes' },
    });
  }
}

function toUtf16(text: string): Uint8Array {
  const units = new Uint16Array(text.length);
  for (let index = 0; index < text.length; index++) units[index] = text.charCodeAt(index);
  return new Uint8Array(units.buffer);
}
