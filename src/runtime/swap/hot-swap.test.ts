import { afterEach, expect, test } from 'vitest';
import { isCodedError } from '../../base/index.ts';
import type { ModuleState } from '../../program/index.ts';
import { createMemoryStore } from '../../state/index.ts';
import { createHub, createMemorySink } from '../../telemetry/index.ts';
import type { ModuleHandle } from '../handle/handle.ts';
import type { Modules } from '../version/module-catalog.ts';
import type { RuntimeOptions } from '../runtime-options.ts';
import { createRuntime } from '../runtime.ts';
import type { Runtime } from '../runtime.ts';
import { Critic_1_0, Critic_1_1, gates, migratingBy, swapModules } from './swap-test-modules.ts';
import { closedAfterEach, codeOf, runtimesOf, turn } from '../runtime-test-scene.ts';

const createTestRuntime = runtimesOf({ modules: swapModules, poolSize: 1 });

const keep = closedAfterEach();
const createRuntimeOf = <M extends Modules>(modules: M, options: RuntimeOptions<M> = {}): Runtime<M> =>
  keep(createRuntime({ modules, poolSize: 1, ...options }));

afterEach(() => gates.clear());

const settled = (work: Promise<unknown>): Promise<unknown> => work.catch((error: unknown) => error);
async function wait(microtasks: number): Promise<void> {
  for (let waited = 0; waited < microtasks; waited++) await Promise.resolve();
}

const any = (handle: unknown): ModuleHandle => handle as ModuleHandle;

test('versions are listed in semantic order; the newest release is the default, a given one is started', async () => {
  const runtime = createTestRuntime();
  const order = ['1.0.0', '1.1.0', '2.0.0-beta.1', '9.0.0-construct.1'];
  expect(await runtime.versions('critic')).toEqual(order);
  const newest = await runtime.start('critic');
  expect([newest.version, await newest.versions()]).toEqual(['1.1.0', order]);
  expect((await runtime.start('critic', { version: '1.0.0' })).version).toBe('1.0.0');
  expect((await runtime.start(Critic_1_0)).version).toBe('1.0.0');
  const unknown = await settled(runtime.start('critic', { version: '7.0.0' }));
  expect(unknown).toMatchObject({
    code: 'runtime/version-not-found',
    fields: { kind: 'critic', version: '7.0.0', known: order },
  });
  expect(await codeOf(runtime.versions('nobody'))).toBe('runtime/module-not-found');
  expect(runtime.inspect().workers.flatMap(({ actors }) => actors)).toHaveLength(3);
});

test('a swap carries the state over, migrated; what is the same keeps its history and who listens', async () => {
  const hub = createHub();
  const sink = createMemorySink(hub);
  const runtime = createTestRuntime({ hub });
  const critic = await runtime.start('critic', { version: '1.0.0', id: 'c' });
  await critic.train();
  const heard: unknown[] = [];
  critic.parameters.count.subscribe((value) => heard.push(value));
  await critic.call({ by: 2 });
  await any(critic).parameter('waitSeconds').set(7);
  expect(await critic.swap({ version: '1.1.0' })).toEqual({ from: '1.0.0', to: '1.1.0' });
  expect([critic.version, critic.mode, critic.description?.version]).toEqual(['1.1.0', 'train', '1.1.0']);
  expect(Object.keys(critic.parameters).toSorted()).toEqual(['count', 'note', 'tone', 'waitMs']);
  expect(any(critic).parameter('waitMs').value).toBe(7000);
  expect(await any(critic).parameter('waitMs').get()).toBe(7000);
  expect(() => any(critic).parameter('waitSeconds')).toThrow(/waitSeconds/);
  expect(await critic.call({ by: 1 })).toEqual({ version: '1.1.0', count: 6 });
  expect(heard).toEqual([2, 4, 5, 6]);
  expect(critic.parameters.count.history.map(({ newValue }) => newValue)).toEqual([2, 4, 5, 6]);
  const news = sink.events.filter(({ type }) => /module-(swap|version)/.test(type));
  expect(news).toMatchObject([
    { type: 'module-swap', module: 'c', fromKind: 'critic', toKind: 'critic' },
    { type: 'module-version-change', module: 'c', from: '1.0.0', to: '1.1.0' },
  ]);
});

