/** Files that the host lends to an interpreter, and takes back. */
import { CodedError } from '../../../../base/index.ts';
import type { GuestValue } from '../../../guest-value.ts';
import type { HostFiles, PythonInterpreterOptions } from './python-interpreter.ts';

interface LentFile {
  readonly path: string;
  /** Its place below `/sandbox`. */
  readonly name: string;
  readonly isWritable: boolean;
}

function invalid(field: string, expected: string, found: string): CodedError {
  return new CodedError('executor/file-invalid', `${field}: expected ${expected}, found ${found}`, {
    fields: { field, expected, found },
  });
}

function lastPart(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

const isSame = (one: Uint8Array, other: Uint8Array): boolean =>
  one.length === other.length && one.every((byte, index) => byte === other[index]);

export class InterpreterFiles {
  readonly #host: HostFiles | undefined;
  readonly #lent: readonly LentFile[];
  readonly #isSynced: boolean;
  /** What the host has, as far as we know. */
  readonly #known = new Map<string, Uint8Array>();

  /** Throws `executor/file-invalid`. */
  constructor({
    files,
    enableReadPaths = [],
    enableWritePaths = [],
    syncFiles = true,
  }: PythonInterpreterOptions) {
    const paths = new Set([...enableWritePaths, ...enableReadPaths]);
    this.#host = files;
    this.#isSynced = syncFiles;
    this.#lent = [...paths].map((path) => ({
      path,
      name: lastPart(path),
      isWritable: enableWritePaths.includes(path),
    }));
    const names = new Set(this.#lent.map(({ name }) => name));
    if (names.has('')) throw invalid('enableReadPaths, enableWritePaths', 'paths of files', 'a folder');
    if (names.size < this.#lent.length) {
      throw invalid('enableReadPaths, enableWritePaths', 'files of different names', 'one name twice');
    }
    if (this.#lent.length > 0 && !files) throw invalid('files', 'where the paths lead', 'nothing');
  }

  /** Their content for the guest. Rejects with `executor/file-invalid` for one that may be read and is not there. */
  async mount(): Promise<Readonly<Record<string, Uint8Array>>> {
    const contents = await Promise.all(
      this.#lent.map(async (file) => {
        const content = (await this.#host?.read(file.path)) ?? (await this.#create(file));
        this.#known.set(file.path, content);
        return [file.name, content] as const;
      }),
    );
    return Object.fromEntries(contents);
  }

  /** Code whose value is what the files hold now, or `undefined` where nothing is to be brought back. Code that ran before may have replaced `builtins.__import__`: the answer is the guest's word, as what it writes is. */
  get collectingCode(): string | undefined {
    const names = this.#lent.filter(({ isWritable }) => isWritable).map(({ name }) => name);
    if (!this.#isSynced || names.length === 0) return undefined;
    const open = '__import__("_io").open_code';
    return `{name: ${open}("/sandbox/" + name).read() if __import__("posix").access("/sandbox/" + name, 4) else None for name in ${JSON.stringify(names)}}`;
  }

  /** Writes what has changed. The guest's answer: read by hand. */
  async store(answer: GuestValue): Promise<void> {
    const contents = Object(answer) as Readonly<Record<string, GuestValue>>;
    for (const { path, name, isWritable } of this.#lent) {
      const content = Object.hasOwn(contents, name) ? contents[name] : undefined;
      if (!isWritable || !(content instanceof Uint8Array)) continue;
      if (isSame(content, this.#known.get(path) ?? new Uint8Array())) continue;
      await this.#host?.write(path, content);
      this.#known.set(path, content);
    }
  }

  async #create({ path, isWritable }: LentFile): Promise<Uint8Array> {
    if (!isWritable) throw invalid(`enableReadPaths "${path}"`, 'a file', 'none (FileNotFoundError)');
    const empty = new Uint8Array();
    await this.#host?.write(path, empty);
    return empty;
  }
}
