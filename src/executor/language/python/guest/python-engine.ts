/** Python as an engine: the harness, written in Python, does the work; this hands it over and back. */
import type { PyodideAPI } from 'pyodide';
import { systemClock } from '../../../../platform/index.ts';
import type { LostName } from '../../../outcome.ts';
import type { SaveBounds } from '../../../sandbox/session-protocol.ts';
import type { Engine, EngineRun, GuestOutput, SavedState } from '../../../guest/engine.ts';
import { tableBundle } from '../../../guest/table-bundle.ts';
import type { TableRow } from '../../../guest/table-bundle.ts';
import { runCompiled } from './compiled-code.ts';
import { isBytes, takeText } from './leaving-text.ts';
import type { PythonBytes } from './leaving-text.ts';
import { PythonSession } from './python-session.ts';
import type { PythonScope } from './python-session.ts';
import { RunCallbacks } from './run-callbacks.ts';
import type { LoopCallback } from './run-callbacks.ts';
import { toolFunctions } from './tool-functions.ts';
import type { PythonBuffer } from './tool-functions.ts';
import type { TimeSignal } from './time-signal.ts';

type Answer = string | PromiseLike<string>;
type Text = string | PythonBytes;
interface Start {
  (request: Uint8Array, buffers: readonly Uint8Array[]): Text | PromiseLike<Text>;
  /** With a stack that can be put aside, where the platform has such stacks: a call of a tool can then wait. */
  callPromising(request: Uint8Array, buffers: readonly Uint8Array[]): Promise<Text>;
}

/** What the harness defines. */
interface Harness {
  get(name: 'start'): Start;
  get(name: 'stop_run' | 'flush_held'): () => void;
}

/** Beside the interpreter and what its results go to. */
export interface PythonParts {
  /** Runs the harness in a dict. */
  readonly install: (scope: unknown) => void;
  /** Asks the run that goes on once more to stop. */
  readonly interruptAgain: () => void;
  /** Sleeps with the thread, until somebody asks the run to stop; where memory is shared. */
  readonly nap: ((durationMs: number) => void) | undefined;
  /** What Python looks at where nobody else can ask it to stop. */
  readonly time: TimeSignal;
}

/** The part of the loader's inside that the event loop is made of. */
interface LoopInternals {
  readonly _api: {
    readonly scheduleCallback: (work: () => void, delayMs: number) => void;
    /** What Python's `js` module shows. */
    readonly config: { readonly jsglobals: object };
  };
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

/** The time was up before the page's own clock had said so. */
function timedOut(answer: string): string {
  const { type, error } = JSON.parse(answer) as { type: string; error?: { type?: string } };
  const isInterrupt = type === 'threw' && error?.type === 'KeyboardInterrupt';
  return isInterrupt ? JSON.stringify({ type: 'exceeded', limit: 'time' }) : answer;
}

export class PythonEngine implements Engine {
  readonly interruptName = 'KeyboardInterrupt';
  readonly #start: Start;
  readonly #openSession: () => PythonSession;
  #session: PythonSession | undefined;
  /** Only a stack that can be put aside lets a plain call wait where no memory is shared. */
  readonly #mustPromise: boolean;
  readonly #time: TimeSignal;
  readonly #stopRun: () => void;
  readonly #flushHeld: () => void;
  readonly #callbacks: RunCallbacks;

