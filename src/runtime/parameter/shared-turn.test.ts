/** Whatever sets a bound parameter, and whenever: it is set for all, in one turn. */
import { expect, test } from 'vitest';
import { Module, Parameter } from '../../program/index.ts';
import { createMemoryStore } from '../../state/index.ts';
import type { Store } from '../../state/index.ts';
import type { ModuleHandle } from '../handle/handle.ts';
import { codeOf, runtimesOf } from '../runtime-test-scene.ts';
import type { HostedSharedParameter } from './shared-parameter.ts';
import { subModuleTestModules } from '../sub-module/sub-module-test-modules.ts';

class Learner extends Module<null, number> {
  readonly rate: Parameter<number> = new Parameter({
    type: 'number',
    value: 1,
    requiresGrad: true,
    learningRate: 0.5,
    momentum: 0.5,
  });

  override forward(): Promise<number> {
    return Promise.resolve(this.rate.value);
  }
}

/** Takes less than its neighbours. */
class Narrow extends Module<null, number> {
  readonly rate: Parameter<number> = new Parameter({ type: 'number', value: 10, constraints: { min: 9 } });

  override forward(): Promise<number> {
    return Promise.resolve(this.rate.value);
  }
}

/** Sets its parameter as often as it is told. */
class Climber extends Module<number, null> {
  readonly rate: Parameter<number> = new Parameter({ type: 'number', value: 0 });

  override async forward(times: number): Promise<null> {
    await Promise.resolve();
    for (let rate = 1; rate <= times; rate++) this.rate.set(rate, 'forward');
    return null;
  }
}

const modules = { climber: Climber, learner: Learner, narrow: Narrow, ...subModuleTestModules };
const createTestRuntime = runtimesOf({ modules });
type TestRuntime = ReturnType<typeof createTestRuntime>;

/** A program `p` and a critic inside it, each with a worker of its own, bound to `bar` together with `other`. */
async function startPipeline() {
  const runtime = createTestRuntime({ restartLimits: { maxRestarts: 1, maxSeconds: 50 } });
  const bar = await runtime.shared('bar', { type: 'number', value: 20 });
  const pipeline = await runtime.start('pipeline', {
    id: 'p',
    isolation: 'dedicated',
    shared: { 'critic.limit': 'bar' },
    actors: { critic: { kind: 'critic', isolation: 'dedicated', whenDown: 'fail' } },
  });
  const other = await runtime.start('critic', { id: 'other', shared: { limit: 'bar' } });
  return { runtime, bar, pipeline, part: pipeline.subModule('critic'), other };
}

async function killForGood(runtime: TestRuntime, part: Pick<ModuleHandle, 'status'>): Promise<void> {
  await expect
    .poll(() => {
      runtime.killWorkerOf('p/critic');
      return part.status;
    })
    .toBe('crashed');
}

/** Notes the keys of each commit. */
function createWatchedStore(): { readonly store: Store; readonly commits: string[][] } {
  const commits: string[][] = [];
  const store = createMemoryStore();
  const commitEach: Store['commitEach'] = (groups, options) => {
    commits.push(...groups.map((writes) => writes.map(({ key }) => key.join(' '))));
    return store.commitEach(groups, options);
  };
  const get = (_: Store, name: keyof Store): unknown => {
    const member: unknown = name === 'commitEach' ? commitEach : store[name];
    return typeof member === 'function' ? (member.bind(store) as unknown) : member;
  };
  return { store: new Proxy(store, { get: get as never }), commits };
}

type Pipeline = Awaited<ReturnType<typeof startPipeline>>;

test.each<readonly [string, (given: Pipeline) => Promise<void>]>([
  ['by its handle', ({ part }) => part.parameter('limit').set(44)],
  ['by the program around it', ({ pipeline }) => pipeline.parameters['critic.limit'].set(44)],
  ['together with others', ({ pipeline }) => pipeline.setParameters({ 'critic.limit': 44, rounds: 3 })],
])('a set of a part that is being started again is everybody’s and stays: %s', async (_, set) => {
  const given = await startPipeline();
  const { runtime, bar, pipeline, part, other } = given;
  await killForGood(runtime, part);
  const seen = new Promise<unknown[]>((resolve, reject) => {
    const leave = part.onStatus((status) => {
      if (status !== 'restarting') return;
      leave();
      set(given).then(
        () => resolve([bar.value, part.parameter('limit').value, other.parameters.limit.value]),
        reject,
      );
    });
  });
  runtime.killWorkerOf('p');
  expect(await seen).toEqual([44, 44, 44]);
  await expect.poll(() => [pipeline.status, part.status]).toEqual(['running', 'running']);
  expect([bar.value, await part.parameter('limit').get(), await other.parameters.limit.get()]).toEqual([
    44, 44, 44,
  ]);
});

