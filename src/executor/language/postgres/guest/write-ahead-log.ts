/**
 * Postgres writes every change into a log as well, which it reads again after a crash. Nobody starts a guest's database again: the log keeps nothing
 * here, neither memory nor a share of what the guest may keep.
 */
import type { MemoryFiles } from '../../../guest/file-quota.ts';

interface FileOperations {
  readonly write: (...given: never[]) => number;
}
interface LogNode {
  readonly name: string;
  usedBytes: number;
  contents: Uint8Array | Record<string, LogNode>;
  node_ops: object;
  stream_ops: object;
}
interface LogStream {
  readonly node?: LogNode;
  stream_ops: object;
}

/** The part of emscripten's files that is used here. */
export interface LogFiles {
  lookupPath(path: string): { readonly node: LogNode };
  isFile(mode: number): boolean;
  readonly streams: readonly (LogStream | undefined)[];
}

/** How emscripten makes a file in memory. */
export interface LogMemory extends MemoryFiles {
  createNode(parent: LogNode, name: string, mode: number, device: number): LogNode;
  readonly ops_table: MemoryFiles['ops_table'] & {
    readonly file: {
      readonly node: object;
      readonly stream: FileOperations & MemoryFiles['ops_table']['file']['stream'];
    };
  };
}

type Written = readonly [buffer: unknown, offset: number, length: number, position: number];

/** From now on files in this folder have sizes and no content. */
export function dropLog(files: LogFiles, memory: LogMemory, folder: string): void {
  const { node: parent } = files.lookupPath(folder);
  const { node: nodeOperations, stream: streamOperations } = memory.ops_table.file;
  const write = (stream: LogStream, ...[, , length, position]: Written): number => {
    const { node } = stream as { node: LogNode };
    node.usedBytes = Math.max(node.usedBytes, position + length);
    return length;
  };
  const emptyStream = { ...streamOperations, write };
  const emptyNode = {
    ...nodeOperations,
    setattr(node: LogNode, { size }: { readonly size?: number }): void {
      if (size !== undefined) node.usedBytes = size;
    },
  };
  const empty = (node: LogNode): LogNode =>
    Object.assign(node, { node_ops: emptyNode, stream_ops: emptyStream });
  for (const node of Object.values(parent.contents as Record<string, LogNode>)) {
    if (ArrayBuffer.isView(node.contents)) Object.assign(empty(node), { contents: new Uint8Array(0) });
  }
  for (const stream of files.streams) {
    if (stream?.node?.stream_ops === emptyStream) stream.stream_ops = emptyStream;
  }
  parent.node_ops = {
    ...parent.node_ops,
    mknod(folderNode: LogNode, name: string, mode: number, device: number): LogNode {
      const node = memory.createNode(folderNode, name, mode, device);
      return files.isFile(mode) ? empty(node) : node;
    },
  };
}
