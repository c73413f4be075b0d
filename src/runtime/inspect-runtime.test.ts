import { afterEach, expect, test } from 'vitest';
import { ActorSystem, inThreadRealm, Supervisor } from '../actor/index.ts';
import { CodedError } from '../base/index.ts';
import { SimulatedClock } from '../platform/index.ts';
import { Module } from '../program/index.ts';
import type { Run } from '../program/index.ts';
import { createHub } from '../telemetry/index.ts';
import { inspectRuntime } from './inspect-runtime.ts';
import { createRuntime } from './runtime.ts';
import { toKinds } from './worker/serve.ts';
import { closeRuntimes, createTestRuntime, startPipeline } from './sub-module/sub-module-test-scene.ts';

const open: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of open.splice(0)) await close();
  await closeRuntimes();
});

/** Answers what it is asked. */
class Echo extends Module<string, string> {
  override forward(input: string, _run: Run): Promise<string> {
    return Promise.resolve(input);
  }
}

class Broken extends Module<null, null> {
  constructor() {
    super();
    throw new CodedError('runtime/bad', 'as asked');
  }

  override forward(): Promise<null> {
    return Promise.resolve(null);
  }
}

const modules = { echo: Echo, broken: Broken };
const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));

test('supervisors below supervisors are in it, each with strategy, budget, restarts and children', async () => {
  const clock = new SimulatedClock(1_000_000);
  const createRealm = (): ReturnType<typeof inThreadRealm> => inThreadRealm(toKinds(modules));
  const system = new ActorSystem({ createRealm, isWatched: false, poolSize: 1, clock });
  open.push(() => system.close());
  const spawn = (): { kind: string; args: object } => ({ kind: 'echo', args: {} });
  const supervisor = new Supervisor({ id: 'top', system, clock, hub: createHub(clock) });
  await supervisor.add({ id: 'alone', spawn });
  await supervisor.add({
    type: 'supervisor',
    id: 'pair',
    strategy: 'one-for-all',
    limits: { maxRestarts: 2, maxSeconds: 10 },
    children: [
      { id: 'left', spawn },
      { id: 'right', spawn, restart: 'transient' },
    ],
  });
  system.killWorkerOf('left');
  for (let turns = 0; turns < 20; turns++) {
    await clock.advance(0);
    await turn();
  }
  const snapshot = inspectRuntime(system, { top: supervisor, gaveUp: [] }, []);
  const restarted = { reason: 'worker-lost: killed', atMs: 1_000_000 };
  expect(snapshot.supervisor).toMatchObject({
    id: 'top',
    strategy: 'one-for-one',
    maxRestarts: 3,
    maxSeconds: 5,
    restartsLeft: 2,
    restarts: [{ child: 'alone', ...restarted }],
    children: [
      { id: 'alone', type: 'actor', restart: 'permanent', status: 'running' },
      {
        id: 'pair',
        type: 'supervisor',
        status: 'running',
        supervisor: {
          id: 'top/pair',
          strategy: 'one-for-all',
          maxRestarts: 2,
          maxSeconds: 10,
          restartsLeft: 1,
          // one failure, so one of the budget, however many it took
          restarts: [
            { child: 'left', ...restarted },
            { child: 'right', ...restarted },
          ],
          children: [
            { id: 'left', restart: 'permanent', status: 'running' },
            { id: 'right', restart: 'transient', status: 'running' },
          ],
        },
      },
    ],
  });
  expect(structuredClone(snapshot)).toEqual(snapshot);
  await clock.advance(11_000);
  expect(inspectRuntime(system, { top: supervisor, gaveUp: [] }, []).supervisor).toMatchObject({
    restartsLeft: 3,
    children: [{}, { supervisor: { restartsLeft: 2 } }],
  });
});

test('all of it can be cloned, and nothing in it changes afterwards', async () => {
  const runtime = createRuntime({ modules });
  open.push(() => runtime.close());
  runtime.register({ kind: 'echo', id: 'rests', metadata: { about: ['a', { b: null }] } });
  await runtime.start('echo', { id: 'helper', dependencies: [{ id: 'rests', whenDown: 'degrade' }] });
  await runtime.start('broken', { id: 'broken' }).catch(() => undefined);
  const snapshot = runtime.inspect();
  const before = structuredClone(snapshot);
  expect(before).toEqual(snapshot);
  expect(before.supervisor.children.map(({ id }) => id)).toEqual(['rests', 'helper']);
  expect(before.registered.find(({ id }) => id === 'broken')).toMatchObject({ status: 'crashed' });
  runtime.killWorkerOf('helper');
  await expect.poll(() => runtime.inspect().supervisor.restarts.length).toBeGreaterThan(0);
  await runtime.module('rests').stop();
  expect(snapshot).toEqual(before);
});

test('what a supervisor had restarted before it gave up can still be seen, and not for ever', async () => {
  const runtime = createRuntime({ modules, restartLimits: { maxRestarts: 2, maxSeconds: 60 } });
  open.push(() => runtime.close());
  const restartsOf = (): readonly unknown[] => runtime.inspect().supervisor.restarts;
  const fail = async (): Promise<void> => {
    const before = runtime.inspect().gaveUp.at(-1);
    const module = await runtime.start('echo', { id: 'qa' });
    for (const restarts of [1, 2]) {
      runtime.killWorkerOf('qa');
      await expect.poll(() => [restartsOf().length, module.status]).toEqual([restarts, 'running']);
    }
    runtime.killWorkerOf('qa');
    await expect.poll(() => runtime.inspect().gaveUp.at(-1)).not.toEqual(before);
  };
  await fail();
  const { supervisor, gaveUp, registered } = runtime.inspect();
  expect(supervisor).toMatchObject({ id: 'supervisor-2', restartsLeft: 2, restarts: [], children: [] });
  expect(gaveUp).toMatchObject([
    {
      message: 'supervisor "supervisor-1" gave up: more than 2 restarts within 60 s, the last of "qa"',
      supervisor: {
        id: 'supervisor-1',
        restarts: [
          { child: 'qa', reason: 'worker-lost: killed' },
          { child: 'qa', reason: 'worker-lost: killed' },
        ],
      },
    },
  ]);
  expect(registered).toMatchObject([{ id: 'qa', crash: { code: 'actor/supervisor-gave-up' } }]);
  for (let times = 0; times < 11; times++) await fail();
  const ids = runtime.inspect().gaveUp.map((one) => one.supervisor.id);
  expect(ids).toEqual(Array.from({ length: 10 }, (_, at) => `supervisor-${at + 3}`));
  expect(structuredClone(runtime.inspect())).toEqual(runtime.inspect());
});

test('so it is when the supervisor of a sub-module gives up, which leaves the one above it as it was', async () => {
  const runtime = createTestRuntime({ restartLimits: { maxRestarts: 0, maxSeconds: 5 } });
  await startPipeline(runtime);
  runtime.killWorkerOf('p/critic');
  await expect.poll(() => runtime.inspect().gaveUp.length).toBe(1);
  const { supervisor, gaveUp } = runtime.inspect();
  expect(gaveUp[0]?.supervisor.id).toBe('supervisor-1/p/critic');
  expect(supervisor).toMatchObject({ id: 'supervisor-1', children: [{ id: 'p', status: 'running' }] });
});

test('a runtime that is closed has not given up', async () => {
  const runtime = createRuntime({ modules });
  await runtime.start('echo', { id: 'qa' });
  await runtime.close();
  await turn();
  expect(runtime.inspect().gaveUp).toEqual([]);
});
