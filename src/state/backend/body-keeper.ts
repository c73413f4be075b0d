/**
 * Moves large values of a commit into files and reads them back.
 *
 * A file is written and flushed before the transaction that refers to it begins; so whatever is referred to is whole. What nothing
 * refers to is removed: after a commit what it replaced, at opening what a realm that died left. Files
 * carry the name of the store that wrote them, which holds a lock of that name while it is open: nobody sweeps the files of a
 * store that is alive.
 */
import { CodedError, isCodedError } from '../../base/index.ts';
import {
  hasLocks,
  holdLock,
  holdLockIfFree,
  randomHex,
  sha256Hex,
  withDeadline,
} from '../../platform/index.ts';
import type { Clock, Random } from '../../platform/index.ts';
import { fromValueBytes } from '../codec/from-value-bytes.ts';
import { toValueBytes } from '../codec/to-value-bytes.ts';
import { decodeKey } from '../key.ts';
import type { PreparedCommit, PreparedWrite } from '../plan-commit.ts';
import { bodyMissing, DetachedBody } from './body.ts';
import type { BodyFolder, BodyRef } from './body.ts';

export interface BodyKeeperOptions {
  readonly store: string;
  readonly folder: BodyFolder;
  readonly thresholdBytes: number;
  readonly hasChecksums: boolean;
  readonly clock: Clock;
  readonly random: Random;
  /** How long one file may take. */
  readonly timeoutMs: number;
}

/** A commit with references in the place of its large values. */
export interface DetachedCommit {
  readonly commit: PreparedCommit;
  /** What was written for it. */
  readonly files: readonly string[];
}

/** Files that are looked up in one transaction when they are swept. */
const sweepBatch = 500;

export class BodyKeeper {
  readonly #options: BodyKeeperOptions;
  readonly #writer: string;
  #lock: Promise<{ release(): void }> | undefined;
  #count = 0;

  constructor(options: BodyKeeperOptions) {
    this.#options = options;
    this.#writer = randomHex(options.random, 16);
  }

