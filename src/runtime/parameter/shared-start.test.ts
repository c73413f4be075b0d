import { queryObjects } from 'node:v8';
import { expect, test } from 'vitest';
import { CodedError } from '../../base/index.ts';
import { Module, Parameter } from '../../program/index.ts';
import type { ModuleHandle } from '../handle/handle.ts';
import { HostedModuleRecord } from '../host/hosted.ts';
import type { SharedDefinition } from './shared-parameter.ts';
import { subModuleTestModules } from '../sub-module/sub-module-test-modules.ts';
import { codeOf, runtimesOf } from '../runtime-test-scene.ts';

class Reader extends Module<null, number> {
  readonly limit: Parameter<number> = new Parameter({ type: 'number', value: 0 });

  override forward(): Promise<number> {
    return Promise.resolve(this.limit.value);
  }
}

class Narrow extends Module<null, number> {
  readonly limit: Parameter<number> = new Parameter({ type: 'number', value: 1, constraints: { max: 10 } });

  override forward(): Promise<number> {
    return Promise.resolve(this.limit.value);
  }
}

/** Agrees to every change, and refuses to put in every other one. */
class Fickle extends Reader {
  #isAsked = false;

  override prepareChanges(...given: Parameters<Module['prepareChanges']>): () => void {
    const apply = super.prepareChanges(...given);
    this.#isAsked = !this.#isAsked;
    if (this.#isAsked) return apply;
    throw new Error('it has changed its mind');
  }
}

/** As that, and does not start with it either. */
class Stubborn extends Fickle {
  override loadState(...given: Parameters<Module['loadState']>): void {
    super.loadState(...given);
    if (this.limit.value === 50) throw new CodedError('program/constraint-violated', 'it does not take 50');
  }
}

const modules = {
  reader: Reader,
  narrow: Narrow,
  fickle: Fickle,
  stubborn: Stubborn,
  ...subModuleTestModules,
};
const shared = { limit: 'row-limit' };
const definition: SharedDefinition<number> = { type: 'number', value: 50 };

const createTestRuntime = runtimesOf({ modules });
type TestRuntime = ReturnType<typeof createTestRuntime>;

/** A program `p` with a worker of its own, and a critic inside it with one of its own, which are restarted once. */
async function startPipeline(shared: Readonly<Record<string, string>>) {
  const runtime = createTestRuntime({ restartLimits: { maxRestarts: 1, maxSeconds: 50 } });
  const bar = await runtime.shared('bar', { type: 'number', value: 20 });
  const pipeline = await runtime.start('pipeline', {
    id: 'p',
    isolation: 'dedicated',
    shared,
    actors: { critic: { kind: 'critic', isolation: 'dedicated', whenDown: 'fail' } },
  });
  return { runtime, bar, pipeline, part: pipeline.subModule('critic') };
}

/** Kills the critic until nobody starts it again. */
async function killForGood(runtime: TestRuntime, part: Pick<ModuleHandle, 'status'>): Promise<void> {
  await expect
    .poll(() => {
      runtime.killWorkerOf('p/critic');
      return part.status;
    })
    .toBe('crashed');
}

/** What `look` gives in the turn in which a module is announced. */
function onStart<T>(runtime: TestRuntime, id: string, look: () => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    runtime.registry.watch(id, ({ type }) => {
      if (type === 'module-start') look().then(resolve, reject);
    });
  });
}

test('a module that is announced has its shared values, and what is set from there on stays', async () => {
  const runtime = createTestRuntime();
  const limit = await runtime.shared('row-limit', definition);
  const answered = onStart(runtime, 'x', () => runtime.module('x').call(null));
  await runtime.start('reader', { id: 'x', shared });
  expect(await answered).toBe(50);
  const set = onStart(runtime, 'y', () => {
    const handle = runtime.module('y') as unknown as ModuleHandle<Reader>;
    return handle.parameters.limit.set(7);
  });
  const y = await runtime.start('reader', { id: 'y', shared });
  await set;
  expect([limit.value, y.parameters.limit.value, await y.parameters.limit.get(), await y.call(null)]).toEqual(
    [7, 7, 7, 7],
  );
});

test('a module that refuses its shared value is never announced', async () => {
  const runtime = createTestRuntime();
  const limit = await runtime.shared('row-limit', definition);
  const told: string[] = [];
  runtime.registry.watch('x', ({ type }) => told.push(type));
  await expect(runtime.start('narrow', { id: 'x', shared })).rejects.toMatchObject({
    code: 'program/constraint-violated',
  });
  expect([told.includes('module-start'), limit.modules]).toEqual([false, []]);
});

test('a worker that is lost while the shared values are put in does not keep a module from its start', async () => {
  const runtime = createTestRuntime();
  const limit = await runtime.shared('row-limit', definition);
  const hub = runtime.hub;
  let kills = 0;
  hub.subscribe((event) => {
    // the page has the value, the owner is about to get it
    if (event.type !== 'parameter-change' || kills > 0) return;
    kills++;
    runtime.killWorkerOf('x');
  });
  const reader = await runtime.start('reader', { id: 'x', shared });
  expect([kills, reader.parameters.limit.value, await reader.call(null), limit.modules]).toEqual([
    1,
    50,
    50,
    ['x'],
  ]);
});

