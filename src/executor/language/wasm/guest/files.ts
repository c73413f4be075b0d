/** The files of a guest: in memory, outside its heap, and therefore with a bound of their own. */
import {
  Directory,
  File,
  Inode,
  OpenDirectory,
  OpenFile,
  PreopenDirectory,
  wasi,
} from '@bjorn3/browser_wasi_shim';
import type { Fd } from '@bjorn3/browser_wasi_shim';

type Written = ReturnType<OpenFile['fd_write']>;
type Entry = ReturnType<Directory['create_entry_for_path']>;

/** What a file or folder counts as, besides its content and its names. */
const entryBytes = 512;
/** What each name of it counts as: one file may have many. */
export const nameBytes = (length: number): number => 64 + 2 * length;

/** A file's content, or the names in a folder and the numbers of what they name. */
export type FileNode = Uint8Array | readonly (readonly [name: string, node: number])[];

/** All files of a session, or of a run of its own. */
export class GuestFiles {
  readonly root: Directory;
  /** What is open: it may have no name any more, and is there all the same. */
  open: readonly (Fd | undefined)[] = [];
  readonly #maxBytes: number;
  #usedBytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
    this.root = new GuestDirectory(this);
  }

  /** The root, as an open folder of this name. */
  openRoot(name: string): Fd {
    return new OpenRoot(name, this, this.root);
  }

  /** The folder at this path as an open one of this name, made where it is missing; `undefined` when a file is in its place, or when there is no space. */
  openFolder(name: string, path: string): Fd | undefined {
    let folder: Directory | undefined = this.root;
    for (const part of path.split('/')) if (part !== '') folder = folder && this.#below(folder, part);
    return folder && new OpenRoot(name, this, folder);
  }

  #below(folder: Directory, name: string): Directory | undefined {
    const present = folder.contents.get(name);
    if (present) return present instanceof Directory ? present : undefined;
    if (!this.takes(entryBytes + nameBytes(name.length))) return undefined;
    const made = new GuestDirectory(this);
    folder.contents.set(name, made);
    return made;
  }

  /** Puts a file there, with the folders above it, in the place of what was there. False when there is no space. */
  put(path: string, content: Uint8Array): boolean {
    const parts = path.split('/');
    const name = parts.pop() as string;
    let folder = this.root;
    for (const part of parts) {
      const present = folder.contents.get(part);
      const isPresent = present instanceof Directory;
      if (!isPresent && !this.takes(entryBytes + nameBytes(part.length))) return false;
      const next = isPresent ? present : new GuestDirectory(this);
      folder.contents.set(part, next);
      folder = next;
    }
    if (!this.takes(content.length + entryBytes + nameBytes(name.length))) return false;
    folder.contents.set(name, new GuestFile(this, content));
    return true;
  }

  /** Whether so much more may be kept; if so it counts from now on. Only at the bound is everything measured anew. */
  takes(growthBytes: number): boolean {
    if (this.#usedBytes + growthBytes > this.#maxBytes) this.#usedBytes = this.#measure();
    if (this.#usedBytes + growthBytes > this.#maxBytes) return false;
    this.#usedBytes += growthBytes;
    return true;
  }

  /** Every file and folder that has a name, once; the root first. */
  list(): readonly FileNode[] {
    const nodes = [...reach([this.root])];
    const numbers = new Map(nodes.map((node, index) => [node, index]));
    return nodes.map((node) =>
      node instanceof Directory
        ? [...node.contents].map(([name, child]) => [name, numbers.get(child) as number] as const)
        : (node as File).data,
    );
  }

  /** Makes of no files at all what {@link list} was told of. Throws where there is no space, or a number means nothing. */
  fill(nodes: readonly FileNode[]): void {
    const made = nodes.map((node, index) => {
      const isFile = node instanceof Uint8Array;
      this.#take(entryBytes + (isFile ? node.length : 0));
      if (isFile) return new GuestFile(this, node);
      return index === 0 ? this.root : new GuestDirectory(this);
    });
    for (const [index, node] of nodes.entries()) {
      if (!(node instanceof Uint8Array)) this.#name(made[index] as Directory, node, made);
    }
  }

  #name(folder: Directory, names: Exclude<FileNode, Uint8Array>, nodes: readonly Inode[]): void {
    for (const [name, number] of names) {
      const node = nodes[number];
      if (!node) throw new Error(`there is no file of the number ${number}`);
      this.#take(nameBytes(name.length));
      folder.contents.set(name, node);
    }
  }

  #take(sizeBytes: number): void {
    if (!this.takes(sizeBytes)) throw new Error('there is no space for the files');
  }

  /** Everything that the guest can still reach: by name, or because it is open. Each file once, whatever its names. */
  #measure(): number {
    const pending: Inode[] = [this.root];
    for (const fd of this.open) {
      if (fd instanceof OpenFile) pending.push(fd.file);
      else if (fd instanceof OpenDirectory) pending.push(fd.dir);
    }
    let sizeBytes = 0;
    for (const node of reach(pending)) {
      sizeBytes += entryBytes;
      if (node instanceof Directory)
        for (const name of node.contents.keys()) sizeBytes += nameBytes(name.length);
      if (node instanceof File) sizeBytes += node.data.buffer.byteLength;
    }
    return sizeBytes;
  }
}

