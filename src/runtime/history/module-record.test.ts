import { expect, test } from 'vitest';
import { CodedError } from '../../base/index.ts';
import { SimulatedClock } from '../../platform/index.ts';
import { createMemoryStore } from '../../state/index.ts';
import { examples, qaModules } from '../compile/compile-test-tools.ts';
import type { ModuleRecord } from './module-record.ts';
import { testModules } from '../runtime-test-modules.ts';
import { subModuleTestModules } from '../sub-module/sub-module-test-modules.ts';
import { createRuntime } from '../runtime.ts';
import { runtimesOf } from '../runtime-test-scene.ts';

const modules = { ...testModules, ...qaModules };

const createTestRuntime = runtimesOf({ modules });

test('the record tells all that is known of a module, as data that can be copied', async () => {
  const clock = new SimulatedClock(5000);
  const store = createMemoryStore();
  const runtime = createTestRuntime({ clock, store });
  const qa = await runtime.start('qa', { id: 'qa' });
  const before = qa.record();
  expect(before).toMatchObject({
    id: 'qa',
    kind: 'qa',
    className: 'Qa',
    version: '2.0.0',
    address: { worker: qa.worker },
    status: 'running',
    mode: 'eval',
    compilation: { status: 'not-compiled' },
    pendingCalls: [],
    executions: [],
    parameterHistories: {},
    lastCheckpoint: undefined,
    recovery: { isStored: false },
    restarts: 0,
    createdAtMs: 5000,
    startedAtMs: 5000,
  });
  expect(Object.keys(before.parameters)).toEqual(['limit', 'label', 'weights']);
  expect(Object.keys(before.predictors)).toEqual(['answer', 'inner.ask.predict']);
  expect(before.subModules.map(({ name }) => name)).toContain('self.inner');

  await clock.advance(1000);
  await qa.train();
  await qa.parameters.limit.set(9);
  await qa.compile({ optimizer: 'labeled-few-shot', trainset: examples(3) });
  const checkpoint = await qa.checkpoint();
  await qa.call({ question: 'q' }).catch(() => undefined);
  runtime.killWorkerOf('qa');
  await qa.parameters.limit.get();

  const record = qa.record();
  expect(structuredClone(record)).toEqual(record);
  expect(record).toMatchObject({
    mode: 'train',
    compilation: { status: 'compiled', optimizer: 'labeled-few-shot', installed: { trainsetEntries: 3 } },
    parameterHistories: { limit: [{ oldValue: 3, newValue: 9 }] },
    executions: [{ input: { question: 'q' }, error: { code: expect.any(String) as string } }],
    metrics: { calls: 1, successes: 0, restarts: 1 },
    lastCheckpoint: checkpoint,
    recovery: { isStored: true, state: { mode: 'train' } },
    restarts: 1,
    createdAtMs: 5000,
  });
  expect(record.predictors.answer?.demos).toHaveLength(3);
  expect(record.recovery.state?.predictors.answer).toEqual(record.predictors.answer);
  expect(record.recovery.sizeBytes).toBeGreaterThan(200);
  expect(record.updatedAtMs).toBeGreaterThanOrEqual(6000);
  // it was made for this moment
  await qa.parameters.limit.set(10);
  expect(record.parameters.limit?.value).toBe(9);
});

test('the record of a program tells of its sub-modules that are actors, and of what they own', async () => {
  await using runtime = createRuntime({ modules: subModuleTestModules });
  const author = await runtime.start('author', {
    id: 'a',
    actors: { think: { kind: 'thinker', whenDown: 'local', isolation: 'dedicated' } },
  });
  const think = author.subModule('think');
  const trainset = [{ question: 'a', answer: 'b', reasoning: 'c' }];
  await author.compile({ optimizer: 'labeled-few-shot', trainset, options: { k: 1 } });
  const record = author.record();
  expect(record.actors).toEqual([
    { path: 'think', id: think.id, status: 'running', address: { worker: think.worker } },
  ]);
  const own = Object.values(think.record().predictors);
  expect(own.map(({ demos }) => demos)).toEqual([trainset]);
  expect(Object.values(record.predictors)).toEqual(own);
  expect(structuredClone(record)).toEqual(record);
  runtime.killWorkerOf(think.id);
  await expect.poll(() => think.metrics.restarts).toBe(1);
  expect(think.record().crash).toMatchObject({ code: expect.any(String) as string });

  const pipeline = await runtime.start('pipeline', {
    actors: { critic: { kind: 'critic', whenDown: 'fail' } },
  });
  await pipeline.parameters['critic.limit'].set(7);
  expect(pipeline.record().parameters['critic.limit']?.value).toBe(7);
  expect(pipeline.record().parameterHistories['critic.limit']).toMatchObject([{ newValue: 7 }]);
});

