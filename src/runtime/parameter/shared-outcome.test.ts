/** A store that cannot say whether it has committed what sets a shared parameter. */
import { expect, test } from 'vitest';
import { Module, Parameter } from '../../program/index.ts';
import { codeOf, runtimesOf } from '../runtime-test-scene.ts';
import { createHookedStore, storedValue, writeFailed } from '../store-test-scene.ts';
import type { HookedStore } from '../store-test-scene.ts';

class Reader extends Module<number | null, number> {
  readonly limit: Parameter<number> = new Parameter({ type: 'number', value: 1, requiresGrad: true });

  override async forward(value: number | null): Promise<number> {
    await Promise.resolve();
    if (value !== null) this.limit.set(value, 'forward');
    return this.limit.value;
  }
}

const createTestRuntime = runtimesOf({ modules: { reader: Reader } });

type Fault = 'committed' | 'lost';

/** The next commits of what is shared end without a word, whether or not they were made. */
function createFaultyStore(): { readonly hooked: HookedStore; readonly faults: Fault[] } {
  const hooked = createHookedStore();
  const faults: Fault[] = [];
  hooked.now = async (writes, commit) => {
    const fault = writes.some(({ key }) => key[0] === 'shared') ? faults.shift() : undefined;
    const outcomes = fault === 'lost' ? [] : await commit();
    if (fault) throw writeFailed();
    return outcomes;
  };
  return { hooked, faults };
}

async function startTwo() {
  const { hooked, faults } = createFaultyStore();
  const { store } = hooked;
  const runtime = createTestRuntime({ store });
  const limit = await runtime.shared('row-limit', { type: 'number', value: 20 });
  const shared = { limit: 'row-limit' };
  const one = await runtime.start('reader', { id: 'one', shared });
  const two = await runtime.start('reader', { id: 'two', shared });
  const checkpoint = await one.checkpoint();
  await limit.set(10);
  const stored = async (): Promise<unknown[]> => {
    const common = await store.get<{ value: unknown }>(['shared', 'row-limit']);
    const own = ['one', 'two'].map((id) => storedValue(store, id, 'limit'));
    return [common?.value.value, ...(await Promise.all(own))];
  };
  const has = async (): Promise<unknown[]> => [limit.value, await one.call(null), await two.call(null)];
  return { runtime, limit, one, two, checkpoint, hooked, faults, stored, has };
}

type Scene = Awaited<ReturnType<typeof startTwo>>;

const ways: readonly (readonly [string, (scene: Scene) => Promise<void>])[] = [
  ['set', ({ limit }) => limit.set(30)],
  ['set of a bound one', ({ one }) => one.parameters.limit.set(30)],
  ['setParameters', ({ one }) => one.setParameters({ limit: 30 })],
  ['applyGradient', ({ one }) => one.parameters.limit.applyGradient(-2000)],
  ['restore', ({ one, checkpoint }) => one.restore(checkpoint)],
];

test.each(ways)('what is true goes over a refused value that the store may hold: %s', async (_, set) => {
  const scene = await startTwo();
  scene.faults.push('committed');
  expect(await codeOf(set(scene))).toBe('state/write-failed');
  await expect.poll(scene.stored).toEqual([10, 10, 10]);
  expect([await scene.has(), scene.limit.history.at(-1)?.newValue]).toEqual([[10, 10, 10], 10]);
  // and the next one is as any
  await set(scene);
  const value = scene.limit.value;
  expect([10 !== value, await scene.has(), await scene.stored()]).toEqual([
    true,
    [value, value, value],
    [value, value, value],
  ]);
});

test('what is true goes over a refused value also where the store cannot be read for a while', async () => {
  const scene = await startTwo();
  scene.faults.push('committed');
  scene.hooked.unreadable = 3;
  expect(await codeOf(scene.limit.set(30))).toBe('state/write-failed');
  await expect.poll(() => scene.hooked.unreadable).toBe(0);
  await expect.poll(scene.stored).toEqual([10, 10, 10]);
});

test('what a store could not be asked about for long is put right when the runtime closes', async () => {
  const scene = await startTwo();
  scene.faults.push('committed');
  scene.hooked.unreadable = Infinity;
  expect(await codeOf(scene.limit.set(30))).toBe('state/write-failed');
  expect(await codeOf(scene.runtime.snapshot('refused'))).toBe('state/read-failed');
  scene.hooked.unreadable = 0;
  await scene.runtime.close();
  expect(await scene.stored()).toEqual([10, 10, 10]);
});

test.each([
  ['committed'],
  ['lost'],
  ['committed', 'committed'],
  // what was lost leaves nothing to be put right
  ['committed', 'lost'],
  ['committed', 'lost', 'committed'],
])(
  "a module's own change that the store does not take is everybody's, or nobody's: %s %s %s",
  async (...faults) => {
    const scene = await startTwo();
    scene.faults.push(...(faults as Fault[]));
    await scene.one.call(7);
    await expect.poll(() => scene.faults).toEqual([]);
    await expect.poll(async () => new Set([...(await scene.has()), ...(await scene.stored())]).size).toBe(1);
    expect([7, 10]).toContain(scene.limit.value);
  },
);
