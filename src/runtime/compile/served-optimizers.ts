/** What a worker entry lets a page compile with: optimizers and metrics by name, since functions never cross a port. */
import { CodedError } from '../../base/index.ts';
import type { ErrorCode, JsonObject } from '../../base/index.ts';
import type { Metric } from '../../evaluate/index.ts';
import { LabeledFewShot } from '../../optimize/index.ts';
import type { LabeledFewShotOptions, Optimizer } from '../../optimize/index.ts';

/** Makes an optimizer from what the page gave as `options`: plain data, unchecked. It throws `optimize/option-invalid` for what does not fit. */
export type OptimizerFactory = (options: JsonObject) => Optimizer;

/** Optimizers by the name that `handle.compile` is given. */
export type Optimizers = Readonly<Record<string, OptimizerFactory | Optimizer>>;

/** Metrics by the name that `handle.compile` is given. A metric knows the fields of its own program, so its types are its own affair. */
export type Metrics = Readonly<Record<string, Metric<never, never>>>;

/** What is served beside the modules. */
export interface CompileTools {
  readonly optimizers?: Optimizers | undefined;
  readonly metrics?: Metrics | undefined;
}

/** Under `labeled-few-shot`, with options `k` and `sample`, without being asked for. */
const builtIn: Optimizers = { 'labeled-few-shot': createLabeledFewShot };

function createLabeledFewShot(options: JsonObject): Optimizer {
  const { k, sample, ...others } = options;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) throw badOption(unknown, others[unknown], 'one of "k", "sample"');
  if (sample !== undefined && typeof sample !== 'boolean') throw badOption('sample', sample, 'true or false');
  const optimizer = new LabeledFewShot({ k: k as LabeledFewShotOptions['k'] });
  return {
    name: optimizer.name,
    compile: (student, frame) => optimizer.compile(student, { ...frame, sample }),
  };
}

/** @throws `runtime/optimizer-not-found`, naming those served, and what the factory throws */
export function createServedOptimizer(tools: CompileTools, name: string, options: JsonObject): Optimizer {
  const all: Optimizers = { ...builtIn, ...tools.optimizers };
  const served = Object.hasOwn(all, name) ? all[name] : undefined;
  if (!served) throw notServed('runtime/optimizer-not-found', 'optimizer', name, Object.keys(all));
  if (typeof served === 'function') return served(options);
  const [given] = Object.keys(options);
  if (given === undefined) return served;
  throw badOption(given, options[given], 'no options: this optimizer is served ready-made');
}

/** @throws `runtime/metric-not-found`, naming those served */
export function pickMetric({ metrics = {} }: CompileTools, name: string): Metric<never, never> {
  const metric = Object.hasOwn(metrics, name) ? metrics[name] : undefined;
  if (metric) return metric;
  throw notServed('runtime/metric-not-found', 'metric', name, Object.keys(metrics));
}

function notServed(code: ErrorCode, what: string, name: string, known: readonly string[]): CodedError {
  return new CodedError(
    code,
    `this worker serves no ${what} "${name}"; there are: ${known.join(', ') || 'none'}`,
    { fields: { [what]: name, known } },
  );
}

function badOption(name: string, value: unknown, expected: string): CodedError {
  return new CodedError(
    'optimize/option-invalid',
    `option ${name} is ${String(value)}, expected ${expected}`,
    {
      fields: { name, value: String(value), expected },
    },
  );
}
