/** A session of Python put aside and brought back: `wasm/python/checkpoint.py` does the work, in the interpreter itself. */
import type { SavedState } from '../../../guest/engine.ts';
import type { LostName } from '../../../outcome.ts';
import type { SaveBounds } from '../../../sandbox/session-protocol.ts';
import type { PythonBuffer } from './tool-functions.ts';

interface Save {
  /** JSON text of a {@link Saved}, `later`, or nothing. */
  (sizeBytes: number, seconds: number, isIdle: boolean): string;
}
interface Restore {
  /** JSON text of what is lost. */
  (variables: Uint8Array, files: Uint8Array): string;
}
type Lost = readonly (readonly [name: string, reason: string])[];
interface Saved {
  readonly hasNewFiles: boolean;
  readonly names: readonly string[];
  readonly lost: Lost;
}

/** The names that the harness's scope has. */
export interface PythonScope {
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
  #chunks: [variables: Uint8Array[], files: Uint8Array[]] = [[], []];
  #before: Uint8Array = new Uint8Array();

  /** @param install runs the source of `checkpoint.py` in the harness's scope */
  constructor(scope: PythonScope, install: () => void) {
    scope.set('put_aside', (part, bytes) => this.#put(part === 0 ? 0 : 1, bytes));
    install();
    this.#save = scope.get('save');
    this.#restore = scope.get('restore');
  }

  save({ sizeBytes, timeMs }: SaveBounds, isIdle: boolean): SavedState | 'later' | undefined {
    this.#chunks = [[], []];
    const text = this.#save(sizeBytes, timeMs / 1000, isIdle);
    const [variables, files] = this.#chunks.map((chunks) => join(chunks)) as [Bytes, Bytes];
    this.#chunks = [[], []];
    if (text === 'later') return text;
    if (!text) return undefined;
    const { hasNewFiles, names, lost } = JSON.parse(text) as Saved;
    const isSame = isEqual(variables, this.#before);
    if (!isSame) this.#before = variables.length > comparedBytes ? new Uint8Array() : variables.slice();
    return {
      parts: [isSame ? null : variables.buffer, hasNewFiles ? files.buffer : null],
      names,
      lost: toLost(lost),
    };
  }

  restore([
    variables = new Uint8Array(),
    files = new Uint8Array(),
  ]: readonly Uint8Array[]): readonly LostName[] {
    return toLost(JSON.parse(this.#restore(variables, files)) as Lost);
  }

  /** @param bytes nothing: what was put aside before is not wanted */
  #put(part: 0 | 1, bytes: PythonBuffer | undefined): void {
    if (!bytes) return void (this.#chunks[part] = []);
    const view = bytes.getBuffer('u8');
    this.#chunks[part].push(view.data.slice());
    view.release();
  }
}

type Bytes = Uint8Array<ArrayBuffer>;

function isEqual(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, index) => byte === other[index]);
}
