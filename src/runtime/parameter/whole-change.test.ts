/** Changes of a whole program that are asked for at one time: each sees what the one before has left. */
import { expect, test } from 'vitest';
import { Module, Parameter } from '../../program/index.ts';
import type { ModuleState } from '../../program/index.ts';
import { createMemoryStore } from '../../state/index.ts';
import type { Store } from '../../state/index.ts';
import type { ModuleHandle } from '../handle/handle.ts';
import type { Modules } from '../version/module-catalog.ts';
import type { RuntimeOptions } from '../runtime-options.ts';
import type { Runtime } from '../runtime.ts';
import { Pipeline, subModuleTestModules } from '../sub-module/sub-module-test-modules.ts';
import { codeOf, runtimesOf, turn } from '../runtime-test-scene.ts';

const create = runtimesOf<Modules>({ poolSize: 1 });
const createTestRuntime = (modules: Modules, options: RuntimeOptions<Modules> = {}): Runtime =>
  create({ modules, ...options });

const number = (value: number): Parameter<number> => new Parameter({ type: 'number', value });

/** Waits seconds. */
class First extends Module<object, number> {
  static readonly version: string = '1.0.0';
  readonly wait: Parameter<number> = number(2);
  override async forward(): Promise<number> {
    return this.wait.value;
  }
}

/** Waits milliseconds, under the same name. */
class Second extends First {
  static override readonly version: string = '2.0.0';
  readonly tries: Parameter<number> = number(1);
  static migrate(state: ModuleState, from: string): ModuleState {
    const wait = state.parameters['wait'];
    if (from !== '1.0.0' || !wait) return state;
    const value = (wait.value as number) * 1000;
    return { ...state, parameters: { ...state.parameters, wait: { ...wait, value } } };
  }
}

/** Waits milliseconds, under another name. */
class Third extends Module<object, number> {
  static readonly version: string = '3.0.0';
  readonly waitMs: Parameter<number> = number(2000);
  static migrate(state: ModuleState): ModuleState {
    const { wait, ...others } = state.parameters;
    if (!wait) return state;
    const waitMs = { ...wait, value: (wait.value as number) * 1000 };
    return { ...state, parameters: { ...others, waitMs } };
  }
  override async forward(): Promise<number> {
    return this.waitMs.value;
  }
}

/** A store whose commits take as long as `delayMs` says. */
function createSlowStore(): { readonly store: Store; delayMs: number } {
  const slow = { delayMs: 0, store: createMemoryStore() as Store };
  slow.store = new Proxy(slow.store, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      const call = value.bind(target) as (...given: unknown[]) => unknown;
      if (name !== 'commit' && name !== 'commitEach') return call;
      return async (...given: unknown[]) => {
        if (slow.delayMs > 0) await turn(slow.delayMs);
        return call(...given);
      };
    },
  });
  return slow;
}

async function everywhere(runtime: Runtime, module: ModuleHandle, store: Store): Promise<unknown[]> {
  const wait = module.parameter('wait');
  const stored = await store.get<{ state: { value: unknown } }>(['module', module.id, 'parameter', 'wait']);
  const meta = await store.get<{ state: ModuleState }>(['module', module.id, 'meta']);
  const before = [wait.value, await wait.get(), stored?.value.state.value, meta?.value.state.version];
  runtime.killWorkerOf(module.id);
  return [...before, await wait.get({ timeoutMs: 2000 })];
}

test('a restore beside a swap: whichever was first, the page, the owner and the store agree, also after a kill', async () => {
  for (let turns = 0; turns < 25; turns++) {
    const store = createMemoryStore();
    const runtime = createTestRuntime({ s: [First, Second] }, { store });
    const module = await runtime.start('s', { id: 's', version: '1.0.0' });
    await module.parameter('wait').set(5);
    const checkpoint = await module.checkpoint();
    await module.parameter('wait').set(6);
    const restore = codeOf(module.restore(checkpoint));
    for (let waited = 0; waited < turns; waited++) await new Promise((resolve) => setImmediate(resolve));
    const swap = codeOf(module.swap({ version: '2.0.0' }));
    expect([await restore, await swap]).toEqual(['resolved', 'resolved']);
    const found = await everywhere(runtime, module, store);
    expect({ turns, found }).toEqual({ turns, found: [5000, 5000, 5000, '2.0.0', 5000] });
  }
});

/** Tells when a state is put in. */
class Telling extends Pipeline {
  static onLoad: (() => void) | undefined;
  override loadState(state: ModuleState): void {
    super.loadState(state);
    Telling.onLoad?.();
  }
}

test('a mode that is set while a restore goes through the actors is that of the whole program', async () => {
  const runtime = createTestRuntime({ ...subModuleTestModules, telling: Telling });
  const actors = { critic: { kind: 'critic', whenDown: 'fail' } } as const;
  const module = await runtime.start('telling', { id: 'p', actors });
  const checkpoint = await module.checkpoint();
  let training: Promise<void> | undefined;
  Telling.onLoad = () => {
    Telling.onLoad = undefined;
    training = module.train();
  };
  await module.restore(checkpoint);
  await training;
  const part = module.subModule('critic' as never) as ModuleHandle;
  const { mode: inside } = (await module.call({ ask: 'read' })) as { mode: string };
  const { mode: owned } = (await part.call({ ask: 'judge' })) as { mode: string };
  expect([module.mode, part.mode, inside, owned]).toEqual(Array(4).fill('train'));
});

