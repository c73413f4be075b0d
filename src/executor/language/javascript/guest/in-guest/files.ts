/** Files in the interpreter's own memory, by the names that Node has for them; and the coding of text, which they need. */
/* oxlint-disable max-lines-per-function, typescript/unbound-method -- one closure, because its text is all that reaches the interpreter, and methods as they were before a guest could change them */
import type { GuestFiles, HarnessHost } from './harness-types.ts';

/** Runs in the interpreter. */
export function installFiles(host: HarnessHost): GuestFiles {
  const { parse, stringify } = JSON;
  const { isView } = ArrayBuffer;
  const { assign, defineProperty } = Object;
  const NativeMap = Map;
  const NativeSet = Set;
  const NativeError = Error;

  const files = new NativeMap<string, Uint8Array>();
  let fileBytesLimit = 0;
  let directory: readonly string[] = [];

  const fault = (code: string, words: string, call: string, path: string): Error =>
    assign(new NativeError(`${code}: ${words}, ${call} '${path}'`), { code, path });

  const toPath = (path: unknown): string => {
    const text = String(path);
    const parts: string[] = text[0] === '/' ? [] : [...directory];
    for (const part of text.replace(/^\/sandbox(\/|$)/, '').split('/')) {
      if (part === '..') parts.pop();
      else if (part !== '' && part !== '.') parts.push(part);
    }
    return parts.join('/');
  };

  const encodeText = (text: string): Uint8Array => new Uint8Array(host.encodeText(stringify(text)));
  const decodeText = (bytes: Uint8Array): string => parse(host.decodeText(bytes.slice().buffer)) as string;

  const write = (path: unknown, content: unknown, isAppended: boolean): void => {
    const name = toPath(path);
    if (name === '') throw fault('EISDIR', 'illegal operation on a directory', 'open', String(path));
    const before = isAppended ? (files.get(name) ?? new Uint8Array()) : new Uint8Array();
    const added = isView(content)
      ? new Uint8Array(content.buffer as ArrayBuffer, content.byteOffset, content.byteLength)
      : encodeText(String(content));
    let usedBytes = before.length + added.length;
    for (const [key, bytes] of files) if (key !== name) usedBytes += bytes.length;
    if (usedBytes > fileBytesLimit) throw fault('ENOSPC', 'no space left on device', 'write', String(path));
    const bytes = new Uint8Array(before.length + added.length);
    bytes.set(before);
    bytes.set(added, before.length);
    files.set(name, bytes);
  };

  const encodingOf = (options: unknown): unknown =>
    typeof options === 'string' ? options : (options as { encoding?: unknown } | null | undefined)?.encoding;

  const namesBelow = (path: unknown): string[] => {
    const folder = toPath(path);
    const start = folder === '' ? '' : `${folder}/`;
    const names = [...files.keys()].filter((name) => name.startsWith(start));
    return [...new NativeSet(names.map((name) => name.slice(start.length).split('/')[0] as string))].sort();
  };

  const fileFunctions = {
    readFileSync(path: unknown, options?: unknown): string | Uint8Array {
      const bytes = files.get(toPath(path));
      if (!bytes) throw fault('ENOENT', 'no such file or directory', 'open', String(path));
      return encodingOf(options) ? decodeText(bytes) : bytes.slice();
    },
    writeFileSync: (path: unknown, content: unknown): void => write(path, content, false),
    appendFileSync: (path: unknown, content: unknown): void => write(path, content, true),
    existsSync: (path: unknown): boolean => files.has(toPath(path)) || namesBelow(path).length > 0,
    readdirSync: namesBelow,
    mkdirSync: (): undefined => undefined,
    unlinkSync(path: unknown): void {
      if (!files.delete(toPath(path)))
        throw fault('ENOENT', 'no such file or directory', 'unlink', String(path));
    },
    rmSync(path: unknown): void {
      const name = toPath(path);
      for (const key of files.keys()) if (key === name || key.startsWith(`${name}/`)) files.delete(key);
    },
    statSync(path: unknown): object {
      const bytes = files.get(toPath(path));
      const isFolder = !bytes && namesBelow(path).length > 0;
      if (!bytes && !isFolder) throw fault('ENOENT', 'no such file or directory', 'stat', String(path));
      return { size: bytes?.length ?? 0, isFile: () => !isFolder, isDirectory: () => isFolder };
    },
  };

  class Encoder {
    readonly encoding: string = 'utf-8';
    encode(text: unknown = ''): Uint8Array {
      return encodeText(String(text));
    }
  }
  class Decoder {
    readonly encoding: string = 'utf-8';
    decode(bytes: unknown = new Uint8Array()): string {
      if (isView(bytes)) {
        return decodeText(new Uint8Array(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.byteLength));
      }
      return decodeText(new Uint8Array(bytes as ArrayBuffer));
    }
  }

  for (const [name, value] of [
    ['TextEncoder', Encoder],
    ['TextDecoder', Decoder],
  ] as const) {
    defineProperty(globalThis, name, { value, writable: true, configurable: true });
  }
  return {
    begin(fileBytes): void {
      fileBytesLimit = fileBytes;
    },
    // given files are named from the root, wherever the code is
    write: (path, content) => write(`/${String(path)}`, content, false),
    directory: () => `/${['sandbox', ...directory].join('/')}`,
    enter(path): void {
      const folder = toPath(path);
      directory = folder === '' ? [] : folder.split('/');
    },
    functions: fileFunctions,
  };
}
