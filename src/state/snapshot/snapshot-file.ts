/**
 * A snapshot as one file.
 *
 * Eight bytes that say what it is (the first is no ASCII, then a line end of each kind: a copy made as text shows), the version of
 * the format (2 bytes, little-endian), flags (1 byte; 1: the body is gzip), then the body, then 32 bytes: SHA-256 of everything before. The body: what is
 * known of the snapshot (a value, counted), then the number of its keys, and each key with its value, in order of key. Values
 * are as in `value-format.ts`.
 */
import { CodedError, isCodedError } from '../../base/index.ts';
import { deflateBytes, inflateBytes, sha256Hex } from '../../platform/index.ts';
import { ByteReader } from '../codec/byte-reader.ts';
import { ByteWriter } from '../codec/byte-writer.ts';
import { damaged } from '../codec/value-format.ts';
import { fromValueBytes } from '../codec/from-value-bytes.ts';
import { toValueBytes } from '../codec/to-value-bytes.ts';
import type { Key } from '../key.ts';
import type { CommitOptions, Store } from '../store.ts';
import { checkName, isCovered, isHidden, toPrefixes } from './layout.ts';
import { isMetadata } from './metadata.ts';
import { fromRecordBytes, toRecordBytes } from './records.ts';
import type { BytesRecord } from './records.ts';
import { findSnapshot, readSnapshotRecords, storeSnapshot, toContext } from './snapshot.ts';
import type { SnapshotInfo, SnapshotSettings } from './snapshot.ts';

const magic: readonly number[] = [0x89, 0x56, 0x53, 0x4e, 0x0d, 0x0a, 0x1a, 0x0a];
const version = 1;
const headBytes = magic.length + 3;
const digestBytes = 32;
const gzipFlag = 1;

type Header = Pick<SnapshotInfo, 'name' | 'atMs' | 'prefixes' | 'metadata'>;

async function digestOf(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const hex = await sha256Hex(bytes);
  return Uint8Array.from({ length: digestBytes }, (_, index) =>
    parseInt(hex.slice(2 * index, 2 * index + 2), 16),
  );
}

export interface ExportOptions {
  /** Default `none`. */
  readonly compression?: 'gzip' | 'none';
}

/**
 * A snapshot as one file, which {@link importSnapshot} reads in any store.
 * @throws `state/snapshot-not-found`, `state/checksum-failed`, and what the store throws
 */
export async function exportSnapshot(
  store: Store,
  name: string,
  { compression = 'none' }: ExportOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const { value } = await findSnapshot(store, name);
  const { atMs, prefixes, metadata } = value.info;
  const records = await readSnapshotRecords(store, value);
  const body = new ByteWriter();
  body.counted(toValueBytes({ name, atMs, prefixes, metadata }));
  body.raw(toRecordBytes(records, Infinity));
  const isGzip = compression === 'gzip';
  const writer = new ByteWriter();
  writer.raw(Uint8Array.from(magic));
  writer.byte(version & 0xff);
  writer.byte(version >> 8);
  writer.byte(isGzip ? gzipFlag : 0);
  writer.raw(isGzip ? await deflateBytes(body.finish(), 'gzip') : body.finish());
  writer.raw(await digestOf(writer.finish()));
  return writer.finish();
}

function formatUnknown(found: string): CodedError {
  return new CodedError('state/format-unknown', `the bytes are no snapshot file: ${found}`, {
    fields: { found },
  });
}

