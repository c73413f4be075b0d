/** DSPy's `PythonInterpreter` in its own words, over a session of an executor. Loaded when it is first used. */
import type { DisplayValue } from '../../../display.ts';
import type { Executor } from '../../../executor.ts';
import type { GuestValue } from '../../../guest-value.ts';
import type { Restored } from '../../../outcome.ts';

/** Where the files are that an interpreter may read and write: a folder of the page's choice. */
export interface HostFiles {
  /** `undefined` when there is none. */
  read(path: string): Promise<Uint8Array | undefined>;
  /** Replaces what was there. */
  write(path: string, content: Uint8Array): Promise<void>;
}

/** A parameter of a tool, as its signature shows it. */
export interface InterpreterParameter {
  readonly name: string;
  /** In Python's words: `list[int]`. Shown, not enforced. */
  readonly type?: string;
  /** Makes it optional. */
  readonly default?: GuestValue;
}

/** A function of the page. It is called with values by name where it has parameters; otherwise with what the code gives. */
export interface InterpreterTool {
  readonly parameters?: readonly (string | InterpreterParameter)[];
  /** Its docstring. */
  readonly description?: string;
  /** What it throws is a `RuntimeError` in Python, `Type: message`. */
  readonly call: (
    named: Readonly<Record<string, GuestValue>>,
    values: readonly GuestValue[],
  ) => GuestValue | undefined | void | PromiseLike<GuestValue | undefined | void>;
}

/** A field that `SUBMIT` takes. */
export interface OutputField {
  readonly name: string;
  /** In Python's words. Shown, not enforced. */
  readonly type?: string;
}

/** As the constructor of DSPy's class, with the page in the place of a machine. */
export interface PythonInterpreterOptions {
  /** Runs the code, under its own policy and limits. It stays the caller's. */
  readonly executor: Executor;
  /** Where paths lead. Needed with `enableReadPaths` or `enableWritePaths`. */
  readonly files?: HostFiles;
  /** Files that the code finds at `/sandbox/<last part of the path>`. */
  readonly enableReadPaths?: readonly string[];
  /** The same for files that it may change; one that is missing is made, empty. */
  readonly enableWritePaths?: readonly string[];
  /** Writes changed files back after each call, whether the code ended well or not. Without it the code's own stay, also in an interpreter that comes back. Default: true. */
  readonly syncFiles?: boolean;
  /** The host's variables of the environment, of which the code sees those that `enableEnvVars` names. Default: none. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Names of variables of `environment`. Default: none. */
  readonly enableEnvVars?: readonly string[];
  /** Origins that `pyodide.http.pyfetch` and `open_url` reach, through the page and as far as the executor's policy allows. Default: none. */
  readonly enableNetworkAccess?: readonly string[];
  /** The page's `fetch`, for `enableNetworkAccess`. */
  readonly fetch?: (url: string, init: RequestInit) => Promise<Response>;
  /** Functions of the page that the code may call, by name. Default: none. */
  readonly tools?: Readonly<Record<string, InterpreterTool>>;
  /** What `SUBMIT` takes, by position or by name. Default: one value, or any names. */
  readonly outputFields?: readonly OutputField[];
}

/** What the code submitted. Without declared fields a single value is under `output`. */
export interface FinalOutput {
  readonly output: Readonly<Record<string, GuestValue>>;
}

/** A file that the code may have changed and that was not written back. */
export interface UnsavedFile {
  readonly path: string;
  /** For people: it has grown beyond `limits.resultBytes`, or what the host's `write` threw. */
  readonly reason: string;
}

/** What became of code that ended well. */
export interface InterpreterResult {
  /** What DSPy's `execute` answers: the final output, else the value of the last expression unless it is `None`, else what was printed. */
  readonly output: FinalOutput | GuestValue;
  /** Of the last expression; `null` also where the code submitted. */
  readonly value: GuestValue;
  readonly final: FinalOutput | undefined;
  /** All that was printed, also where there is a value. */
  readonly stdout: string;
  readonly stderr: string;
  readonly displays: readonly DisplayValue[];
  /** Mostly none. The next call tries again. */
  readonly unsavedFiles: readonly UnsavedFile[];
  /** What came back of the variables, and what did not: in the first call after the session's interpreter was lost, and in one whose interpreter was lost at its end. */
  readonly restored?: Restored;
}

/** Keeps variables and imports from call to call. Calls wait for each other, in order. */
export interface PythonInterpreter extends AsyncDisposable {
  readonly tools: Readonly<Record<string, InterpreterTool>>;
  /** What DSPy tells a model of the interpreter. */
  readonly executionInstructions: string;
  /** Starts the session, which the first `execute` does otherwise. */
  start(): Promise<void>;
  /**
   * Runs code. Rejects with `executor/python-syntax`, `executor/python-threw` (the code failed; what it set is kept), `executor/python-stopped` (a limit,
   * or a caller), `executor/denied`, `executor/interpreter-busy` (called by one of its own tools), or as
   * an executor does. The fields of all that became of code have `isStateLost`, which is true when the interpreter was ended and no variable of the code comes
   * back; where the interpreter was ended `restored`, with the `names` that come back and by name and reason what is `lost`; and `unsavedFiles` where
   * there are some. What is told of a restoration that has only begun is told once more, as it came about, with the next call.
   *
   * A tool must not call the interpreter that waits for it. Before the tool's first `await` that is refused; after it, it looks like anybody else's
   * call, and waits until the outer one has ended, at its time limit at the latest.
   */
  execute(code: string, variables?: Readonly<Record<string, GuestValue>>): Promise<InterpreterResult>;
  /** Ends the session, and calls that came before with `executor/python-stopped`; a later call starts a new one. */
  shutdown(): Promise<void>;
}

/** DSPy 3.3.1's sentence, word for word: prompts are compared with its own. */
const executionInstructions =
  'Python runs in Pyodide/WebAssembly. State persists across executions, but subprocesses and native extensions are unavailable. ' +
  'Python standard libraries such as re, json, collections, and math are available. ' +
  'Host filesystem, environment, and network access require explicit permission.';

/** Starts nothing. What is wrong with the options is told by the first call: `executor/option-invalid`, `executor/tool-invalid`, `executor/file-invalid`. */
export function createPythonInterpreter(options: PythonInterpreterOptions): PythonInterpreter {
  let loading: Promise<PythonInterpreter> | undefined;
  let loaded: PythonInterpreter | undefined;
  const load = (): Promise<PythonInterpreter> => {
    loading ??= import('./session-interpreter.ts')
      .then(({ SessionInterpreter }) => (loaded = new SessionInterpreter(options, executionInstructions)))
      .catch((error: unknown) => {
        loading = undefined;
        throw error;
      });
    return loading;
  };
  // without a detour once it is there: who calls from within a tool is known by its stack
  const use = async <T>(work: (interpreter: PythonInterpreter) => Promise<T>): Promise<T> =>
    work(loaded ?? (await load()));
  const shutdown = async (): Promise<void> => (await loading?.catch(() => undefined))?.shutdown();
  return {
    tools: options.tools ?? {},
    executionInstructions,
    start: () => use((interpreter) => interpreter.start()),
    execute: (code, variables) => use((interpreter) => interpreter.execute(code, variables)),
    shutdown,
    [Symbol.asyncDispose]: shutdown,
  };
}
