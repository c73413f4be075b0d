/**
 * Reads a zip file that nobody trusts. Whatever is ambiguous is refused: two readers must never see two different archives in one file. Source of
 * the format: APPNOTE.TXT of PKWARE, 4.3.
 */
import { inflateBytes } from '../../../../platform/index.ts';
import { beyondLimit, invalidPackage } from './fault.ts';

/** A file of an archive; folders are left out. */
export interface ZipEntry {
  readonly path: string;
  readonly sizeBytes: number;
  readonly packedBytes: number;
  readonly isPacked: boolean;
  readonly crc: number;
  /** Where its content begins. */
  readonly offset: number;
}

/** What an archive may hold; of `ExecutorLimits`. */
export interface ArchiveBounds {
  readonly packageFiles: number;
  readonly packageBytes: number;
}

const endSignature = 0x06054b50;
const centralSignature = 0x02014b50;
const localSignature = 0x04034b50;
const endBytes = 22;
const centralBytes = 46;
const localBytes = 30;
const maxCommentBytes = 65_535;
const maxPathLength = 1024;
/** Bits of a Unix mode: the kind of file. */
const kindMask = 0o170000;
const regularFile = 0o100000;
const folder = 0o040000;

const wrong = (expected: string, found: string): Error => invalidPackage('archive', expected, found);

interface Directory {
  readonly offset: number;
  readonly entries: number;
}

function findDirectory(view: DataView): Directory {
  const last = view.byteLength - endBytes;
  for (let at = last; at >= Math.max(0, last - maxCommentBytes); at -= 1) {
    if (view.getUint32(at, true) !== endSignature) continue;
    // a comment that itself holds an end would make two archives of one
    if (at + endBytes + view.getUint16(at + 20, true) !== view.byteLength) break;
    const entries = view.getUint16(at + 10, true);
    const sizeBytes = view.getUint32(at + 12, true);
    const offset = view.getUint32(at + 16, true);
    const isWhole = view.getUint32(at + 4, true) === 0 && view.getUint16(at + 8, true) === entries;
    if (!isWhole || entries === 0xffff || offset + sizeBytes !== at) break;
    return { offset, entries };
  }
  throw wrong('a zip file in one piece, without 64-bit fields', 'another');
}

function readPath(bytes: Uint8Array): string {
  let path: string;
  try {
    path = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw wrong('names in UTF-8', 'others');
  }
  const parts = (path.endsWith('/') ? path.slice(0, -1) : path).split('/');
  const isBelow = parts.every((part) => part !== '' && part !== '.' && part !== '..');
  // a backslash or a drive would lead elsewhere on other systems: no wheel needs them
  if (isBelow && path.length <= maxPathLength && !/[\0\\:]/u.test(path)) return path;
  throw wrong('paths below one folder', JSON.stringify(path));
}

/** An entry of the directory: a file, or a folder that is left out. */
interface DirectoryRecord {
  readonly file: ZipEntry | undefined;
  /** Where the next one begins. */
  readonly end: number;
  readonly localOffset: number;
}

/** The fields of an entry as they stand there. */
interface RawRecord {
  readonly rawPath: Uint8Array;
  readonly path: string;
  readonly end: number;
  readonly flags: number;
  readonly method: number;
  readonly kind: number;
  readonly crc: number;
  readonly packedBytes: number;
  readonly sizeBytes: number;
  readonly localOffset: number;
}

function readRaw(bytes: Uint8Array, view: DataView, at: number): RawRecord {
  if (at + centralBytes > bytes.length || view.getUint32(at, true) !== centralSignature) {
    throw wrong('a whole directory', 'a damaged one');
  }
  const pathEnd = at + centralBytes + view.getUint16(at + 28, true);
  const rawPath = bytes.subarray(at + centralBytes, pathEnd);
  return {
    rawPath,
    path: readPath(rawPath),
    end: pathEnd + view.getUint16(at + 30, true) + view.getUint16(at + 32, true),
    flags: view.getUint16(at + 8, true),
    method: view.getUint16(at + 10, true),
    kind: (view.getUint32(at + 38, true) >>> 16) & kindMask,
    crc: view.getUint32(at + 16, true),
    packedBytes: view.getUint32(at + 20, true),
    sizeBytes: view.getUint32(at + 24, true),
    localOffset: view.getUint32(at + 42, true),
  };
}

/** Kinds and ways of packing that no wheel needs. */
function checkForm(raw: RawRecord): void {
  const { path, flags, method, kind, packedBytes, sizeBytes, localOffset } = raw;
  if ((flags & 1) !== 0) throw wrong('no encrypted file', path);
  if (method !== 0 && method !== 8) throw wrong('files stored or deflated', `method ${method}`);
  if (![0, regularFile, folder].includes(kind)) throw wrong('no links or devices', path);
  if ([packedBytes, sizeBytes, localOffset].includes(0xffffffff)) throw wrong('no 64-bit fields', path);
  if (method === 0 && packedBytes !== sizeBytes) throw wrong('one size for a stored file', path);
  checkFolder(raw);
}

