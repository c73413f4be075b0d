/** Gives every predictor worked examples straight from the training set. Asks no language model. */
import { CodedError } from '../base/index.ts';
import type { DemoLike, Module, OutputOf } from '../program/index.ts';
import type { Compilation } from './compilation.ts';
import { compileProgram } from './compilation.ts';
import type { CompileOptions, Optimizer } from './optimizer.ts';
import { PythonRandom } from './python-random.ts';

export interface LabeledFewShotOptions {
  /** Examples for each predictor. Default 16. */
  readonly k?: number | undefined;
}

export interface LabeledFewShotCompileOptions<
  Expected extends DemoLike = DemoLike,
  Answer = unknown,
> extends CompileOptions<Expected, Answer> {
  /** False takes the first `k` examples instead of `k` by chance. Default true. */
  readonly sample?: boolean | undefined;
}

type Draw = Pick<LabeledFewShotCompileOptions, 'trainset' | 'sample'>;

/** Where DSPy's draw begins, always: two compilations of the same program are the same. */
const seed = 0;

/**
 * As DSPy 3.3.1's `LabeledFewShot`, example for example: a reset copy of the student, each of whose predictors, in order, gets
 * a sample of its own, drawn by one `Random(0)`. Compiled sub-modules keep what they have; the copy is not marked compiled.
 */
export class LabeledFewShot implements Optimizer {
  readonly name = 'LabeledFewShot';
  readonly k: number;

  /** @throws `optimize/option-invalid` when `k` is no integer of at least 0 */
  constructor({ k = 16 }: LabeledFewShotOptions = {}) {
    if (!Number.isSafeInteger(k) || k < 0) {
      throw new CodedError('optimize/option-invalid', `k is ${k}, expected an integer of at least 0`, {
        fields: { name: 'k', value: String(k), expected: 'an integer of at least 0' },
      });
    }
    this.k = k;
  }

  /** @throws `optimize/student-invalid`, `optimize/trainset-invalid`, `optimize/compile-failed`, `port/timeout`, `port/cancelled` */
  compile<M extends Module, Expected extends DemoLike>(
    student: M,
    options: LabeledFewShotCompileOptions<Expected, OutputOf<M>>,
  ): Promise<M> {
    return compileProgram(this.name, student, options, (compilation) =>
      this.#chooseDemos(student, options, compilation),
    );
  }

  async #chooseDemos<M extends Module>(
    student: M,
    { trainset, sample = true }: Draw,
    compilation: Compilation,
  ): Promise<M> {
    const program = student.resetCopy();
    const predictors = trainset.length === 0 ? [] : program.predictors();
    const count = Math.min(this.k, trainset.length);
    const random = new PythonRandom(seed);
    const report = (done: number): void => compilation.report('choose-demos', done, predictors.length);
    report(0);
    for (const [index, predictor] of predictors.entries()) {
      predictor.demos = sample ? random.sample(trainset, count) : trainset.slice(0, count);
      report(index + 1);
      await compilation.pause();
    }
    return program;
  }
}
