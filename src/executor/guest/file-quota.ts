/** The guest's files live in the worker's own memory, outside the heap that the engine bounds; this bounds them. */

interface FileNode {
  readonly name: string;
  /** Of a file, or of a folder; a link has none. */
  readonly contents?: Uint8Array | Readonly<Record<string, FileNode>> | null;
  readonly usedBytes?: number;
  /** Where a link leads. */
  readonly link?: string;
}

/** What folders can do; all of them share it. */
interface FolderOperations {
  symlink: (parent: FileNode, name: string, target: string) => FileNode;
  rename: (node: FileNode, folder: FileNode, name: string) => void;
}

type Write = (
  stream: { readonly node: FileNode },
  buffer: ArrayBufferView,
  ...range: readonly [offset: number, length: number, position: number, canOwn?: boolean]
) => number;

/** How emscripten keeps files in memory. */
export interface MemoryFiles {
  expandFileStorage(node: FileNode, capacity: number): void;
  resizeFileStorage(node: FileNode, size: number): void;
  createNode(parent: FileNode | null, name: string, mode: number, device: number): FileNode;
  /** Shared by all; there as soon as there is a file or a folder. */
  readonly ops_table: {
    readonly file: { readonly stream: { write: Write } };
    readonly dir: { readonly node: FolderOperations };
  };
}

/** The part of emscripten's file system that is used here. */
export interface FileSystem {
  readonly root: FileNode;
  readonly streams: readonly ({ readonly node?: FileNode } | undefined)[];
  readonly ErrnoError: new (errno: number) => Error;
}

/** ENOSPC in emscripten's numbering: Python raises `OSError: No space left on device`, Postgres says 53100. */
const noSpace = 51;

/** What the worker holds for a file, a folder or a link, however little is in it. As measured: 230 to 340. */
const nodeBytes = 384;

/** A name is kept in its node and as a key of its folder's; a text takes up to two bytes for a character. */
const textBytes = (text: string | undefined): number => 2 * (text?.length ?? 0);

const sizeOf = (node: FileNode): number => (ArrayBuffer.isView(node.contents) ? node.contents.byteLength : 0);

/** Bytes held by all files, folders and links, deleted ones that are still open included. */
function measure(files: FileSystem): number {
  const seen = new Set<FileNode>();
  const open = files.streams.flatMap((stream) => (stream?.node ? [stream.node] : []));
  const pending = [files.root, ...open];
  let sizeBytes = 0;
  for (let node = pending.pop(); node; node = pending.pop()) {
    if (seen.has(node)) continue;
    seen.add(node);
    sizeBytes += nodeBytes + textBytes(node.name) + textBytes(node.link) + sizeOf(node);
    if (node.contents && !ArrayBuffer.isView(node.contents)) {
      for (const child of Object.values(node.contents)) pending.push(child);
    }
  }
  return sizeBytes;
}

/** Counts what is used: growth is added up as it happens, and everything is measured anew only at the bound. */
class Quota {
  readonly #files: FileSystem;
  readonly #maxSizeBytes: number;
  readonly #baseBytes: number;
  #usedBytes = 0;

  constructor(files: FileSystem, maxSizeBytes: number) {
    this.#files = files;
    this.#maxSizeBytes = maxSizeBytes;
    this.#baseBytes = measure(files);
  }

  /** Throws where there is no room for so much more. */
  reserve(growthBytes: number): void {
    if (this.#usedBytes + growthBytes > this.#maxSizeBytes) {
      this.#usedBytes = measure(this.#files) - this.#baseBytes;
    }
    if (this.#usedBytes + growthBytes > this.#maxSizeBytes) throw new this.#files.ErrnoError(noSpace);
  }

  take(growthBytes: number): void {
    this.#usedBytes += Math.max(0, growthBytes);
  }

  /** Does what takes so much, if there is room. */
  spend<T>(growthBytes: number, work: () => T): T {
    this.reserve(growthBytes);
    const result = work();
    this.take(growthBytes);
    return result;
  }
}

/** Puts `bounded` in the place of what is there, for good. */
function replace<T extends object, Name extends keyof T>(target: T, name: Name, bounded: T[Name]): void {
  Object.defineProperty(target, name, { value: bounded, writable: false, configurable: false });
}

function limitContents(memory: MemoryFiles, quota: Quota): void {
  for (const name of ['expandFileStorage', 'resizeFileStorage'] as const) {
    const change = memory[name].bind(memory);
    replace(memory, name, (node, sizeBytes) => {
      const beforeBytes = sizeOf(node);
      if (sizeBytes > beforeBytes) quota.reserve(sizeBytes - beforeBytes);
      change(node, sizeBytes);
      quota.take(sizeOf(node) - beforeBytes);
    });
  }
  const operations = memory.ops_table.file.stream;
  const { write } = operations;
  // the first write into an empty file takes a copy of what is written, past both functions above
  replace(operations, 'write', (stream, buffer, ...range) => {
    const { node } = stream;
    const [, length, position, canOwn] = range;
    const beforeBytes = sizeOf(node);
    const isTaken = canOwn === true || (node.usedBytes === 0 && position === 0);
    if (isTaken && length > beforeBytes) quota.reserve(length - beforeBytes);
    const written = write(stream, buffer, ...range);
    if (isTaken) quota.take(sizeOf(node) - beforeBytes);
    return written;
  });
}

function limitNodes(memory: MemoryFiles, quota: Quota): void {
  const create = memory.createNode.bind(memory);
  replace(memory, 'createNode', (parent, name, ...kind) =>
    quota.spend(nodeBytes + textBytes(name), () => create(parent, name, ...kind)),
  );
  const folders = memory.ops_table.dir.node;
  const { symlink, rename } = folders;
  replace(folders, 'symlink', (parent, name, target) =>
    quota.spend(textBytes(target), () => symlink(parent, name, target)),
  );
  replace(folders, 'rename', (node, folder, name) =>
    quota.spend(Math.max(0, textBytes(name) - textBytes(node.name)), () => rename(node, folder, name)),
  );
}

/**
 * Lets files, folders and links grow by `maxSizeBytes` beyond what is there now: their contents, their names, where links lead, and 384 bytes for
 * each. A growing file reserves up to an eighth more than it asks for, so that much the bound may be passed by.
 */
export function limitFiles(files: FileSystem, memory: MemoryFiles, maxSizeBytes: number): void {
  const quota = new Quota(files, maxSizeBytes);
  limitContents(memory, quota);
  limitNodes(memory, quota);
}