test('calls in flight end on the old instance, later ones go to the new one, in the order of their callers', async () => {
  const critic = await createTestRuntime().start('critic', { version: '1.0.0' });
  const ended: string[] = [];
  const ask = (name: string, gate?: string): Promise<unknown> =>
    critic.call({ by: 1, ...(gate ? { gate } : {}) }).then((reply) => ended.push(name) && reply);
  const inFlight = ask('in flight', 'held');
  const before = ask('before');
  const swap = critic.swap({ version: '1.1.0' });
  const after = ask('after');
  const write = critic.parameters.note.set('late', { level: 'memory' });
  await Promise.all([before, swap, after, write]);
  expect(await Promise.all([before, after])).toMatchObject([{ version: '1.0.0' }, { version: '1.1.0' }]);
  expect(critic.parameters.note.value).toBe('late');
  gates.get('held')?.();
  // what it adds goes to the new owner: nothing is lost
  expect(await inFlight).toEqual({ version: '1.0.0', count: 6 });
  expect(await critic.parameters.count.get()).toBe(6);
  expect(critic.parameters.count.value).toBe(6);
  expect(ended).toEqual(['before', 'after', 'in flight']);
});

test('a draining forward writes to the new owner what means the same there, and is refused what does not', async () => {
  const critic = await createTestRuntime().start('critic', { version: '1.0.0' });
  const draining = settled(critic.call({ gate: 'held', note: 'far longer than ten' }));
  await critic.swap({ version: '1.1.0' });
  gates.get('held')?.();
  expect(await draining).toMatchObject({ code: 'program/constraint-violated' });
  expect(critic.parameters.note.value).toBe('');

  const changing = migratingBy((state) => ({
    ...state,
    parameters: { ...state.parameters, note: { ...state.parameters['note'], value: 'new' } },
  }));
  const other = await createRuntimeOf({ critic: [Critic_1_0, changing] }).start('critic', {
    version: '1.0.0',
  });
  const late = settled(other.call({ gate: 'again', note: 'old' }));
  await other.swap({ version: '1.1.0' });
  gates.get('again')?.();
  expect(await late).toMatchObject({
    code: 'runtime/swapped',
    fields: { parameter: 'note', version: '1.1.0' },
  });
  expect(await other.parameters.note.get()).toBe('new');
});

test('rollback goes back to the version before, with what has changed since, and forward again', async () => {
  const critic = await createTestRuntime().start('critic', { version: '1.0.0' });
  expect(await codeOf(critic.rollback())).toBe('runtime/version-not-found');
  await any(critic).parameter('waitSeconds').set(3);
  await critic.swap({ version: '1.1.0' });
  await critic.call({ by: 5 });
  await any(critic).parameter('waitMs').set(9999);
  expect(await critic.rollback()).toEqual({ from: '1.1.0', to: '1.0.0' });
  expect(await critic.call({})).toEqual({ version: '1.0.0', count: 10 });
  expect(await any(critic).parameter('waitSeconds').get()).toBe(3);
  expect(await critic.rollback()).toEqual({ from: '1.0.0', to: '1.1.0' });
  expect(await any(critic).parameter('waitMs').get()).toBe(9999);
});

test('after a kill right behind a swap the new version restarts with the migrated state', async () => {
  const runtime = createTestRuntime();
  const critic = await runtime.start('critic', { version: '1.0.0', id: 'c' });
  await any(critic).parameter('waitSeconds').set(4, { level: 'memory' });
  await critic.swap({ version: '1.1.0' });
  runtime.killWorkerOf('c');
  expect(await critic.call({ by: 1 }, { isIdempotent: true })).toEqual({ version: '1.1.0', count: 2 });
  expect(await any(critic).parameter('waitMs').get()).toBe(4000);
});

async function killDuringSwap(microtasks: number): Promise<object> {
  const runtime = createTestRuntime();
  const critic = await runtime.start('critic', { version: '1.0.0', id: 'c' });
  await any(critic).parameter('waitSeconds').set(4, { level: 'memory' });
  const swap = settled(critic.swap({ version: '1.1.0' }));
  await wait(microtasks);
  runtime.killWorkerOf('c');
  const outcome = await swap;
  await turn();
  const { version } = (await critic.call({}, { isIdempotent: true })) as { version: string };
  const isNew = version === '1.1.0';
  const waits = await any(critic)
    .parameter(isNew ? 'waitMs' : 'waitSeconds')
    .get();
  const isOf = critic.version === version && critic.description?.version === version;
  const isHonest = isCodedError(outcome) ? outcome.code === 'actor/peer-died' && !isNew : isNew;
  return { isHonest, isOf, isCarried: waits === (isNew ? 4000 : 4) };
}

test('a kill at any moment of a swap leaves the old version with its state or the new one with the migrated state', async () => {
  for (let microtasks = 0; microtasks < 30; microtasks++)
    expect({ microtasks, ...(await killDuringSwap(microtasks)) }).toEqual({
      microtasks,
      isHonest: true,
      isOf: true,
      isCarried: true,
    });
});

