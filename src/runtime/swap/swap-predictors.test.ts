import { expect, test } from 'vitest';
import { Module, Parameter, parseSignature, Predict } from '../../program/index.ts';
import type { ModuleState, PredictorState } from '../../program/index.ts';
import type { ModuleClass } from '../version/module-class.ts';
import { createRuntime } from '../runtime.ts';
import { codeOf, runtimesOf } from '../runtime-test-scene.ts';

class QA extends Module<null, null> {
  static readonly version: string = '1.0.0';
  readonly tone: Parameter<string> = new Parameter({ type: 'string', value: 'dry' });
  readonly ask: Predict<'question -> answer'> = new Predict('question -> answer');
}

/** The same fields, and other instructions. */
class SameFields extends Module<null, null> {
  static readonly version: string = '1.1.0';
  readonly tone: Parameter<string> = new Parameter({ type: 'string', value: 'dry' });
  readonly ask = new Predict(parseSignature('question -> answer').withInstructions('Answer with care.'));
}

class OtherFields extends Module<null, null> {
  static readonly version: string = '2.0.0';
  readonly tone: Parameter<string> = new Parameter({ type: 'string', value: 'dry' });
  readonly ask: Predict<'question, tone -> answer'> = new Predict('question, tone -> answer');
}

class Unlearning extends OtherFields {
  static override readonly version: string = '2.1.0';
  static migrate(state: ModuleState): ModuleState {
    return { ...state, predictors: {} };
  }
}

const modules = { qa: [QA, SameFields, OtherFields, Unlearning] as readonly ModuleClass[] };
const trainset = [{ question: 'Two and two?', answer: 'four' }];

const createTestRuntime = runtimesOf({ modules, poolSize: 1 });

const learn = { optimizer: 'labeled-few-shot', trainset };
const askOf = (handle: {
  record(): { predictors: Readonly<Record<string, PredictorState>> };
}): PredictorState => handle.record().predictors['ask'] as PredictorState;

test('a predictor that nobody changed is what the new version declares', async () => {
  const qa = await createTestRuntime().start('qa', { version: '1.0.0' });
  await qa.swap({ version: '1.1.0' });
  expect(askOf(qa).signature.instructions).toBe('Answer with care.');
  await qa.swap({ version: '2.0.0' });
  expect(askOf(qa).signature.fields).toHaveLength(3);
});

test('what was learned is taken over, by the worker and by what a restart starts from', async () => {
  const runtime = createTestRuntime();
  const qa = await runtime.start('qa', { version: '1.0.0', id: 'q' });
  await qa.compile(learn);
  await qa.swap({ version: '1.1.0' });
  expect(askOf(qa).demos).toMatchObject(trainset);
  runtime.killWorkerOf('q');
  const checkpoint = await qa.checkpoint();
  await qa.restore(checkpoint);
  expect(askOf(qa).demos).toMatchObject(trainset);
  expect(qa.record().recovery.state?.predictors['ask']?.demos).toMatchObject(trainset);
});

test('what was learned for other fields fails the swap by name, unless the migration leaves it out', async () => {
  const qa = await createTestRuntime().start('qa', { version: '1.0.0' });
  await qa.compile(learn);
  await expect(qa.swap({ version: '2.0.0' })).rejects.toMatchObject({
    code: 'runtime/state-migration-failed',
    fields: { key: 'predictors.ask' },
  });
  expect(qa.version).toBe('1.0.0');
  await qa.swap({ version: '2.1.0' });
  expect(askOf(qa)).toMatchObject({ demos: [], signature: { fields: [{}, {}, {}] } });
  await qa.rollback();
  expect(askOf(qa).demos).toMatchObject(trainset);
});

test('a module is not swapped while it is compiled, and is swapped afterwards', async () => {
  const stop = new AbortController();
  const never = {
    name: 'never',
    compile: (_: unknown, { signal }: { signal?: AbortSignal | undefined }) =>
      new Promise<never>((_resolve, reject) => {
        signal?.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
      }),
  };
  const qa = await createTestRuntime({ optimizers: { never } }).start('qa', { version: '1.0.0' });
  const compiling = codeOf(qa.compile({ optimizer: 'never', trainset, signal: stop.signal }));
  expect(await codeOf(qa.swap({ version: '1.1.0' }))).toBe('runtime/compile-running');
  stop.abort();
  expect(await compiling).toBe('port/cancelled');
  expect(await codeOf(qa.swap({ version: '1.1.0' }))).toBe('resolved');
});

test('parameters that are set together come before or behind a swap, whole', async () => {
  const runtime = createTestRuntime();
  const qa = await runtime.start('qa', { version: '1.0.0' });
  const both = [
    runtime.setParameters([[qa, { tone: 'warm' }]]),
    qa.swap({ version: '1.1.0' }),
    runtime.setParameters([[qa, { tone: 'sharp' }]]),
  ];
  await Promise.all(both);
  const tone = qa.parameter('tone');
  expect([qa.version, tone.value, await tone.get()]).toEqual(['1.1.0', 'sharp', 'sharp']);
  expect(tone.history.map(({ newValue }) => newValue)).toEqual(['warm', 'sharp']);
});

test('a shared parameter stays shared with the version that has it, and is left by the one that has not', async () => {
  class Toneless extends Module<null, null> {
    static readonly version: string = '3.0.0';
  }
  await using runtime = createRuntime({ modules: { qa: [QA, SameFields, Toneless] } });
  const tone = await runtime.shared('tone', { type: 'string', value: 'warm' });
  const options = { version: '1.0.0', shared: { tone: 'tone' } };
  const one = await runtime.start('qa', options);
  const two = await runtime.start('qa', options);
  await one.swap({ version: '1.1.0' });
  await tone.set('sharp');
  expect([one, two].map((qa) => qa.parameter('tone').value)).toEqual(['sharp', 'sharp']);
  await one.swap({ version: '3.0.0' });
  await tone.set('dry');
  expect(two.parameter('tone').value).toBe('dry');
  expect(Object.keys(one.parameters)).toEqual([]);
});