/** The body, after everything around it was found right. */
async function openFile(bytes: Uint8Array<ArrayBuffer>, limit: number): Promise<Uint8Array> {
  if (!magic.every((byte, index) => bytes[index] === byte)) throw formatUnknown('they begin otherwise');
  if (bytes.length < headBytes + digestBytes) throw damaged('the end of the file is missing', bytes.length);
  const found = (bytes[magic.length] ?? 0) + 256 * (bytes[magic.length + 1] ?? 0);
  if (found > version) {
    throw new CodedError(
      'state/version-too-new',
      `a snapshot file has version ${found}, expected at most ${version}`,
      {
        fields: { found, supported: version },
      },
    );
  }
  const flags = bytes[headBytes - 1] ?? 0;
  if (found === 0 || flags > gzipFlag) throw formatUnknown(`version ${found}, flags ${flags}`);
  const end = bytes.length - digestBytes;
  const expected = await digestOf(bytes.slice(0, end));
  if (!expected.every((byte, index) => bytes[end + index] === byte)) {
    throw new CodedError('state/checksum-failed', 'a snapshot file is not what was exported', {
      fields: { what: 'a snapshot file' },
    });
  }
  const body = bytes.subarray(headBytes, end);
  return flags === gzipFlag ? inflate(body, limit) : body;
}

async function inflate(bytes: Uint8Array, limit: number): Promise<Uint8Array> {
  try {
    return await inflateBytes(bytes, 'gzip', limit);
  } catch (error) {
    if (isCodedError(error, 'platform/inflated-too-large'))
      throw fileTooLarge('inflates to more', limit, error);
    throw damaged('the body cannot be inflated', headBytes, error);
  }
}

function fileTooLarge(found: string, limit: number, cause?: unknown): CodedError {
  return new CodedError(
    'state/snapshot-too-large',
    `a snapshot file ${found}, expected at most ${limit} bytes`,
    {
      fields: { limit },
      cause,
    },
  );
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parseHeader(value: unknown): Header {
  if (!isObject(value)) throw damaged('what is known of the snapshot is no object', 0);
  const { name, atMs, prefixes, metadata } = value;
  if (typeof atMs !== 'number' || !Number.isFinite(atMs)) throw damaged('the time is no number', 0);
  if (!Array.isArray(prefixes)) throw damaged('the prefixes are no list', 0);
  if (!isMetadata(metadata)) throw damaged('the metadata is no JSON object, or too large', 0);
  try {
    checkName('snapshot', name);
    return { name, atMs, prefixes: toPrefixes(prefixes as Key[]), metadata };
  } catch (error) {
    throw damaged('the name or a prefix is not valid', 0, error);
  }
}

function parseBody(body: Uint8Array): { readonly header: Header; readonly records: readonly BytesRecord[] } {
  const reader = new ByteReader(body);
  const header = parseHeader(fromValueBytes(reader.counted()));
  const records = fromRecordBytes(reader.raw(reader.remaining));
  for (const { key, bytes } of records) {
    if (!isCovered(key, header.prefixes)) throw damaged('a key lies under no prefix', 0);
    if (isHidden(key)) throw damaged('a key is reserved', 0);
    fromValueBytes(bytes);
  }
  return { header, records };
}

export interface ImportOptions extends SnapshotSettings, Pick<CommitOptions, 'durability'> {
  /** Under which name it is kept here. Default: its own. */
  readonly name?: string;
}

/**
 * Keeps the snapshot of a file as one of this store; `restoreTo` and `forkSnapshot` put it to use. Every byte of it is checked first:
 * of a file that is refused nothing is stored.
 * @throws `state/format-unknown`, `state/version-too-new`, `state/checksum-failed`, `state/bytes-damaged`, `state/snapshot-too-large`,
 *   `state/snapshot-exists`, `state/snapshot-limit`, `state/snapshot-invalid`, and what the store throws
 */
export async function importSnapshot(
  store: Store,
  bytes: Uint8Array,
  options: ImportOptions = {},
): Promise<SnapshotInfo> {
  if (options.name !== undefined) checkName('snapshot', options.name);
  const { maxSnapshotBytes: limit } = toContext(store, options).limits;
  if (bytes.length > limit) throw fileTooLarge(`has ${bytes.length}`, limit);
  // a copy: the caller may change it while it is checked
  const { header, records } = parseBody(await openFile(bytes.slice(), limit));
  const info = { ...header, name: options.name ?? header.name };
  return storeSnapshot(store, records, { info }, options);
}