/** File numbers begin anew: they must not tell a guest what was there before it. */
export function restartFileNumbers(): void {
  // private in its type alone
  (Inode as unknown as { next_ino: bigint }).next_ino = 1n;
}

/** Each node once. */
function reach(from: Inode[]): ReadonlySet<Inode> {
  const seen = new Set<Inode>();
  for (let node = from.pop(); node; node = from.pop()) {
    if (seen.has(node)) continue;
    seen.add(node);
    if (node instanceof Directory) for (const child of node.contents.values()) from.push(child);
  }
  return seen;
}

interface NewName {
  readonly target: Directory;
  readonly path: string;
  readonly inode: Inode;
  /** Its new name was counted before it lost its own: putting it back must not fail. */
  readonly isMoved: boolean;
}

function refuseLink(files: GuestFiles, { target, path, inode, isMoved }: NewName): number | undefined {
  // inside itself nobody could reach it
  if (inode instanceof Directory && reach([inode]).has(target)) return wasi.ERRNO_INVAL;
  return isMoved || files.takes(nameBytes(path.length)) ? undefined : wasi.ERRNO_NOSPC;
}

class OpenGuestDirectory extends OpenDirectory {
  readonly #files: GuestFiles;

  constructor(files: GuestFiles, directory: Directory) {
    super(directory);
    this.#files = files;
  }

  override path_link(path: string, inode: Inode, allowsDirectory: boolean): number {
    const refusal = refuseLink(this.#files, { target: this.dir, path, inode, isMoved: allowsDirectory });
    return refusal ?? super.path_link(path, inode, allowsDirectory);
  }
}

class OpenRoot extends PreopenDirectory {
  readonly #files: GuestFiles;

  constructor(name: string, files: GuestFiles, directory: Directory) {
    super(name, new Map());
    this.dir = directory;
    this.#files = files;
  }

  override path_link(path: string, inode: Inode, allowsDirectory: boolean): number {
    const refusal = refuseLink(this.#files, { target: this.dir, path, inode, isMoved: allowsDirectory });
    return refusal ?? super.path_link(path, inode, allowsDirectory);
  }
}

/** A file whose buffer has room to grow: writing it piece by piece copies it seldom. */
class GuestFile extends File {
  readonly #files: GuestFiles;

  constructor(files: GuestFiles, content: Uint8Array = new Uint8Array()) {
    super(content);
    this.#files = files;
  }

  override path_open(oflags: number, rights: bigint, flags: number): ReturnType<File['path_open']> {
    const { ret } = super.path_open(oflags, rights, flags);
    const opened = new OpenGuestFile(this);
    if (flags & wasi.FDFLAGS_APPEND) opened.fd_seek(0n, wasi.WHENCE_END);
    return { ret, fd_obj: opened };
  }