test('a set of a module that loses its worker in the middle of its start is everybody’s and stays', async () => {
  const runtime = createTestRuntime();
  const rate = await runtime.shared('rate', { type: 'number', value: 50 });
  const other = await runtime.start('learner', { id: 'other', shared: { rate: 'rate' } });
  let [kills, sets] = [0, 0];
  const set = new Promise<void>((resolve, reject) => {
    runtime.hub.subscribe((event) => {
      if (event.type === 'parameter-change' && event.module === 'x' && kills++ === 0)
        runtime.killWorkerOf('x');
      const status = runtime.inspect().modules.find(({ id }) => id === 'x')?.status;
      if (status !== 'restarting' || sets++ > 0) return;
      runtime.module('x').parameter('rate').set(7).then(resolve, reject);
    });
  });
  const module = await runtime.start('learner', { id: 'x', shared: { rate: 'rate' } });
  await set;
  expect([rate.value, await module.call(null), await other.call(null)]).toEqual([7, 7, 7]);
});

test('who has a handle of a module that has ended sets nothing for the others', async () => {
  const runtime = createTestRuntime();
  const rate = await runtime.shared('rate', { type: 'number', value: 50 });
  const gone = await runtime.start('learner', { id: 'gone', shared: { rate: 'rate' } });
  await gone.stop();
  expect(await codeOf(gone.parameters.rate.set(7))).toBe('runtime/module-stopped');
  expect(await codeOf(gone.parameters.rate.applyGradient(7))).toBe('runtime/module-stopped');
  expect([rate.value, gone.parameters.rate.value]).toEqual([50, 50]);
});

test('a gradient step of a bound parameter is everybody’s in the same transaction', async () => {
  const { store, commits } = createWatchedStore();
  const runtime = createTestRuntime({ store });
  const rate = await runtime.shared('rate', { type: 'number', value: 10 });
  const one = await runtime.start('learner', { id: 'one', shared: { rate: 'rate' } });
  const two = await runtime.start('learner', { id: 'two', shared: { rate: 'rate' } });
  await one.parameters.rate.applyGradient(4);
  // v = 0.5 · 0 + 0.5 · 4 = 2; 10 − 0.5 · 2 = 9
  expect([rate.value, one.parameters.rate.value, two.parameters.rate.value]).toEqual([9, 9, 9]);
  expect([await one.call(null), await two.call(null)]).toEqual([9, 9]);
  expect(rate.history.at(-1)).toMatchObject({ oldValue: 10, newValue: 9, cause: 'gradient' });
  expect(one.parameters.rate.history.at(-1)).toMatchObject({ oldValue: 10, newValue: 9, cause: 'gradient' });
  expect(commits.map((keys) => keys.toSorted())).toContainEqual([
    'module one parameter rate',
    'module two parameter rate',
    'shared rate',
  ]);
  // its velocity is kept: v = 0.5 · 2 + 0.5 · 4 = 3
  await one.parameters.rate.applyGradient(4, { level: 'memory', cause: 'again' });
  expect([rate.value, await one.call(null), await two.call(null)]).toEqual([7.5, 7.5, 7.5]);
  // sixteen at once are sixteen steps, one after the other
  await one.parameters.rate.set(64);
  await Promise.all(Array.from({ length: 16 }, () => two.parameters.rate.applyGradient(0)));
  expect(new Set([rate.value, await one.call(null), await two.call(null)]).size).toBe(1);
  expect(two.parameters.rate.history.filter(({ cause }) => cause === 'gradient')).toHaveLength(16);
});

test('a gradient step that another owner refuses changes nothing, the velocity neither', async () => {
  const runtime = createTestRuntime();
  const rate = await runtime.shared('rate', { type: 'number', value: 10 });
  const one = await runtime.start('learner', { id: 'one', shared: { rate: 'rate' } });
  const narrow = await runtime.start('narrow', { id: 'narrow', shared: { rate: 'rate' } });
  expect(await codeOf(one.parameters.rate.applyGradient(8))).toBe('program/constraint-violated');
  expect(await codeOf(narrow.parameters.rate.applyGradient(8))).toBe('program/gradient-not-required');
  expect([rate.value, await one.call(null), await narrow.call(null)]).toEqual([10, 10, 10]);
  expect([one.parameters.rate.history.length, rate.history.length]).toEqual([1, 0]);
  // without any velocity of before: 10 − 0.5 · 0.5 · 4
  await one.parameters.rate.applyGradient(4);
  expect([rate.value, await one.call(null), await narrow.call(null)]).toEqual([9, 9, 9]);
});

test('a bound parameter that its module changes in a loop waits once for its turn, and all have the last value', async () => {
  const runtime = createTestRuntime();
  const rate = await runtime.shared('rate', { type: 'number', value: 0 });
  const climber = await runtime.start('climber', { id: 'c', shared: { rate: 'rate' } });
  const other = await runtime.start('climber', { id: 'other', shared: { rate: 'rate' } });
  const waiting: number[] = [];
  const { changes } = rate as unknown as HostedSharedParameter;
  climber.parameters.rate.subscribe(() => waiting.push(changes.length));
  await climber.call(1000);
  await expect.poll(() => rate.value).toBe(1000);
  await rate.set(1000);
  expect([climber.parameters.rate.value, await other.parameters.rate.get()]).toEqual([1000, 1000]);
  expect(waiting.length).toBeGreaterThanOrEqual(1000);
  // one that has its turn, one that waits for it
  expect(Math.max(...waiting)).toBeLessThanOrEqual(2);
});
