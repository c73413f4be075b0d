import { expect, test } from 'vitest';
import { Module, Parameter } from '../../program/index.ts';
import type { ModuleState } from '../../program/index.ts';
import type { ModuleHandle } from '../handle/handle.ts';
import { createHeldStore, failOnce, storedValue } from '../journal/journal-test-store.ts';
import type { HeldStore } from '../journal/journal-test-store.ts';
import { codeOf, runtimesOf } from '../runtime-test-scene.ts';

class Metres extends Module<null, number> {
  static readonly version: string = '1.0.0';
  readonly metres: Parameter<number> = new Parameter({ type: 'number', value: 1 });
  readonly note: Parameter<string> = new Parameter({ type: 'string', value: '' });

  override forward(): Promise<number> {
    return Promise.resolve(this.metres.value);
  }
}

class Decimetres extends Module<null, number> {
  static readonly version: string = '2.0.0';
  readonly decimetres: Parameter<number> = new Parameter({ type: 'number', value: 0 });
  readonly note: Parameter<string> = new Parameter({ type: 'string', value: '' });

  static migrate(state: ModuleState): ModuleState {
    const { metres, ...others } = state.parameters;
    if (!metres) return state;
    return {
      ...state,
      parameters: { ...others, decimetres: { ...metres, value: Number(metres.value) * 10 } },
    };
  }

  override forward(): Promise<number> {
    return Promise.resolve(this.decimetres.value);
  }
}

const createRuntime = runtimesOf({ modules: { length: [Metres, Decimetres] as const } });
type Runtime = ReturnType<typeof createRuntime>;

interface Scene {
  readonly held: HeldStore;
  readonly runtime: Runtime;
  readonly length: ModuleHandle;
}

/** It runs as 2.0.0 and 70, and the store holds 1.0.0 and 7. */
async function swapped(): Promise<Scene> {
  const held = createHeldStore();
  const runtime = createRuntime({ store: held.store });
  const length = (await runtime.start('length', { id: 'm', version: '1.0.0' })) as unknown as ModuleHandle;
  await length.parameter('metres').set(7);
  failOnce(held);
  expect(await codeOf(length.swap({ version: '2.0.0' }))).toBe('state/write-failed');
  expect(length.parameter('decimetres').value).toBe(70);
  expect(await storedValue(held.store, 'm', 'metres')).toBe(7);
  return { held, runtime, length };
}

const ways = {
  'a set': (length) => length.parameter('decimetres').set(75),
  'parameters set together': (length) => length.setParameters({ decimetres: 75 }),
  'a set of another parameter': (length) => length.parameter('note').set('later'),
  'a mode': (length) => length.train(),
  'a checkpoint': (length) => length.checkpoint(),
  'a stop': (length) => length.stop(),
} satisfies Record<string, (length: ModuleHandle) => Promise<unknown>>;

test.each(Object.keys(ways) as (keyof typeof ways)[])(
  'a swap that the store refused goes with the next write, all of it: %s',
  async (way) => {
    const { held, runtime, length } = await swapped();
    await ways[way](length);
    const value = length.parameter('decimetres').value;
    // what only the next write holds must not need a further one
    await expect.poll(() => storedValue(held.store, 'm', 'decimetres')).toBe(value);
    expect(await storedValue(held.store, 'm', 'metres')).toBe(undefined);
    const another = createRuntime({ store: held.store });
    await runtime.close();
    const again = (await another.start('length', { id: 'm' })) as unknown as ModuleHandle;
    expect([again.version, again.parameter('decimetres').value]).toEqual(['2.0.0', value]);
    expect(await codeOf(again.rollback())).toBe('resolved');
    expect(again.parameter('metres').value).toBe(7);
  },
);

test('while the store refuses the swap, nothing of the new version comes in', async () => {
  const { held, length } = await swapped();
  const before = await held.store.list(['module', 'm']);
  for (const way of ['a set', 'parameters set together', 'a mode'] as const) {
    failOnce(held, 'state/quota-exceeded');
    expect(await codeOf(ways[way](length))).toBe('state/quota-exceeded');
    expect(await held.store.list(['module', 'm'])).toEqual(before);
  }
});

test.each(['a set of another parameter', 'a mode', 'a stop'] as const)(
  'a swap of a module that nothing is stored of goes with its first write, all of it: %s',
  async (way) => {
    const { store } = createHeldStore();
    const runtime = createRuntime({ store });
    const length = (await runtime.start('length', { id: 'm', version: '1.0.0' })) as unknown as ModuleHandle;
    await length.swap({ version: '2.0.0' });
    expect([length.parameter('decimetres').value, await store.list(['module'])]).toEqual([10, []]);
    await ways[way](length);
    await runtime.close();
    // nothing was changed of one that was only stopped
    const value = way === 'a stop' ? undefined : 10;
    expect(await storedValue(store, 'm', 'decimetres')).toBe(value);
    if (value === undefined) return;
    const again = (await createRuntime({ store }).start('length', { id: 'm' })) as unknown as ModuleHandle;
    expect([again.version, again.parameter('decimetres').value]).toEqual(['2.0.0', value]);
    await again.rollback();
    expect(again.parameter('metres').value).toBe(1);
  },
);
