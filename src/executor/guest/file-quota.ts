/** The guest's files live in the worker's own memory, outside the heap that the engine bounds; this bounds them. */

interface FileNode {
  readonly contents: Uint8Array | Readonly<Record<string, FileNode>> | null;
  readonly usedBytes?: number;
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
  /** Shared by all files; there as soon as there is one. */
  readonly ops_table: { readonly file: { readonly stream: { write: Write } } };
}

/** The part of emscripten's file system that is used here. */
export interface FileSystem {
  readonly root: FileNode;
  readonly streams: readonly ({ readonly node?: FileNode } | undefined)[];
  readonly ErrnoError: new (errno: number) => Error;
}

/** ENOSPC in emscripten's numbering: Python raises `OSError: No space left on device`, Postgres says 53100. */
const noSpace = 51;

/** Bytes held by all files, deleted ones that are still open included. */
function measure(files: FileSystem): number {
  const seen = new Set<FileNode>();
  const open = files.streams.flatMap((stream) => (stream?.node ? [stream.node] : []));
  const pending = [files.root, ...open];
  let sizeBytes = 0;
  for (let node = pending.pop(); node; node = pending.pop()) {
    if (seen.has(node)) continue;
    seen.add(node);
    if (ArrayBuffer.isView(node.contents)) sizeBytes += node.contents.byteLength;
    else if (node.contents) pending.push(...Object.values(node.contents));
  }
  return sizeBytes;
}

const sizeOf = (node: FileNode): number => (ArrayBuffer.isView(node.contents) ? node.contents.byteLength : 0);

/**
 * Lets files grow by `maxSizeBytes` beyond what is there now. Growth is added up as it happens; only at the bound is everything measured
 * anew. A growing file reserves up to an eighth more than it asks for, so that much the bound may be passed by.
 */
export function limitFiles(files: FileSystem, memory: MemoryFiles, maxSizeBytes: number): void {
  const baseBytes = measure(files);
  let usedBytes = 0;
  const reserve = (growthBytes: number): void => {
    if (usedBytes + growthBytes > maxSizeBytes) usedBytes = measure(files) - baseBytes;
    if (usedBytes + growthBytes > maxSizeBytes) throw new files.ErrnoError(noSpace);
  };
  for (const name of ['expandFileStorage', 'resizeFileStorage'] as const) {
    const change = memory[name].bind(memory);
    const bounded = (node: FileNode, sizeBytes: number): void => {
      const beforeBytes = sizeOf(node);
      if (sizeBytes > beforeBytes) reserve(sizeBytes - beforeBytes);
      change(node, sizeBytes);
      usedBytes += Math.max(0, sizeOf(node) - beforeBytes);
    };
    Object.defineProperty(memory, name, { value: bounded, writable: false, configurable: false });
  }
  const operations = memory.ops_table.file.stream;
  const { write } = operations;
  // the first write into an empty file takes a copy of what is written, past both functions above
  const bounded: Write = (stream, buffer, ...range) => {
    const { node } = stream;
    const [, length, position, canOwn] = range;
    const beforeBytes = sizeOf(node);
    const isTaken = canOwn === true || (node.usedBytes === 0 && position === 0);
    if (isTaken && length > beforeBytes) reserve(length - beforeBytes);
    const written = write(stream, buffer, ...range);
    if (isTaken) usedBytes += Math.max(0, sizeOf(node) - beforeBytes);
    return written;
  };
  Object.defineProperty(operations, 'write', { value: bounded, writable: false, configurable: false });
}
