/**
 * MessagePack as bytes alone: whether they are one whole value of the kinds that state files hold. What passes can be decoded without
 * surprise: no length beyond the end, no depth beyond the bound, no type that makes more than data. It builds nothing itself.
 * https://github.com/msgpack/msgpack/blob/master/spec.md
 */
import { damaged, ValueCounter } from '../codec.ts';
import type { FormatLimits } from '../codec.ts';

/** Types of extension that state files use, as msgpackr numbers them, with the lengths that they have. */
const extensions: Readonly<Record<number, (length: number, limits: FormatLimits) => boolean>> = {
  // undefined
  0x00: (length) => length === 1,
  // a bigint of more than 64 bits
  0x42: (length, { maxBigintBytes }) => length > 0 && length <= maxBigintBytes + 1,
  // binary data: one byte for its type
  0x74: (length) => length > 0,
  // a time
  0xff: (length) => length === 4 || length === 8 || length === 12,
};

interface Wide {
  readonly from: number;
  readonly to: number;
  readonly body: 'none' | 'invalid' | 'bytes' | 'fixed' | 'extension' | 'fixed-extension' | 'list' | 'map';
}

/** The tokens from 0xc0 to 0xdf, in order. In each row a size doubles from one token to the next. */
const wide: readonly Wide[] = [
  { from: 0xc0, to: 0xc0, body: 'none' },
  { from: 0xc1, to: 0xc1, body: 'invalid' },
  { from: 0xc2, to: 0xc3, body: 'none' },
  { from: 0xc4, to: 0xc6, body: 'bytes' },
  { from: 0xc7, to: 0xc9, body: 'extension' },
  // floats of 4 and 8 bytes
  { from: 0xc8, to: 0xcb, body: 'fixed' },
  { from: 0xcc, to: 0xcf, body: 'fixed' },
  { from: 0xd0, to: 0xd3, body: 'fixed' },
  { from: 0xd4, to: 0xd8, body: 'fixed-extension' },
  { from: 0xd9, to: 0xdb, body: 'bytes' },
  { from: 0xdc, to: 0xdd, body: 'list' },
  { from: 0xde, to: 0xdf, body: 'map' },
];

interface Frame {
  /** Values that are still to come, keys included. */
  left: number;
}

class Scanner {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #limits: FormatLimits;
  readonly #counter: ValueCounter;
  #at = 0;

  constructor(bytes: Uint8Array, limits: FormatLimits) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#limits = limits;
    this.#counter = new ValueCounter('msgpack', limits);
  }

  /** One value, and nothing behind it. How many values it is, containers and keys included. */
  scan(): number {
    const frames: Frame[] = [{ left: 1 }];
    for (let top = frames.at(-1); top; top = frames.at(-1)) {
      if (top.left === 0) {
        frames.pop();
        continue;
      }
      top.left -= 1;
      const parts = this.#value();
      if (parts === 0) continue;
      this.#counter.enter(frames.length);
      frames.push({ left: parts });
    }
    if (this.#at !== this.#bytes.length) throw damaged('msgpack', 'nothing behind the last value');
    return this.#counter.count;
  }

  /** Passes over one value, or the head of a container; how many values are inside. */
  #value(): number {
    this.#counter.add();
    const token = this.#number(1);
    if (token < 0x80 || token >= 0xe0) return 0;
    if (token < 0x90) return this.#parts(2 * (token - 0x80));
    if (token < 0xa0) return this.#parts(token - 0x90);
    if (token < 0xc0) return this.#skip(token - 0xa0);
    return this.#wide(token);
  }

  #wide(token: number): number {
    const rule = wide.find(({ to }) => token <= to) as Wide;
    // a length of 1, 2 or 4 bytes, or, where the length is in the token, a body of so many
    const size = 2 ** (token - rule.from);
    switch (rule.body) {
      case 'none':
        return 0;
      case 'invalid':
        throw damaged('msgpack', 'a byte that begins a value');
      case 'bytes':
        return this.#skip(this.#number(size));
      case 'fixed':
        return this.#skip(size);
      case 'extension':
        return this.#extension(this.#number(size));
      case 'fixed-extension':
        return this.#extension(size);
      case 'list':
        return this.#parts(this.#number(2 * size));
      case 'map':
        return this.#parts(2 * this.#number(2 * size));
    }
  }

  #extension(length: number): number {
    const type = this.#number(1);
    if (!extensions[type]?.(length, this.#limits))
      throw damaged('msgpack', 'an extension that state files use');
    return this.#skip(length);
  }

  /** Each part takes a byte at least. */
  #parts(count: number): number {
    this.#assertLeft(count);
    return count;
  }

  #skip(length: number): 0 {
    this.#assertLeft(length);
    this.#at += length;
    return 0;
  }

  #number(size: number): number {
    this.#assertLeft(size);
    const at = this.#at;
    this.#at += size;
    if (size === 1) return this.#view.getUint8(at);
    return size === 2 ? this.#view.getUint16(at) : this.#view.getUint32(at);
  }

  #assertLeft(length: number): void {
    if (this.#at + length > this.#bytes.length) throw damaged('msgpack', 'more bytes');
  }
}

/**
 * Checks the one value that the bytes are.
 * @returns how many values it is, containers and keys included
 * @throws `state/format-damaged`, `state/value-too-large`
 */
export function scanMessagePack(bytes: Uint8Array, limits: FormatLimits): number {
  return new Scanner(bytes, limits).scan();
}
