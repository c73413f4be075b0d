/**
 * Bodies in the origin's private file system. A worker writes through sync access handles, which can be flushed. A page has only
 * `createWritable`, which cannot (Chromium: no fsync before or after its `close`) and is no faster than the database: it only reads.
 */
import { openOriginFolder } from '../../platform/index.ts';
import type { BodyFolder } from './body.ts';
import { nameOf } from './indexeddb-failure.ts';

/** Under the root of the origin; beneath it a folder per store. */
const rootName = 'vivarium-bodies';

/** What TypeScript's library for pages does not have: a worker's way to a file. */
interface SyncAccess {
  write(bytes: Uint8Array<ArrayBuffer>): number;
  read(bytes: Uint8Array<ArrayBuffer>): number;
  getSize(): number;
  flush(): void;
  close(): void;
}

interface SyncFileHandle extends FileSystemFileHandle {
  createSyncAccessHandle(options?: { readonly mode: 'read-only' }): Promise<SyncAccess>;
}

/** @throws what the platform says, and `platform/files-unavailable` */
export async function openOpfsFolder(store: string): Promise<BodyFolder> {
  const origin = await openOriginFolder();
  const root = await origin.getDirectoryHandle(rootName, { create: true });
  // a store's name may hold what no file name may
  const folder = await root.getDirectoryHandle(`store-${encodeURIComponent(store)}`, { create: true });
  return new OpfsFolder(folder);
}

class OpfsFolder implements BodyFolder {
  readonly canFlush: boolean = 'createSyncAccessHandle' in FileSystemFileHandle.prototype;
  readonly #folder: FileSystemDirectoryHandle;

  constructor(folder: FileSystemDirectoryHandle) {
    this.#folder = folder;
  }

  async write(file: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    const handle = (await this.#folder.getFileHandle(file, { create: true })) as SyncFileHandle;
    writeSync(await handle.createSyncAccessHandle(), bytes);
  }

  async read(file: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    try {
      const handle = (await this.#folder.getFileHandle(file)) as SyncFileHandle;
      const sync = this.canFlush ? await openForReading(handle) : undefined;
      if (sync) return readSync(sync);
      return new Uint8Array(await (await handle.getFile()).arrayBuffer());
    } catch (error) {
      // removed before it was opened, or while it was read
      if (['NotFoundError', 'NotReadableError'].includes(nameOf(error))) return undefined;
      throw error;
    }
  }

  async remove(file: string): Promise<void> {
    try {
      await this.#folder.removeEntry(file);
    } catch (error) {
      if (nameOf(error) !== 'NotFoundError') throw error;
    }
  }

  async list(): Promise<readonly string[]> {
    const names: string[] = [];
    for await (const name of this.#folder.keys()) names.push(name);
    return names;
  }
}

function writeSync(handle: SyncAccess, bytes: Uint8Array<ArrayBuffer>): void {
  try {
    const written = handle.write(bytes);
    if (written !== bytes.length) {
      throw new DOMException(`${written} of ${bytes.length} bytes were written`, 'QuotaExceededError');
    }
    handle.flush();
  } finally {
    handle.close();
  }
}

/** Undefined where another reader has it and the platform knows no shared handles: a Blob does it too, slower. */
async function openForReading(handle: SyncFileHandle): Promise<SyncAccess | undefined> {
  try {
    return await handle.createSyncAccessHandle({ mode: 'read-only' });
  } catch (error) {
    if (nameOf(error) === 'NoModificationAllowedError') return undefined;
    throw error;
  }
}

function readSync(handle: SyncAccess): Uint8Array<ArrayBuffer> | undefined {
  try {
    const sizeBytes = handle.getSize();
    // what Chromium answers for a file that was removed while it was opened is 2 to the 64th
    if (!Number.isSafeInteger(sizeBytes)) return undefined;
    const bytes = new Uint8Array(sizeBytes);
    const read = handle.read(bytes);
    return read === bytes.length ? bytes : bytes.subarray(0, read);
  } finally {
    handle.close();
  }
}
