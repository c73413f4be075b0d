/** How good an answer is. */
import type { DemoLike, Trace } from '../program/index.ts';

/**
 * Compares what a program answered with what was expected. True and larger numbers are better.
 * @param trace given while an optimizer looks for worked examples: then a metric may be stricter, as in DSPy
 */
export type Metric<Expected = DemoLike, Answer = unknown> = (
  expected: Expected,
  answer: Answer,
  trace?: Trace,
) => boolean | number | Promise<boolean | number>;
