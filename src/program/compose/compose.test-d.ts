import { Module } from '../module.ts';
import { Predict } from '../predict/predict.ts';
import type { Run } from '../run.ts';
import { branch } from './branch.ts';
import { map } from './map.ts';
import type { PartOutcome } from './options.ts';
import { parallel } from './parallel.ts';
import { race } from './race.ts';
import { sequence } from './sequence.ts';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function assertType<T extends true>(): T | undefined {
  return undefined;
}

class Length extends Module<string, number> {
  override async forward(input: string): Promise<number> {
    return input.length;
  }
}
class Text extends Module<number, string> {
  override async forward(input: number): Promise<string> {
    return String(input);
  }
}
class Ask extends Module<{ question: string }, { answer: string }> {}
class Rank extends Module<{ candidates: string[] }, { best: string }> {}

// sequence: each step takes what the one before gives
const back = sequence([new Length(), new Text(), new Length()]);
const backed = back.call('text');
assertType<Equal<Awaited<typeof backed>, number>>();
assertType<Equal<(typeof back)['steps'][1], Text>>();
const asked = sequence([new Predict('question -> query'), new Predict('query -> answer: int')]).call({
  question: 'q',
});
assertType<Equal<Awaited<typeof asked>['answer'], number>>();
// @ts-expect-error the first step takes text
void back.call(3);
// @ts-expect-error a length takes no number
void sequence([new Length(), new Length()]);
// @ts-expect-error the second predictor wants another field
void sequence([new Predict('question -> query'), new Predict('text -> answer')]);
// @ts-expect-error at least one
void sequence([]);
// @ts-expect-error a function is no module
void sequence([(input: string) => input]);

// branch: the input of all, the output of any; the chooser knows input and names
const routed = branch((input: { question: string }) => (input.question === '' ? 'ask' : 'other'), {
  ask: new Ask(),
  other: new Predict('question -> answer: int'),
});
const answered = routed.call({ question: 'q' });
assertType<Equal<Awaited<typeof answered>['answer'], string | number>>();
void branch((input, run: Run) => (run.depth > 3 || input === '' ? 'length' : 'length'), {
  length: new Length(),
});
// @ts-expect-error no such branch
void branch(() => 'nope', { length: new Length() });
const any = branch((input: string) => input, { length: new Length() }, { otherwise: new Text() }).call(
  '' as never,
);
assertType<Equal<Awaited<typeof any>, number | string>>();
void branch(new Predict('question -> branch: Literal["ask", "other"]'), { ask: new Ask(), other: new Ask() });
// @ts-expect-error the input must suit all
void branch(() => 'ask', { ask: new Ask(), rank: new Rank() }).call({ question: '' });

// map: a list to a list
const lengths = map(new Length()).call(['a']);
assertType<Equal<Awaited<typeof lengths>, number[]>>();
const some = map(new Length(), { onFailure: 'skip', maxConcurrency: 2 }).call(['a']);
assertType<Equal<Awaited<typeof some>, number[]>>();
const told = map(new Length(), { onFailure: 'collect' }).call(['a']);
assertType<Equal<Awaited<typeof told>, PartOutcome<number>[]>>();
// @ts-expect-error a list of text
void map(new Length()).call([1]);
// @ts-expect-error no such way
void map(new Length(), { onFailure: 'ignore' });

// parallel: answers by name
const both = parallel({ length: new Length(), other: new Length() }).call('text');
assertType<Equal<Awaited<typeof both>, { length: number; other: number }>>();
const partly = parallel({ length: new Length() }, { onFailure: 'skip' }).call('text');
assertType<Equal<Awaited<typeof partly>, { length?: number }>>();
const collected = parallel({ length: new Length() }, { onFailure: 'collect' }).call('text');
assertType<Equal<Awaited<typeof collected>, { length: PartOutcome<number> }>>();
// @ts-expect-error both take text
void parallel({ length: new Length() }).call(1);

// race: one of the answers
const first = race([new Ask(), new Predict('question -> answer: int')]).call({ question: 'q' });
assertType<Equal<Awaited<typeof first>['answer'], string | number>>();
// @ts-expect-error a race collects nothing
void race([new Ask()], { onFailure: 'collect' });

// compositions are modules and can be parts
const nested = map(sequence([new Length(), new Text()])).call(['a']);
assertType<Equal<Awaited<typeof nested>, string[]>>();
