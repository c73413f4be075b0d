/** Bytes as text and back, in the encodings that the interpreter's own files and its `TextDecoder` have. */

/** What an encoding is called here; the first three are no characters' own, and lose nothing. */
export type TextEncodingName =
  | 'base64'
  | 'base64url'
  | 'hex'
  | 'latin1'
  | 'utf-8'
  | 'utf-16le'
  | 'utf-16be'
  | 'windows-1252';

/** How malformed input and a byte order mark are read, as `TextDecoder` has it. */
interface DecoderManners {
  readonly fatal: boolean;
  readonly ignoreBOM: boolean;
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const utf8 = new TextEncoder();

/** `undefined` for malformed input, where that is fatal. */
export function readText(
  bytes: Uint8Array,
  encoding: TextEncodingName,
  manners: DecoderManners,
): string | undefined {
  switch (encoding) {
    case 'latin1':
      return textOfBytes(bytes);
    case 'hex':
      return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
    case 'base64':
      return toBase64(bytes);
    case 'base64url':
      return toBase64(bytes).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
    case 'utf-8':
    case 'utf-16le':
    case 'utf-16be':
    case 'windows-1252':
      try {
        return new TextDecoder(encoding, manners).decode(bytes);
      } catch {
        return undefined;
      }
  }
}

/** What is no digit of base64 is passed over, and hexadecimal ends where it is none, as Node has it. */
export function writeText(text: string, encoding: TextEncodingName): Uint8Array<ArrayBuffer> {
  switch (encoding) {
    case 'utf-8':
      return utf8.encode(text);
    case 'hex':
      return Uint8Array.from(/^(?:[0-9a-f]{2})*/iu.exec(text)?.[0].match(/../gu) ?? [], (pair) =>
        parseInt(pair, 16),
      );
    case 'base64':
    case 'base64url':
      return ofBase64(text);
    case 'utf-16le': {
      const bytes = new Uint8Array(text.length * 2);
      const view = new DataView(bytes.buffer);
      for (let at = 0; at < text.length; at += 1) view.setUint16(at * 2, text.charCodeAt(at), true);
      return bytes;
    }
    case 'latin1':
      return Uint8Array.from({ length: text.length }, (_, at) => text.charCodeAt(at));
    case 'utf-16be':
    case 'windows-1252':
      throw new RangeError(`nothing is written as ${encoding}`);
  }
}

function textOfBytes(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 8192) {
    text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  }
  return text;
}

function toBase64(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 3) {
    const [a = 0, b, c] = [bytes[at], bytes[at + 1], bytes[at + 2]];
    const bits = (a << 16) | ((b ?? 0) << 8) | (c ?? 0);
    text += `${alphabet[bits >> 18]}${alphabet[(bits >> 12) & 63]}`;
    text += b === undefined ? '=' : alphabet[(bits >> 6) & 63];
    text += c === undefined ? '=' : alphabet[bits & 63];
  }
  return text;
}

function ofBase64(text: string): Uint8Array<ArrayBuffer> {
  const digits = text
    .replace(/=.*$/su, '')
    .replaceAll('-', '+')
    .replaceAll('_', '/')
    .replaceAll(/[^\w+/]/gu, '');
  const bytes = new Uint8Array(Math.floor((digits.length * 3) / 4));
  let bits = 0;
  let at = 0;
  for (let index = 0; index < digits.length; index += 1) {
    bits = ((bits << 6) | alphabet.indexOf(digits[index] as string)) & 0xff_ffff;
    if (index % 4 > 0) bytes[at++] = bits >> (6 - 2 * (index % 4));
  }
  return bytes;
}
