import { afterEach, expect, test } from 'vitest';
import { createHub, createMemorySink } from '../telemetry/index.ts';
import { systemClock } from '../platform/index.ts';
import type { ActorSpec } from './child-spec.ts';
import { defaultActorLimits } from './limits.ts';
import { workerRealm } from './realm.ts';
import { Supervisor } from './supervisor.ts';
import { ActorSystem } from './system.ts';
import type { ActorRef, Exit, SystemOptions } from './system.ts';

/** So long that a slow machine forgets no restart. */
const limits = { maxRestarts: 3, maxSeconds: 600 };
const open: ActorSystem[] = [];
const hub = createHub();
const sink = createMemorySink(hub);

function createSystem(options: Partial<SystemOptions> = {}): ActorSystem {
  const system = new ActorSystem({
    createRealm: (name) =>
      workerRealm(
        () => new Worker(new URL('./actor-test.worker.ts', import.meta.url), { type: 'module', name }),
      ),
    hub,
    limits: { ...defaultActorLimits, pingIntervalMs: 100, hangTimeoutMs: 600 },
    ...options,
  });
  open.push(system);
  return system;
}

afterEach(() => {
  for (const system of open.splice(0)) system.close();
  sink.clear();
});

const exitOf = (system: ActorSystem, actor: string): Promise<Exit> =>
  new Promise((resolve) => system.monitor(actor, resolve));

test('many actors share one worker and keep their own state', async () => {
  const system = createSystem({ poolSize: 1 });
  const refs = await Promise.all(
    Array.from({ length: 50 }, (_, index) =>
      system.spawn({ actor: `counter-${index}`, kind: 'counter', args: index }),
    ),
  );
  expect(new Set(refs.map((ref) => ref.worker)).size).toBe(1);
  await Promise.all(refs.map((ref) => ref.call('add', 1)));
  expect(await Promise.all(refs.map((ref) => ref.call('read', null)))).toEqual(
    refs.map((_, index) => index + 1),
  );
});

test('a worker that closes itself is noticed at once: pending calls end with actor/peer-died', async () => {
  const system = createSystem({ poolSize: 1 });
  const ref = await system.spawn({ actor: 'a', kind: 'counter' });
  const neighbour = await system.spawn({ actor: 'b', kind: 'counter' });
  const exits: (readonly Exit[])[] = [];
  system.onExits((batch) => exits.push(batch));
  const pending = neighbour.call('never', null);
  const startedMs = systemClock.monotonic();
  const exit = exitOf(system, 'b');
  ref.call('close-worker', null).catch(() => undefined);
  await expect(pending).rejects.toMatchObject({ code: 'actor/peer-died', isRetryable: true });
  expect(await exit).toMatchObject({ actor: 'b', reason: 'worker-lost', cause: 'ended' });
  expect(systemClock.monotonic() - startedMs).toBeLessThan(500);
  expect(exits.map((batch) => batch.map(({ actor }) => actor).toSorted())).toEqual([['a', 'b']]);
  expect(system.workers).toEqual([]);
});

test('a worker in a busy loop is killed by the watchdog', async () => {
  const system = createSystem({ poolSize: 1 });
  const ref = await system.spawn({ actor: 'a', kind: 'counter' });
  const exit = exitOf(system, 'a');
  await expect(ref.call('spin', null)).rejects.toMatchObject({ code: 'actor/peer-died' });
  expect(await exit).toMatchObject({ reason: 'worker-hung', error: { code: 'actor/worker-hung' } });
  expect(sink.ofType('watchdog-kill')).toHaveLength(1);
});

test('one lost worker is one failure for its supervisor, and every child serves again', async () => {
  const system = createSystem({ poolSize: 1 });
  const supervisor = new Supervisor({ id: 'top', system, clock: systemClock, hub, limits });
  const refs = new Map<string, Awaited<ReturnType<typeof system.spawn>>>();
  for (const id of ['a', 'b', 'c']) {
    await supervisor.add({
      id,
      spawn: () => ({ kind: 'counter', args: 7 }),
      onStart: (ref) => refs.set(id, ref),
    });
  }
  const before = new Map(refs);
  system.killWorkerOf('a');
  await expect
    .poll(() => [...refs].every(([id, ref]) => ref !== before.get(id)), { timeout: 30_000 })
    .toBe(true);
  expect(await Promise.all([...refs.values()].map((ref) => ref.call('read', null)))).toEqual([7, 7, 7]);
  expect(supervisor.restartsLeft).toBe(2);
}, 60_000);

