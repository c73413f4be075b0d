import { expect, test } from 'vitest';
import { isCodedError } from '../../base/index.ts';
import { systemClock } from '../../platform/index.ts';
import type { Clock } from '../../platform/index.ts';
import { openIndexedDbStore } from '../../state/index.ts';
import { createHub } from '../../telemetry/index.ts';
import type { testModules } from '../runtime-test-modules.ts';
import { createRuntime } from '../runtime.ts';

/** Real time; knows the timers that were set and neither fired nor cancelled. */
class CountingClock implements Clock {
  readonly open = new Set<object>();

  now(): number {
    return systemClock.now();
  }

  monotonic(): number {
    return systemClock.monotonic();
  }

  after(delayMs: number, callback: () => void): () => void {
    const timer = {};
    this.open.add(timer);
    const cancel = systemClock.after(delayMs, () => {
      this.open.delete(timer);
      callback();
    });
    return () => {
      this.open.delete(timer);
      cancel();
    };
  }
}

/** Web Locks of ours that are held or asked for. */
async function locks(): Promise<string[]> {
  const { held = [], pending = [] } = await navigator.locks.query();
  const names = [...held, ...pending].map((lock) => lock.name ?? '');
  return names.filter((name) => name.startsWith('vivarium-'));
}

/** How a call ended. */
const settled = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => 'answered',
    (error: unknown) => (isCodedError(error) ? error.code : String(error)),
  );

function createScene(store: Awaited<ReturnType<typeof openIndexedDbStore>>) {
  const workers: Worker[] = [];
  const ended = new Set<Worker>();
  const clock = new CountingClock();
  const hub = createHub(clock);
  const runtime = createRuntime<typeof testModules>({
    worker: (name) => {
      const worker = new Worker(new URL('../runtime-test.worker.ts', import.meta.url), {
        type: 'module',
        name,
      });
      workers.push(worker);
      const terminate = worker.terminate.bind(worker);
      worker.terminate = () => (ended.add(worker), terminate());
      return worker;
    },
    poolSize: 2,
    restartLimits: { maxRestarts: 1000, maxSeconds: 1 },
    store,
    clock,
    hub,
  });
  return { runtime, clock, hub, workers, ended };
}

test('two hundred modules started and stopped, ten workers killed, then closed: nothing is left', async () => {
  await using store = await openIndexedDbStore({ name: `leak-${crypto.randomUUID()}` });
  const before = await locks();
  const { runtime, clock, hub, workers, ended } = createScene(store);
  const outcomes: Promise<unknown>[] = [];

  for (let round = 0; round < 10; round++) {
    const ids = Array.from({ length: 20 }, (_, index) => `module-${round}-${index}`);
    const handles = await Promise.all(ids.map((id) => runtime.start('counter', { id })));
    const stuck = await runtime.start('trouble', { id: `trouble-${round}`, isolation: 'dedicated' });
    outcomes.push(
      ...handles.map((handle) => settled(handle.call({ by: 1 }))),
      settled(stuck.call({ ask: 'never' })),
    );
    runtime.killWorkerOf(ids[round % ids.length] as string);
    await Promise.all(outcomes.slice(-21, -1));
    await Promise.all(handles.slice(5).map((handle) => handle.stop()));
    if (round % 2 === 0) await stuck.stop();
  }
  await runtime.close();

  const ends = await Promise.all(outcomes);
  expect(ends).toHaveLength(210);
  expect(new Set(ends)).toEqual(new Set(['answered', 'actor/peer-died']));
  expect(runtime.inspect()).toMatchObject({ modules: [], workers: [] });
  expect(workers.length).toBeGreaterThan(10);
  expect(ended.size).toBe(workers.length);
  expect(clock.open.size).toBe(0);
  expect(hub.isActive).toBe(false);
  await expect.poll(locks).toEqual(before);
}, 90_000);

test('a runtime that was never used and one that only warmed its workers leave nothing either', async () => {
  await using store = await openIndexedDbStore({ name: `leak-${crypto.randomUUID()}` });
  const before = await locks();
  await createScene(store).runtime.close();
  const { runtime, clock, workers, ended } = createScene(store);
  const warming = runtime.warm().catch(() => 'refused');
  await runtime.close();
  await warming;
  expect([clock.open.size, ended.size]).toEqual([0, workers.length]);
  await expect.poll(locks).toEqual(before);
});

test('a start that is overtaken by close gives its lock back', async () => {
  await using store = await openIndexedDbStore({ name: `leak-${crypto.randomUUID()}` });
  const before = await locks();
  for (let waitMs = 0; waitMs < 10; waitMs++) {
    const { runtime, clock, workers, ended } = createScene(store);
    const starting = runtime.start('counter', { id: 'c' }).catch(() => 'refused');
    await new Promise((resolve) => setTimeout(resolve, waitMs * 20));
    await runtime.close();
    await starting;
    expect([clock.open.size, ended.size]).toEqual([0, workers.length]);
    await expect.poll(locks).toEqual(before);
  }
});