test('a checkpoint of an older version is migrated, through a parameter that has another name now', async () => {
  const runtime = createTestRuntime({ s: [First, Second, Third] });
  const module = await runtime.start('s', { id: 's', version: '1.0.0' });
  await module.parameter('wait').set(5);
  const checkpoint = await module.checkpoint();
  await module.swap({ version: '2.0.0' });
  await module.parameter('tries').set(9);
  await module.restore(checkpoint);
  // what the checkpoint lacks is as the class declares it
  expect([await module.call({}), module.parameter('tries').value]).toEqual([5000, 1]);
  await module.swap({ version: '3.0.0' });
  await module.parameter('waitMs').set(1);
  await module.restore(checkpoint);
  expect([await module.call({}), module.parameter('waitMs').value]).toEqual([5000, 5000]);
  runtime.killWorkerOf('s');
  expect(await module.call({}, { isIdempotent: true })).toBe(5000);
});

test('a checkpoint of a newer version is refused by a class that cannot go back, and nothing changes', async () => {
  const runtime = createTestRuntime({ s: [First, Second] });
  const module = await runtime.start('s', { id: 's', version: '1.0.0' });
  await module.parameter('wait').set(5);
  await module.swap({ version: '2.0.0' });
  const checkpoint = await module.checkpoint();
  await module.rollback();
  const refused = await module.restore(checkpoint).catch((error: unknown) => error);
  expect(refused).toMatchObject({
    code: 'runtime/state-migration-failed',
    fields: { step: '2.0.0 → 1.0.0' },
  });
  expect((refused as Error).message).toContain('newer');
  expect([module.parameter('wait').value, await module.call({})]).toEqual([5, 5]);
});

test('a compilation that is asked for while a swap waits for its turn is refused', async () => {
  const slow = createSlowStore();
  const compiler = {
    name: 'slow',
    compile: async (student: First): Promise<First> => {
      await turn(60);
      student.wait.set(7);
      return student;
    },
  };
  const runtime = createTestRuntime(
    { s: [First, Second] },
    { store: slow.store, optimizers: { slow: () => compiler } as never },
  );
  const module = await runtime.start('s', { id: 's', version: '1.0.0' });
  await module.parameter('wait').set(5);
  slow.delayMs = 40;
  const change = module.setParameters({ wait: 6 } as never);
  await turn();
  const swap = module.swap({ version: '2.0.0' });
  const request = { optimizer: 'slow', trainset: [{ question: 'a' }] };
  expect(await codeOf(module.compile(request))).toBe('runtime/swap-under-way');
  await change;
  expect(await swap).toEqual({ from: '1.0.0', to: '2.0.0' });
  expect([module.version, await module.call({})]).toEqual(['2.0.0', 6000]);
});

const origin = 'https://own.example';

test('changes that wait for a swap end at their limit or by their signal, and then never happen', async () => {
  let arrive: (file: object) => void = () => undefined;
  const file = new Promise<object>((resolve) => (arrive = resolve));
  const moduleImport = { importOrigins: [origin], importModule: () => file };
  const limits = { callTimeoutMs: 300 };
  const runtime = createTestRuntime({ s: First }, { moduleImport, limits });
  const module = await runtime.start('s', { id: 's' });
  const checkpoint = await module.checkpoint();
  const swap = module.swap({ url: `${origin}/a.js` }, { timeoutMs: 5000 });
  await turn();
  const cancelling = new AbortController();
  const values = { wait: 3 } as never;
  const ends = [
    module.setParameters(values, { timeoutMs: 30 }),
    module.setParameters(values, { signal: cancelling.signal }),
    module.restore(checkpoint),
    module.train(),
  ].map(codeOf);
  await turn();
  cancelling.abort();
  const codes = ['port/timeout', 'port/cancelled', 'port/timeout', 'port/timeout'];
  expect(await Promise.all(ends)).toEqual(codes);
  arrive({ Second });
  expect(await swap).toEqual({ from: '1.0.0', to: '2.0.0' });
  expect([module.mode, await module.parameter('wait').get()]).toEqual(['eval', 2000]);
  await module.setParameters({ wait: 4 } as never);
  expect(await module.call({})).toBe(4);
});

test('a swap that waits for a change ends at its limit or by its signal, and then never happens', async () => {
  const slow = createSlowStore();
  const runtime = createTestRuntime({ s: [First, Second] }, { store: slow.store });
  const module = await runtime.start('s', { id: 's', version: '1.0.0' });
  await module.parameter('wait').set(5);
  slow.delayMs = 150;
  const change = module.setParameters({ wait: 6 } as never);
  await turn();
  expect(await codeOf(module.swap({ version: '2.0.0' }, { timeoutMs: 20 }))).toBe('port/timeout');
  const cancelling = new AbortController();
  const swap = codeOf(module.swap({ version: '2.0.0' }, { signal: cancelling.signal }));
  cancelling.abort();
  expect(await swap).toBe('port/cancelled');
  await change;
  expect([module.version, await module.call({})]).toEqual(['1.0.0', 6]);
  slow.delayMs = 0;
  expect(await module.swap({ version: '2.0.0' })).toEqual({ from: '1.0.0', to: '2.0.0' });
});
