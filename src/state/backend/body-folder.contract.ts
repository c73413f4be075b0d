/** A folder for tests: files in memory, which outlive the stores that share it, and may fail. */
import type { BodyFolder } from './body.ts';

export interface FaultyFolder extends BodyFolder {
  readonly files: Map<string, Uint8Array<ArrayBuffer>>;
  /** What was written, in order. */
  readonly written: string[];
  /** Runs inside the next calls; what it throws is what the platform says. */
  onWrite: (file: string) => void | Promise<void>;
  onRead: (file: string) => void | Promise<void>;
}

/** A folder in memory. */
export function createMemoryFolder(canFlush: boolean = true): FaultyFolder {
  const files = new Map<string, Uint8Array<ArrayBuffer>>();
  const written: string[] = [];
  const folder: FaultyFolder = {
    canFlush,
    files,
    written,
    onWrite: () => undefined,
    onRead: () => undefined,
    async write(file, bytes) {
      files.set(file, bytes.slice(0, 1));
      await folder.onWrite(file);
      files.set(file, bytes.slice());
      written.push(file);
    },
    async read(file) {
      await folder.onRead(file);
      return files.get(file)?.slice();
    },
    async remove(file) {
      files.delete(file);
    },
    list: async () => [...files.keys()],
  };
  return folder;
}
