import { afterEach, expect, test } from 'vitest';
import { isCodedError } from '../../base/index.ts';
import { seededRandom } from '../../platform/index.ts';
import { createHub, createMemorySink } from '../../telemetry/index.ts';
import type { RuntimeSnapshot } from '../inspect-runtime.ts';
import {
  closeRuntimes,
  codeOf,
  createTestRuntime,
  judge,
  startPipeline,
  turn,
} from './sub-module-test-scene.ts';

afterEach(closeRuntimes);

test('a crash of a part is noticed, it is restarted with its state, and the program around it serves on', async () => {
  const hub = createHub();
  const sink = createMemorySink(hub);
  const runtime = createTestRuntime({ hub });
  const pipeline = await startPipeline(runtime);
  await pipeline.parameters['critic.limit'].set(33, { level: 'memory' });
  const before = await judge(pipeline);
  const pending = codeOf(pipeline.call({ ask: 'never' }));
  await turn();
  // while it is down, a call fails at once, and may be made again
  runtime.killWorkerOf('p/critic');
  const next = pipeline.call({ ask: 'judge' }).catch((error: unknown) => error);
  expect(await pending).toBe('runtime/sub-module-down');
  expect(await next).toMatchObject({
    code: 'runtime/sub-module-down',
    isRetryable: true,
    fields: { path: 'critic', subModule: 'p/critic' },
  });
  await turn();
  const after = await judge(pipeline);
  expect(after).toMatchObject({ limit: 33 });
  expect(after.born).not.toBe(before.born);
  expect(pipeline.metrics.restarts).toBe(0);
  expect(pipeline.subModule('critic').metrics.restarts).toBe(1);
  expect(sink.ofType('sub-module-fail')).toMatchObject([
    { module: 'p', subModule: 'p/critic', isFinal: false, whenDown: 'fail' },
  ]);
});

test('local: while the actor is down the copy answers with the newest parameters, also for the call it was lost under', async () => {
  const runtime = createTestRuntime();
  const pipeline = await startPipeline(runtime, 'local');
  await pipeline.parameters['critic.limit'].set(44, { level: 'memory' });
  await pipeline.train('memory');
  const remote = await judge(pipeline);
  runtime.killWorkerOf('p/critic');
  const local = await judge(pipeline);
  expect(local).toMatchObject({ limit: 44, mode: 'train' });
  await turn();
  const again = await judge(pipeline);
  expect(new Set([remote.born, local.born, again.born]).size).toBe(3);
  expect(again).toMatchObject({ limit: 44, mode: 'train' });
  // errors of the actor itself are no reason to run the copy
  expect(await codeOf(pipeline.call({ ask: 'throw' }))).toBe('runtime/asked-to-throw');
});

test('local: a temporary actor that is lost is replaced by the copy for good', async () => {
  const runtime = createTestRuntime();
  const actors = {
    critic: { kind: 'critic', restart: 'temporary', isolation: 'dedicated', whenDown: 'local' },
  } as const;
  const pipeline = await runtime.start('pipeline', { id: 'p', actors });
  const lost = pipeline.call({ ask: 'judge', text: 'first' });
  await lost;
  runtime.killWorkerOf('p/critic');
  await turn();
  expect(pipeline.subModule('critic').status).toBe('crashed');
  const one = await judge(pipeline);
  const two = await judge(pipeline);
  expect(one.born).toBe(two.born);
  // what the program around it tunes now is kept where it belongs
  await pipeline.call({ ask: 'tune', text: '5' });
  await turn();
  expect(pipeline.parameters['critic.limit'].value).toBe(5);
});

test('fail: a part that failed too often ends alone; its calls name it, everything else serves on', async () => {
  const runtime = createTestRuntime({ restartLimits: { maxRestarts: 0, maxSeconds: 5 } });
  const other = await runtime.start('critic', { id: 'other' });
  const pipeline = await startPipeline(runtime);
  runtime.killWorkerOf('p/critic');
  await turn();
  const down = await pipeline.call({ ask: 'judge' }).catch((error: unknown) => error);
  expect(down).toMatchObject({
    code: 'runtime/sub-module-down',
    isRetryable: false,
    fields: { status: 'crashed' },
    cause: { message: expect.stringContaining('gave up') as string },
  });
  expect(await pipeline.call({ ask: 'read' })).toMatchObject({ limit: 10 });
  expect(other.status).toBe('running');
});