test.each<readonly [string, string, string, string]>([
  ['an unknown version', '3.0.0', 'runtime/version-not-found', 'known'],
  ['a text that is no version', 'latest', 'runtime/version-not-found', 'known'],
  ['a constructor that throws', '9.0.0-construct.1', 'runtime/hot-reload-failed', 'cause'],
])('a swap to %s leaves the old one serving', async (_, version, code, field) => {
  const hub = createHub();
  const sink = createMemorySink(hub);
  const critic = await createTestRuntime({ hub }).start('critic', { version: '1.0.0' });
  const failure = await settled(critic.swap({ version }));
  expect(failure).toMatchObject({ code });
  expect((failure as { fields: object }).fields).toHaveProperty(field);
  expect(await critic.call({ by: 1 })).toEqual({ version: '1.0.0', count: 2 });
  expect(critic.version).toBe('1.0.0');
  expect(sink.events.filter(({ type }) => type === 'module-swap-fail')).toMatchObject([{ error: { code } }]);
  expect(await critic.swap({ version: '1.1.0' })).toMatchObject({ to: '1.1.0' });
});

test('a module that was started with hotReload: false is not swapped', async () => {
  const critic = await createTestRuntime().start('critic', { version: '1.0.0', hotReload: false });
  expect(await codeOf(critic.swap({ version: '1.1.0' }))).toBe('runtime/hot-reload-disabled');
  expect(critic.version).toBe('1.0.0');
});

test('of two swaps at once one is refused; one during a restart waits for it; one of a stopped module fails', async () => {
  const runtime = createTestRuntime();
  const critic = await runtime.start('critic', { version: '1.0.0', id: 'c' });
  const both = [critic.swap({ version: '1.1.0' }), critic.swap({ version: '2.0.0-beta.1' })].map(codeOf);
  expect(await Promise.all(both)).toEqual(['resolved', 'runtime/swap-under-way']);
  runtime.killWorkerOf('c');
  expect(critic.status).toBe('restarting');
  expect(await critic.swap({ version: '2.0.0-beta.1' })).toEqual({ from: '1.1.0', to: '2.0.0-beta.1' });
  await critic.stop();
  expect(await codeOf(critic.swap({ version: '1.0.0' }))).toBe('runtime/module-stopped');
});

test.each([{}, { version: 7 }, { url: 7 }, { version: null }])('the target %j is refused', async (target) => {
  const critic = await createTestRuntime().start('critic');
  expect(await codeOf(critic.swap(target as never))).toBe('runtime/swap-target-invalid');
});

test('a checkpoint that is restored before a swap, predictors included, is taken over', async () => {
  const critic = await createTestRuntime().start('critic', { version: '1.0.0' });
  await critic.parameters.count.set(1);
  const checkpoint = await critic.checkpoint();
  await critic.parameters.count.set(2);
  await critic.restore(checkpoint);
  await critic.swap({ version: '1.1.0' });
  expect(await critic.call({})).toEqual({ version: '1.1.0', count: 1 });
});

test('a checkpoint that another version saved is migrated, or refused and nothing changes', async () => {
  const critic = await createTestRuntime().start('critic', { version: '1.0.0' });
  await any(critic).parameter('waitSeconds').set(8);
  const old = await critic.checkpoint();
  await critic.swap({ version: '1.1.0' });
  const newer = await critic.checkpoint();
  await any(critic).parameter('waitMs').set(1);
  await critic.restore(old);
  expect(await any(critic).parameter('waitMs').get()).toBe(8000);
  expect(any(critic).parameter('waitMs').value).toBe(8000);
  await critic.rollback();
  await any(critic).parameter('waitSeconds').set(3);
  expect(await codeOf(critic.restore(newer))).toBe('runtime/state-migration-failed');
  expect(await any(critic).parameter('waitSeconds').get()).toBe(3);
});

const storedKeys = async (store: ReturnType<typeof createMemoryStore>): Promise<string[]> =>
  (await store.list(['module', 'c'])).map(({ key }) => key.slice(2).join('/')).toSorted();

test('what an older version has stored is migrated when a newer class starts, stored anew, and there is a way back', async () => {
  const store = createMemoryStore();
  const hub = createHub();
  const sink = createMemorySink(hub);
  const old = createRuntimeOf({ critic: Critic_1_0 }, { store });
  const first = await old.start('critic', { id: 'c' });
  await first.parameters.waitSeconds.set(6);
  await first.parameters.count.set(1);
  await old.close();

  const middle = createTestRuntime({ store, hub });
  const second = await middle.start('critic', { id: 'c' });
  expect([second.version, await any(second).parameter('waitMs').get()]).toEqual(['1.1.0', 6000]);
  expect(sink.events.filter(({ type }) => type === 'module-version-change')).toMatchObject([
    { module: 'c', from: '1.0.0', to: '1.1.0' },
  ]);
  const keys = await storedKeys(store);
  expect(keys).toContain('parameter/waitMs');
  expect(keys).not.toContain('parameter/waitSeconds');
  await middle.close();

  // a second start has nothing to migrate
  const refusing = migratingBy(() => {
    throw new Error('asked to migrate');
  });
  const third = await createRuntimeOf({ critic: [Critic_1_0, refusing] }, { store }).start('critic', {
    id: 'c',
  });
  expect(await any(third).parameter('waitMs').get()).toBe(6000);
  expect(await third.rollback()).toEqual({ from: '1.1.0', to: '1.0.0' });
  expect(await any(third).parameter('waitSeconds').get()).toBe(6);
});

