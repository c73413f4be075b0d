import { afterEach, expect, test } from 'vitest';
import { CodedError, isCodedError } from '../base/index.ts';
import { systemClock } from '../platform/index.ts';
import { createLoopback } from '../port/index.ts';
import { createHub, createMemorySink } from '../telemetry/index.ts';
import type { ActorContext, Behaviour, StartBehaviour } from './behaviour.ts';
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

function createSystem(
  kinds: Readonly<Record<string, StartBehaviour>>,
  options: Partial<SystemOptions> = {},
): ActorSystem {
  const limits = options.limits ?? defaultActorLimits;
  const createRealm = (): Realm => inThreadRealm(kinds, { limits });
  const system = new ActorSystem({ createRealm, isWatched: false, hub, limits, poolSize: 1, ...options });
  open.push(system);
  return system;
}

const idle: Behaviour = { call: (_, body) => body };
const codeOf = (failing: Promise<unknown>): Promise<string> =>
  failing.then(
    () => 'it did not fail',
    (error: unknown) => (isCodedError(error) ? error.code : String(error)),
  );
const never = (): Promise<never> => new Promise(() => undefined);
const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));

interface Gate {
  readonly opened: Promise<void>;
  open(): void;
}

function createGate(): Gate {
  let release = (): void => undefined;
  const opened = new Promise<void>((resolve) => (release = resolve));
  return { opened, open: () => release() };
}

async function exitLater(context: ActorContext, microtasks: number): Promise<void> {
  for (let waited = 0; waited < microtasks; waited++) await Promise.resolve();
  context.exit(new CodedError('runtime/asked-to-crash', 'as asked'));
}

test('an actor that ends while it starts has not started, and its id is free', async () => {
  let isFirst = true;
  const system = createSystem({
    hasty: (_, context) => {
      if (isFirst) context.exit();
      isFirst = false;
      return idle;
    },
  });
  await expect(system.spawn({ actor: 'a', kind: 'hasty' })).rejects.toMatchObject({
    code: 'actor/start-failed',
  });
  expect(sink.ofType('actor-exit')).toEqual([]);
  const ref = await system.spawn({ actor: 'a', kind: 'hasty' });
  expect(await ref.call('echo', 1)).toBe(1);
});

test('whenever an actor ends around its start, its supervisor knows whether it runs', async () => {
  for (let microtasks = 0; microtasks < 24; microtasks++) {
    let starts = 0;
    const system = createSystem({
      brief: (_, context) => {
        if (starts++ === 0) void exitLater(context, microtasks);
        return idle;
      },
    });
    const supervisor = new Supervisor({ id: 'top', system, clock: systemClock, hub });
    const added = await supervisor
      .add({ id: 'a', spawn: () => ({ kind: 'brief' }) })
      .catch((error: unknown) => error);
    await turn();
    await turn();
    const isRunning = supervisor.whichChildren().some(({ id, status }) => id === 'a' && status === 'running');
    const actors = system.workers.flatMap((worker) => worker.actors);
    const isTold = isRunning || isCodedError(added, 'actor/start-failed');
    expect({ microtasks, actors, isTold }).toEqual({
      microtasks,
      actors: isRunning ? ['a'] : [],
      isTold: true,
    });
  }
});

test('stopping an actor that still starts ends its start; what it began is stopped', async () => {
  const gate = createGate();
  let stops = 0;
  const system = createSystem({
    slow: async () => {
      await gate.opened;
      return { ...idle, stop: () => void stops++ };
    },
  });
  const starting = system.spawn({ actor: 'a', kind: 'slow' });
  const failure = codeOf(starting);
  await turn();
  await system.stop('a');
  gate.open();
  expect(await failure).toBe('actor/start-failed');
  expect(stops).toBe(1);
  expect(system.workers).toMatchObject([{ actors: [] }]);
  await system.spawn({ actor: 'a', kind: 'slow' });
});

test('stopping an actor before its worker is ready leaves nothing running', async () => {
  let [starts, stops] = [0, 0];
  const kinds = { counted: () => (starts++, { ...idle, stop: () => void stops++ }) };
  const createRealm = (): Realm => {
    const [port, inside] = createLoopback();
    setTimeout(() => new Host(inside, kinds, { holdsLock: false }), 20);
    return { port, terminate: () => undefined, onLoadError: () => undefined };
  };
  const system = createSystem(kinds, { createRealm });
  const starting = system.spawn({ actor: 'a', kind: 'counted' });
  const failure = codeOf(starting);
  await system.stop('a');
  expect(await failure).toBe('actor/start-failed');
  await expect.poll(() => stops).toBe(starts);
});

test('a start that takes too long is forgotten on both sides: the id can start again there', async () => {
  let starts = 0;
  const system = createSystem(
    { stuck: () => (starts++ === 0 ? never() : idle) },
    { limits: { ...defaultActorLimits, actorStartMs: 20 } },
  );
  await expect(system.spawn({ actor: 'a', kind: 'stuck' })).rejects.toMatchObject({
    code: 'actor/start-timeout',
  });
  const ref = await system.spawn({ actor: 'a', kind: 'stuck' });
  expect(await ref.call('echo', 2)).toBe(2);
});

test('a stop that takes too long drops the actor on both sides, and says nothing late of it', async () => {
  const gate = createGate();
  const system = createSystem({ clinging: () => ({ ...idle, stop: () => gate.opened }) });
  await system.spawn({ actor: 'a', kind: 'clinging' });
  await system.stop('a', 20);
  expect(sink.ofType('actor-exit')).toMatchObject([{ actor: 'a', reason: 'killed' }]);
  const again = await system.spawn({ actor: 'a', kind: 'clinging' });
  gate.open();
  await turn();
  expect(sink.ofType('actor-exit')).toHaveLength(1);
  expect(await again.call('echo', 3)).toBe(3);
});

