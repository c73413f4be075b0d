import { expect, test } from 'vitest';
import { SimulatedClock } from '../platform/index.ts';
import { createLoopback } from '../port/index.ts';
import { BootLimit } from './boot-limit.ts';
import { defaultActorLimits } from './limits.ts';
import { inThreadRealm } from './realm.ts';
import type { Realm } from './slot.ts';
import { ActorSystem } from './system.ts';

const limits = { workerBootMs: 20_000, hangTimeoutMs: 5_000 };
const ignore = (): void => undefined;

async function bootIn(clock: SimulatedClock, boots: BootLimit, tookMs: number): Promise<void> {
  const watch = boots.watch(ignore);
  await clock.advance(tookMs);
  watch.end();
}

test('the first worker has the whole time, the next what a hang takes above four times the last start', async () => {
  const clock = new SimulatedClock();
  const boots = new BootLimit(clock, limits);
  expect(boots.limitMs).toBe(20_000);
  await bootIn(clock, boots, 100);
  expect(boots.limitMs).toBe(5_400);
  await bootIn(clock, boots, 4_000);
  expect(boots.limitMs).toBe(20_000);
  await bootIn(clock, boots, 50);
  expect(boots.limitMs).toBe(5_200);
});

test('a worker that was given up may only have been slow: the next one is given more, up to the whole time', async () => {
  const clock = new SimulatedClock();
  const boots = new BootLimit(clock, { workerBootMs: 20_000, hangTimeoutMs: 400 });
  await bootIn(clock, boots, 100);
  const given: number[] = [];
  for (let tries = 0; tries < 4; tries++) {
    boots.watch((limitMs) => given.push(limitMs));
    await clock.advance(20_000);
  }
  expect(given).toEqual([800, 3_600, 14_800, 20_000]);
});

test('a first worker that never comes does not shorten the time of the second', async () => {
  const clock = new SimulatedClock();
  const boots = new BootLimit(clock, limits);
  boots.watch(ignore);
  await clock.advance(20_000);
  expect(boots.limitMs).toBe(20_000);
});

test('a page that was asleep waits once more: the hello may stand behind the timer', () => {
  let nowMs = 0;
  const due: (() => void)[] = [];
  const clock = {
    now: () => nowMs,
    monotonic: () => nowMs,
    after: (_: number, callback: () => void) => (due.push(callback), ignore),
  };
  const boots = new BootLimit(clock, limits);
  const given: number[] = [];
  boots.watch((limitMs) => given.push(limitMs));
  nowMs = 3_600_000;
  due.shift()?.();
  expect(given).toEqual([]);
  nowMs += 20_000;
  due.shift()?.();
  expect(given).toEqual([20_000]);
});

test('a worker that is ended while it starts is noticed long before the limit of a first start, and its actor starts elsewhere', async () => {
  const clock = new SimulatedClock();
  const [silentPort] = createLoopback();
  const silent: Realm = { port: silentPort, terminate: ignore, onLoadError: ignore };
  const kinds = { echo: () => ({ call: (_: string, body: unknown) => body }) };
  const realms = [inThreadRealm(kinds), silent, inThreadRealm(kinds)];
  const system = new ActorSystem({
    createRealm: () => realms.shift() ?? silent,
    isWatched: false,
    poolSize: 2,
    clock,
    limits: defaultActorLimits,
  });
  await system.spawn({ actor: 'first', kind: 'echo' });
  const refusal = system.spawn({ actor: 'second', kind: 'echo' }).catch((error: unknown) => error);
  await clock.advance(5_000);
  expect(await refusal).toMatchObject({
    code: 'actor/worker-start-failed',
    message: 'no hello within 5000 ms',
  });
  const again = await system.spawn({ actor: 'second', kind: 'echo' });
  expect(await again.call('echo', 1)).toBe(1);
  system.close();
});