function checkFolder({ path, kind, sizeBytes }: RawRecord): void {
  const isFolder = path.endsWith('/');
  if (isFolder && sizeBytes !== 0) throw wrong('folders without content', path);
  if (!isFolder && kind === folder) throw wrong('a path of a folder that ends with "/"', path);
}

function readRecord(bytes: Uint8Array, view: DataView, at: number): DirectoryRecord {
  const raw = readRaw(bytes, view, at);
  checkForm(raw);
  const { path, end, localOffset, packedBytes, sizeBytes, crc, method } = raw;
  const offset = checkLocal(bytes, view, localOffset, raw.rawPath);
  if (offset + packedBytes > bytes.length) throw wrong('whole files', path);
  const file = { path, sizeBytes, packedBytes, isPacked: method === 8, crc, offset };
  return { file: path.endsWith('/') ? undefined : file, end, localOffset };
}

/** The header before the content must speak of the same file as the directory. */
function checkLocal(bytes: Uint8Array, view: DataView, at: number, rawPath: Uint8Array): number {
  if (at + localBytes > bytes.length || view.getUint32(at, true) !== localSignature) {
    throw wrong('a header before each file', 'none');
  }
  const pathBytes = view.getUint16(at + 26, true);
  const local = bytes.subarray(at + localBytes, at + localBytes + pathBytes);
  if (local.length !== rawPath.length || local.some((byte, index) => byte !== rawPath[index])) {
    throw wrong('one name for a file', 'two');
  }
  return at + localBytes + pathBytes + view.getUint16(at + 28, true);
}

/** Every file of the archive. Throws `executor/package-invalid` or `executor/package-limit`; nothing is unpacked yet. */
export function listZip(
  bytes: Uint8Array,
  { packageFiles, packageBytes }: ArchiveBounds,
): readonly ZipEntry[] {
  if (bytes.length < endBytes) throw wrong('a zip file', `${bytes.length} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const directory = findDirectory(view);
  if (directory.entries > packageFiles) throw beyondLimit('packageFiles', packageFiles, 'files in a package');
  const entries: ZipEntry[] = [];
  const ranges: (readonly [start: number, end: number])[] = [];
  let at = directory.offset;
  let sizeBytes = 0;
  for (let index = 0; index < directory.entries; index += 1) {
    const record = readRecord(bytes, view, at);
    at = record.end;
    const { file, localOffset } = record;
    if (!file) continue;
    entries.push(file);
    ranges.push([localOffset, file.offset + file.packedBytes]);
    sizeBytes += file.sizeBytes;
    if (sizeBytes > packageBytes) throw beyondLimit('packageBytes', packageBytes, 'bytes in a package');
  }
  checkOverlap(ranges, directory.offset);
  checkPaths(entries);
  return entries;
}

/** Files that share their bytes are how a small archive holds a large one. */
function checkOverlap(ranges: readonly (readonly [number, number])[], limit: number): void {
  let last = 0;
  for (const [start, end] of ranges.toSorted((one, other) => one[0] - other[0])) {
    if (start < last || end > limit) throw wrong('files beside each other', 'files over each other');
    last = end;
  }
}

function checkPaths(entries: readonly ZipEntry[]): void {
  const paths = new Set(entries.map(({ path }) => path));
  if (paths.size < entries.length) throw wrong('each path once', 'one twice');
  for (const path of paths) {
    for (let cut = path.lastIndexOf('/'); cut > 0; cut = path.lastIndexOf('/', cut - 1)) {
      if (paths.has(path.slice(0, cut))) throw wrong('a file or a folder', path.slice(0, cut));
    }
  }
}

/** The content of one file. Rejects with `executor/package-invalid` when it is not what the directory says. */
export async function readZipEntry(bytes: Uint8Array, entry: ZipEntry): Promise<Uint8Array<ArrayBuffer>> {
  const packed = bytes.slice(entry.offset, entry.offset + entry.packedBytes);
  const content = entry.isPacked ? await inflate(packed, entry) : packed;
  if (content.length !== entry.sizeBytes || crcOf(content) !== entry.crc) {
    throw wrong('the content that its directory names', entry.path);
  }
  return content;
}

async function inflate(packed: Uint8Array, { sizeBytes, path }: ZipEntry): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return await inflateBytes(packed, 'deflate-raw', sizeBytes);
  } catch (error) {
    throw Object.assign(wrong('the content that its directory names', path), { cause: error });
  }
}

const crcTable: Uint32Array = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1) value = (value & 1) === 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value >>> 0;
});

/** CRC-32 as zip files have it. */
export function crcOf(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (crcTable[(crc ^ byte) & 0xff] ?? 0) ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}
