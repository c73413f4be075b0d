/** A program, and optimizers and metrics of a worker entry, for the tests of compiling. */
import { CodedError } from '../../base/index.ts';
import type { JsonObject } from '../../base/index.ts';
import { sleep, systemClock } from '../../platform/index.ts';
import { LabeledFewShot } from '../../optimize/index.ts';
import type { CompileOptions, Optimizer } from '../../optimize/index.ts';
import { ChainOfThought, Module, Parameter, Predict } from '../../program/index.ts';
import type { DemoLike, TensorValue } from '../../program/index.ts';
import type { Metrics, Optimizers } from './served-optimizers.ts';

export class Inner extends Module<{ question: string }, { answer: string }> {
  readonly ask: ChainOfThought<'question -> answer'> = new ChainOfThought('question -> answer');

  override async forward(input: { question: string }): Promise<{ answer: string }> {
    const { answer } = await this.ask.call(input);
    return { answer };
  }
}

export class Qa extends Module<{ question: string; label?: string }, { answer: string }> {
  static readonly version = '2.0.0';
  readonly limit: Parameter<number> = new Parameter({
    type: 'number',
    value: 3,
    constraints: { min: 0, max: 100 },
  });
  readonly label: Parameter<string> = new Parameter({ type: 'string', value: 'plain' });
  readonly weights: Parameter<TensorValue> = new Parameter({
    type: 'tensor',
    value: { shape: [2, 2], data: new Float64Array([1, 2, 3, 4]) },
  });
  readonly answer: Predict<'question -> answer'> = new Predict('question -> answer');
  readonly inner: Inner = new Inner();

  override async forward({
    question,
    label,
  }: {
    question: string;
    label?: string;
  }): Promise<{ answer: string }> {
    if (label !== undefined) this.label.set(label, 'forward');
    const { answer } = await this.answer.call({ question });
    return { answer };
  }
}

type Frame = CompileOptions;

/** An optimizer from a function; it may change the student, which an honest one does not. */
function optimizer(name: string, compile: (student: Module, options: Frame) => unknown): Optimizer {
  // what a hostile entry serves is not what the types say
  return { name, compile: compile as unknown as Optimizer['compile'] };
}

const untilAborted = (signal: AbortSignal | undefined): Promise<never> =>
  new Promise((_, reject) =>
    signal?.addEventListener('abort', () => reject(signal.reason as Error), { once: true }),
  );

const isQa = (module: unknown): module is Qa => module instanceof Qa;

/** Writes its options into the program, as a tuner of parameters would. */
const tune = (options: JsonObject): Optimizer =>
  optimizer('Tune', async (student) => {
    await Promise.resolve();
    if (!isQa(student)) throw new Error('not the program that it knows');
    if (typeof options.limit === 'number') student.limit.set(options.limit, 'tune');
    if (options.weights) {
      student.weights.set({ shape: [2], data: new Float64Array([7, 8]) }, 'tune');
    }
    if (options.freeze) student.inner.isCompiled = true;
    return student;
  });

/** What the optimizer that lingers has done. */
export const lingering: string[] = [];

export const testOptimizers: Optimizers = {
  'few-shot-made': new LabeledFewShot({ k: 1 }),
  tune,
  /** Asks the metric about every example, and the model about the first. */
  judge: optimizer('Judge', async (student, { trainset, metric, settings, signal, onProgress }) => {
    if (!metric) throw new CodedError('optimize/option-invalid', 'no metric');
    for (const [index, example] of trainset.entries()) {
      const answer = await student.call({ question: 'q' }, { ...settings, signal });
      await metric(example, answer as never);
      onProgress?.({ optimizer: 'Judge', step: 'judge', done: index + 1, total: trainset.length });
    }
    return student;
  }),
  /** Changes what it was given before it waits for ever. */
  waits: optimizer('Waits', async (student, { signal, onProgress }) => {
    if (isQa(student)) student.limit.set(99);
    for (const predictor of student.predictors()) predictor.demos = [{ question: 'half', answer: 'done' }];
    onProgress?.({ optimizer: 'Waits', step: 'wait', done: 0, total: 1 });
    return untilAborted(signal);
  }),
  /** Needs a moment to end when it is told to. */
  lingers: optimizer('Lingers', async (student, { signal }) => {
    if (isQa(student)) student.limit.set(97);
    lingering.push('begun');
    await untilAborted(signal).catch(() => lingering.push('told'));
    await sleep(systemClock, 30);
    lingering.push('ended');
    return student;
  }),
  /** Hears no signal. */
  deaf: optimizer('Deaf', () => new Promise(() => undefined)),
  spins: optimizer('Spins', () => {
    for (;;);
  }),
  throws: optimizer('Throws', (student) => {
    if (isQa(student)) student.limit.set(98);
    throw new TypeError('as asked');
  }),
  floods: optimizer('Floods', async (student, { onProgress }) => {
    for (let done = 0; done <= 100_000; done++) {
      onProgress?.({ optimizer: 'Floods', step: 'x'.repeat(1000), done, total: 100_000 });
      if (done % 1000 === 0) await sleep(systemClock, 1);
    }
    return student;
  }),
  'gives-nothing': optimizer('GivesNothing', () => Promise.resolve(undefined)),
  'gives-other': optimizer('GivesOther', () => Promise.resolve(new Inner())),
  'says-functions': optimizer('SaysFunctions', (student, { onProgress }) => {
    onProgress?.({ optimizer: (() => 1) as never, step: {} as never, done: 'x' as never, total: 1 });
    return Promise.resolve(student);
  }),
};

export const testMetrics: Metrics = {
  exact: (expected: { answer?: unknown }, answer: { answer?: unknown }) => expected.answer === answer.answer,
  throws: () => {
    throw new RangeError('this metric cannot judge');
  },
};

export const qaModules = { qa: Qa };

/** `count` examples with the fields of the program. */
export function examples(count: number): readonly DemoLike[] {
  return Array.from({ length: count }, (_, index) => ({
    question: `question ${index}`,
    answer: `answer ${index}`,
  }));
}
