import { afterEach, expect, test } from 'vitest';
import { SimulatedClock } from '../../platform/index.ts';
import { Module, Parameter } from '../../program/index.ts';
import type { Run } from '../../program/index.ts';
import { createMemoryStore } from '../../state/index.ts';
import { codeOf, runtimesOf } from '../runtime-test-scene.ts';

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const aborted = ({ signal }: Run): Promise<void> =>
  new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));

/** Saves what it has, a moment after it was told to end. */
class Saver extends Module<null, number> {
  readonly saved: Parameter<number> = new Parameter({ type: 'number', value: 0 });

  override async forward(_: null, run: Run): Promise<number> {
    await aborted(run);
    await wait(50);
    this.saved.set(1, 'cleanup');
    return 1;
  }
}

/** The same in a module inside it, for which it may wait or not. */
class Nest extends Module<'wait' | 'leave', string> {
  readonly inner: Saver = new Saver();

  override async forward(how: 'wait' | 'leave'): Promise<string> {
    const answer = this.inner.call(null);
    if (how === 'leave') return 'left it';
    await answer;
    return 'waited';
  }
}

let running = 0;
let letAllGo = (): void => undefined;

/** Goes on until the test lets it go, whatever it is told. */
class Stubborn extends Module<null, null> {
  override async forward(): Promise<null> {
    running++;
    await new Promise<void>((resolve) => {
      const before = letAllGo;
      letAllGo = () => (before(), resolve());
    });
    running--;
    return null;
  }
}

const modules = { saver: Saver, nest: Nest, stubborn: Stubborn };

const createTestRuntime = runtimesOf({ modules });

afterEach(() => {
  letAllGo();
  letAllGo = () => undefined;
});

test('a stop gives a forward its time: the caller hears at once, and what it saves meanwhile is stored', async () => {
  const store = createMemoryStore();
  const runtime = createTestRuntime({ store });
  const saver = await runtime.start('saver', { id: 's' });
  const call = codeOf(saver.call(null));
  await wait(5);
  const stopping = runtime.registry.stop('s');
  let hasStopped = false;
  void stopping.then(() => (hasStopped = true));
  expect(await call).toBe('actor/peer-died');
  expect(hasStopped).toBe(false);
  expect(await stopping).toEqual({ how: 'graceful' });
  const stored = await store.get<{ readonly state: object }>(['module', 's', 'parameter', 'saved']);
  expect(stored?.value.state).toMatchObject({ value: 1 });
});

test.each(['wait', 'leave'] as const)('a stop gives time to calls inside a forward too: %s', async (how) => {
  const store = createMemoryStore();
  const runtime = createTestRuntime({ store });
  const nest = await runtime.start('nest', { id: 'n' });
  const call = codeOf(nest.call(how));
  await wait(5);
  expect(await runtime.registry.stop('n')).toEqual({ how: 'graceful' });
  expect(await call).toBe(how === 'wait' ? 'actor/peer-died' : 'resolved');
  const stored = await store.get<{ readonly state: object }>(['module', 'n', 'parameter', 'inner.saved']);
  expect(stored?.value.state).toMatchObject({ value: 1 });
});

test('a forward that takes longer than its time is dropped', async () => {
  const runtime = createTestRuntime();
  const stubborn = await runtime.start('stubborn', { id: 's', shutdownMs: 20 });
  const call = codeOf(stubborn.call(null));
  await wait(5);
  expect(await runtime.registry.stop('s')).toMatchObject({
    how: 'killed',
    error: { code: 'runtime/stop-timeout' },
  });
  expect(await call).toBe('actor/peer-died');
});

test('a forward that does not heed its signal has all of its time and no more, and many of them have it together', async () => {
  const clock = new SimulatedClock();
  const runtime = createTestRuntime({ clock });
  const ids = ['a', 'b', 'c', 'd'];
  for (const id of ids) {
    const stubborn = await runtime.start('stubborn', { id, shutdownMs: 3_000 });
    void codeOf(stubborn.call(null));
  }
  const quick = await runtime.start('stubborn', { id: 'quick', shutdownMs: 0 });
  void codeOf(quick.call(null));
  await wait(5);
  const stopped: string[] = [];
  runtime.registry.watch('**', (event) => {
    if (event.type === 'module-stop') stopped.push(`${event.module} ${event.how}`);
  });
  const closing = runtime.close();
  await clock.advance(0);
  await expect.poll(() => stopped).toEqual(['quick killed']);
  // it may be saving what it has: nobody can tell from outside
  await clock.advance(2_999);
  expect(stopped).toEqual(['quick killed']);
  await clock.advance(1);
  await closing;
  expect(stopped.toSorted()).toEqual([...ids.map((id) => `${id} killed`), 'quick killed']);
});

test('forwards that go on after their time keep their places: no more run than the mailbox has', async () => {
  const maxMailbox = 30;
  const stubborn = await createTestRuntime({ actorLimits: { maxMailbox } }).start('stubborn', {
    shutdownMs: 20,
  });
  const codes: Record<string, number> = {};
  for (let round = 0; round < 5; round++) {
    const calls = Array.from({ length: 25 }, () => codeOf(stubborn.call(null, { timeoutMs: 5 })));
    for (const code of await Promise.all(calls)) codes[code] = (codes[code] ?? 0) + 1;
  }
  expect(running).toBe(maxMailbox);
  expect(codes).toEqual({ 'port/timeout': maxMailbox, 'actor/mailbox-full': 125 - maxMailbox });
  letAllGo();
  await expect.poll(() => running).toBe(0);
  expect(await codeOf(stubborn.call(null, { timeoutMs: 5 }))).toBe('port/timeout');
});
