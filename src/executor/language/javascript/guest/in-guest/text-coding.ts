/** Text from bytes and back: `TextEncoder`, `TextDecoder`, and what the files need of them. */
/* oxlint-disable max-lines-per-function, typescript/unbound-method -- one closure, because its text is all that reaches the interpreter, and methods as they were before a guest could change them */
import type { GuestTextCoding, HarnessHost } from './harness-types.ts';

/** Runs in the interpreter. */
export function installTextCoding(host: HarnessHost): GuestTextCoding {
  const { parse, stringify } = JSON;
  const { isView } = ArrayBuffer;
  const { defineProperty } = Object;
  const NativeBuffer = ArrayBuffer;
  const NativeRangeError = RangeError;
  const NativeTypeError = TypeError;

  const encodeText = (text: string, encoding: string): Uint8Array =>
    new Uint8Array(host.encodeText(stringify(text), encoding));

  /** `undefined` for malformed input, where that is fatal. */
  const decodeText = (bytes: Uint8Array, encoding: string, isFatal = false, keepsMark = false) => {
    const json = host.decodeText(bytes.slice().buffer, encoding, isFatal ? 1 : 0, keepsMark ? 1 : 0);
    return json === '' ? undefined : (parse(json) as string);
  };

  const encodings: Record<string, string> = {
    'utf-8': 'utf-8 utf8 unicode-1-1-utf-8',
    'utf-16le': 'utf-16le utf-16 ucs-2 unicode iso-10646-ucs-2',
    'utf-16be': 'utf-16be',
    'windows-1252': 'latin1 ascii us-ascii iso-8859-1 iso8859-1 l1 cp1252 windows-1252',
  };
  const encodingOf = (label: unknown): string => {
    const asked = `${label as string}`.trim().toLowerCase();
    for (const name in encodings) if (encodings[name]?.split(' ').includes(asked)) return name;
    const there = 'utf-8, utf-16le, utf-16be, latin1 (windows-1252)';
    throw new NativeRangeError(`unknown encoding '${label as string}': there is ${there}`);
  };

  const bytesOf = (given: unknown): Uint8Array => {
    if (isView(given)) return new Uint8Array(given.buffer as ArrayBuffer, given.byteOffset, given.byteLength);
    if (given instanceof NativeBuffer) return new Uint8Array(given);
    throw new NativeTypeError('decode takes an ArrayBuffer or a view of one');
  };

  /** Where a character begins that has no end; the length where there is none. */
  const wholeLength8 = (bytes: Uint8Array): number => {
    const { length } = bytes;
    for (let back = 1; back <= 3 && back <= length; back += 1) {
      const byte = bytes[length - back] as number;
      if (byte >> 6 === 2) continue;
      const needed = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
      return needed > back ? length - back : length;
    }
    return length;
  };

  /** How much of a part stands by itself: a character at its end may go on in the next one. */
  const wholeLength = (bytes: Uint8Array, encoding: string): number => {
    const { length } = bytes;
    if (encoding === 'utf-8') return wholeLength8(bytes);
    if (encoding === 'windows-1252') return length;
    const even = length - (length % 2);
    const high = bytes[encoding === 'utf-16le' ? even - 1 : even - 2] ?? 0;
    return high >> 2 === 0x36 ? even - 2 : even;
  };

  class Encoder {
    readonly encoding: string = 'utf-8';
    encode(text: unknown = ''): Uint8Array {
      return encodeText(String(text), 'utf-8');
    }
  }

  class Decoder {
    readonly encoding: string;
    readonly fatal: boolean;
    readonly ignoreBOM: boolean;
    #rest: Uint8Array = new Uint8Array();
    #hasBegun = false;

    constructor(label: unknown = 'utf-8', options?: { fatal?: unknown; ignoreBOM?: unknown }) {
      this.encoding = encodingOf(label);
      this.fatal = !!options?.fatal;
      this.ignoreBOM = !!options?.ignoreBOM;
    }

    decode(given: unknown = new Uint8Array(), options?: { stream?: unknown }): string {
      const added = bytesOf(given);
      const bytes = new Uint8Array(this.#rest.length + added.length);
      bytes.set(this.#rest);
      bytes.set(added, this.#rest.length);
      const end = options?.stream ? wholeLength(bytes, this.encoding) : bytes.length;
      const keepsMark = this.ignoreBOM || this.#hasBegun;
      this.#rest = bytes.slice(end);
      this.#hasBegun = !!options?.stream && (this.#hasBegun || end > 0);
      const text = decodeText(bytes.subarray(0, end), this.encoding, this.fatal, keepsMark);
      if (text === undefined) throw new NativeTypeError(`the bytes are not valid ${this.encoding}`);
      return text;
    }
  }

  for (const [name, value] of [
    ['TextEncoder', Encoder],
    ['TextDecoder', Decoder],
  ] as const) {
    defineProperty(globalThis, name, { value, writable: true, configurable: true });
  }
  return { encodeText, decodeText };
}
