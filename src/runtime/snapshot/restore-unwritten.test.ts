/** Restores of the whole runtime while the store fails: what is committed stays, what was refused does not. */
import { expect, test } from 'vitest';
import { Counter } from '../runtime-test-modules.ts';
import { codeOf, runtimesOf } from '../runtime-test-scene.ts';
import { createHookedStore, storedValue, writeFailed } from '../store-test-scene.ts';

const createRuntime = runtimesOf({ modules: { counter: Counter } });

test.each([2, 100])(
  'what is committed is not undone by a later write that fails %i times',
  async (failures) => {
    const hooked = createHookedStore();
    const { store } = hooked;
    const runtime = createRuntime({ store });
    const runs = await runtime.start('counter', { id: 'runs' });
    const rests = await runtime.start('counter', { id: 'rests' });
    for (const counter of [runs, rests]) await counter.parameters.total.set(1);
    await runtime.snapshot('one');
    for (const counter of [runs, rests]) await counter.parameters.total.set(2);
    await rests.stop();
    let failed = 0;
    let isRestored = false;
    hooked.now = async (writes, commit) => {
      if (isRestored && failed++ < failures) throw writeFailed();
      const committed = await commit();
      if (!isRestored && writes.some(({ key }) => key[1] === 'rests')) {
        isRestored = true;
        // it changes by itself while the restore is being committed
        await runs.call({ by: 5 });
      }
      return committed;
    };
    expect(await codeOf(runtime.restoreTo('one'))).toBe('resolved');
    hooked.now = undefined;
    expect(failed).toBeGreaterThan(1);
    expect([runs.parameters.total.value, await runs.parameters.total.get()]).toEqual([1, 1]);
    await runs.stop();
    expect(await Promise.all(['runs', 'rests'].map((id) => storedValue(store, id, 'total')))).toEqual([1, 1]);
  },
);

test('what a refused restore has written of modules that do not run is put back, also where the store cannot be read for a while', async () => {
  const hooked = createHookedStore();
  const { store } = hooked;
  const runtime = createRuntime({ store });
  const rests = await runtime.start('counter', { id: 'rests' });
  await rests.parameters.total.set(1);
  await runtime.snapshot('one');
  await rests.parameters.total.set(2);
  await rests.stop();
  hooked.now = async (_, commit) => {
    hooked.now = undefined;
    await commit();
    hooked.unreadable = 3;
    throw writeFailed();
  };
  expect(await codeOf(runtime.restoreTo('one'))).toBe('state/write-failed');
  expect([hooked.unreadable, await storedValue(store, 'rests', 'total')]).toEqual([0, 2]);
});
