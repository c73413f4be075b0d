/** Answers that have come when their module is lost, and that the page takes over when the next start has begun. */
import { expect, test } from 'vitest';
import { Counter } from '../runtime-test-modules.ts';
import { codeOf, runtimesOf } from '../runtime-test-scene.ts';

const restartLimits = { maxRestarts: 100, maxSeconds: 1 };
const createRuntime = runtimesOf({ modules: { counter: Counter }, restartLimits });

/** How far the answers are on their way. */
const steps = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 17, 20, 25, 30];

async function pass(count: number): Promise<void> {
  for (let step = 0; step < count; step++) await Promise.resolve();
}

test.each(['memory', 'strict'] as const)(
  'page and module agree after a restart, however far the answers were, and go on from there: %s',
  async (level) => {
    for (const count of steps) {
      const runtime = createRuntime();
      const { total } = (await runtime.start('counter', { id: 'a' })).parameters;
      await total.set(5);
      const before = [1, 2, 3, 0].map((value) => codeOf(total.set(value, { level })));
      await pass(count);
      runtime.killWorkerOf('a');
      await Promise.all(before);
      expect([count, await total.get()]).toEqual([count, total.value]);
      await total.set(11);
      expect([count, total.value, await total.get()]).toEqual([count, 11, 11]);
    }
  },
);

test('what is asked for once the module is lost goes over what it had answered', async () => {
  for (const count of steps) {
    const runtime = createRuntime();
    const { total } = (await runtime.start('counter', { id: 'a' })).parameters;
    const before = [1, 2, 3].map((value) => codeOf(total.set(value)));
    await pass(count);
    runtime.killWorkerOf('a');
    await Promise.all([...before, total.set(9)]);
    expect([count, total.value, await total.get()]).toEqual([count, 9, 9]);
  }
});
