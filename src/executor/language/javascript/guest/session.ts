/**
 * A session put aside and brought back: the memory of its interpreter as it is, with all that is in it. The module has no other state (one
 * global, which is the end of the stack between runs), and what it holds of the worker is held by numbers that are the same in every
 * interpreter. What lies outside is little: the texts of modules that were not imported yet, and the count of runs.
 */
import { findPages, openHeapImage, packPages, pageBytes } from '../../../guest/heap-image.ts';
import type { HeapImage } from '../../../guest/heap-image.ts';
import type { SavedState } from '../../../guest/engine.ts';
import type { SaveBounds } from '../../../sandbox/session-protocol.ts';
import type { Leavings } from './in-guest/harness-types.ts';
import type { Interpreter } from './interpreter.ts';
import type { Modules, SavedModule } from './modules.ts';

/** An image of so many bytes is copied after every run: it takes a few milliseconds, most of them to find out which pages are empty. */
export const quickBytes: number = 4 * 2 ** 20;
const maxTextLength = 200;

/** What there is to put aside. */
export interface SessionContent {
  readonly interpreter: Interpreter;
  readonly modules: Modules;
  readonly runs: number;
}

/** What was put aside, opened. */
export interface OpenedSession {
  readonly image: HeapImage;
  readonly modules: readonly SavedModule[];
  readonly runs: number;
}

export class SessionImages {
  #imageBytes = 0;
  /** Of the modules' texts that were handed over last. */
  #changes: number | undefined;
  #sources: Uint8Array<ArrayBuffer> = new Uint8Array();

  save(
    content: SessionContent,
    { sizeBytes }: SaveBounds,
    isIdle: boolean,
  ): SavedState | 'later' | undefined {
    const leavings = readLeavings(content.interpreter);
    if (!leavings) return undefined;
    if (!isIdle && !leavings.hasChanged && this.#imageBytes > quickBytes) return 'later';
    const { interpreter, modules, runs } = content;
    const isNew = modules.changes !== this.#changes;
    if (isNew) this.#sources = new TextEncoder().encode(JSON.stringify(modules.all));
    const { heap, places } = interpreter;
    const pages = findPages(heap);
    this.#imageBytes = pages.length * pageBytes;
    if (this.#imageBytes + this.#sources.length > sizeBytes) return this.#refuse(leavings.names, sizeBytes);
    this.#changes = modules.changes;
    const header = new Uint8Array(new Uint32Array([...places, runs]).buffer);
    const image = packPages(header, heap, pages);
    return {
      parts: [image.buffer, isNew ? this.#sources.slice().buffer : null],
      names: leavings.names,
      lost: [],
    };
  }

  #refuse(names: readonly string[], sizeBytes: number): SavedState {
    this.#changes = undefined;
    const reason = `with all that the session holds, more than ${sizeBytes} bytes would have to be put aside`;
    return {
      parts: [new ArrayBuffer(), new ArrayBuffer()],
      names: [],
      lost: names.map((name) => ({ name, reason })),
    };
  }
}

/** `undefined` where nothing of it was put aside. Throws for what {@link SessionImages.save} did not write. */
export function openSession([bytes, sources]: readonly Uint8Array[]): OpenedSession | undefined {
  if (!bytes || bytes.length === 0) return undefined;
  // each is the whole of its buffer
  const image = openHeapImage(bytes.buffer as ArrayBuffer);
  const modules = JSON.parse(new TextDecoder().decode(sources)) as OpenedSession['modules'];
  const { buffer, byteOffset, length } = image.header;
  const runs = new Uint32Array(buffer, byteOffset, length / 4).at(-1) ?? 0;
  return { image, modules, runs };
}

/** `undefined` where it does not answer: it may have no memory left, or be taken up with what the guest made of it. */
function readLeavings(interpreter: Interpreter): Leavings | undefined {
  const called = interpreter.call('leavings');
  if ('thrown' in called) {
    called.thrown.dispose();
    return undefined;
  }
  try {
    const { names, hasChanged } = JSON.parse(called.text) as Leavings;
    return { names: names.map((name) => String(name).slice(0, maxTextLength)), hasChanged };
  } catch {
    return undefined;
  }
}