test('an actor that was twice running when its worker was lost restarts in a worker of its own', async () => {
  const system = createSystem({ poolSize: 1 });
  const supervisor = new Supervisor({ id: 'top', system, clock: systemClock, hub });
  let starts = 0;
  for (const id of ['a', 'b']) {
    await supervisor.add({ id, spawn: () => ({ kind: 'counter' }), onStart: () => starts++ });
  }
  for (const expected of [4, 6]) {
    system.killWorkerOf('a');
    await expect.poll(() => starts, { timeout: 30_000 }).toBe(expected);
  }
  expect(system.workers.filter((worker) => worker.isDedicated)).toHaveLength(2);
}, 60_000);

test('a worker whose code cannot be loaded is a typed failure, not a wait', async () => {
  const system = createSystem({
    createRealm: () =>
      workerRealm(() => new Worker(new URL('./no-such-file.ts', location.href), { type: 'module' })),
  });
  await expect(system.spawn({ actor: 'a', kind: 'counter' })).rejects.toMatchObject({
    code: 'actor/worker-start-failed',
  });
});

test('what cannot be cloned fails the call and nothing else', async () => {
  const system = createSystem({ poolSize: 1 });
  const ref = await system.spawn({ actor: 'a', kind: 'counter' });
  await expect(ref.call('echo', () => undefined)).rejects.toMatchObject({ code: 'port/not-cloneable' });
  await expect(ref.call('function', null)).rejects.toMatchObject({ code: 'port/not-cloneable' });
  expect(await ref.call('read', null)).toBe(0);
});

test('a 100 MB message is refused before it is copied', async () => {
  const system = createSystem({ poolSize: 1 });
  const ref = await system.spawn({ actor: 'a', kind: 'counter' });
  await expect(ref.call('echo', new Uint8Array(100 * 1024 * 1024))).rejects.toMatchObject({
    code: 'port/message-too-large',
  });
  expect(await ref.call('echo', 'small')).toBe('small');
});

test('an error that nobody catches in a worker is an event, and the worker goes on', async () => {
  const system = createSystem({ poolSize: 1 });
  const ref = await system.spawn({ actor: 'a', kind: 'counter' });
  await ref.call('throw-later', null);
  await expect
    .poll(() => sink.ofType('note').map(({ text }) => text))
    .toEqual([expect.stringContaining('nobody is there')]);
  expect(await ref.call('read', null)).toBe(0);
});

test('a group over several real workers stops in reverse and starts in order when one worker is killed', async () => {
  const system = createSystem({ poolSize: 3 });
  const log: string[] = [];
  const child = (id: string): ActorSpec => ({
    id,
    spawn: () => ({ kind: 'counter', isDedicated: true }),
    onStart: () => log.push(`start ${id}`),
    onExit: (exit, willRestart) => log.push(`${exit.reason} ${id} ${willRestart}`),
  });
  const supervisor = new Supervisor({
    id: 'top',
    system,
    clock: systemClock,
    hub,
    limits,
    strategy: 'rest-for-one',
    children: [
      child('a'),
      child('b'),
      { type: 'supervisor', id: 'below', strategy: 'one-for-all', children: [child('c'), child('d')] },
    ],
  });
  await supervisor.start();
  log.length = 0;
  system.killWorkerOf('b');
  // three workers start anew: that takes what it takes
  await expect.poll(() => log.length, { timeout: 30_000 }).toBe(6);
  expect(log).toEqual([
    'worker-lost b true',
    'shutdown c true',
    'shutdown d true',
    'start b',
    'start c',
    'start d',
  ]);
  expect(supervisor.restartsLeft).toBe(2);
  await supervisor.close();
  expect(system.workers).toEqual([]);
}, 60_000);

test('a supervised actor in a busy loop is killed as hung, and serves again', async () => {
  const system = createSystem({ poolSize: 1 });
  const supervisor = new Supervisor({ id: 'top', system, clock: systemClock, hub });
  const refs: ActorRef[] = [];
  await supervisor.add({ id: 'a', spawn: () => ({ kind: 'counter' }), onStart: (ref) => refs.push(ref) });
  refs[0]?.call('spin', null).catch(() => undefined);
  await expect.poll(() => refs.length, { timeout: 30_000 }).toBe(2);
  expect(await refs[1]?.call('read', null)).toBe(0);
  expect(supervisor.restarts.map(({ reason }) => reason)).toEqual(['worker-hung']);
}, 60_000);
