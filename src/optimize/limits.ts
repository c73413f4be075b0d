/** The bounds of the optimizers, in one place. Each has a hostile test beside the code that keeps it. */

export interface OptimizeLimits {
  /** Examples of one training set. Default 1,000,000: more would fill a tab before anything is learned. */
  readonly trainsetEntries: number;
  /** Milliseconds that an optimizer works before it lets other tasks run, so that a cancellation is heard. Default 8. */
  readonly sliceMs: number;
  /** Milliseconds between two reports of progress; the first and the last of a step always come. Default 50. */
  readonly progressIntervalMs: number;
}

export const optimizeLimits: OptimizeLimits = Object.freeze({
  trainsetEntries: 1_000_000,
  sliceMs: 8,
  progressIntervalMs: 50,
});
