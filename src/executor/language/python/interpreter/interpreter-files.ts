/** Files that the host lends to an interpreter, and takes back. */
import { CodedError, messageOf } from '../../../../base/index.ts';
import type { GuestValue } from '../../../guest-value.ts';
import type { Outcome } from '../../../outcome.ts';
import { errorOf } from './outcome-error.ts';
import type { HostFiles, PythonInterpreterOptions, UnsavedFile } from './python-interpreter.ts';

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

/** What came of reading some files. */
interface Reading {
  readonly unsaved: readonly UnsavedFile[];
  /** Fewer of them may come. */
  readonly isTooMuch?: boolean;
  /** Why no others would come either. */
  readonly end?: string;
}

const giveUp = (files: readonly LentFile[], reason: string): readonly UnsavedFile[] =>
  files.map(({ path }) => ({ path, reason }));

/**
 * Code whose value is what the files hold now. Code that ran before may have replaced `builtins.__import__`: the answer is the guest's word, as what it
 * writes is.
 */
function writeReading(files: readonly LentFile[]): string {
  const names = JSON.stringify(files.map(({ name }) => name));
  const open = '__import__("_io").open_code';
  return `{name: ${open}("/sandbox/" + name).read() if __import__("posix").access("/sandbox/" + name, 4) else None for name in ${names}}`;
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

  /** Code whose value names the files that an interpreter has that came back; `undefined` where the host's are what counts. */
  get askKept(): string | undefined {
    if (this.#isSynced || this.#lent.length === 0) return undefined;
    const names = JSON.stringify(this.#lent.map(({ name }) => name));
    return `[name for name in ${names} if __import__("posix").access("/sandbox/" + name, 0)]`;
  }

  /**
   * Their content for the guest.
   * @param kept names of those that the guest has, and nobody wrote back
   *
   * Rejects with `executor/file-invalid` for one that may be read and is not there. */
  async mount(kept: ReadonlySet<unknown>): Promise<Readonly<Record<string, Uint8Array>>> {
    const contents = await Promise.all(
      this.#lent
        .filter(({ name }) => !kept.has(name))
        .map(async (file) => {
          const content = (await this.#host?.read(file.path)) ?? (await this.#create(file));
          this.#known.set(file.path, content);
          return [file.name, content] as const;
        }),
    );
    return Object.fromEntries(contents);
  }

  /**
   * Writes back what has changed; resolves with what could not be. A file that has grown beyond what one result may bring keeps no other one back.
   * @param run runs code where the files are
   */
  async collect(run: (code: string) => Promise<Outcome>): Promise<readonly UnsavedFile[]> {
    const files = this.#isSynced ? this.#lent.filter(({ isWritable }) => isWritable) : [];
    if (files.length === 0) return [];
    const together = await this.#read(files, run);
    if (!together.isTooMuch || files.length === 1) return together.unsaved;
    const unsaved: UnsavedFile[] = [];
    for (const [index, file] of files.entries()) {
      const alone = await this.#read([file], run);
      unsaved.push(...alone.unsaved);
      if (alone.end !== undefined) return [...unsaved, ...giveUp(files.slice(index + 1), alone.end)];
    }
    return unsaved;
  }

  async #read(files: readonly LentFile[], run: (code: string) => Promise<Outcome>): Promise<Reading> {
    const outcome = await run(writeReading(files)).catch((error: unknown) => messageOf(error));
    if (typeof outcome === 'string') return { unsaved: giveUp(files, outcome), end: outcome };
    if (outcome.type === 'returned') return { unsaved: await this.#store(files, outcome.value) };
    // code that ran before can have made it do even that
    const reason = outcome.type === 'submitted' ? 'the guest does not show it' : errorOf(outcome).message;
    const unsaved = giveUp(files, reason);
    const isTooMuch = outcome.type === 'exceeded' && outcome.limit !== 'time' && !outcome.isSandboxLost;
    return isTooMuch ? { unsaved, isTooMuch } : { unsaved, end: reason };
  }

  /** The guest's answer: read by hand. */
  async #store(files: readonly LentFile[], answer: GuestValue): Promise<readonly UnsavedFile[]> {
    const contents = Object(answer) as Readonly<Record<string, GuestValue>>;
    const unsaved: UnsavedFile[] = [];
    for (const file of files) {
      const { path, name } = file;
      const content = Object.hasOwn(contents, name) ? contents[name] : undefined;
      if (!(content instanceof Uint8Array)) continue;
      if (isSame(content, this.#known.get(path) ?? new Uint8Array())) continue;
      try {
        await this.#host?.write(path, content);
        this.#known.set(path, content);
      } catch (error) {
        unsaved.push(...giveUp([file], messageOf(error)));
      }
    }
    return unsaved;
  }

  async #create({ path, isWritable }: LentFile): Promise<Uint8Array> {
    if (!isWritable) throw invalid(`enableReadPaths "${path}"`, 'a file', 'none (FileNotFoundError)');
    const empty = new Uint8Array();
    await this.#host?.write(path, empty);
    return empty;
  }
}
