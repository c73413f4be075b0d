import { afterEach, expect, test } from 'vitest';
import { SimulatedClock, systemClock } from '../platform/index.ts';
import { createHub, createMemorySink } from '../telemetry/index.ts';
import { testKinds } from './actor-test-kinds.ts';
import type { StartBehaviour } from './behaviour.ts';
import { defaultActorLimits } from './limits.ts';
import { inThreadRealm } from './realm.ts';
import { Supervisor } from './supervisor.ts';
import { ActorSystem } from './system.ts';
import type { Exit } from './system.ts';
import { startWatchdog } from './watchdog.ts';

const hub = createHub();
const sink = createMemorySink(hub);
const open: ActorSystem[] = [];

function createSystem(limits = defaultActorLimits): ActorSystem {
  const system = new ActorSystem({
    createRealm: () => inThreadRealm(testKinds, { limits }),
    isWatched: false,
    hub,
    limits,
  });
  open.push(system);
  return system;
}

afterEach(() => {
  for (const system of open.splice(0)) system.close();
  sink.clear();
});

test('an open call never blocks the mailbox', async () => {
  const ref = await createSystem().spawn({ actor: 'a', kind: 'counter' });
  const never = ref.call('never', null, { timeoutMs: 200 });
  expect(await ref.call('add', 2)).toBe(2);
  await expect(never).rejects.toMatchObject({ code: 'port/timeout' });
});

test('a throw fails the call and the actor lives', async () => {
  const ref = await createSystem().spawn({ actor: 'a', kind: 'counter', args: 5 });
  await expect(ref.call('throw', null)).rejects.toMatchObject({
    code: 'runtime/asked-to-throw',
    fields: { why: 'test' },
  });
  expect(await ref.call('read', null)).toBe(5);
});

test('a crash ends the actor, its open calls and nobody else', async () => {
  const system = createSystem();
  const ref = await system.spawn({ actor: 'a', kind: 'counter' });
  const other = await system.spawn({ actor: 'b', kind: 'counter' });
  const pending = ref.call('never', null);
  const exit = new Promise<Exit>((resolve) => system.monitor('a', resolve));
  ref.send('crash', null);
  await expect(pending).rejects.toMatchObject({ code: 'actor/peer-died' });
  expect(await exit).toMatchObject({ reason: 'crashed', error: { code: 'actor/crashed' } });
  await expect(ref.call('read', null)).rejects.toMatchObject({ code: 'actor/peer-died' });
  expect(await other.call('read', null)).toBe(0);
});

test('a call keeps its place, and only one, for as long as anything of it runs, also when it was answered', async () => {
  const gates: (() => void)[] = [];
  const leaving: StartBehaviour = () => ({
    call(method, _, call) {
      if (method === 'read') return gates.length;
      for (let left = 0; left < 2; left++)
        call.keepPlace(new Promise<void>((resolve, reject) => gates.push(left === 0 ? resolve : reject)));
      return method === 'leave' ? 'at once' : Promise.resolve('later');
    },
  });
  const limits = { ...defaultActorLimits, maxMailbox: 2 };
  const system = new ActorSystem({
    createRealm: () => inThreadRealm({ leaving }, { limits }),
    isWatched: false,
    limits,
  });
  open.push(system);
  const ref = await system.spawn({ actor: 'a', kind: 'leaving' });
  expect(await ref.call('leave', null)).toBe('at once');
  expect(await ref.call('read', null)).toBe(2);
  expect(await ref.call('leave-later', null)).toBe('later');
  await expect(ref.call('read', null)).rejects.toMatchObject({ code: 'actor/mailbox-full' });
  gates[0]?.();
  await Promise.resolve();
  await expect(ref.call('read', null)).rejects.toMatchObject({ code: 'actor/mailbox-full' });
  gates[1]?.();
  expect(await ref.call('read', null)).toBe(4);
});

test('a full mailbox refuses, keeps what it has and serves again', async () => {
  const ref = await createSystem({ ...defaultActorLimits, maxMailbox: 3 }).spawn({
    actor: 'a',
    kind: 'counter',
  });
  const waiting = [1, 2, 3].map(() =>
    ref.call('never', null, { timeoutMs: 100 }).catch((error: { code: string }) => error.code),
  );
  await expect(ref.call('read', null)).rejects.toMatchObject({
    code: 'actor/mailbox-full',
    fields: { allowed: 3 },
  });
  // a method that the actor keeps a place for
  expect(await ref.call('add', 0)).toBe(0);
  expect(await Promise.all(waiting)).toEqual(['port/timeout', 'port/timeout', 'port/timeout']);
  await expect.poll(() => ref.call('read', null).catch(() => 'full')).toBe(0);
});

