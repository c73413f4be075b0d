/** Files in the interpreter's own memory, by the names that Node has for them. */
/* oxlint-disable max-lines-per-function, typescript/unbound-method -- one closure, because its text is all that reaches the interpreter, and methods as they were before a guest could change them */
import type { GuestFiles, GuestTextCoding } from './harness-types.ts';

interface FileOptions {
  readonly encoding?: unknown;
  readonly flag?: unknown;
  readonly recursive?: unknown;
  readonly force?: unknown;
  readonly withFileTypes?: unknown;
  readonly throwIfNoEntry?: unknown;
}

/** Runs in the interpreter. */
export function installFiles({ encodeText, decodeText }: GuestTextCoding): GuestFiles {
  const { isView } = ArrayBuffer;
  const { assign } = Object;
  const NativeMap = Map;
  const NativeSet = Set;
  const NativeError = Error;
  const NativeTypeError = TypeError;

  const files = new NativeMap<string, Uint8Array>();
  /** All but the root, which is always there. */
  const folders = new NativeSet<string>();
  let fileBytesLimit = 0;
  let directory: readonly string[] = [];

  const words: Record<string, string> = {
    EEXIST: 'file already exists',
    EINVAL: 'invalid argument',
    EISDIR: 'illegal operation on a directory',
    EBUSY: 'resource busy or locked',
    ENOENT: 'no such file or directory',
    ENOSPC: 'no space left on device',
    ENOTDIR: 'not a directory',
    ENOTEMPTY: 'directory not empty',
  };
  const fault = (code: string, call: string, path: unknown, other?: unknown): Error => {
    const target = other === undefined ? '' : ` -> '${other as string}'`;
    const message = `${code}: ${words[code]}, ${call} '${path as string}'${target}`;
    return assign(new NativeError(message), { code, syscall: call, path: String(path) });
  };
  const unknownOption = (name: string, value: unknown, there: string): Error =>
    assign(new NativeTypeError(`unknown ${name} '${String(value)}': there is ${there}`), {
      code: 'ERR_INVALID_ARG_VALUE',
    });

  const toPath = (path: unknown): string => {
    const text = String(path);
    const parts: string[] = text[0] === '/' ? [] : [...directory];
    for (const part of text.replace(/^\/sandbox(\/|$)/, '').split('/')) {
      if (part === '..') parts.pop();
      else if (part !== '' && part !== '.') parts.push(part);
    }
    return parts.join('/');
  };

  const isFolder = (name: string): boolean => name === '' || folders.has(name);
  const exists = (name: string): boolean => files.has(name) || isFolder(name);
  const startOf = (folder: string): string => (folder === '' ? '' : `${folder}/`);
  const allBelow = (folder: string): string[] =>
    [...files.keys(), ...folders].filter((name) => name.startsWith(startOf(folder)));
  const parentsOf = (name: string): string[] => {
    const parts = name.split('/');
    return parts.slice(1).map((_part, index) => parts.slice(0, index + 1).join('/'));
  };

  /** Folders come about with what is put into them. */
  const makeFolders = (names: readonly string[], call: string, path: unknown): void => {
    for (const name of names) if (files.has(name)) throw fault('ENOTDIR', call, path);
    for (const name of names) if (name !== '') folders.add(name);
  };

  const optionsOf = (given: unknown): FileOptions =>
    typeof given === 'string' ? { encoding: given } : ((given ?? {}) as FileOptions);

  const encodings: Record<string, string> = {
    'utf-8': 'utf8 utf-8',
    'utf-16le': 'utf16le utf-16le ucs2 ucs-2',
    latin1: 'latin1 binary',
    base64: 'base64',
    base64url: 'base64url',
    hex: 'hex',
  };
  /** `undefined` where bytes are meant. */
  const encodingOf = ({ encoding }: FileOptions): string | undefined => {
    if (encoding === undefined || encoding === null || encoding === 'buffer') return undefined;
    const asked = `${encoding as string}`.toLowerCase();
    for (const name in encodings) if (encodings[name]?.split(' ').includes(asked)) return name;
    throw unknownOption('encoding', encoding, 'utf8, utf16le, latin1, base64, base64url, hex');
  };

  const store = (name: string, bytes: Uint8Array, path: unknown): void => {
    let usedBytes = bytes.length;
    for (const [key, content] of files) if (key !== name) usedBytes += content.length;
    if (usedBytes > fileBytesLimit) throw fault('ENOSPC', 'write', path);
    makeFolders(parentsOf(name), 'open', path);
    files.set(name, bytes);
  };

  const write = (path: unknown, content: unknown, given: unknown, usual: string = 'w'): void => {
    const options = optionsOf(given);
    const flag = options.flag ?? usual;
    if (!['w', 'a', 'wx', 'ax'].includes(flag as string)) throw unknownOption('flag', flag, 'w, a, wx, ax');
    const name = toPath(path);
    if (isFolder(name)) throw fault('EISDIR', 'open', path);
    const earlier = files.get(name);
    if (earlier && (flag as string)[1] === 'x') throw fault('EEXIST', 'open', path);
    const encoding = encodingOf(options) ?? 'utf-8';
    const added = isView(content)
      ? new Uint8Array(content.buffer as ArrayBuffer, content.byteOffset, content.byteLength)
      : encodeText(String(content), encoding);
    const before = (flag as string)[0] === 'a' ? (earlier ?? new Uint8Array()) : new Uint8Array();
    const bytes = new Uint8Array(before.length + added.length);
    bytes.set(before);
    bytes.set(added, before.length);
    store(name, bytes, path);
  };

  const contentOf = (path: unknown, call: string, other?: unknown): Uint8Array => {
    const name = toPath(path);
    const bytes = files.get(name);
    if (bytes) return bytes;
    throw fault(isFolder(name) ? 'EISDIR' : missing(name), call, path, other);
  };

  /** What is not there, or cannot be, because a file stands in its way. */
  const missing = (name: string): string =>
    parentsOf(name).some((parent) => files.has(parent)) ? 'ENOTDIR' : 'ENOENT';

  const kindOf = (name: string): { isFile: () => boolean; isDirectory: () => boolean } => {
    const isFile = files.has(name);
    return { isFile: () => isFile, isDirectory: () => !isFile };
  };

  const list = (path: unknown, given?: unknown): unknown[] => {
    const { recursive, withFileTypes } = optionsOf(given);
    const folder = toPath(path);
    if (!isFolder(folder)) throw fault(files.has(folder) ? 'ENOTDIR' : missing(folder), 'scandir', path);
    const start = startOf(folder);
    const below = allBelow(folder).map((name) => name.slice(start.length));
    const names = below.filter((name) => recursive || !name.includes('/')).sort();
    if (!withFileTypes) return names;
    return names.map((name) => {
      const parts = name.split('/');
      return { name: parts.pop(), parentPath: [path, ...parts].join('/'), ...kindOf(start + name) };
    });
  };

  const makeFolder = (path: unknown, given?: unknown): string | undefined => {
    const name = toPath(path);
    if (!optionsOf(given).recursive) {
      if (exists(name)) throw fault('EEXIST', 'mkdir', path);
      const parent = parentsOf(name).pop() ?? '';
      if (!isFolder(parent)) throw fault(files.has(parent) ? 'ENOTDIR' : missing(parent), 'mkdir', path);
      folders.add(name);
      return undefined;
    }
    if (files.has(name)) throw fault('EEXIST', 'mkdir', path);
    const needed = [...parentsOf(name), name];
    const first = needed.find((folder) => !isFolder(folder));
    makeFolders(needed, 'mkdir', path);
    return first === undefined ? undefined : `/sandbox/${first}`;
  };

  const remove = (path: unknown, given?: unknown): void => {
    const { recursive, force } = optionsOf(given);
    const name = toPath(path);
    if (files.delete(name)) return;
    if (name === '') throw fault('EBUSY', 'rm', path);
    if (!folders.has(name)) {
      if (force) return;
      throw fault(missing(name), 'rm', path);
    }
    if (!recursive) throw fault('EISDIR', 'rm', path);
    for (const key of [name, ...allBelow(name)]) if (!files.delete(key)) folders.delete(key);
  };

  const moveFolder = (name: string, target: string): void => {
    for (const key of allBelow(name)) {
      const content = files.get(key);
      if (content) files.set(target + key.slice(name.length), content);
      else folders.add(target + key.slice(name.length));
      if (!files.delete(key)) folders.delete(key);
    }
    folders.delete(name);
  };

  const rename = (from: unknown, to: unknown): void => {
    const [name, target] = [toPath(from), toPath(to)];
    const refuse = (code: string): Error => fault(code, 'rename', from, to);
    if (!exists(name)) throw refuse(missing(name));
    if (name === '' || target === '') throw refuse('EBUSY');
    if (name === target) return;
    const bytes = files.get(name);
    if (bytes) {
      if (isFolder(target)) throw refuse('EISDIR');
      makeFolders(parentsOf(target), 'rename', from);
      files.delete(name);
      files.set(target, bytes);
      return;
    }
    if (target.startsWith(`${name}/`)) throw refuse('EINVAL');
    if (files.has(target)) throw refuse('ENOTDIR');
    if (allBelow(target).length > 0) throw refuse('ENOTEMPTY');
    makeFolders([...parentsOf(target), target], 'rename', from);
    moveFolder(name, target);
  };

  const copy = (from: unknown, to: unknown, mode: unknown = 0): void => {
    const bytes = contentOf(from, 'copyfile', to);
    const target = toPath(to);
    if (isFolder(target)) throw fault('EISDIR', 'copyfile', from, to);
    // COPYFILE_EXCL
    if ((mode as number) & 1 && files.has(target)) throw fault('EEXIST', 'copyfile', from, to);
    store(target, bytes.slice(), to);
  };

  const fileFunctions = {
    readFileSync(path: unknown, given?: unknown): string | Uint8Array {
      const encoding = encodingOf(optionsOf(given));
      const bytes = contentOf(path, 'open');
      return encoding === undefined ? bytes.slice() : (decodeText(bytes, encoding) as string);
    },
    writeFileSync: (path: unknown, content: unknown, given?: unknown): void => write(path, content, given),
    appendFileSync: (path: unknown, content: unknown, given?: unknown): void =>
      write(path, content, given, 'a'),
    existsSync: (path: unknown): boolean => exists(toPath(path)),
    readdirSync: list,
    mkdirSync: makeFolder,
    unlinkSync(path: unknown): void {
      contentOf(path, 'unlink');
      files.delete(toPath(path));
    },
    rmSync: remove,
    renameSync: rename,
    copyFileSync: copy,
    statSync(path: unknown, given?: unknown): object | undefined {
      const name = toPath(path);
      if (exists(name)) return { size: files.get(name)?.length ?? 0, ...kindOf(name) };
      if (optionsOf(given).throwIfNoEntry === false) return undefined;
      throw fault(missing(name), 'stat', path);
    },
  };

  return {
    begin(fileBytes): void {
      fileBytesLimit = fileBytes;
    },
    // given files are named from the root, wherever the code is
    write: (path, content) => write(`/${String(path)}`, content, undefined),
    make: (path) => void makeFolder(path, { recursive: true }),
    directory: () => `/${['sandbox', ...directory].join('/')}`,
    enter(path): void {
      const folder = toPath(path);
      if (!isFolder(folder)) throw fault(files.has(folder) ? 'ENOTDIR' : missing(folder), 'chdir', path);
      directory = folder === '' ? [] : folder.split('/');
    },
    functions: fileFunctions,
  };
}