test('a call learns that its actor ended, and stops its work', async () => {
  let signal: AbortSignal | undefined;
  const system = createSystem({
    busy: (_, context) => ({
      call(method, _body, call) {
        if (method === 'crash') return context.exit(new CodedError('runtime/asked-to-crash', 'as asked'));
        ({ signal } = call);
        return never();
      },
    }),
  });
  const ref = await system.spawn({ actor: 'a', kind: 'busy' });
  const working = codeOf(ref.call('work', null));
  await turn();
  ref.call('crash', null).catch(() => undefined);
  expect(await working).toBe('actor/peer-died');
  expect(signal?.aborted).toBe(true);
});

test('a worker of its own goes with its actor, also when the actor never started or ended by itself', async () => {
  const system = createSystem({
    refuses: () => {
      throw new Error('no');
    },
    leaves: (_, context) => ({ call: () => context.exit() }),
  });
  await expect(system.spawn({ actor: 'a', kind: 'refuses', isDedicated: true })).rejects.toThrow('no');
  expect(system.workers).toEqual([]);
  const ref = await system.spawn({ actor: 'b', kind: 'leaves', isDedicated: true });
  ref.call('leave', null).catch(() => undefined);
  await expect.poll(() => system.workers).toEqual([]);
});

test('workers of their own are bounded', async () => {
  const system = createSystem(
    { idle: () => idle },
    { limits: { ...defaultActorLimits, maxDedicatedWorkers: 2 } },
  );
  for (const actor of ['a', 'b']) await system.spawn({ actor, kind: 'idle', isDedicated: true });
  await expect(system.spawn({ actor: 'c', kind: 'idle', isDedicated: true })).rejects.toMatchObject({
    code: 'actor/pool-full',
    fields: { allowed: 2 },
  });
  await system.stop('a');
  await system.spawn({ actor: 'c', kind: 'idle', isDedicated: true });
});

test('a crowded worker that is lost again and again does not become a crowd of workers', async () => {
  const system = createSystem({ idle: () => idle });
  let starts = 0;
  const limits = { maxRestarts: 100, maxSeconds: 5 };
  const supervisor = new Supervisor({ id: 'top', system, clock: systemClock, hub, limits });
  for (let index = 0; index < 40; index++) {
    const spec = { id: `actor-${index}`, spawn: () => ({ kind: 'idle' }), onStart: () => starts++ };
    await supervisor.add(spec);
  }
  for (const round of [1, 2]) {
    system.killWorkerOf('actor-0');
    await expect.poll(() => starts).toBe(40 * (round + 1));
  }
  expect(system.dedicatedWorkers).toBe(8);
  expect(system.workers).toHaveLength(9);
});

test.each([
  [8, 20, 2],
  [8, 9, 1],
  [8, 8, 0],
])(
  'with %i workers that were asked for and %i allowed, %i actors get one after two losses',
  async (asked, allowed, expected) => {
    const limits = { ...defaultActorLimits, maxDedicatedWorkers: allowed };
    const system = createSystem({ idle: () => idle }, { limits });
    for (let index = 0; index < asked; index++) {
      await system.spawn({ actor: `own-${index}`, kind: 'idle', isDedicated: true });
    }
    let starts = 0;
    const supervisor = new Supervisor({ id: 'top', system, clock: systemClock, hub });
    for (const id of ['a', 'b'])
      await supervisor.add({ id, spawn: () => ({ kind: 'idle' }), onStart: () => starts++ });
    for (const round of [1, 2]) {
      system.killWorkerOf('a');
      await expect.poll(() => starts).toBe(2 * (round + 1));
    }
    expect(system.dedicatedWorkers).toBe(asked + expected);
    // what is removed makes room for others
    await supervisor.remove('a');
    expect(system.dedicatedWorkers).toBe(asked + Math.max(0, expected - 1));
  },
);

test('whoever watches a starting actor hears that it failed', async () => {
  const system = createSystem({
    refuses: () => {
      throw new Error('no');
    },
  });
  const exits: Exit[] = [];
  const starting = system.spawn({ actor: 'a', kind: 'refuses' });
  system.monitor('a', (exit) => exits.push(exit));
  await expect(starting).rejects.toThrow('no');
  expect(exits).toMatchObject([{ actor: 'a', reason: 'start-failed', error: { message: 'no' } }]);
});

test('too many malformed frames end the worker that sent them, and its calls', async () => {
  const system = createSystem(
    {},
    {
      createRealm: () => {
        const [page, inside] = createLoopback();
        const host = new Host(
          inside,
          {
            hostile: () => ({
              call: () => {
                for (let sent = 0; sent < 100; sent++) inside.post({ vivarium: 1, type: 'nonsense' });
                return never();
              },
            }),
          },
          { holdsLock: false },
        );
        return { port: page, terminate: () => host.close(), onLoadError: () => undefined };
      },
    },
  );
  const ref = await system.spawn({ actor: 'a', kind: 'hostile' });
  const exit = new Promise<Exit>((resolve) => system.monitor('a', resolve));
  await expect(ref.call('attack', null)).rejects.toMatchObject({ code: 'port/protocol-violation' });
  expect(await exit).toMatchObject({
    reason: 'protocol-violated',
    error: { code: 'actor/protocol-violated' },
  });
});

test('a healthy host on the page is never blamed for a malformed message', async () => {
  const system = createSystem({ idle: () => idle });
  await system.spawn({ actor: 'a', kind: 'idle' });
  await turn();
  expect(sink.ofType('note')).toEqual([]);
});
