import { expect, test } from 'vitest';
import { SimulatedClock } from '../platform/index.ts';
import { createLoopback } from '../port/index.ts';
import { BootLimit } from './boot-limit.ts';
import { defaultActorLimits } from './limits.ts';
import { inThreadRealm } from './realm.ts';
import type { Realm } from './slot.ts';
import { ActorSystem } from './system.ts';

const limits = { workerBootMs: 20_000, hangTimeoutMs: 5_000, pingIntervalMs: 1_000 };
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
  const boots = new BootLimit(clock, { ...limits, hangTimeoutMs: 400 });
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

test('as many workers as start at once share the machine, whether they began before or after', async () => {
  const clock = new SimulatedClock();
  const boots = new BootLimit(clock, { ...limits, hangTimeoutMs: 1_000 });
  await bootIn(clock, boots, 500);
  const given: number[] = [];
  const watches = [1, 2, 3].map(() => boots.watch((limitMs) => given.push(limitMs)));
  await clock.advance(6_900);
  expect(given).toEqual([]);
  await clock.advance(200);
  expect(given[0]).toBe(7_000);
  for (const watch of watches) watch.cancel();
  expect(boots.limitMs).toBe(20_000);
});

test('what the page slept through is no time that a worker had; a page that is always late gives up in the end', () => {
  let nowMs = 0;
  let due: { delayMs: number; callback: () => void } | undefined;
  const clock = {
    now: () => nowMs,
    monotonic: () => nowMs,
    after: (delayMs: number, callback: () => void) => {
      due = { delayMs, callback };
      return ignore;
    },
  };
  const fire = (lateMs: number): void => {
    const { delayMs, callback } = due as { delayMs: number; callback: () => void };
    due = undefined;
    nowMs += delayMs + lateMs;
    callback();
  };
  const boots = new BootLimit(clock, { ...limits, workerBootMs: 6_000 });
  const given: number[] = [];
  boots.watch((limitMs) => given.push(limitMs));
  fire(3_600_000);
  for (let step = 0; step < 4; step++) fire(0);
  expect(given).toEqual([]);
  fire(60_000);
  expect(given).toEqual([6_000]);
  expect(due).toBeUndefined();
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

test('a stop does not wait for a worker that has not said hello', async () => {
  const clock = new SimulatedClock();
  const [silentPort] = createLoopback();
  const silent: Realm = { port: silentPort, terminate: ignore, onLoadError: ignore };
  const system = new ActorSystem({ createRealm: () => silent, isWatched: false, clock });
  for (const shutdown of [undefined, 'brutal-kill'] as const) {
    const refusal = system.spawn({ actor: 'a', kind: 'echo' }).catch((error: unknown) => error);
    const exit = new Promise((resolve) => system.monitor('a', resolve));
    await system.stop('a', shutdown);
    expect(await refusal).toMatchObject({ code: 'actor/start-failed', fields: { actor: 'a' } });
    expect(await exit).toEqual({ actor: 'a', reason: shutdown ? 'killed' : 'shutdown' });
  }
  system.close();
});
