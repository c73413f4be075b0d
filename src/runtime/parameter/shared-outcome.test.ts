/** A store that cannot say whether it has committed what sets a shared parameter. */
import { expect, test } from 'vitest';
import { CodedError } from '../../base/index.ts';
import { Module, Parameter } from '../../program/index.ts';
import { createMemoryStore } from '../../state/index.ts';
import type { Store } from '../../state/index.ts';
import { codeOf, runtimesOf } from '../runtime-test-scene.ts';

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
function createFaultyStore(): { readonly store: Store; readonly faults: Fault[] } {
  const store = createMemoryStore();
  const faults: Fault[] = [];
  const commitEach: Store['commitEach'] = async (groups, options) => {
    const isShared = groups.flat().some(({ key }) => key[0] === 'shared');
    const fault = isShared ? faults.shift() : undefined;
    const outcomes = fault === 'lost' ? [] : await store.commitEach(groups, options);
    if (fault) throw new CodedError('state/write-failed', 'gone', { fields: { outcome: 'unknown' } });
    return outcomes;
  };
  const get = (_: Store, name: keyof Store): unknown => {
    const member: unknown = name === 'commitEach' ? commitEach : store[name];
    return typeof member === 'function' ? (member.bind(store) as unknown) : member;
  };
  return { store: new Proxy(store, { get: get as never }), faults };
}

async function startTwo() {
  const { store, faults } = createFaultyStore();
  const runtime = createTestRuntime({ store });
  const limit = await runtime.shared('row-limit', { type: 'number', value: 20 });
  const shared = { limit: 'row-limit' };
  const one = await runtime.start('reader', { id: 'one', shared });
  const two = await runtime.start('reader', { id: 'two', shared });
  const checkpoint = await one.checkpoint();
  await limit.set(10);
  const stored = async (): Promise<unknown[]> => {
    const [common, ...own] = await Promise.all([
      store.get<{ value: unknown }>(['shared', 'row-limit']),
      store.get<{ state: { value: unknown } }>(['module', 'one', 'parameter', 'limit']),
      store.get<{ state: { value: unknown } }>(['module', 'two', 'parameter', 'limit']),
    ]);
    return [common?.value.value, ...own.map((entry) => entry?.value.state.value)];
  };
  const has = async (): Promise<unknown[]> => [limit.value, await one.call(null), await two.call(null)];
  return { runtime, limit, one, two, checkpoint, faults, stored, has };
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
