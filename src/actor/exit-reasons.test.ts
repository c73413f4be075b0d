import { afterEach, expect, test } from 'vitest';
import { CodedError } from '../base/index.ts';
import { SimulatedClock, systemClock } from '../platform/index.ts';
import { createLoopback, defaultPortLimits } from '../port/index.ts';
import type { Port } from '../port/index.ts';
import { createHub, createMemorySink } from '../telemetry/index.ts';
import type { StartBehaviour } from './behaviour.ts';
import { Host } from './host.ts';
import { defaultActorLimits } from './limits.ts';
import { inThreadRealm } from './realm.ts';
import type { Realm } from './slot.ts';
import { Supervisor } from './supervisor.ts';
import { ActorSystem } from './system.ts';
import type { Exit, SystemOptions } from './system.ts';

const hub = createHub();
const sink = createMemorySink(hub);
const open: ActorSystem[] = [];

afterEach(() => {
  for (const system of open.splice(0)) system.close();
  sink.clear();
});

const kinds: Readonly<Record<string, StartBehaviour>> = {
  obedient: (_, context) => ({
    call: (method) =>
      context.exit(method === 'crash' ? new CodedError('runtime/bad', 'as asked') : undefined),
    receive: () => {
      throw new TypeError('not a function');
    },
  }),
  clinging: () => ({ call: () => null, stop: () => new Promise(() => undefined) }),
  refusing: () => {
    throw new CodedError('runtime/asked-to-throw', 'no');
  },
};

function createSystem(options: Partial<SystemOptions> = {}): ActorSystem {
  const createRealm = (): Realm => inThreadRealm(kinds);
  const system = new ActorSystem({ createRealm, isWatched: false, hub, poolSize: 1, ...options });
  open.push(system);
  return system;
}

const exitOf = (system: ActorSystem, actor: string): Promise<Exit> =>
  new Promise((resolve) => system.monitor(actor, resolve));

async function endBy(end: (system: ActorSystem) => unknown, kind = 'obedient'): Promise<Exit> {
  const system = createSystem();
  await system.spawn({ actor: 'a', kind });
  const exit = exitOf(system, 'a');
  void end(system);
  return exit;
}

test('an actor that is done ends normally; one that reports an error has crashed', async () => {
  const system = createSystem();
  const done = await system.spawn({ actor: 'a', kind: 'obedient' });
  const broken = await system.spawn({ actor: 'b', kind: 'obedient' });
  const exits = Promise.all([exitOf(system, 'a'), exitOf(system, 'b')]);
  done.call('leave', null).catch(() => undefined);
  broken.call('crash', null).catch(() => undefined);
  expect(await exits).toEqual([
    { actor: 'a', reason: 'normal' },
    { actor: 'b', reason: 'crashed', error: { code: 'runtime/bad', message: 'as asked' } },
  ]);
});

test('what an actor throws outside of a call is a crash', async () => {
  const system = createSystem();
  const ref = await system.spawn({ actor: 'a', kind: 'obedient' });
  const exit = exitOf(system, 'a');
  ref.send('anything', null);
  expect(await exit).toMatchObject({ reason: 'crashed', error: { code: 'actor/crashed' } });
});

test('an actor that is asked to stop ends with shutdown; one that does not stop in time is killed', async () => {
  expect(await endBy((system) => system.stop('a'))).toMatchObject({ reason: 'shutdown' });
  expect(await endBy((system) => system.stop('a', 10), 'clinging')).toMatchObject({ reason: 'killed' });
  expect(await endBy((system) => system.stop('a', 'brutal-kill'))).toMatchObject({ reason: 'killed' });
});

test('a brutal kill does not run what the actor does to stop, and frees its id at once', async () => {
  let stops = 0;
  const counted: StartBehaviour = () => ({ call: (_, body) => body, stop: () => void stops++ });
  const system = createSystem({ createRealm: () => inThreadRealm({ counted }) });
  await system.spawn({ actor: 'a', kind: 'counted' });
  void system.stop('a', 'brutal-kill');
  const ref = await system.spawn({ actor: 'a', kind: 'counted' });
  expect(await ref.call('echo', 1)).toBe(1);
  expect(stops).toBe(0);
});

test('an actor that fails to start has its own reason, with what it threw', async () => {
  const system = createSystem();
  const starting = system.spawn({ actor: 'a', kind: 'refusing' });
  const exit = exitOf(system, 'a');
  await expect(starting).rejects.toMatchObject({ code: 'runtime/asked-to-throw' });
  expect(await exit).toEqual({
    actor: 'a',
    reason: 'start-failed',
    error: { code: 'runtime/asked-to-throw', message: 'no' },
  });
});

test('a lost worker tells what ended it', async () => {
  const exit = await endBy((system) => system.killWorkerOf('a', 'ended'));
  expect(exit).toEqual({
    actor: 'a',
    reason: 'worker-lost',
    error: { code: 'actor/worker-lost', message: 'worker worker-1 is gone: ended' },
    cause: 'ended',
  });
});