test('a stored state that cannot be migrated fails the start and stays as it was', async () => {
  const store = createMemoryStore();
  const old = createRuntimeOf({ critic: Critic_1_0 }, { store });
  await (await old.start('critic', { id: 'c' })).parameters.waitSeconds.set(6);
  await old.close();
  const refusing = migratingBy(() => {
    throw new Error('cannot');
  });
  const runtime = createRuntimeOf({ critic: [Critic_1_0, refusing] }, { store });
  expect(await codeOf(runtime.start('critic', { id: 'c' }))).toBe('runtime/state-migration-failed');
  const kept = await runtime.start('critic', { id: 'c', version: '1.0.0' });
  expect(await any(kept).parameter('waitSeconds').get()).toBe(6);
});

test('a swap is in the store when it resolves, all of it or nothing', async () => {
  const store = createMemoryStore();
  const runtime = createTestRuntime({ store });
  const critic = await runtime.start('critic', { id: 'c', version: '1.0.0' });
  await critic.parameters.count.set(1);
  await critic.swap({ version: '1.1.0' });
  const meta = await store.get<{ state: ModuleState }>(['module', 'c', 'meta']);
  expect(meta?.value.state.version).toBe('1.1.0');
  expect(await storedKeys(store)).toEqual(
    expect.arrayContaining(['meta', 'parameter/count', 'parameter/tone', 'parameter/waitMs', 'previous']),
  );
});

test('a swap that comes while the first write is under way is stored behind it', async () => {
  const memory = createMemoryStore();
  let letGo = (): void => undefined;
  const gate = new Promise<void>((resolve) => (letGo = resolve));
  const store = new Proxy(memory, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      const call = value.bind(target) as (...given: unknown[]) => unknown;
      return name === 'commit' || name === 'commitEach'
        ? (...given: unknown[]) => gate.then(() => call(...given))
        : call;
    },
  });
  const critic = await createTestRuntime({ store }).start('critic', { id: 'c', version: '1.0.0' });
  const written = critic.parameters.count.set(1);
  await turn();
  const swap = critic.swap({ version: '1.1.0' });
  await turn();
  letGo();
  await Promise.all([written, swap]);
  const meta = await memory.get<{ state: ModuleState }>(['module', 'c', 'meta']);
  expect(meta?.value.state.version).toBe('1.1.0');
});

test('a swap that the store refuses says so: the module has the new version, the store the old one', async () => {
  const memory = createMemoryStore();
  let isFull = false;
  const store = new Proxy(memory, {
    get(target, name) {
      if (isFull && (name === 'commit' || name === 'commitEach'))
        return () => Promise.reject(new Error('disk is full'));
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
  const critic = await createTestRuntime({ store }).start('critic', { id: 'c', version: '1.0.0' });
  await critic.parameters.count.set(1);
  isFull = true;
  await expect(critic.swap({ version: '1.1.0' })).rejects.toThrow('disk is full');
  expect(critic.version).toBe('1.1.0');
  isFull = false;
  const meta = await memory.get<{ state: ModuleState }>(['module', 'c', 'meta']);
  expect(meta?.value.state.version).toBe('1.0.0');
});

test('wrong classes are refused by kind before anything runs', () => {
  class Meant extends Critic_1_0 {
    static readonly kind = 'other';
  }
  class Vague extends Critic_1_0 {
    static override readonly version: '1.0.0' = '1.0' as '1.0.0';
  }
  const codeFor = (modules: unknown): string => {
    try {
      createRuntimeOf(modules as Modules);
    } catch (error) {
      return isCodedError(error) ? error.code : String(error);
    }
    return 'created';
  };
  expect([{ a: [Critic_1_0, Critic_1_0] }, { a: Vague }].map(codeFor)).toEqual(
    Array(2).fill('runtime/version-invalid'),
  );
  const wrong = [{ a: [] }, { a: Map }, { a: 7 }, { a: [Critic_1_1, undefined] }, { a: Meant }];
  expect(wrong.map(codeFor)).toEqual(Array(5).fill('runtime/module-class-invalid'));
  expect(codeFor({ other: Meant })).toBe('created');
});
