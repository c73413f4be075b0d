import { expect, test } from 'vitest';
import { CodedError } from '../../base/index.ts';
import { Module, Parameter } from '../../program/index.ts';
import type { ModuleState } from '../../program/index.ts';
import type { Store } from '../../state/index.ts';
import type { ModuleHandle } from '../handle/handle.ts';
import { Counter } from '../runtime-test-modules.ts';
import { codeOf, runtimesOf } from '../runtime-test-scene.ts';
import { subModuleTestModules } from '../sub-module/sub-module-test-modules.ts';
import { createHeldStore, failOnce, storedValue } from './journal-test-store.ts';
import type { HeldStore } from './journal-test-store.ts';

class Short extends Module<null, number> {
  static readonly version: string = '1.0.0';
  readonly a: Parameter<number> = new Parameter({ type: 'number', value: 1 });

  override forward(): Promise<number> {
    return Promise.resolve(this.a.value);
  }
}

class Long extends Module<null, number> {
  static readonly version: string = '2.0.0';
  readonly alpha: Parameter<number> = new Parameter({ type: 'number', value: 1 });

  static migrate(state: ModuleState): ModuleState {
    const { a, ...others } = state.parameters;
    return a ? { ...state, parameters: { ...others, alpha: a } } : state;
  }

  override forward(): Promise<number> {
    return Promise.resolve(this.alpha.value);
  }
}

const createRuntime = runtimesOf({
  modules: { counter: Counter, renamed: [Short, Long] as const, ...subModuleTestModules },
});

interface Scene {
  readonly held: HeldStore;
  readonly runtime: ReturnType<typeof createRuntime>;
  readonly counter: ModuleHandle;
}

/** The store holds 1, the page 5. */
async function owing(): Promise<Scene> {
  const held = createHeldStore();
  const runtime = createRuntime({ store: held.store });
  const counter = (await runtime.start('counter', { id: 'c' })) as unknown as ModuleHandle;
  await counter.parameter('total').set(1);
  await counter.parameter('total').set(5, { level: 'memory' });
  return { held, runtime, counter };
}

const total = (store: Store): Promise<unknown> => storedValue(store, 'c', 'total');

test('a stop that comes while a change is committed writes nothing older over it', async () => {
  const { held, counter } = await owing();
  let stopping: Promise<void> | undefined;
  held.instead = async (...given) => {
    held.instead = undefined;
    stopping = counter.stop();
    // the stop has come as far as it can without the commit
    await new Promise((resolve) => setTimeout(resolve, 50));
    return held.commit(...given);
  };
  await codeOf(counter.setParameters({ total: 10 }));
  await stopping;
  expect(await total(held.store)).toBe(10);
});

test('a stop that comes while a change is committed writes what was acknowledged before it when that fails', async () => {
  const { held, counter } = await owing();
  let stopping: Promise<void> | undefined;
  held.instead = async () => {
    held.instead = undefined;
    stopping = counter.stop();
    await new Promise((resolve) => setTimeout(resolve, 50));
    throw new CodedError('state/quota-exceeded', 'as asked');
  };
  expect(await codeOf(counter.setParameters({ total: 10 }))).toBe('state/quota-exceeded');
  await stopping;
  expect(await total(held.store)).toBe(5);
});

const stricter = {
  set: (counter) => counter.parameter('total').set(6),
  'parameters set together': (counter) => counter.setParameters({ total: 6 }),
} satisfies Record<string, (counter: ModuleHandle) => Promise<void>>;

test.each(Object.keys(stricter) as (keyof typeof stricter)[])(
  'a stricter change that the store refuses leaves what was acknowledged in memory to the end: %s',
  async (way) => {
    const { held, counter } = await owing();
    failOnce(held, 'state/quota-exceeded');
    expect(await codeOf(stricter[way](counter))).toBe('state/quota-exceeded');
    const { value } = counter.parameter('total');
    await counter.stop();
    expect(await total(held.store)).toBe(value);
    expect(value).toBeGreaterThanOrEqual(5);
  },
);

test('a swap that names a parameter anew keeps what was acknowledged of it in memory', async () => {
  const { store } = createHeldStore();
  const runtime = createRuntime({ store });
  const short = (await runtime.start('renamed', { id: 'r', version: '1.0.0' })) as unknown as ModuleHandle;
  await short.parameter('a').set(7, { level: 'memory' });
  await short.swap({ version: '2.0.0' });
  await short.stop();
  const again = (await runtime.start('renamed', { id: 'r' })) as unknown as ModuleHandle;
  expect([again.version, again.parameter('alpha').value]).toEqual(['2.0.0', 7]);
});

test('a snapshot that would lack what was acknowledged is not taken', async () => {
  const { held, runtime, counter } = await owing();
  held.instead = (groups, ...options) => {
    const isOfTotal = groups.flat().some(({ key }) => key[2] === 'parameter');
    if (isOfTotal) return Promise.reject(new CodedError('state/value-too-large', 'as asked'));
    return held.commit(groups, ...options);
  };
  expect(await codeOf(runtime.snapshot('s'))).toBe('state/value-too-large');
  expect(await codeOf(runtime.export())).toBe('state/value-too-large');
  expect(await runtime.snapshots()).toEqual([]);
  held.instead = undefined;
  await runtime.snapshot('s');
  await counter.parameter('total').set(6);
  await runtime.restoreTo('s');
  expect(counter.parameter('total').value).toBe(5);
});

test.each(['a stop', 'a snapshot'])(
  'a part that has crashed for good has its mode stored: %s',
  async (way) => {
    const { store } = createHeldStore();
    const runtime = createRuntime({ store });
    const critic = {
      kind: 'critic',
      whenDown: 'fail',
      restart: 'temporary',
      isolation: 'dedicated',
    } as const;
    const pipeline = await runtime.start('pipeline', { id: 'p', actors: { critic } });
    await pipeline.parameters['critic.limit'].set(50);
    runtime.killWorkerOf('p/critic');
    await expect.poll(() => pipeline.subModule('critic').status).toBe('crashed');
    await pipeline.train('memory');
    if (way === 'a stop') await pipeline.stop();
    else await runtime.snapshot('s');
    for (const id of ['p', 'p/critic'])
      expect((await store.get(['module', id, 'meta']))?.value).toMatchObject({ state: { mode: 'train' } });
  },
);
