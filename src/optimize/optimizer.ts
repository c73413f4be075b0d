/** What every optimizer is: from a program and examples it makes a better program. */
import type { Metric } from '../evaluate/index.ts';
import type { DemoLike, Module, OutputOf, Run, Settings } from '../program/index.ts';

/** How far a compilation is. Plain data. */
export interface CompileProgress {
  /** Name of the optimizer. */
  readonly optimizer: string;
  /** What is being done, such as `choose-demos`. */
  readonly step: string;
  /** Parts of the step that are done, of `total`. */
  readonly done: number;
  readonly total: number;
}

/** What is common to all compilations. */
export interface CompileFrame<Expected extends DemoLike = DemoLike> {
  /** Examples, or plain objects with the fields of examples. */
  readonly trainset: readonly Expected[];
  /** The run that the compilation is part of: its settings, deadline and cancellation hold here too. Default: a run of its own. */
  readonly run?: Run | undefined;
  /** What calls of the program start from: language model, adapter, telemetry, clock. */
  readonly settings?: Settings | undefined;
  /** Ends the compilation with `port/cancelled`, or with the coded error that is the reason. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds until the compilation ends with `port/timeout`. Default: none. */
  readonly timeoutMs?: number | undefined;
  /** At most one call in 50 ms, but for the first and the last of each step. When it throws, a note says so. */
  readonly onProgress?: ((progress: CompileProgress) => void) | undefined;
}

export interface CompileOptions<
  Expected extends DemoLike = DemoLike,
  Answer = unknown,
> extends CompileFrame<Expected> {
  /** Optimizers that score answers need one; the others ignore it. */
  readonly metric?: Metric<Expected, Answer> | undefined;
}

export interface Optimizer {
  /** Such as `LabeledFewShot`; in errors, events and progress. */
  readonly name: string;
  /**
   * A new program. The student is never changed, whatever happens.
   * @throws `optimize/student-invalid`, `optimize/trainset-invalid`, `optimize/option-invalid`, `optimize/compile-failed`,
   * `port/timeout`, `port/cancelled`
   */
  compile<M extends Module, Expected extends DemoLike>(
    student: M,
    options: CompileOptions<Expected, OutputOf<M>>,
  ): Promise<M>;
}