test('an owner that refuses, while it starts, a shared value that it had agreed to starts with it', async () => {
  const runtime = createTestRuntime();
  const limit = await runtime.shared('row-limit', definition);
  const module = await runtime.start('fickle', { id: 'x', shared });
  expect([await module.call(null), module.parameters.limit.value, limit.modules]).toEqual([50, 50, ['x']]);
  expect([module.status, module.metrics.restarts]).toEqual(['running', 1]);
  // nobody holds what is shared
  await limit.set(60);
  expect([await module.call(null), limit.value]).toEqual([60, 60]);
});

test.each([
  ['fickle', 'temporary', 'actor/peer-died'],
  ['stubborn', 'permanent', 'program/constraint-violated'],
] as const)(
  'one that does not start with it either is told so, and holds nobody up: %s, %s',
  async (kind, restart, code) => {
    const runtime = createTestRuntime();
    const limit = await runtime.shared('row-limit', definition);
    const other = await runtime.start('reader', { id: 'other', shared });
    expect(await codeOf(runtime.start(kind, { id: 'x', shared, restart }))).toBe(code);
    expect(limit.modules).toEqual(['other']);
    await limit.set(60);
    expect([await other.call(null), other.metrics.restarts]).toEqual([60, 0]);
    const again = await runtime.start('reader', { id: 'y', shared });
    expect(await again.call(null)).toBe(60);
  },
);

test('a part that was given up and started again is bound as before', async () => {
  const { runtime, bar, pipeline, part } = await startPipeline({ 'critic.limit': 'bar' });
  const limit = pipeline.parameters['critic.limit'];
  const [critic = ''] = bar.modules;
  expect([limit?.value, critic]).toEqual([20, 'p/critic']);
  await killForGood(runtime, part);
  expect(bar.modules).toEqual([]);
  await bar.set(33);
  runtime.killWorkerOf('p');
  await expect.poll(() => [pipeline.status, part.status]).toEqual(['running', 'running']);
  expect([limit?.value, await limit?.get(), bar.modules]).toEqual([33, 33, [critic]]);
  await limit?.set(44);
  expect([bar.value, limit?.value, await limit?.get()]).toEqual([44, 44, 44]);
  expect(await pipeline.call({ ask: 'judge' })).toMatchObject({ verdict: { limit: 44 } });
});

test('a set under way does not keep a program from starting that it is bound in, inside and outside', async () => {
  const { runtime, bar, pipeline, part } = await startPipeline({ 'critic.limit': 'bar', rounds: 'bar' });
  await killForGood(runtime, part);
  runtime.killWorkerOf('p');
  await bar.set(33);
  await expect.poll(() => [pipeline.status, part.status]).toEqual(['running', 'running']);
  const { rounds, 'critic.limit': limit } = pipeline.parameters;
  await expect.poll(() => [rounds?.value, limit?.value]).toEqual([33, 33]);
  expect(await Promise.all([rounds?.get(), limit?.get()])).toEqual([33, 33]);
});

test('nobody waits in a circle: a restore, a change of mode and a set while a program and its part start again', async () => {
  const { runtime, bar, pipeline, part } = await startPipeline({ 'critic.limit': 'bar', rounds: 'bar' });
  const checkpoint = await pipeline.checkpoint();
  await killForGood(runtime, part);
  const restarting = new Promise<void>((resolve) => {
    pipeline.onStatus(() => resolve());
  });
  runtime.killWorkerOf('p');
  await restarting;
  expect(pipeline.status).toBe('restarting');
  await Promise.all([pipeline.restore(checkpoint), pipeline.train(), bar.set(33)]);
  await expect.poll(() => [pipeline.status, part.status]).toEqual(['running', 'running']);
  await bar.set(34);
  const { rounds, 'critic.limit': limit } = pipeline.parameters;
  await expect.poll(() => [rounds?.value, limit?.value]).toEqual([34, 34]);
  expect(await Promise.all([rounds?.get(), limit?.get()])).toEqual([34, 34]);
  expect(await pipeline.call({ ask: 'judge' })).toMatchObject({
    verdict: { limit: 34, mode: pipeline.mode },
  });
});

test(
  'modules that have ended, however they did, are not held by what they were bound to',
  { timeout: 20_000 },
  async () => {
    const runtime = createTestRuntime({ restartLimits: { maxRestarts: 0, maxSeconds: 50 } });
    await runtime.shared('row-limit', definition);
    const bound = { shared, isolation: 'dedicated', restart: 'temporary' } as const;
    const useAndEnd = async (id: string, how: 'stop' | 'kill'): Promise<void> => {
      const module = await runtime.start('reader', { id, ...bound });
      const ended = new Promise<void>((resolve) => {
        module.onStatus(() => {
          if (module.status === 'stopped' || module.status === 'crashed') resolve();
        });
      });
      if (how === 'stop') await module.stop();
      else runtime.killWorkerOf(id);
      await ended;
      await runtime.registry.unregister(id);
    };
    for (let index = 0; index < 20; index++) await useAndEnd(`m${index}`, index % 2 === 0 ? 'stop' : 'kill');
    // histories are written a moment later; what ran last may still be on some stack
    await expect
      .poll(() => Number(queryObjects(HostedModuleRecord)), { timeout: 5_000 })
      .toBeLessThanOrEqual(2);
  },
);
