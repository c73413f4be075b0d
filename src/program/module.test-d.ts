import type { LanguageModel } from '../lm/index.ts';
import { Example } from './example.ts';
import { Module } from './module.ts';
import { Parameter } from './parameter.ts';
import type { TensorValue } from './parameter-value.ts';
import { ChainOfThought } from './predict/chain-of-thought.ts';
import { isPredictor, Predict } from './predict/predict.ts';
import type { Predictor } from './predict/predictor.ts';
import { parseSignature } from './parse-signature.ts';
import type { Run } from './run.ts';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function assertType<T extends true>(): T | undefined {
  return undefined;
}
declare const lm: LanguageModel;

// Parameters: the type word and the value must agree.
const limit = new Parameter({ type: 'number', value: 20, constraints: { min: 1, max: 100 } });
assertType<Equal<typeof limit, Parameter<number>>>();
assertType<Equal<Parameter<TensorValue>['value'], TensorValue>>();
const tone = new Parameter<'dry' | 'warm'>({
  type: 'string',
  value: 'dry',
  constraints: { oneOf: ['dry', 'warm'] },
});
tone.set('warm');
// @ts-expect-error not one of the two
tone.set('cold');
// @ts-expect-error a number is not a string parameter
void new Parameter({ type: 'string', value: 3 });
// @ts-expect-error limits are numbers
limit.set('3');
const anyParameter: Parameter = limit;

// Predictors: inputs and outputs come from the text.
const predict = new Predict('question, k: int -> answer: list[str], ok: bool');
const asked = predict.call({ question: 'q', k: 3 }, { lm });
assertType<Equal<Awaited<typeof asked>['answer'], string[]>>();
assertType<Equal<Awaited<typeof asked>['ok'], boolean>>();
// @ts-expect-error k is missing
void predict.call({ question: 'q' });
// @ts-expect-error k is a number
void predict.call({ question: 'q', k: '3' });
// @ts-expect-error there is no such output
void asked.then((prediction) => prediction.nope);

const think = new ChainOfThought(parseSignature('q -> a: float'));
const thought = think.call({ q: '' });
assertType<Equal<Awaited<typeof thought>['reasoning'], string>>();
assertType<Equal<Awaited<typeof thought>['a'], number>>();

const dynamic = new Predict(String('q -> a'));
void dynamic.call({ anything: 1 }).then((prediction) => prediction.whatever satisfies unknown);

// Modules: declared types, or those of forward.
class Declared extends Module<{ question: string }, { answer: string }> {
  readonly inner = new Inferred();
  override async forward({ question }: { question: string }, run: Run): Promise<{ answer: string }> {
    const count = await this.inner.call({ count: 1 }, run);
    return { answer: `${question}${count.toFixed()}` };
  }
}
class Inferred extends Module {
  override async forward(input: { count: number }): Promise<number> {
    return input.count;
  }
}
const answered = new Declared().with({ lm }).call({ question: '' });
assertType<Equal<Awaited<typeof answered>, { answer: string }>>();
const counted = new Inferred().call({ count: 1 });
assertType<Equal<Awaited<typeof counted>, number>>();
// @ts-expect-error count is a number
void new Inferred().call({ count: '1' });
// @ts-expect-error there is no question
void new Declared().call({});
// @ts-expect-error timeoutMs is a number of milliseconds
void new Inferred().call({ count: 1 }, { timeoutMs: '5' });

const someModules: Module[] = [new Declared(), new Inferred(), predict, think];
const somePredictors: Predictor[] = [predict, think.predict, dynamic];

// Batches: examples or inputs, answers in order
const answers = new Declared().batch([
  { question: 'q' },
  new Example({ question: 'q', n: 1 }).withInputs('question'),
]);
assertType<Equal<Awaited<typeof answers>, ({ answer: string } | undefined)[]>>();
const batch = new Inferred().batch([{ count: 1 }], { returnFailedExamples: true, maxErrors: 3 });
assertType<Equal<Awaited<typeof batch>['outputs'], readonly (number | undefined)[]>>();
assertType<Equal<Awaited<typeof batch>['failedExamples'], readonly { count: number }[]>>();
// @ts-expect-error count is a number
void new Inferred().batch([{ count: '1' }]);

// Sub-modules by class or guard
const thinkers = new Declared().namedSubModules(ChainOfThought);
assertType<Equal<(typeof thinkers)[number][1], ChainOfThought>>();
const asking = new Declared().namedSubModules(isPredictor, { maxDepth: 2 });
assertType<Equal<(typeof asking)[number][1], Predictor>>();
const all = new Declared().namedSubModules(undefined, { skipCompiled: true });
assertType<Equal<(typeof all)[number][1], Module>>();

// Examples
const example = new Example({ question: 'q', n: 1 });
assertType<Equal<typeof example.question, string>>();
assertType<Equal<ReturnType<typeof example.without<'n'>>['question'], string>>();
// @ts-expect-error no such field
example.withInputs('nope');
// @ts-expect-error fields are read-only
example.question = 'x';
predict.demos = [example, { question: 'plain' }];

void [anyParameter, someModules, somePredictors];
