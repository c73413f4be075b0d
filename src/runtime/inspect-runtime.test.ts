import { afterEach, expect, test } from 'vitest';
import { ActorSystem, inThreadRealm, Supervisor } from '../actor/index.ts';
import { CodedError } from '../base/index.ts';
import { SimulatedClock } from '../platform/index.ts';
import { Module } from '../program/index.ts';
import type { Run } from '../program/index.ts';
import { createHub } from '../telemetry/index.ts';
import { inspectRuntime } from './inspect-runtime.ts';
import { createRuntime } from './runtime.ts';
import { toKinds } from './serve.ts';

const open: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of open.splice(0)) await close();
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
  const snapshot = inspectRuntime(system, supervisor, []);
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
  expect(inspectRuntime(system, supervisor, []).supervisor).toMatchObject({
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