  constructor(python: PyodideAPI, { install, interruptAgain, nap, time }: PythonParts, output: GuestOutput) {
    this.#time = time;
    // its types leave out what its event loop is made of
    const internals = (python as unknown as LoopInternals)._api;
    const { scheduleCallback, config } = internals;
    this.#callbacks = new RunCallbacks({
      clock: systemClock,
      soon: (work) => scheduleCallback(work, 0),
      onThrow: (error) => this.#callbackThrew(error),
    });
    // in the control of the escape suite it is the worker's own
    if (config.jsglobals !== globalThis) Object.assign(config.jsglobals, this.#timers());
    const canSwitch = 'promising' in WebAssembly;
    const scope = python.toPy({
      emit: (stream: number, text: unknown) => print(stream === 0 ? 'stdout' : 'stderr', text, output),
      watch_output: () => output.watch(),
      exceed: (bound: unknown) => output.exceed(bound === 'displayBytes' ? bound : 'outputBytes'),
      show: (bundle: unknown) => output.display(bundle),
      show_table: (rows: string, plain: string, total: number) =>
        output.display(
          JSON.stringify(tableBundle(JSON.parse(rows) as readonly TableRow[], { plain, total })),
        ),
      keep: (value: PythonBuffer) => keep(value, output),
      schedule: (callback: LoopCallback, delayMs: number) => this.#callbacks.schedule(callback, delayMs),
      drop_callbacks: () => this.#callbacks.drop(),
      interrupt_again: interruptAgain,
      can_switch: canSwitch,
      nap,
      ...toolFunctions(output.tools),
    }) as Harness & PythonScope;
    install(scope);
    this.#openSession = () => new PythonSession(scope, () => runCompiled(python, 'checkpoint', scope));
    this.#start = scope.get('start');
    this.#stopRun = scope.get('stop_run');
    this.#flushHeld = scope.get('flush_held');
    this.#mustPromise = !output.tools.canBlock && canSwitch;
  }

  run(run: EngineRun): Answer {
    this.#time.begin(run.timeoutMs);
    const finish = (answer: string): string => (this.#time.end() ? timedOut(answer) : answer);
    const answer = this.#answer(run);
    return typeof answer === 'string' ? finish(answer) : Promise.resolve(answer).then(finish);
  }

  #answer({ request, buffers, hasTools }: EngineRun): Answer {
    this.#callbacks.open();
    try {
      const answer =
        hasTools && this.#mustPromise
          ? this.#start.callPromising(request, buffers)
          : this.#start(request, buffers);
      if (typeof answer !== 'string' && !isBytes(answer)) return this.#later(answer);
      this.#callbacks.close();
      return takeText(answer);
    } catch (error) {
      this.#callbacks.close();
      return harnessError(error);
    }
  }

  isSame(): boolean {
    try {
      return this.#session?.isSame() ?? false;
    } catch (error) {
      if (isPythonError(error)) return false;
      throw error;
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

  /** The worker hears messages, so Python does not run: it waits. */
  stop(): void {
    this.#stopRun();
  }

  flush(): void {
    try {
      this.#flushHeld();
    } catch (error) {
      // no memory left: the run finds that out by itself
      if (!isPythonError(error)) throw error;
    }
  }

  async #later(answer: PromiseLike<Text>): Promise<string> {
    try {
      return takeText(await answer);
    } catch (error) {
      return harnessError(error);
    } finally {
      this.#callbacks.close();
    }
  }

  /** For `js.setTimeout` of Python: it takes functions only, and they end with their run, too. */
  #timers(): object {
    return {
      setTimeout: (callback: unknown, delayMs?: unknown) => {
        if (typeof callback !== 'function') throw new TypeError('setTimeout takes a function');
        // not the loop's own: it is the guest's to free
        return this.#callbacks.schedule(() => callback() as unknown, Number(delayMs) || 0);
      },
      clearTimeout: (timer: unknown) => this.#callbacks.stop(Number(timer)),
    };
  }

  /** A task of the run was interrupted, not the run itself. */
  #callbackThrew(error: unknown): void {
    if (isPythonError(error) && error.type === 'KeyboardInterrupt') return this.stop();
    throw error;
  }
}

function print(stream: 'stdout' | 'stderr', text: unknown, output: GuestOutput): void {
  if (!isBytes(text)) return output.emit(stream, text);
  const view = text.getBuffer('u8');
  try {
    output.emitBytes(stream, view.data);
  } finally {
    view.release();
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
