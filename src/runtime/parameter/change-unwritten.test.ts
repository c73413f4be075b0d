/** Changes that are committed, and writes that follow from them which the store refuses. */
import { expect, test } from 'vitest';
import { createMemoryStore } from '../../state/index.ts';
import { Counter } from '../runtime-test-modules.ts';
import { codeOf, runtimesOf } from '../runtime-test-scene.ts';
import { createHookedStore, storedValue, writeFailed } from '../store-test-scene.ts';

const createRuntime = runtimesOf({ modules: { counter: Counter } });

test('what is committed is said to be done, though the module changed it meanwhile and the store then fails', async () => {
  const hooked = createHookedStore();
  const runtime = createRuntime({ store: hooked.store });
  const counter = await runtime.start('counter', { id: 'a' });
  await counter.parameters.total.set(1);
  let commits = 0;
  hooked.now = async (_, commit) => {
    commits++;
    if (commits > 1 && commits < 4) throw writeFailed();
    const committed = await commit();
    if (commits === 1) await counter.call({ by: 1 });
    return committed;
  };
  expect(await codeOf(counter.setParameters({ total: 10 }))).toBe('resolved');
  expect(commits).toBeGreaterThan(3);
  expect([counter.parameters.total.value, await counter.parameters.total.get()]).toEqual([10, 10]);
  expect(await storedValue(hooked.store, 'a', 'total')).toBe(10);
});

test.each(['stop', 'restoreTo'])(
  'a value that is kept in memory beside a set that is stored, of a lost module, is not forgotten for the older one: %s',
  async (way) => {
    const runtime = createRuntime({ store: createMemoryStore() });
    const before = await runtime.start('counter', { id: 'b' });
    runtime.killWorkerOf('b');
    await Promise.all([
      before.setParameters({ total: 3 }, { level: 'memory' }),
      before.parameters.total.set(1),
    ]);
    const has = before.parameters.total.value;
    expect(await before.parameters.total.get()).toBe(has);
    let after = before;
    if (way === 'stop') {
      await before.stop();
      after = await runtime.start('counter', { id: 'b' });
    } else {
      await runtime.snapshot('s');
      await before.parameters.total.set(9);
      await before.restoreTo('s');
    }
    expect([after.parameters.total.value, await after.parameters.total.get()]).toEqual([has, has]);
  },
);
