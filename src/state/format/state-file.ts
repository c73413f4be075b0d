/** State files: one state, whole, in a format that others read too, with the versions of what wrote it and a checksum. */
import { CodedError, isCodedError } from '../../base/index.ts';
import { deflateBytes, sha256Hex } from '../../platform/index.ts';
import { toCanonicalBytes } from './canonical.ts';
import { assertKnownVersion, damaged, defaultFormatLimits, fileVersion, tooLarge } from './codec.ts';
import type { FormatLimits, StateFile, StateFormat, UncheckedEnvelope } from './codec.ts';
import { loadCodec } from './codecs.ts';
import { assertEncodable } from './encodable.ts';

export { defaultFormatLimits } from './codec.ts';
export { recogniseFile } from './recognise.ts';

const maxKindLength = 200;
const maxVersions = 100;
const maxVersionLength = 200;

function checksumOf({ kind, versions, state }: StateFile, limits: FormatLimits): Promise<string> {
  // a number takes up to nine times the bytes that a format needs for it
  const maxBytes = 16 * limits.maxFileBytes;
  return sha256Hex(toCanonicalBytes({ kind, versions, state }, { maxBytes, maxDepth: limits.maxDepth + 2 }));
}

/** What is written. @throws `state/not-encodable`, `state/value-too-large` */
export async function encodeStateFile(
  file: StateFile,
  format: StateFormat,
  isGzipped: boolean,
  limits: FormatLimits = defaultFormatLimits,
): Promise<Uint8Array<ArrayBuffer>> {
  assertEncodable(file.state, format, limits);
  const { kind, versions } = file;
  // its owner may change the state while this waits
  const state: unknown = structuredClone(file.state);
  const [checksum, codec] = await Promise.all([
    checksumOf({ kind, versions, state }, limits),
    loadCodec(format),
  ]);
  const bytes = codec.encode({ version: fileVersion, kind, versions, checksum, state });
  if (bytes.length > limits.maxFileBytes) throw tooLarge('file', limits.maxFileBytes, 'bytes');
  return isGzipped ? deflateBytes(bytes, 'gzip') : bytes;
}

/**
 * What is read, whole and as it was written, or nothing.
 * @throws `state/format-damaged`, `state/checksum-failed`, `state/version-too-new`, `state/value-too-large`
 */
export async function decodeStateFile(
  bytes: Uint8Array,
  format: StateFormat,
  limits: FormatLimits = defaultFormatLimits,
): Promise<StateFile> {
  const codec = await loadCodec(format);
  const envelope = await read(() => codec.decode(bytes, limits), format);
  const file = checkEnvelope(envelope, format);
  assertReadable(file.state, format, limits);
  const { checksum } = envelope;
  if (checksum === undefined) return file;
  const found = await checksumOf(file, limits);
  if (found === checksum) return file;
  throw new CodedError('state/checksum-failed', `the ${format} file is not what was written`, {
    fields: { format, found },
  });
}

/** Whatever a decoder stumbles over is damage, a stack that ran out included. */
async function read(
  decode: () => Promise<UncheckedEnvelope>,
  format: StateFormat,
): Promise<UncheckedEnvelope> {
  try {
    return await decode();
  } catch (error) {
    if (isCodedError(error)) throw error;
    throw damaged(format, 'a whole file', error);
  }
}

/** What no writer could have written, such as half a surrogate pair, is not let in either. */
function assertReadable(state: unknown, format: StateFormat, limits: FormatLimits): void {
  try {
    assertEncodable(state, format, limits);
  } catch (error) {
    if (!isCodedError(error, 'state/not-encodable')) throw error;
    throw damaged(format, 'values that such a file can hold', error);
  }
}

function checkEnvelope(envelope: UncheckedEnvelope, format: StateFormat): StateFile {
  const { version, kind, versions, checksum, state } = envelope;
  assertKnownVersion(version);
  if (version !== fileVersion) throw damaged(format, `version ${fileVersion}`);
  if (typeof kind !== 'string' || kind === '' || kind.length > maxKindLength) {
    throw damaged(format, `a kind of 1 to ${maxKindLength} characters`);
  }
  if (!isVersions(versions)) {
    throw damaged(
      format,
      `at most ${maxVersions} versions, each a text of at most ${maxVersionLength} characters`,
    );
  }
  if (checksum !== undefined && (typeof checksum !== 'string' || !/^[0-9a-f]{64}$/.test(checksum))) {
    throw damaged(format, 'a checksum of 64 hexadecimal digits, or none');
  }
  return { kind, versions, state };
}

function isVersions(value: unknown): value is Readonly<Record<string, string>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const texts: unknown[] = Object.entries(value).flat();
  return (
    texts.length <= 2 * maxVersions &&
    texts.every((text) => typeof text === 'string' && text.length <= maxVersionLength)
  );
}
