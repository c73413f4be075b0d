import { afterEach, expect, test } from 'vitest';
import { isCodedError } from '../base/index.ts';
import type { IncomingMessage } from '../port/index.ts';
import type { ActorContext, StartBehaviour } from './behaviour.ts';
import { defaultActorLimits } from './limits.ts';
import { inThreadRealm } from './realm.ts';
import { ActorSystem } from './system.ts';

const limits = { ...defaultActorLimits, shutdownMs: 10 };
const contexts: ActorContext[] = [];
const released: string[] = [];
const told: IncomingMessage[] = [];
const asked: string[] = [];
const open: ActorSystem[] = [];

/** Keeps its context, never ends its stop. */
const clinging: StartBehaviour = (_, context) => {
  contexts.push(context);
  return {
    call(method) {
      if (method === 'leave') context.exit();
    },
    stop: () => new Promise(() => undefined),
    release() {
      released.push(context.actor);
      throw new Error('as asked');
    },
  };
};

function createSystem(): ActorSystem {
  const system = new ActorSystem({
    createRealm: () => inThreadRealm({ clinging }, { limits }),
    isWatched: false,
    poolSize: 1,
    limits,
    onCall: (call) => {
      asked.push(call.method);
      return 'answered';
    },
    onMessage: (message) => void told.push(message),
  });
  open.push(system);
  return system;
}

afterEach(() => {
  for (const system of open.splice(0)) system.close();
  for (const list of [contexts, released, told, asked]) list.length = 0;
});

const ends: readonly (readonly [string, (system: ActorSystem) => Promise<unknown>])[] = [
  ['was stopped and did not end in time', (system) => system.stop('a')],
  ['was killed', (system) => system.stop('a', 'brutal-kill')],
  ['ended by itself', async () => contexts[0]?.exit()],
];

test.each(ends)('code of an actor that %s is not heard, also when its id runs again', async (_, end) => {
  const system = createSystem();
  await system.spawn({ actor: 'a', kind: 'clinging' });
  await system.spawn({ actor: 'neighbour', kind: 'clinging' });
  await end(system);
  await expect.poll(() => system.has('a')).toBe(false);
  await system.spawn({ actor: 'a', kind: 'clinging' });
  expect(released).toEqual(['a']);
  const [first, , second] = contexts;
  const failed: unknown = await first?.callPage('service', 'late', null).catch((error: unknown) => error);
  expect(isCodedError(failed, 'actor/peer-died')).toBe(true);
  first?.sendPage('service', 'late', null);
  first?.sendPageForWorker('service', 'of-worker', null);
  second?.sendPage('service', 'own', null);
  expect(await second?.callPage('service', 'own', null)).toBe('answered');
  expect(told.map(({ method }) => method)).toEqual(['of-worker', 'own']);
  expect(asked).toEqual(['own']);
});