  /** Makes it `size` bytes long, with zeros behind what there was; false when there is no space. */
  resize(size: bigint): boolean {
    if (size < 0n || size > BigInt(Number.MAX_SAFE_INTEGER)) return false;
    const next = Number(size);
    const capacity = this.data.buffer.byteLength;
    if (next > capacity) return this.#grow(next, capacity);
    const end = this.data.length;
    if (next > end) new Uint8Array(this.data.buffer, end, next - end).fill(0);
    this.data = new Uint8Array(this.data.buffer, 0, next);
    return true;
  }

  #grow(next: number, capacity: number): boolean {
    const roomy = Math.max(next, Math.ceil(capacity * 1.5));
    const room = [roomy, next].find((size) => this.#files.takes(size - capacity));
    if (room === undefined) return false;
    const buffer = new Uint8Array(room);
    buffer.set(this.data);
    this.data = new Uint8Array(buffer.buffer, 0, next);
    return true;
  }
}

class OpenGuestFile extends OpenFile {
  readonly #file: GuestFile;

  constructor(file: GuestFile) {
    super(file);
    this.#file = file;
  }

  override fd_write(data: Uint8Array): Written {
    const written = this.fd_pwrite(data, this.file_pos);
    this.file_pos += BigInt(written.nwritten);
    return written;
  }

  override fd_pwrite(data: Uint8Array, offset: bigint): Written {
    if (offset < 0n) return { ret: wasi.ERRNO_INVAL, nwritten: 0 };
    if (!this.#reaches(offset + BigInt(data.length))) return { ret: wasi.ERRNO_NOSPC, nwritten: 0 };
    this.#file.data.set(data, Number(offset));
    return { ret: wasi.ERRNO_SUCCESS, nwritten: data.length };
  }

  override fd_allocate(offset: bigint, length: bigint): number {
    return this.#reaches(offset + length) ? wasi.ERRNO_SUCCESS : wasi.ERRNO_NOSPC;
  }

  override fd_filestat_set_size(size: bigint): number {
    return this.#file.resize(size) ? wasi.ERRNO_SUCCESS : wasi.ERRNO_NOSPC;
  }

  #reaches(end: bigint): boolean {
    return end <= this.#file.size || this.#file.resize(end);
  }
}

class GuestDirectory extends Directory {
  readonly #files: GuestFiles;

  constructor(files: GuestFiles) {
    super(new Map());
    this.#files = files;
  }

  override path_open(): ReturnType<Directory['path_open']> {
    return { ret: wasi.ERRNO_SUCCESS, fd_obj: new OpenGuestDirectory(this.#files, this) };
  }

  /** As the shim does it, with entries of ours. */
  override create_entry_for_path(path: string, isDirectory: boolean): Entry {
    const made = super.create_entry_for_path(path, isDirectory);
    if (made.entry === null) return made;
    const { parent, name } = this.#find(path);
    parent.contents.delete(name);
    if (!this.#files.takes(entryBytes + nameBytes(name.length)))
      return { ret: wasi.ERRNO_NOSPC, entry: null };
    const entry = isDirectory ? new GuestDirectory(this.#files) : new GuestFile(this.#files);
    parent.contents.set(name, entry);
    return { ret: wasi.ERRNO_SUCCESS, entry };
  }

  /** Of a path at which there is something. */
  #find(path: string): { readonly parent: Directory; readonly name: string } {
    const parts: string[] = [];
    for (const part of path.split('/')) {
      if (part === '..') parts.pop();
      else if (part !== '' && part !== '.') parts.push(part);
    }
    const name = parts.pop() as string;
    const parent = parts.reduce<Inode>(
      (folder, part) => (folder as Directory).contents.get(part) as Inode,
      this,
    );
    return { parent: parent as Directory, name };
  }
}
