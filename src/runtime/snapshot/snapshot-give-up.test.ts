/** Snapshots, comparisons and forks a moment after modules have given up, which still write what they owe. */
import { expect, test } from 'vitest';
import { Counter } from '../runtime-test-modules.ts';
import { runtimesOf, turn } from '../runtime-test-scene.ts';
import { createHookedStore } from '../store-test-scene.ts';

const createRuntime = runtimesOf({
  modules: { counter: Counter },
  restartLimits: { maxRestarts: 0, maxSeconds: 50 },
});

/** `x` has stored 1 and owes 5 when the supervisor gives up. */
async function gaveUp() {
  const hooked = createHookedStore();
  const runtime = createRuntime({ store: hooked.store });
  const x = await runtime.start('counter', { id: 'x' });
  await runtime.start('counter', { id: 'last', isolation: 'dedicated' });
  await x.parameters.total.set(1);
  await runtime.snapshot('one');
  await x.parameters.total.set(5, { level: 'memory' });
  hooked.now = async (_, commit) => {
    await turn(50);
    return commit();
  };
  runtime.killWorkerOf('last');
  await expect.poll(() => x.status, { interval: 1 }).toBe('crashed');
  return runtime;
}

test('a snapshot holds what they owe', async () => {
  const runtime = await gaveUp();
  await runtime.snapshot('five');
  const again = await runtime.start('counter', { id: 'x' });
  await again.parameters.total.set(6);
  await runtime.restoreTo('five');
  expect(again.parameters.total.value).toBe(5);
});

test('a comparison tells of it', async () => {
  const runtime = await gaveUp();
  const { changes } = await runtime.diff('one');
  expect(changes).toMatchObject([{ module: 'x', name: 'total', before: 1, after: 5 }]);
});

test('a fork begins with it', async () => {
  const runtime = await gaveUp();
  await runtime.fork('x', 'y');
  expect((await runtime.start('counter', { id: 'y' })).parameters.total.value).toBe(5);
});