test('what is remembered outlives the page: created, updated, checkpoint, compilation', async () => {
  const store = createMemoryStore();
  const first = createTestRuntime({ clock: new SimulatedClock(1000), store });
  const before = await first.start('counter', { id: 'c' });
  const checkpoint = await before.checkpoint();
  await before.parameters.total.set(4);
  await first.close();
  const runtime = createTestRuntime({ clock: new SimulatedClock(9000), store });
  const after = await runtime.start('counter', { id: 'c' });
  expect(after.record()).toMatchObject({
    createdAtMs: 1000,
    startedAtMs: 9000,
    lastCheckpoint: checkpoint,
    recovery: { isStored: true },
    parameterHistories: { total: [{ newValue: 4 }] },
  });
});

test('a module that was stopped still has a record; calls that wait are told of', async () => {
  const runtime = createTestRuntime();
  const trouble = await runtime.start('trouble', { id: 't', shutdownMs: 20 });
  const pending = trouble.call({ ask: 'never' }).catch((error: unknown) => error);
  const [call] = trouble.record().pendingCalls;
  expect(call).toEqual({
    traceId: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
    startedAtMs: expect.any(Number) as number,
  });
  expect(trouble.record().metrics.mailboxLength).toBe(1);
  await trouble.stop();
  await pending;
  const record: ModuleRecord = trouble.record();
  expect(record).toMatchObject({ status: 'stopped', address: undefined, pendingCalls: [] });
  expect(record.executions).toHaveLength(1);
  expect(record.metrics).toMatchObject({ uptimeMs: 0, mailboxLength: 0 });
});

test('an input that cannot be copied does not keep the record from being copied', async () => {
  const trouble = await createTestRuntime().start('trouble');
  await expect(trouble.call({ ask: (() => 1) as never })).rejects.toMatchObject({
    code: 'port/not-cloneable',
  });
  await expect(trouble.call({ ask: 'function' })).rejects.toMatchObject({ code: 'port/not-cloneable' });
  const record = trouble.record();
  expect(structuredClone(record).executions).toHaveLength(2);
});

test('metrics: counts, failures by code, the last call, and what the module does now', async () => {
  const clock = new SimulatedClock(1000);
  const runtime = createTestRuntime({ clock });
  const trouble = await runtime.start('trouble', { id: 't' });
  expect(trouble.metrics).toEqual({
    calls: 0,
    successes: 0,
    successRatio: 1,
    failures: {},
    meanMs: 0,
    p50Ms: 0,
    p95Ms: 0,
    p99Ms: 0,
    lastCallAtMs: undefined,
    restarts: 0,
    uptimeMs: 0,
    mailboxLength: 0,
  });
  await clock.advance(500);
  await trouble.call({ ask: 'mode' });
  for (let call = 0; call < 2; call++) await trouble.call({ ask: 'throw' }).catch(() => undefined);
  const slow = trouble.call({ ask: 'never' }, { timeoutMs: 250 }).catch((error: unknown) => error);
  expect(trouble.metrics.mailboxLength).toBe(1);
  await clock.advance(250);
  expect(await slow).toBeInstanceOf(CodedError);
  expect(trouble.metrics).toMatchObject({
    calls: 4,
    successes: 1,
    successRatio: 0.25,
    failures: { 'runtime/asked-to-throw': 2, 'port/timeout': 1 },
    lastCallAtMs: 1500,
    p50Ms: 0,
    p99Ms: 250,
    meanMs: 62.5,
    uptimeMs: 750,
    mailboxLength: 0,
  });
  runtime.killWorkerOf('t');
  await trouble.call({ ask: 'mode' }, { isIdempotent: true });
  expect(trouble.metrics).toMatchObject({ restarts: 1, uptimeMs: 0 });
});
