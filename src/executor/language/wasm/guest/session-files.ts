/**
 * A session of WebAssembly put aside: its files, its environment and its folder, as one piece. A number of four bytes, little-endian, says how
 * long the JSON behind it is; then come the files' contents. The instance of a module stays behind: nobody can read its globals and tables.
 */
import { joinBytes } from '../../../../base/index.ts';
import type { SavedState } from '../../../guest/engine.ts';
import type { FileNode } from './files.ts';

export interface FileSession {
  readonly nodes: readonly FileNode[];
  readonly environment: Readonly<Record<string, string>>;
  readonly directory: string;
}

/** As JSON: a file is the length of its content. */
interface Header extends Omit<FileSession, 'nodes'> {
  readonly nodes: readonly (number | Exclude<FileNode, Uint8Array>)[];
}

const maxNames = 10_000;
const maxTextLength = 200;

const contentsOf = ({ nodes }: FileSession): readonly Uint8Array[] =>
  nodes.filter((node) => node instanceof Uint8Array);

const totalBytes = (parts: readonly Uint8Array[]): number =>
  parts.reduce((sum, { length }) => sum + length, 0);

/** Of the files alone. */
export function contentBytes(session: FileSession): number {
  return totalBytes(contentsOf(session));
}

/** @param hasModule an instance that is lost with the interpreter */
export function packSession(session: FileSession, sizeBytes: number, hasModule: boolean): SavedState {
  const header: Header = {
    ...session,
    nodes: session.nodes.map((node) => (node instanceof Uint8Array ? node.length : node)),
  };
  const text = new TextEncoder().encode(JSON.stringify(header));
  const length = new Uint8Array(new Uint32Array([text.length]).buffer);
  const pieces = [length, text, ...contentsOf(session)];
  const isTooLarge = totalBytes(pieces) > sizeBytes;
  const names = pathsOf(session).map((path) => path.slice(0, maxTextLength));
  const reason = `with all files, more than ${sizeBytes} bytes would have to be put aside`;
  const missing = isTooLarge ? names.map((name) => ({ name, reason })) : [];
  const module = { name: 'module', reason: 'an instance cannot be put aside: the next run brings its code' };
  return {
    parts: [isTooLarge ? new ArrayBuffer() : joinBytes(pieces).buffer],
    names: isTooLarge ? [] : names,
    lost: [...(hasModule ? [module] : []), ...missing].slice(0, maxNames),
  };
}

/** `undefined` where nothing was put aside. Throws for what {@link packSession} did not write. */
export function openSession(bytes: Uint8Array): FileSession | undefined {
  if (bytes.length === 0) return undefined;
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  let end = 4 + length;
  const { nodes, ...rest } = JSON.parse(new TextDecoder().decode(bytes.subarray(4, end))) as Header;
  const take = (size: number): Uint8Array => {
    end += size;
    if (end > bytes.length) throw new Error('what was put aside ends early');
    return bytes.slice(end - size, end);
  };
  return { ...rest, nodes: nodes.map((node) => (typeof node === 'number' ? take(node) : node)) };
}

/** Of files, each by its first name. */
function pathsOf({ nodes }: FileSession): readonly string[] {
  const paths: string[] = [];
  const seen = new Set<number>([0]);
  const pending: (readonly [path: string, node: number])[] = [['', 0]];
  for (let next = pending.pop(); next && paths.length < maxNames; next = pending.pop()) {
    const [path, number] = next;
    const node = nodes[number] as FileNode;
    if (node instanceof Uint8Array) paths.push(path);
    else
      for (const [name, child] of node) {
        if (seen.has(child)) continue;
        seen.add(child);
        pending.push([path === '' ? name : `${path}/${name}`, child]);
      }
  }
  return paths;
}
