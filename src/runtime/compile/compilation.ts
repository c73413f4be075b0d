/** How far a module's compilation is, as data that outlives worker and page. */
import type { ErrorCode } from '../../base/index.ts';
import type { CompileProgress } from '../../optimize/index.ts';

/** Where compiling stands. A module that failed to compile keeps serving what it had. */
export type CompilationStatus = 'not-compiled' | 'compiling' | 'compiled' | 'failed';

/** What a compilation put into the module. */
export interface CompileReport {
  /** The name under which the optimizer is served. */
  readonly optimizer: string;
  readonly trainsetEntries: number;
  readonly startedAtMs: number;
  /** From the call to the installed program. */
  readonly durationMs: number;
  /** Parameters that the optimizer changed. */
  readonly parameters: readonly string[];
  /** Predictors that the optimizer changed. */
  readonly predictors: readonly string[];
}

/** The last compilation, and the one that the program of now comes from. */
export interface CompilationRecord {
  readonly status: CompilationStatus;
  /** The optimizer asked for last. */
  readonly optimizer?: string;
  /** When the last one began, wall-clock milliseconds since 1970. */
  readonly startedAtMs?: number;
  readonly endedAtMs?: number;
  /** What the optimizer said last. */
  readonly progress?: CompileProgress;
  /** Why the last one failed. `runtime/compile-interrupted`: the page ended while it ran. */
  readonly error?: { readonly code: ErrorCode; readonly message: string };
  /** The last one that succeeded: what it installed is what the module started from since. */
  readonly installed?: CompileReport;
}

export const notCompiled: CompilationRecord = Object.freeze({ status: 'not-compiled' });

/** What the store held: a compilation never outlives its page. */
export function reopenedCompilation(stored: CompilationRecord | undefined): CompilationRecord {
  if (stored?.status !== 'compiling') return stored ?? notCompiled;
  const message = 'the page ended while the program was being compiled';
  return { ...stored, status: 'failed', error: { code: 'runtime/compile-interrupted', message } };
}
