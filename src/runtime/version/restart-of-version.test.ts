/** What a restart starts when the version that ran is of a file, or is gone. */
import { expect, test } from 'vitest';
import { createMemoryStore } from '../../state/index.ts';
import type { Store } from '../../state/index.ts';
import type { ModuleHandle } from '../handle/handle.ts';
import type { Modules } from './module-catalog.ts';
import { createRuntime } from '../runtime.ts';
import type { Runtime } from '../runtime.ts';
import { Critic_1_2 } from '../swap/swap-test-file.ts';
import { Critic_1_0, Critic_1_1, swapModules } from '../swap/swap-test-modules.ts';
import { codeOf, runtimesOf, turn } from '../runtime-test-scene.ts';

const origin = 'https://own.example';
const file = `${origin}/critic.js`;

const createTestRuntime = runtimesOf<Modules>({
  modules: swapModules,
  poolSize: 1,
  moduleImport: { importOrigins: [origin], importModule: async () => ({ Critic_1_2 }) },
});

/** A memory store whose commits wait for `before`, or fail with it. */
function createSlowStore(before: () => Promise<void>): Store {
  return new Proxy(createMemoryStore(), {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      const call = value.bind(target) as (...given: unknown[]) => unknown;
      if (name !== 'commit' && name !== 'commitEach') return call;
      return (...given: unknown[]) => before().then(() => call(...given));
    },
  });
}

/** The version that answers after its worker was lost. */
async function versionAfterKill(runtime: Runtime, critic: ModuleHandle): Promise<unknown> {
  runtime.killWorkerOf(critic.id);
  const { version } = (await critic.call({}, { isIdempotent: true, timeoutMs: 2000 })) as { version: string };
  return version;
}

test('a swap to a file whose write the store refuses outlives the worker', async () => {
  let isFull = false;
  const store = createSlowStore(async () => {
    if (isFull) throw new Error('disk is full');
  });
  const runtime = createTestRuntime({ store });
  const other = await runtime.start('critic', { id: 'other', version: '1.0.0' });
  const critic = await runtime.start('critic', { id: 'c', version: '1.0.0' });
  await critic.parameter('count').set(1);
  isFull = true;
  await expect(critic.swap({ url: file })).rejects.toThrow('disk is full');
  isFull = false;
  expect(await versionAfterKill(runtime, critic)).toBe('1.2.0');
  expect(other.status).toBe('running');
});

test('a swap to a file outlives a worker that dies while the swap is written', async () => {
  let isSlow = false;
  const store = createSlowStore(() => (isSlow ? turn(40) : Promise.resolve()));
  const runtime = createTestRuntime({ store });
  const critic = await runtime.start('critic', { id: 'c', version: '1.0.0' });
  await critic.parameter('count').set(1);
  isSlow = true;
  const swap = critic.swap({ url: file });
  await turn(20);
  expect(critic.version).toBe('1.2.0');
  expect(await versionAfterKill(runtime, critic)).toBe('1.2.0');
  expect(await swap).toEqual({ from: '1.0.0', to: '1.2.0' });
});

test('whenever a swap to a file is cancelled, a restart starts the version that serves', async () => {
  for (let microtasks = 0; microtasks < 30; microtasks++) {
    const runtime = createTestRuntime();
    const critic = await runtime.start('critic', { id: 'c', version: '1.0.0' });
    const cancelling = new AbortController();
    const swap = codeOf(critic.swap({ url: file }, { signal: cancelling.signal }));
    for (let waited = 0; waited < microtasks; waited++) await Promise.resolve();
    cancelling.abort();
    await swap;
    await turn();
    const { version } = critic;
    expect({ microtasks, version: await versionAfterKill(runtime, critic) }).toEqual({ microtasks, version });
  }
});

test.each<readonly [string, Modules, string]>([
  ['whose version is served no more', { critic: Critic_1_1 }, 'runtime/version-not-found'],
  ['whose kind is served no more', {}, 'actor/kind-not-found'],
])('a module %s ends alone when its worker is lost', async (_, later, code) => {
  const served: Record<string, Modules[string]> = { critic: Critic_1_0, other: Critic_1_0 };
  // what is served changes later, so its kinds have no types
  await using runtime = createRuntime({ modules: served, poolSize: 1 }) as unknown as Runtime;
  const pinned = await runtime.start('critic', { id: 'pinned', hotReload: false });
  const neighbour = await runtime.start('other', { id: 'neighbour' });
  // as an edit does
  delete served['critic'];
  Object.assign(served, later);
  runtime.killWorkerOf('pinned');
  expect(await codeOf(pinned.call({}, { timeoutMs: 2000 }))).toBe(code);
  expect([pinned.status, pinned.record().crash?.code]).toEqual(['crashed', code]);
  expect(await codeOf(neighbour.call({}, { isIdempotent: true }))).toBe('resolved');
  expect(neighbour.record().restarts).toBe(1);
  const again = await runtime.start('other', { id: 'pinned' });
  expect(again.status).toBe('running');
});

test('a constructor that throws at every restart is tried as often as that harms nobody else', async () => {
  let constructed = 0;
  let isBroken = false;
  class Fragile extends Critic_1_0 {
    constructor() {
      super();
      constructed += 1;
      if (isBroken) throw new Error('no');
    }
  }
  await using runtime = createRuntime({ modules: { fragile: Fragile, other: Critic_1_0 }, poolSize: 1 });
  const fragile = await runtime.start('fragile', { id: 'fragile', isolation: 'dedicated' });
  const neighbour = await runtime.start('other', { id: 'neighbour' });
  const before = constructed;
  isBroken = true;
  runtime.killWorkerOf('fragile');
  expect(await codeOf(fragile.call({}, { timeoutMs: 2000 }))).toBe('runtime/module-load-failed');
  expect([fragile.status, constructed - before, neighbour.status]).toEqual(['crashed', 3, 'running']);
});
