/** What a file is, by its content alone. Names and types that come with a file are never believed. */
import { CodedError } from '../../base/index.ts';
import { tooLarge } from './codec.ts';
import type { FormatLimits, StateFormat } from './codec.ts';
import { formats } from './codecs.ts';
import { inflateWhole } from './inflate-whole.ts';

/** A file out of its wrapping. */
export interface RecognisedFile {
  /** `json`: some JSON text; `pickle`: something that Python would run, or an archive that may hold that. */
  readonly format: StateFormat | 'json' | 'pickle';
  readonly isGzipped: boolean;
  /** What was inside the gzip, or the file itself. */
  readonly bytes: Uint8Array;
}

const gzipLeading = [0x1f, 0x8b];
const zipLeading = [0x50, 0x4b, 0x03, 0x04];
const textStart = /^(?:\u00ef\u00bb\u00bf)?[ \t\r\n]*[{[]/;
/** White space before JSON beyond this is no text that anybody wrote. */
const maxBlankBytes = 1024;

function startsWith(bytes: Uint8Array, leading: readonly number[]): boolean {
  return leading.every((byte, index) => bytes[index] === byte);
}

/** Pickles of protocol 2 and later begin with 0x80 and the protocol; torch and others put theirs into a zip. */
function isPickle(bytes: Uint8Array): boolean {
  const [first, protocol = 0] = bytes;
  return (first === 0x80 && protocol >= 2 && protocol <= 5) || startsWith(bytes, zipLeading);
}

function formatOf(bytes: Uint8Array): RecognisedFile['format'] | undefined {
  const known = formats.find(({ leading }) => startsWith(bytes, leading));
  if (known) return known.format;
  if (isPickle(bytes)) return 'pickle';
  const start = String.fromCharCode(...bytes.subarray(0, maxBlankBytes));
  return textStart.test(start) ? 'json' : undefined;
}

function unknownFormat(bytes: Uint8Array): CodedError {
  const hex = Array.from(bytes.subarray(0, 8), (byte) => byte.toString(16).padStart(2, '0')).join(' ');
  const expected = [...formats.map(({ format }) => format), 'json'];
  const found = bytes.length === 0 ? 'is empty' : `begins with ${hex}`;
  return new CodedError(
    'state/format-unknown',
    `the file ${found}: expected one of ${expected.join(', ')}, plain or in gzip`,
    { fields: { leadingBytes: hex, expected } },
  );
}

/**
 * Takes a file out of its gzip, if it is in one, and says what it is.
 * @throws `state/format-unknown` (fields leadingBytes, expected), `state/format-damaged` for a broken gzip, `state/value-too-large`
 */
export async function recogniseFile(file: Uint8Array, limits: FormatLimits): Promise<RecognisedFile> {
  if (file.length > limits.maxFileBytes) throw tooLarge('file', limits.maxFileBytes, 'bytes');
  const isGzipped = startsWith(file, gzipLeading);
  const bytes = isGzipped ? await inflateWhole(file, 'gzip', limits) : file;
  const format = formatOf(bytes);
  // gzip inside gzip is unknown too
  if (format === undefined) throw unknownFormat(bytes);
  return { format, isGzipped, bytes };
}