/** A realm whose loop can be blocked: what comes meanwhile is not even read. */
function createDeafRealm(): { readonly realm: Realm; readonly block: () => void } {
  const [page, inside] = createLoopback();
  let isBlocked = false;
  const port: Port = {
    ...inside,
    post: (message, transfer) => (isBlocked ? undefined : inside.post(message, transfer)),
    listen: (listener) => inside.listen((message) => (isBlocked ? undefined : listener(message))),
    close: () => inside.close(),
  };
  const host = new Host(port, kinds, { holdsLock: false });
  return {
    realm: { port: page, terminate: () => host.close(), onLoadError: () => undefined },
    block: () => (isBlocked = true),
  };
}

test('a worker that does not answer is hung, and told apart from one that is gone', async () => {
  const clock = new SimulatedClock();
  const { realm, block } = createDeafRealm();
  const system = createSystem({ createRealm: () => realm, isWatched: true, clock });
  await system.spawn({ actor: 'a', kind: 'obedient' });
  const exit = exitOf(system, 'a');
  await clock.advance(3_000);
  block();
  await clock.advance(defaultActorLimits.hangTimeoutMs + defaultActorLimits.pingIntervalMs);
  expect(await exit).toMatchObject({ reason: 'worker-hung', error: { code: 'actor/worker-hung' } });
  expect(sink.ofType('watchdog-kill')).toHaveLength(1);
});

const frames: readonly (readonly [string, unknown])[] = [
  ['garbage', { vivarium: 1, type: 'nonsense' }],
  ['a frame of another version', { vivarium: 99, type: 'ping-start', id: 1 }],
  ['an answer to a call that was never made', { vivarium: 1, type: 'call-end', id: 4_000, body: null }],
  ['progress of a call that was never made', { vivarium: 1, type: 'call-delta', id: 4_000, body: null }],
  ['an answer to a ping that was never sent', { vivarium: 1, type: 'ping-end', id: 4_000 }],
  ['an answer with an impossible number', { vivarium: 1, type: 'call-end', id: -1, body: null }],
  [
    'a second hello',
    { vivarium: 1, type: 'message-send', to: 'page', method: 'host-ready', body: { kinds: [] } },
  ],
  [
    'an exit without an actor',
    { vivarium: 1, type: 'message-send', to: 'page', method: 'actor-exit', body: { reason: 'normal' } },
  ],
  [
    'an exit for an unknown reason',
    {
      vivarium: 1,
      type: 'message-send',
      to: 'page',
      method: 'actor-exit',
      body: { actor: 'a', reason: 'boredom' },
    },
  ],
  [
    'a lifecycle message that there is not',
    { vivarium: 1, type: 'message-send', to: 'page', method: 'actor-exitt', body: null },
  ],
];

test.each(frames)('a worker that goes on sending %s has violated the protocol', async (_, frame) => {
  const [page, inside] = createLoopback();
  const host = new Host(inside, kinds, { holdsLock: false });
  const realm: Realm = { port: page, terminate: () => host.close(), onLoadError: () => undefined };
  const system = createSystem({
    createRealm: () => realm,
    portLimits: { ...defaultPortLimits, maxViolations: 3 },
  });
  await system.spawn({ actor: 'a', kind: 'clinging' });
  const exit = exitOf(system, 'a');
  inside.post(frame);
  inside.post(frame);
  const other = await system.spawn({ actor: 'b', kind: 'clinging' });
  expect(await other.call('any', null)).toBeNull();
  inside.post(frame);
  expect(await exit).toMatchObject({
    reason: 'protocol-violated',
    error: { code: 'actor/protocol-violated' },
  });
});

test('a message of an unready host is out of order', async () => {
  const [page, inside] = createLoopback();
  const realm: Realm = { port: page, terminate: () => undefined, onLoadError: () => undefined };
  const portLimits = { ...defaultPortLimits, maxViolations: 1 };
  const system = createSystem({ createRealm: () => realm, portLimits });
  const starting = system.spawn({ actor: 'a', kind: 'obedient' });
  inside.post({
    vivarium: 1,
    type: 'message-send',
    to: 'page',
    method: 'actor-exit',
    body: { actor: 'a', reason: 'normal' },
  });
  await expect(starting).rejects.toMatchObject({
    code: 'actor/peer-died',
    fields: { cause: 'protocol-violation' },
  });
});

test('a supervisor records each reason in its own words', async () => {
  const system = createSystem();
  const limits = { maxRestarts: 10, maxSeconds: 5 };
  const supervisor = new Supervisor({ id: 'top', system, clock: systemClock, hub, limits });
  let starts = 0;
  const onStart = (): number => starts++;
  await supervisor.add({ id: 'a', spawn: () => ({ kind: 'obedient', isDedicated: true }), onStart });
  for (const [at, cause] of ['ended', 'hang', 'protocol-violation'].entries()) {
    system.killWorkerOf('a', cause);
    await expect.poll(() => starts).toBe(at + 2);
  }
  const reasons = supervisor.restarts.map((record) => record.reason);
  expect(reasons).toEqual(['worker-lost: ended', 'worker-hung', 'protocol-violated']);
});
