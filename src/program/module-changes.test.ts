import { expect, test } from 'vitest';
import { Module } from './module.ts';
import { Parameter } from './parameter.ts';
import { Predict } from './predict/predict.ts';

class Inner extends Module {
  readonly ask: Predict<'question -> answer'> = new Predict('question -> answer');
}

class Program extends Module {
  readonly limit: Parameter<number> = new Parameter({ type: 'number', value: 3, constraints: { min: 0 } });
  readonly names: Parameter<readonly string[]> = new Parameter<readonly string[]>({
    type: 'list',
    value: [],
  });
  readonly inner: Inner = new Inner();
}

test('changes are put in together, and a dry run puts in nothing', () => {
  const program = new Program();
  const before = program.dumpState();
  const state = { ...before.predictors['inner.ask']!, demos: [{ question: 'q', answer: 'a' }] };
  const apply = program.prepareChanges(
    {
      values: { limit: 4 },
      atMs: 123,
      parameters: { names: { ...program.names.dumpState(), value: ['x'] } },
      predictors: { 'inner.ask': state },
      compiled: ['self.inner'],
    },
    'tuned',
  );
  expect(program.dumpState()).toEqual(before);
  apply();
  expect([program.limit.value, program.limit.updatedAtMs, program.names.value]).toEqual([4, 123, ['x']]);
  expect(program.limit.history).toEqual([{ oldValue: 3, newValue: 4, cause: 'tuned', atMs: 123 }]);
  expect(program.inner.ask.demos).toEqual([{ question: 'q', answer: 'a' }]);
  expect([program.isCompiled, program.inner.isCompiled]).toEqual([false, true]);
});

test('what is not named stays as it is, listeners included', () => {
  const program = new Program();
  const heard: string[] = [];
  program.onParameterChange(({ name }) => heard.push(name));
  program.inner.isCompiled = true;
  program.prepareChanges({ values: { limit: 5 } })();
  expect(heard).toEqual(['limit']);
  expect(program.inner.isCompiled).toBe(true);
});

test.each([
  ['a constraint', { values: { limit: -1 } }, 'program/constraint-violated'],
  ['a name that no parameter has', { values: { other: 1 } }, 'program/parameter-not-found'],
  ['a state of a parameter that is none', { parameters: { limit: null as never } }, 'program/state-invalid'],
  [
    'a state of a parameter that is not there',
    { parameters: { other: {} as never } },
    'program/parameter-not-found',
  ],
  [
    'a state of a predictor that is none',
    { predictors: { 'inner.ask': {} as never } },
    'program/state-invalid',
  ],
  ['a name that no predictor has', { predictors: { other: {} as never } }, 'program/predictor-not-found'],
])('%s refuses all of the changes', (_, changes, code) => {
  const program = new Program();
  const before = program.dumpState();
  const all = { ...changes, values: { names: ['y'], ...('values' in changes ? changes.values : {}) } };
  expect(() => program.prepareChanges(all)).toThrow(expect.objectContaining({ code }) as Error);
  expect(program.dumpState()).toEqual(before);
});
