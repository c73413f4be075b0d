/** Python as an engine: the harness, written in Python, does the work; this hands it over and back. */
import type { PyodideAPI } from 'pyodide';
import type { LostName } from '../../../outcome.ts';
import type { SaveBounds } from '../../../sandbox/session-protocol.ts';
import type { Engine, EngineRun, GuestOutput, SavedState } from '../../../guest/engine.ts';
import { runCompiled } from './compiled-code.ts';
import { PythonSession } from './python-session.ts';
import type { PythonScope } from './python-session.ts';
import { toolFunctions } from './tool-functions.ts';
import type { PythonBuffer } from './tool-functions.ts';

type Answer = string | PromiseLike<string>;
interface Start {
  (request: Uint8Array, buffers: readonly Uint8Array[]): Answer;
  /** With a stack that can be put aside, where the platform has such stacks: a call of a tool can then wait. */
  callPromising(request: Uint8Array, buffers: readonly Uint8Array[]): Promise<string>;
}

/** What a Python exception looks like from JavaScript. */
interface PythonError {
  readonly name: 'PythonError';
  readonly type: string;
}

const isPythonError = (error: unknown): error is PythonError =>
  error instanceof Error && error.name === 'PythonError';

/** What the harness says when it was itself interrupted before the guest's code, or between it and the answer. */
function harnessError(error: unknown): string {
  if (!isPythonError(error)) throw error;
  const { type } = error;
  const detail = { type, message: '', traceback: `${type}\n`, line: null };
  return JSON.stringify(
    type === 'MemoryError' ? { type: 'exceeded', limit: 'memory' } : { type: 'threw', error: detail },
  );
}

export class PythonEngine implements Engine {
  readonly interruptName = 'KeyboardInterrupt';
  readonly #start: Start;
  readonly #openSession: () => PythonSession;
  #session: PythonSession | undefined;
  /** Only a stack that can be put aside lets a plain call wait where no memory is shared. */
  readonly #mustPromise: boolean;

  /** @param install runs the harness, which defines `start`, in a dict */
  constructor(python: PyodideAPI, install: (scope: unknown) => void, output: GuestOutput) {
    const scope = python.toPy({
      emit: (stream: number, text: unknown) => output.emit(stream === 0 ? 'stdout' : 'stderr', text),
      exceed: () => output.exceed(),
      show: (bundle: unknown) => output.display(bundle),
      keep: (value: PythonBuffer) => keep(value, output),
      ...toolFunctions(output.tools),
    }) as { get(name: 'start'): Start } & PythonScope;
    install(scope);
    this.#openSession = () => new PythonSession(scope, () => runCompiled(python, 'checkpoint', scope));
    this.#start = scope.get('start');
    this.#mustPromise = !output.tools.canBlock && 'promising' in WebAssembly;
  }

  run({ request, buffers, hasTools }: EngineRun): Answer {
    try {
      const answer =
        hasTools && this.#mustPromise
          ? this.#start.callPromising(request, buffers)
          : this.#start(request, buffers);
      return typeof answer === 'string' ? answer : Promise.resolve(answer).catch(harnessError);
    } catch (error) {
      return harnessError(error);
    }
  }

  save(bounds: SaveBounds, isIdle: boolean): SavedState | 'later' | undefined {
    try {
      this.#session ??= this.#openSession();
      return this.#session.save(bounds, isIdle);
    } catch (error) {
      // an interrupt that was meant for the next run, or no memory left: what was put aside before stays
      if (isPythonError(error)) return undefined;
      throw error;
    }
  }

  restore(parts: readonly Uint8Array[]): readonly LostName[] {
    this.#session ??= this.#openSession();
    return this.#session.restore(parts);
  }
}

function keep(value: PythonBuffer, output: GuestOutput): number {
  const view = value.getBuffer('u8');
  try {
    return output.keep(view.data);
  } finally {
    view.release();
  }
}