  /** Takes the lock that keeps others from sweeping what this store writes. */
  async open(): Promise<void> {
    if (hasLocks) await (this.#lock = holdLock(this.#lockOf(this.#writer)));
  }

  async close(): Promise<void> {
    (await this.#lock)?.release();
    this.#lock = undefined;
  }

  /** Undefined when the commit has nothing for a file. */
  detach(commit: PreparedCommit): Promise<DetachedCommit> | undefined {
    // a relaxed commit too: a loss of power could keep it and take the bytes, and what it replaced is gone
    if (!this.#options.folder.canFlush) return undefined;
    const isLarge = commit.groups.some((writes) => writes.some((write) => this.#isLarge(write)));
    return isLarge ? this.#detach(commit) : undefined;
  }

  /**
   * The value of a reference.
   * @throws `state/body-missing`, `state/value-damaged`, and what the platform says
   */
  async load(ref: BodyRef, encodedKey: string): Promise<unknown> {
    const bytes = await this.#limited(() => this.#options.folder.read(ref.file));
    if (!bytes) throw bodyMissing(encodedKey, ref.file, 'gone');
    if (bytes.length !== ref.sizeBytes) throw damaged(encodedKey, ref.file, 'length');
    if (this.#options.hasChecksums && ref.sha256 !== undefined && (await sha256Hex(bytes)) !== ref.sha256) {
      throw damaged(encodedKey, ref.file, 'checksum');
    }
    if (ref.form === 'bytes') return bytes;
    try {
      return fromValueBytes(bytes);
    } catch (error) {
      throw damaged(encodedKey, ref.file, 'encoding', error);
    }
  }

  /** Removes files that nothing refers to any more; what cannot be removed is left to a later sweep. */
  async remove(files: readonly string[]): Promise<void> {
    await Promise.allSettled(files.map((file) => this.#limited(() => this.#options.folder.remove(file))));
  }

  /**
   * Removes what stores that are gone left behind.
   * @param unreferenced of some files those that no record refers to, as of a moment after the call
   */
  async sweep(unreferenced: (files: readonly string[]) => Promise<readonly string[]>): Promise<void> {
    if (!hasLocks) return;
    const byWriter = new Map<string, string[]>();
    for (const file of await this.#options.folder.list()) {
      const [writer = ''] = file.split('-');
      byWriter.set(writer, [...(byWriter.get(writer) ?? []), file]);
    }
    for (const [writer, files] of byWriter) {
      if (writer === this.#writer) continue;
      const lock = await holdLockIfFree(this.#lockOf(writer));
      // it is alive and may be about to refer to what it wrote
      if (!lock) continue;
      try {
        for (let at = 0; at < files.length; at += sweepBatch) {
          await this.remove(await unreferenced(files.slice(at, at + sweepBatch)));
        }
      } finally {
        lock.release();
      }
    }
  }

  #lockOf(writer: string): string {
    return `vivarium.bodies.${this.#options.store}.${writer}`;
  }

  #isLarge({ value, sizeBytes, withOutcomes = false }: PreparedWrite): boolean {
    // what is kept with its outcomes is put together inside the transaction
    return sizeBytes >= this.#options.thresholdBytes && !withOutcomes && !(value instanceof DetachedBody);
  }

  async #detach(commit: PreparedCommit): Promise<DetachedCommit> {
    const files: string[] = [];
    const groups: PreparedWrite[][] = [];
    try {
      for (const writes of commit.groups) {
        const detached: PreparedWrite[] = [];
        for (const write of writes) detached.push(await this.#detachWrite(write, files));
        groups.push(detached);
      }
    } catch (error) {
      await this.remove(files);
      throw error;
    }
    return { commit: { ...commit, groups }, files };
  }

  async #detachWrite(write: PreparedWrite, files: string[]): Promise<PreparedWrite> {
    if (!this.#isLarge(write)) return write;
    const isBytes = isPlainBytes(write.value);
    const bytes = isBytes ? write.value : bytesOf(write.value);
    if (!bytes) return write;
    const file = `${this.#writer}-${this.#count++}`;
    files.push(file);
    const sha256 = this.#options.hasChecksums ? { sha256: await sha256Hex(bytes) } : {};
    await this.#limited(() => this.#options.folder.write(file, bytes));
    const form = isBytes ? 'bytes' : 'value';
    return { ...write, value: new DetachedBody({ file, sizeBytes: bytes.length, form, ...sha256 }) };
  }

  async #limited<T>(work: () => Promise<T>): Promise<T> {
    const { clock, timeoutMs } = this.#options;
    try {
      return await withDeadline(clock, { timeoutMs }, work);
    } catch (error) {
      if (!isCodedError(error, 'port/timeout')) throw error;
      throw new DOMException(`a file took more than ${timeoutMs} ms`, 'TimeoutError');
    }
  }
}

/** Undefined for what only the database can keep, a Blob for example. */
function bytesOf(value: unknown): Uint8Array<ArrayBuffer> | undefined {
  try {
    return toValueBytes(value);
  } catch (error) {
    if (isCodedError(error, 'state/not-encodable')) return undefined;
    throw error;
  }
}

function isPlainBytes(value: unknown): value is Uint8Array<ArrayBuffer> {
  // a subclass or a view on a part is encoded, so that it comes back as what it was
  return (
    value instanceof Uint8Array &&
    Object.getPrototypeOf(value) === Uint8Array.prototype &&
    value.buffer instanceof ArrayBuffer &&
    value.byteLength === value.buffer.byteLength
  );
}

function damaged(encodedKey: string, file: string, problem: string, cause?: unknown): CodedError {
  const key = decodeKey(encodedKey);
  return new CodedError(
    'state/value-damaged',
    `the file of ${JSON.stringify(key)} is not what was written: ${problem}`,
    { fields: { key, file, problem }, cause },
  );
}