test('restart: calls wait while the actor restarts; when it has ended for good the program and it start again', async () => {
  const runtime = createTestRuntime({ restartLimits: { maxRestarts: 1, maxSeconds: 5 } });
  const pipeline = await startPipeline(runtime, 'restart');
  await pipeline.parameters['critic.limit'].set(55, { level: 'memory' });
  runtime.killWorkerOf('p/critic');
  expect(await judge(pipeline)).toMatchObject({ limit: 55 });
  expect([pipeline.metrics.restarts, pipeline.subModule('critic').metrics.restarts]).toEqual([0, 1]);
  // one more is too many for its supervisor
  runtime.killWorkerOf('p/critic');
  await turn(20);
  expect(await judge(pipeline)).toMatchObject({ limit: 55 });
  expect(pipeline.metrics.restarts).toBe(1);
  expect(pipeline.subModule('critic').status).toBe('running');
  expect(await pipeline.parameters['critic.limit'].get()).toBe(55);
});

test('a restart of the program around a part does not restart the part, and it meets its newest state', async () => {
  const runtime = createTestRuntime();
  const pipeline = await startPipeline(runtime);
  const before = await judge(pipeline);
  runtime.killWorkerOf('p');
  await pipeline.parameters['critic.limit'].set(66, { level: 'memory' });
  const after = await judge(pipeline);
  expect(after.born).toBe(before.born);
  expect(await pipeline.call({ ask: 'read' })).toMatchObject({ limit: 66 });
  expect([pipeline.metrics.restarts, pipeline.subModule('critic').metrics.restarts]).toEqual([1, 0]);
});

test('a worker that takes program and part with it: both are back before the program serves', async () => {
  const runtime = createTestRuntime({ poolSize: 1 });
  const pipeline = await runtime.start('pipeline', {
    id: 'p',
    actors: { critic: { kind: 'critic', whenDown: 'fail' } },
  });
  await pipeline.parameters['critic.limit'].set(12, { level: 'memory' });
  for (let round = 0; round < 2; round++) {
    runtime.killWorkerOf('p');
    expect(await judge(pipeline)).toMatchObject({ limit: 12 });
  }
  expect([pipeline.metrics.restarts, pipeline.subModule('critic').metrics.restarts]).toEqual([2, 2]);
});

test('a part that was stopped stays stopped, and is down', async () => {
  const runtime = createTestRuntime();
  const pipeline = await startPipeline(runtime, 'restart');
  await pipeline.subModule('critic').stop();
  expect(await codeOf(pipeline.call({ ask: 'judge' }))).toBe('runtime/sub-module-down');
  expect(pipeline.status).toBe('running');
});

test('a call through page, program, page, part and back ends in every way', async () => {
  const runtime = createTestRuntime();
  const pipeline = await startPipeline(runtime);
  expect(await codeOf(pipeline.call({ ask: 'judge' }))).toBe('answered');
  const thrown = await pipeline.call({ ask: 'throw' }).catch((error: unknown) => error);
  expect(thrown).toMatchObject({ code: 'runtime/asked-to-throw', fields: { by: 'critic' } });
  expect(await codeOf(pipeline.call({ ask: 'function' }))).toBe('port/not-cloneable');
  expect(await codeOf(pipeline.call({ ask: 'never' }, { timeoutMs: 30 }))).toBe('port/timeout');
  expect(await codeOf(pipeline.call({ ask: 'deaf' }, { timeoutMs: 30 }))).toBe('port/timeout');
  const controller = new AbortController();
  const cancelled = codeOf(pipeline.call({ ask: 'never' }, { signal: controller.signal }));
  await turn();
  controller.abort();
  expect(await cancelled).toBe('port/cancelled');
  const lost = codeOf(pipeline.call({ ask: 'never' }));
  await turn();
  runtime.killWorkerOf('p');
  expect(await lost).toBe('actor/peer-died');
  await turn();
  // the part was told each time: nothing of it is left open
  await expect.poll(() => pipeline.subModule('critic').metrics.calls).toBe(7);
  expect(runtime.inspect().modules.map(({ openCalls }) => openCalls)).toEqual([0, 0]);
});

