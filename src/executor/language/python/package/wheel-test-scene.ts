/** Wheels for tests, as small as they can be, and as broken as a test wants them. */
import { joinBytes } from '../../../../base/index.ts';
import { crcOf } from './read-zip.ts';

/** One entry of an archive; what is left out is as it must be. */
export interface ZipPart {
  readonly path: string;
  readonly content?: string | Uint8Array;
  /** Unix mode; default: a regular file. */
  readonly mode?: number;
  /** The name in the header before the content. */
  readonly localPath?: string;
  readonly crc?: number;
  /** What the directory says of the unpacked size. */
  readonly sizeBytes?: number;
  /** Already deflated: `content` is not what it unpacks to. */
  readonly deflated?: Uint8Array;
  readonly flags?: number;
  readonly method?: number;
  /** Uses the bytes of the entry with this index. */
  readonly sharedWith?: number;
}

const encoder = new TextEncoder();
const bytesOf = (content: string | Uint8Array): Uint8Array =>
  typeof content === 'string' ? encoder.encode(content) : content;

function header(
  sizeBytes: number,
  fields: readonly (readonly [at: number, bytes: 2 | 4, value: number])[],
): Uint8Array {
  const view = new DataView(new ArrayBuffer(sizeBytes));
  for (const [at, bytes, value] of fields) {
    if (bytes === 2) view.setUint16(at, value, true);
    else view.setUint32(at, value, true);
  }
  return new Uint8Array(view.buffer);
}

/** An entry with everything that it leaves out. */
function complete(part: ZipPart) {
  const content = bytesOf(part.content ?? '');
  return {
    path: encoder.encode(part.path),
    localPath: encoder.encode(part.localPath ?? part.path),
    packed: part.deflated ?? content,
    method: part.method ?? (part.deflated ? 8 : 0),
    sizeBytes: part.sizeBytes ?? content.length,
    crc: part.crc ?? crcOf(content),
    flags: part.flags ?? 0x800,
    mode: part.mode ?? 0o100644,
  };
}

type Complete = ReturnType<typeof complete>;

function localHeader({ flags, method, crc, packed, sizeBytes, localPath }: Complete): Uint8Array {
  return header(30, [
    [0, 4, 0x04034b50],
    [6, 2, flags],
    [8, 2, method],
    [14, 4, crc],
    [18, 4, packed.length],
    [22, 4, sizeBytes],
    [26, 2, localPath.length],
  ]);
}

function centralHeader(
  { flags, method, crc, packed, sizeBytes, path, mode }: Complete,
  at: number,
): Uint8Array {
  return header(46, [
    [0, 4, 0x02014b50],
    [8, 2, flags],
    [10, 2, method],
    [16, 4, crc],
    [20, 4, packed.length],
    [24, 4, sizeBytes],
    [28, 2, path.length],
    [38, 4, (mode << 16) >>> 0],
    [42, 4, at],
  ]);
}

/** A zip file of these parts, stored. */
export function buildZip(
  parts: readonly ZipPart[],
  comment: Uint8Array = new Uint8Array(),
): Uint8Array<ArrayBuffer> {
  const files: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  const offsets: number[] = [];
  let offset = 0;
  for (const part of parts) {
    const whole = complete(part);
    const at = part.sharedWith === undefined ? offset : (offsets[part.sharedWith] ?? 0);
    offsets.push(at);
    if (part.sharedWith === undefined) {
      files.push(localHeader(whole), whole.localPath, whole.packed);
      offset += 30 + whole.localPath.length + whole.packed.length;
    }
    directory.push(centralHeader(whole, at), whole.path);
  }
  const central = joinBytes(directory);
  const end = header(22, [
    [0, 4, 0x06054b50],
    [8, 2, parts.length],
    [10, 2, parts.length],
    [12, 4, central.length],
    [16, 4, offset],
    [20, 2, comment.length],
  ]);
  return joinBytes([...files, central, end, comment]);
}

/** A package to be. */
export interface WheelPlan {
  readonly name: string;
  readonly version?: string;
  readonly requires?: readonly string[];
  readonly requiresPython?: string;
  readonly tag?: string;
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  /** Left out of it, by the name of the file in its `.dist-info`. */
  readonly lacks?: readonly string[];
  /** Beside the rest. */
  readonly extra?: readonly ZipPart[];
}

/** The name of a plan's file. */
export function wheelFileName({ name, version = '1.0', tag = 'py3-none-any' }: WheelPlan): string {
  return `${name.replaceAll('-', '_')}-${version}-${tag}.whl`;
}

/** A wheel with one module of the package's name. */
export function buildWheel(plan: WheelPlan): Uint8Array<ArrayBuffer> {
  const {
    name,
    version = '1.0',
    requires = [],
    requiresPython,
    tag = 'py3-none-any',
    lacks = [],
    extra = [],
  } = plan;
  const module = name.replaceAll('-', '_');
  const { files = { [`${module}.py`]: `version = "${version}"\n` } } = plan;
  const folder = `${module}-${version}.dist-info`;
  const metadata = [
    'Metadata-Version: 2.1',
    `Name: ${name}`,
    `Version: ${version}`,
    ...(requiresPython === undefined ? [] : [`Requires-Python: ${requiresPython}`]),
    ...requires.map((requirement) => `Requires-Dist: ${requirement}`),
    '',
    'A text: with a colon',
  ];
  const info = {
    METADATA: metadata.join('\n'),
    WHEEL: `Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: ${tag}\n`,
    RECORD: [...Object.keys(files), `${folder}/METADATA`, `${folder}/WHEEL`, `${folder}/RECORD`]
      .map((path) => `${path},,\n`)
      .join(''),
  };
  return buildZip([
    ...Object.entries(files).map(([path, content]) => ({ path, content })),
    ...Object.entries(info)
      .filter(([file]) => !lacks.includes(file))
      .map(([file, content]) => ({ path: `${folder}/${file}`, content })),
    ...extra,
  ]);
}
