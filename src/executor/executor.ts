/** Runs code that nobody trusts. Everything that crosses these methods, callbacks and signals aside, is plain data. */
import type { DisplayValue } from './display.ts';
import type { GuestValue } from './guest-value.ts';
import type { LanguageCapabilities, LanguageName } from './language/language.ts';
import type { Outcome } from './outcome.ts';
import type { SandboxId } from './sandbox/sandbox-id.ts';
import type { PackageRequest } from './package.ts';
import type { Tools } from './tool.ts';

/** A program: its text; or its bytes, for a language whose programs may be binary. */
export type Code = string | Uint8Array;

/** A name that `SUBMIT` takes. */
export interface SubmitField {
  readonly name: string;
  /** In the language's words. Shown in the signature, not enforced. */
  readonly type?: string;
}

/** What the code finds when it starts. */
export interface ExecutionContext {
  /** Set by name before the code runs. Names must be identifiers of the language. */
  readonly variables?: Readonly<Record<string, GuestValue>>;
  /** Written before the code runs. Paths are relative to `/sandbox`. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  /**
   * Modules that the code may import, by name, and their source in its language. They stay in a session. Python: `a`, `a.b`, `a/b.py` or
   * `a/__init__.py`, written below `/sandbox`. In Python, JavaScript and TypeScript one that is given anew with another source is imported anew.
   */
  readonly imports?: Readonly<Record<string, string>>;
  /** A folder below `/sandbox`, made where it is missing, in which the code starts. Default: where the last run of the session was, at first `/sandbox`. */
  readonly workingDirectory?: string;
  /** Variables of the environment. They stay in a session. */
  readonly environment?: Readonly<Record<string, string>>;
  /**
   * Functions of the page that this run may call by name. In Python `name(…)` waits for the answer and `await name(…)` lets others run meanwhile;
   * in JavaScript `name(…)` answers a promise, and `name.sync(…)` waits where memory can be shared.
   */
  readonly tools?: Tools;
  /**
   * Python: packages that are installed before the code runs, with what they need; wheels as bytes, or names that `packageIndex` is asked for as far as
   * the policy allows. They stay in a session.
   */
  readonly packages?: readonly PackageRequest[];
  /** Python: what `SUBMIT` takes in this run, by position or by name, all of it. Default: one value, or any names. */
  readonly submitFields?: readonly SubmitField[];
}

/** How one run is watched and bounded. */
export interface ExecutionOptions {
  /** The smaller of this and `limits.wallTimeMs` holds. Counted from the hand-over to an interpreter. */
  readonly timeoutMs?: number;
  /** Aborting it ends the run with `cancelled`. */
  readonly signal?: AbortSignal;
  /**
   * Called with text as it is printed. A run's first 64 writes come at once (of Python, lines). After them text is gathered for 16 ms, or up to 4 KiB of a stream
   * or a thirty-second of the lines so far, and comes with the next write then, when the code waits (an `await`, a call of a tool), or at its end. Code that
   * computes without a pause and is killed loses what was gathered: less than a sixteenth of its lines, what it printed after the last line's end, and never
   * more than 8 KiB of a stream. One that is only asked to stop, and does, loses nothing.
   */
  readonly onOutput?: (part: OutputPart) => void;
  /** Called with a rich value as it is shown. It is the guest's: see {@link DisplayValue}. */
  readonly onDisplay?: (value: DisplayValue) => void;
  /** Names of variables to bring back. One that is not defined at the end makes the outcome `threw` with `NameError`. */
  readonly outputs?: readonly string[];
  /**
   * Buffers of variables and files that are given away instead of copied, as with `structuredClone`: they are detached when the call returns, whatever
   * becomes of the run; a call that is refused for what it was given leaves them as they are. A view of a part of its buffer is copied all the same, and so
   * is memory of WebAssembly.
   */
  readonly transfer?: readonly ArrayBuffer[];
}

/** Some printed text. */
export interface OutputPart {
  /** Where it was printed; errors and warnings go to `stderr`. */
  readonly stream: 'stdout' | 'stderr';
  readonly text: string;
}

/**
 * Runs code in sandboxes. What happens to the code is an {@link Outcome}; a call that cannot be made rejects:
 * `executor/code-too-large`, `executor/variable-invalid`, `executor/file-invalid`, `executor/import-invalid`, `executor/option-invalid`,
 * `executor/tool-invalid`, `executor/package-invalid`, `executor/package-limit`, `executor/package-not-found`, `executor/package-conflict`,
 * `executor/package-hash-mismatch`, `executor/package-unavailable` (may be tried again),
 * `executor/queue-full` (may be tried again), `executor/session-limit`, `executor/disposed`.
 */
export interface Executor extends AsyncDisposable {
  readonly language: LanguageName;
  /** What code in its language can be given, and do. Frozen. */
  readonly capabilities: LanguageCapabilities;
  /**
   * Runs `code` in an interpreter that has run nothing before and runs nothing after. Asynchronous always: it answers a promise and throws nothing,
   * and the code runs in a worker, never on the page's thread. The hub hears `execution-start` and `execution-end` of every call that can be made,
   * however it ends. Runs begin in order of call, those with packages once they have them.
   */
  execute(code: Code, context?: ExecutionContext, options?: ExecutionOptions): Promise<Outcome>;
  /** An interpreter of its own that keeps variables between runs. The caller disposes it. */
  createSession(): Promise<Session>;
}

/** Keeps variables from one run to the next. Runs queue: one at a time, in order of call. */
export interface Session extends AsyncDisposable {
  /** The interpreter in use; another one after an outcome with `isSandboxLost`. */
  readonly id: SandboxId;
  /** As an executor's, in the session's own interpreter. */
  execute(code: Code, context?: ExecutionContext, options?: ExecutionOptions): Promise<Outcome>;
  /**
   * Ends the run in progress with `cancelled`: politely where the page is isolated, else with its interpreter. One that still waits for an
   * interpreter to start ends at once, before any of it ran. Does nothing when nothing runs.
   */
  interrupt(): void;
}