test('calls of a part that hangs keep neither its parameters nor the program around it waiting', async () => {
  const runtime = createTestRuntime();
  const pipeline = await startPipeline(runtime);
  const hanging = Array.from({ length: 50 }, () => codeOf(pipeline.call({ ask: 'never' })));
  await turn();
  expect(await judge(pipeline)).toMatchObject({ limit: 10 });
  await pipeline.parameters['critic.limit'].set(11, { level: 'memory' });
  expect(await pipeline.parameters['critic.limit'].get()).toBe(11);
  await pipeline.train('memory');
  expect(await judge(pipeline)).toMatchObject({ limit: 11, mode: 'train' });
  await pipeline.stop();
  expect(new Set(await Promise.all(hanging))).toEqual(new Set(['actor/peer-died']));
});

async function wait(microtasks: number): Promise<void> {
  for (let waited = 0; waited < microtasks; waited++) await Promise.resolve();
}

const leftOf = ({ modules, workers }: RuntimeSnapshot): object => ({
  modules: modules.map(({ id }) => id),
  actors: workers.flatMap(({ actors }) => actors),
});

/** A start under which a worker is lost may fail; the next one must not, and a program that was given must serve. */
async function loseDuringStart(victim: string, microtasks: number): Promise<object> {
  const runtime = createTestRuntime({ restartLimits: { maxRestarts: 5, maxSeconds: 5 } });
  const starting = startPipeline(runtime).catch((error: unknown) => error);
  await wait(microtasks);
  runtime.killWorkerOf(victim);
  const outcome = await starting;
  const isTyped = !(outcome instanceof Error) || isCodedError(outcome);
  const left = outcome instanceof Error ? leftOf(runtime.inspect()) : { modules: [], actors: [] };
  if (outcome instanceof Error) await startPipeline(runtime);
  await expect.poll(() => codeOf(runtime.module('p').call({ ask: 'judge' }))).toBe('answered');
  await runtime.close();
  return { victim, microtasks, isTyped, left, ...leftOf(runtime.inspect()) };
}

test.each(['p', 'p/critic'])(
  'the worker of %s is lost at any moment of a start: a typed error with nothing left, or a program that serves',
  async (victim) => {
    for (let microtasks = 0; microtasks < 200; microtasks += 8) {
      const nothing = { modules: [], actors: [] };
      const expected = { victim, microtasks, isTyped: true, left: nothing, ...nothing };
      expect(await loseDuringStart(victim, microtasks)).toEqual(expected);
    }
  },
  60_000,
);

test('a runtime that is closed at any moment of a start of a program with parts leaves nothing behind', async () => {
  for (let microtasks = 0; microtasks < 200; microtasks += 8) {
    const runtime = createTestRuntime();
    const starting = startPipeline(runtime).catch((error: unknown) => error);
    await wait(microtasks);
    await runtime.close();
    const outcome = await starting;
    const isOver = isCodedError(outcome) || (outcome as { status: string }).status === 'stopped';
    await turn();
    expect({ microtasks, isOver, ...leftOf(runtime.inspect()) }).toEqual({
      microtasks,
      isOver: true,
      modules: [],
      actors: [],
    });
  }
}, 60_000);

test('losses of program and part one upon the other never leave a program that does not serve', async () => {
  const runtime = createTestRuntime({ restartLimits: { maxRestarts: 1_000, maxSeconds: 5 } });
  const pipeline = await startPipeline(runtime, 'restart');
  await pipeline.parameters['critic.limit'].set(17, { level: 'memory' });
  const random = seededRandom(11);
  for (let round = 0; round < 60; round++) {
    runtime.killWorkerOf(random.next() < 0.5 ? 'p' : 'p/critic');
    await wait(Math.floor(random.next() * 60));
  }
  await expect.poll(() => codeOf(pipeline.call({ ask: 'judge' }))).toBe('answered');
  expect(await judge(pipeline)).toMatchObject({ limit: 17 });
  expect(await pipeline.parameters['critic.limit'].get()).toBe(17);
}, 60_000);
