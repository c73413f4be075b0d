/** What DSPy 3.3.1's own module API does on the programs of fixtures/dspy/module-api.py must happen here too. */
import { describe as group, expect, test } from 'vitest';
import fixture from '../../fixtures/dspy/module-api.json' with { type: 'json' };
import { isCodedError } from '../base/index.ts';
import { scriptedLm } from '../lm/index.ts';
import type { LanguageModel } from '../lm/index.ts';
import type { BatchOptions } from './batch.ts';
import { Example } from './example.ts';
import { Module } from './module.ts';
import { ChainOfThought } from './predict/chain-of-thought.ts';
import { isPredictor, Predict } from './predict/predict.ts';

class Work extends Module<{ at: number }, number> {
  begun = 0;
  override async forward({ at }: { at: number }): Promise<number> {
    this.begun += 1;
    if (at % 2 === 1) throw new Error(`odd ${at}`);
    return at * 10;
  }
}
class Inner extends Module {
  readonly gen = new ChainOfThought('question -> query');
}
class Program extends Module<{ question: string }, { answer: string }> {
  readonly inner = new Inner();
  readonly answer = new Predict('query -> answer', { temperature: 0.5 });
  readonly unused = new Predict('query -> answer');
  override async forward({ question }: { question: string }): Promise<{ answer: string }> {
    const { query } = await this.inner.gen.call({ question });
    return this.answer.call({ query });
  }
}
class Empty extends Module {}

const examples = (count: number) =>
  Array.from({ length: count }, (_, at) => new Example({ at, label: -at }).withInputs('at'));
type Limits = Pick<BatchOptions, 'maxErrors'>;

/** Python's None is undefined here. */
const withoutNull = (list: readonly (number | null)[]): unknown[] => list.map((item) => item ?? undefined);
const asks = (work: () => unknown): unknown => {
  try {
    return work();
  } catch (error) {
    return isCodedError(error, 'program/lm-not-unique') ? 'ValueError' : error;
  }
};

test('the fixture is of DSPy 3.3.1', () => expect(fixture.versions.dspy).toBe('3.3.1'));

group('batch', () => {
  const { plain, returnFailedExamples, nineFail, tenFail, maxErrors } = fixture.batch;
  const one = { maxConcurrency: 1 };

  test('outputs in order, nothing where an example failed', async () => {
    expect(await new Work().batch(examples(6), one)).toEqual(withoutNull(plain.outputs));
    expect(await new Work().batch(examples(18), one)).toEqual(withoutNull(nineFail.outputs));
  });

  test('failed examples and errors when asked', async () => {
    const options = { ...one, returnFailedExamples: true } as const;
    const { outputs, failedExamples, errors } = await new Work().batch(examples(6), options);
    expect(outputs).toEqual(withoutNull(returnFailedExamples.outputs));
    // here the whole example, there its inputs
    expect(failedExamples.map((example) => example.inputs().toObject())).toEqual(returnFailedExamples.failed);
    expect(errors.map((error) => (error as Error).message)).toEqual(returnFailedExamples.errors);
  });

  test.each<[string, number, Limits, number]>([
    ['10 unless said otherwise', 30, {}, tenFail.begun],
    ...Object.entries(maxErrors).map(([limit, { begun }]): [string, number, Limits, number] => [
      limit,
      20,
      { maxErrors: Number(limit) },
      begun,
    ]),
  ])('ends at max_errors: %s', async (_, count, options, begun) => {
    const program = new Work();
    await expect(program.batch(examples(count), { ...one, ...options })).rejects.toMatchObject({
      code: 'program/batch-failed',
    });
    expect(program.begun).toBe(begun);
  });
});

test('set_lm and get_lm; a frozen sub-module is left alone', () => {
  const { languageModels } = fixture;
  const lm = (): LanguageModel => scriptedLm({ script: () => '' });
  const [one, two] = [lm(), lm()];
  const nameOf = (model: LanguageModel | undefined): string | null =>
    model === one ? 'one' : model === two ? 'two' : null;
  const program = new Program();
  const models = (): unknown =>
    Object.fromEntries(
      program.namedSubModules(isPredictor).map(([name, { lm: own }]) => [name, nameOf(own)]),
    );
  program.inner.isCompiled = true;
  const seen: Record<string, unknown> = {};
  seen.none = nameOf(program.getLm());
  seen.empty = asks(() => new Empty().getLm());
  program.setLm(one);
  seen.set = models();
  seen.one = nameOf(program.getLm());
  program.answer.lm = two;
  seen.two = asks(() => program.getLm());
  program.setLm(undefined);
  seen.taken = models();
  expect(seen).toEqual(languageModels);
});

test('deepcopy and reset_copy', () => {
  const program = new Program();
  program.setLm(scriptedLm({ script: () => '' }));
  for (const predictor of program.predictors()) {
    predictor.demos = [{ query: 'q' }];
    predictor.traces = [1];
    predictor.trainset = [2];
    predictor.signature = predictor.signature.withInstructions('Changed.');
  }
  program.inner.isCompiled = true;
  const shown = (one: Module): unknown =>
    Object.fromEntries(
      one.namedSubModules(isPredictor).map(([name, each]) => [
        name,
        {
          demos: each.demos.length,
          traces: each.traces.length,
          train: each.trainset.length,
          lm: each.lm !== undefined,
          instructions: each.signature.instructions,
          config: each.config,
        },
      ]),
    );
  const { copy, reset, original } = fixture.resetCopy;
  expect(shown(program.deepcopy())).toEqual(copy);
  expect(shown(program.resetCopy())).toEqual(reset);
  expect(shown(program)).toEqual(original);
});

test('the history of a module has the calls that were made while it ran', async () => {
  const program = new Program();
  const lm = scriptedLm({
    script: () =>
      '[[ ## reasoning ## ]]\nr\n\n[[ ## query ## ]]\nq\n\n[[ ## answer ## ]]\na\n\n[[ ## completed ## ]]',
  });
  await program.call({ question: 'one' }, { lm });
  await program.call({ question: 'two' }, { lm });
  const counts = program.namedSubModules().map(([name, module]) => [name, module.lmHistory.length]);
  expect(Object.fromEntries(counts)).toEqual(fixture.histories.counts);
  expect(program.deepcopy().lmHistory).toHaveLength(fixture.histories.copy);
});
