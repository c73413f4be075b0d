/** How an execution ended: what the guest did, what a limit did, or what went wrong on our side. Never two at once. */
import type { DisplayValue } from './display.ts';
import type { GuestValue } from './guest-value.ts';
import type { Permission } from './policy/decide.ts';

/** What a guest raised and did not catch. */
export interface GuestError {
  /** The name of the exception's class, such as `ValueError`. */
  readonly type: string;
  readonly message: string;
  /** Frames of the guest's own code and below; none of ours. */
  readonly traceback: string;
  /** The line of the guest's code where it was raised, from 1; `null` when there is none. */
  readonly line: number | null;
  /** What `line` is in, where that is not the code of the run: a module that came with it, by its full name; in Python a path below `/sandbox`. */
  readonly file?: string;
}

/**
 * Which bound stopped the guest: of time (`limits.wallTimeMs`, or the run's own), of memory (`memoryBytes`), of what it printed (`outputBytes`), showed
 * (`displays` values of `displayBytes` characters) or would bring back (`resultBytes`), of its calls of tools (`toolCalls`). `keys`: those of its maps and
 * sets keep the page longer than keys can, half a second together. `fuel` is WebAssembly's, where the caller gave it some.
 */
export type ExceededLimit = 'time' | 'memory' | 'output' | 'display' | 'result' | 'calls' | 'keys' | 'fuel';

/** A variable, a file by its path, or a package that an interpreter's successor does not have. */
export interface LostName {
  /** At most 256 characters of it. */
  readonly name: string;
  /** For people, in the guest's words: to be shown as text. */
  readonly reason: string;
}

/** What a session's next interpreter gets of what the last one had. The guest wrote it down: nothing in it is certain to be so. */
export interface Restored {
  /** Variables that come back; for SQL, tables; for WebAssembly, files. */
  readonly names: readonly string[];
  readonly lost: readonly LostName[];
  /** Completed runs that came after all this was put aside: what they changed is gone. Mostly 0, see `limits.checkpointIdleMs`. */
  readonly missedRuns: number;
}

interface Ending {
  /** Text printed so far, at most `limits.outputBytes` of both streams together. */
  readonly stdout: string;
  readonly stderr: string;
  /** Rich values shown so far, in order; left out where there are none. */
  readonly displays?: readonly DisplayValue[];
  /** From the moment the code was handed to an interpreter. */
  readonly durationMs: number;
  /** True when the interpreter was ended: a session's next run starts in another one, with what `restored` tells and nothing else. */
  readonly isSandboxLost: boolean;
  /**
   * In a session: what the next interpreter gets, in the outcome that tells of the loss; and once more, as it came about, in the first outcome
   * of that interpreter. Left out where nothing comes back.
   */
  readonly restored?: Restored;
}

/** The code ran to its end. `value` is that of a last expression, else `null`. */
export interface Returned extends Ending {
  readonly type: 'returned';
  readonly value: GuestValue;
  /** The variables asked for with `outputs`. */
  readonly variables: Readonly<Record<string, GuestValue>>;
}

/** The code called `SUBMIT(...)`. One positional value arrives as `{ output: value }`, keywords under their names. */
export interface Submitted extends Ending {
  readonly type: 'submitted';
  readonly value: Readonly<Record<string, GuestValue>>;
}

/** An exception reached the top, `SystemExit` included. */
export interface Threw extends Ending {
  readonly type: 'threw';
  readonly error: GuestError;
}

/** The code, or a module that it imports, could not be compiled; nothing of the code ran. */
export interface SyntaxFault extends Ending {
  readonly type: 'syntax-error';
  readonly message: string;
  /** From 1; `null` when the compiler names none. */
  readonly line: number | null;
  readonly column: number | null;
  /** The module in which it is, by its full name; left out for the code of the run. */
  readonly file?: string;
}

/** A limit was reached. `allowed` is that limit: milliseconds, bytes, characters, values, calls or instructions. */
export interface Exceeded extends Ending {
  readonly type: 'exceeded';
  readonly limit: ExceededLimit;
  readonly allowed: number;
}

/** The policy forbids something the code asks for. What is seen in the text of the code is found before any of it runs. */
export interface Denied extends Ending {
  readonly type: 'denied';
  readonly code: 'executor/denied';
  /** What kind of thing was asked for. */
  readonly permission: Permission;
  /** What was asked for, such as the module's name. */
  readonly name: string;
  /** Which rule of the policy: `deniedModules["ctypes"]`; a bare `tools` when no entry of that list allows it. */
  readonly rule: string;
  /** From 1; `null` where it is not known, or nothing of the code: a file that the page handed over. */
  readonly line: number | null;
  readonly column: number | null;
  /** The module among `imports` whose text it is; left out for the code of the run. */
  readonly file?: string;
}

/** Not the guest's doing as far as can be told: the interpreter died, or our side failed. */
export interface Failed extends Ending {
  readonly type: 'failed';
  /** `executor/interpreter-died`, `executor/boot-failed`, `executor/frame-lost` or `executor/protocol-broken`. */
  readonly code: `executor/${string}`;
  readonly message: string;
}

/** The caller's signal, `interrupt()` or disposal ended it. */
export interface Cancelled extends Ending {
  readonly type: 'cancelled';
}

/** How a run ended; `type` says which of these it is. */
export type Outcome = Returned | Submitted | Threw | SyntaxFault | Exceeded | Denied | Failed | Cancelled;
