/** A restore of the whole runtime beside a module that takes long to stop. */
import { expect, test } from 'vitest';
import { SimulatedClock } from '../../platform/index.ts';
import { Module, Parameter } from '../../program/index.ts';
import { createMemoryStore } from '../../state/index.ts';
import { Counter } from '../runtime-test-modules.ts';
import { codeOf, runtimesOf, turn } from '../runtime-test-scene.ts';
import { createHookedStore } from '../store-test-scene.ts';

/** Hears no end. */
class Deaf extends Module<null, null> {
  readonly size: Parameter<number> = new Parameter({ type: 'number', value: 0 });
  override forward(): Promise<null> {
    return new Promise(() => undefined);
  }
}

const createRuntime = runtimesOf({ modules: { counter: Counter, deaf: Deaf } });

/** Lets time pass until it has ended, and no more than the restore may take in all. */
async function after<T>(clock: SimulatedClock, work: Promise<T>): Promise<T> {
  let isOver = false;
  void work.then(() => (isOver = true));
  for (let ms = 0; !isOver && ms < 100_000; ms += 100) {
    await clock.advance(100);
    await turn(1);
  }
  return work;
}

test('while it waits for a stop, others are set and started; it ends at its limit', async () => {
  const clock = new SimulatedClock();
  const runtime = createRuntime({ store: createMemoryStore(), clock, limits: { callTimeoutMs: 1_000 } });
  const counter = await runtime.start('counter', { id: 'a' });
  const deaf = await runtime.start('deaf', { id: 'd', shutdownMs: 500_000 });
  await counter.parameters.total.set(1);
  await runtime.snapshot('one');
  void codeOf(deaf.call(null));
  await turn();
  const stopped = codeOf(deaf.stop());
  const restored = codeOf(runtime.restoreTo('one'));
  await turn();
  const at = clock.now();
  await counter.setParameters({ total: 3 });
  await runtime.start('counter', { id: 'b' });
  await runtime.shared('common', { type: 'number', value: 1 });
  expect(clock.now()).toBe(at);
  expect(await after(clock, restored)).toBe('port/timeout');
  expect(counter.parameters.total.value).toBe(3);
  await clock.advance(500_000);
  expect(await stopped).toBe('resolved');
  await runtime.restoreTo('one');
  expect(counter.parameters.total.value).toBe(1);
});

test('a stop that begins while it waits for its turn holds nobody longer than the limit of either', async () => {
  const clock = new SimulatedClock();
  const hooked = createHookedStore();
  const runtime = createRuntime({ store: hooked.store, clock, limits: { callTimeoutMs: 1_000 } });
  const counter = await runtime.start('counter', { id: 'a' });
  const deaf = await runtime.start('deaf', { id: 'd', shutdownMs: 500_000 });
  await counter.parameters.total.set(1);
  await runtime.snapshot('one');
  void codeOf(deaf.call(null));
  let letGo = (): void => undefined;
  hooked.now = async (_, commit) => {
    await new Promise<void>((resolve) => (letGo = resolve));
    return commit();
  };
  // the restore waits for this one's turn
  const first = codeOf(counter.setParameters({ total: 2 }));
  await turn();
  const restored = codeOf(runtime.restoreTo('one'));
  await turn();
  const early = codeOf(runtime.start('counter', { id: 'b' }));
  await clock.advance(900);
  const stopped = codeOf(deaf.stop());
  hooked.now = undefined;
  letGo();
  expect(await first).toBe('resolved');
  const set = codeOf(counter.setParameters({ total: 3 }));
  expect(await after(clock, restored)).toBe('port/timeout');
  expect(await set).toBe('resolved');
  // it may have waited for its own limit, and then its id is free
  expect(['resolved', 'port/timeout']).toContain(await after(clock, early));
  expect(await codeOf(runtime.start('counter', { id: 'c' }))).toBe('resolved');
  await clock.advance(500_000);
  expect(await stopped).toBe('resolved');
});
