/** A session of Python put aside and brought back: `wasm/python/checkpoint.py` does the work, in the interpreter itself. */
import type { SavedState } from '../../../guest/engine.ts';
import type { LostName } from '../../../outcome.ts';
import type { SaveBounds } from '../../../sandbox/session-protocol.ts';
import type { PythonBuffer } from './tool-functions.ts';

interface Save {
  /** JSON text of a {@link Saved}, `later`, or nothing. */
  (sizeBytes: number, packageBytes: number, seconds: number, isIdle: boolean): string;
}
interface Restore {
  /** JSON text of what is lost. */
  (variables: Uint8Array, files: Uint8Array, packages: Uint8Array): string;
}
type Lost = readonly (readonly [name: string, reason: string])[];
interface Saved {
  readonly hasNewFiles: boolean;
  readonly hasNewPackages: boolean;
  readonly names: readonly string[];
  readonly lost: Lost;
}

/** The names that the harness's scope has. */
export interface PythonScope {
  get(name: 'is_same'): () => boolean;
  get(name: 'save'): Save;
  get(name: 'restore'): Restore;
  set(name: 'put_aside', work: (part: number, bytes: PythonBuffer | undefined) => void): void;
}

/** Up to this many bytes are compared with those before, so that they need not travel. */
const comparedBytes = 65_536;

const toLost = (lost: Lost): readonly LostName[] => lost.map(([name, reason]) => ({ name, reason }));

function join(chunks: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0));
  let end = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, end);
    end += chunk.length;
  }
  return bytes;
}

export class PythonSession {
  readonly #save: Save;
  readonly #restore: Restore;
  readonly #isSame: () => boolean;
  #chunks: Chunks = [[], [], []];
  #before: Uint8Array = new Uint8Array();

  /** @param install runs the source of `checkpoint.py` in the harness's scope */
  constructor(scope: PythonScope, install: () => void) {
    scope.set('put_aside', (part, bytes) => this.#put(part, bytes));
    install();
    this.#save = scope.get('save');
    this.#restore = scope.get('restore');
    this.#isSame = scope.get('is_same');
  }

  isSame(): boolean {
    return this.#isSame();
  }

  save({ sizeBytes, packageBytes, timeMs }: SaveBounds, isIdle: boolean): SavedState | 'later' | undefined {
    this.#chunks = [[], [], []];
    const text = this.#save(sizeBytes, packageBytes, timeMs / 1000, isIdle);
    const [variables, files, packages] = this.#chunks.map((chunks) => join(chunks)) as [Bytes, Bytes, Bytes];
    this.#chunks = [[], [], []];
    if (text === 'later') return text;
    if (!text) return undefined;
    const { hasNewFiles, hasNewPackages, names, lost } = JSON.parse(text) as Saved;
    const isSame = isEqual(variables, this.#before);
    if (!isSame) this.#before = variables.length > comparedBytes ? new Uint8Array() : variables.slice();
    return {
      parts: [
        isSame ? null : variables.buffer,
        hasNewFiles ? files.buffer : null,
        hasNewPackages ? packages.buffer : null,
      ],
      names,
      lost: toLost(lost),
    };
  }

  restore([
    variables = new Uint8Array(),
    files = new Uint8Array(),
    packages = new Uint8Array(),
  ]: readonly Uint8Array[]): readonly LostName[] {
    return toLost(JSON.parse(this.#restore(variables, files, packages)) as Lost);
  }

  /** @param bytes nothing: what was put aside before is not wanted */
  #put(part: number, bytes: PythonBuffer | undefined): void {
    const chunks = this.#chunks[part] ?? [];
    if (!bytes) return void chunks.splice(0);
    const view = bytes.getBuffer('u8');
    chunks.push(view.data.slice());
    view.release();
  }
}

type Bytes = Uint8Array<ArrayBuffer>;
type Chunks = readonly [variables: Uint8Array[], files: Uint8Array[], packages: Uint8Array[]];

function isEqual(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, index) => byte === other[index]);
}
