import { Example, Predict } from '../program/index.ts';
import { LabeledFewShot } from './labeled-few-shot.ts';
import type { Optimizer } from './optimizer.ts';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function assertType<T extends true>(): T | undefined {
  return undefined;
}

const student = new Predict('question -> answer, score: float');
const trainset = [new Example({ question: 'q', answer: 'a', grade: 1 }).withInputs('question')];
const optimizer: Optimizer = new LabeledFewShot({ k: 4 });

// The new program has the type of the student; a metric knows both sides.
const program = optimizer.compile(student, {
  trainset,
  metric: (expected, answer) => expected.grade * answer.score + (expected.answer === answer.answer ? 1 : 0),
  onProgress: ({ done, total }) => void (done / total),
});
assertType<Equal<Awaited<typeof program>, typeof student>>();
void new LabeledFewShot().compile(student, { trainset: [{ question: 'plain' }], sample: false });
// @ts-expect-error the examples have no such field
void optimizer.compile(student, { trainset, metric: (expected) => expected.nope === 1 });
// @ts-expect-error the answer has no such field
void optimizer.compile(student, { trainset, metric: (_, answer) => answer.nope === 1 });
// @ts-expect-error a training set is a list
void optimizer.compile(student, { trainset: 'text' });
// @ts-expect-error no such option of this optimizer
void optimizer.compile(student, { trainset, sample: false });