test.each([
  ['an unknown kind', { actor: 'x', kind: 'toString' }, 'actor/kind-not-found'],
  ['a start that throws', { actor: 'x', kind: 'fails-to-start' }, 'runtime/asked-to-throw'],
  ['a live id', { actor: 'taken', kind: 'counter' }, 'actor/already-started'],
])('spawning %s is refused with a typed error', async (_, options, code) => {
  const system = createSystem();
  await system.spawn({ actor: 'taken', kind: 'counter' });
  await expect(system.spawn(options)).rejects.toMatchObject({ code });
  expect(system.workers.flatMap((worker) => worker.actors)).toEqual(['taken']);
});

test('a supervisor gives up after too many crashes, says so and stops its children', async () => {
  const system = createSystem();
  const errors: string[] = [];
  const supervisor = new Supervisor({
    id: 'top',
    system,
    clock: systemClock,
    hub,
    limits: { maxRestarts: 2, maxSeconds: 60 },
    onGiveUp: (error) => errors.push(error.code),
  });
  await supervisor.add({ id: 'quiet', spawn: () => ({ kind: 'counter' }) });
  await supervisor.add({
    id: 'noisy',
    spawn: () => ({ kind: 'counter' }),
    onStart: (ref) => ref.send('crash', null),
  });
  await expect.poll(() => errors).toEqual(['actor/supervisor-gave-up']);
  await expect.poll(() => system.workers.flatMap((worker) => worker.actors)).toEqual([]);
  expect(sink.ofType('supervisor-restart')).toHaveLength(2);
  await expect(supervisor.add({ id: 'late', spawn: () => ({ kind: 'counter' }) })).rejects.toMatchObject({
    code: 'actor/supervisor-gave-up',
  });
});

test('a restart that fails to start is tried again and counts each time', async () => {
  const system = createSystem();
  let kind = 'counter';
  const errors: string[] = [];
  const supervisor = new Supervisor({
    id: 'top',
    system,
    clock: systemClock,
    hub,
    onGiveUp: (error) => errors.push(error.code),
  });
  const ref = await supervisor.add({ id: 'a', spawn: () => ({ kind }) });
  kind = 'fails-to-start';
  ref.send('crash', null);
  await expect.poll(() => errors).toEqual(['actor/supervisor-gave-up']);
  expect(supervisor.restarts.map((record) => record.reason)).toEqual([
    'crashed',
    'start failed: start failed as asked',
    'start failed: start failed as asked',
  ]);
});

test('the watchdog kills after the hang time, not before', async () => {
  const clock = new SimulatedClock();
  const hangs: number[] = [];
  const stop = startWatchdog({
    clock,
    limits: { pingIntervalMs: 1000, hangTimeoutMs: 5000 },
    ping: () => () => undefined,
    onSuspect: () => undefined,
    onHang: (silentMs) => hangs.push(silentMs),
  });
  await clock.advance(4999);
  expect(hangs).toEqual([]);
  await clock.advance(1);
  expect(hangs).toEqual([5000]);
  stop();
});

test('a hang time without end kills nobody, as while somebody debugs, and sees all the same that the worker is silent', async () => {
  const clock = new SimulatedClock();
  const seen: string[] = [];
  const stop = startWatchdog({
    clock,
    limits: { pingIntervalMs: 1000, hangTimeoutMs: Infinity },
    ping: () => () => undefined,
    onSuspect: () => seen.push('suspect'),
    onHang: () => seen.push('hang'),
  });
  await clock.advance(3_600_000);
  expect(seen).toEqual(['suspect']);
  stop();
});

test('the watchdog asks again when its own timer was late: a sleeping page is no hang', async () => {
  const clock = new SimulatedClock();
  let lateMs = 0;
  const lateClock = { ...clockOf(clock), monotonic: () => clock.monotonic() + lateMs };
  const hangs: number[] = [];
  let pings = 0;
  const stop = startWatchdog({
    clock: lateClock,
    limits: { pingIntervalMs: 1000, hangTimeoutMs: 5000 },
    ping: () => (pings++, () => undefined),
    onSuspect: () => undefined,
    onHang: (silentMs) => hangs.push(silentMs),
  });
  await clock.advance(500);
  lateMs = 60_000;
  await clock.advance(500);
  expect({ hangs, pings }).toEqual({ hangs: [], pings: 2 });
  await clock.advance(5000);
  expect(hangs).toHaveLength(1);
  stop();
});

function clockOf(clock: SimulatedClock): {
  now(): number;
  monotonic(): number;
  after: SimulatedClock['after'];
} {
  return {
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    after: (delayMs, callback) => clock.after(delayMs, callback),
  };
}
