import { afterEach, expect, test } from 'vitest';
import { systemClock } from '../platform/index.ts';
import { scriptedLm } from '../lm/index.ts';
import { createMemoryStore, openIndexedDbStore } from '../state/index.ts';
import type { Store } from '../state/index.ts';
import { createHub, createMemorySink } from '../telemetry/index.ts';
import { createRuntime } from './runtime.ts';
import type { Runtime } from './runtime.ts';
import type { RuntimeOptions } from './runtime-options.ts';
import type { testModules } from './runtime-test-modules.ts';

type TestModules = typeof testModules;
const open: AsyncDisposable[] = [];

function createTestRuntime(options: RuntimeOptions<TestModules> = {}): Runtime<TestModules> {
  const runtime = createRuntime<TestModules>({
    worker: (name) =>
      new Worker(new URL('./runtime-test.worker.ts', import.meta.url), { type: 'module', name }),
    actorLimits: { pingIntervalMs: 100, hangTimeoutMs: 500 },
    poolSize: 1,
    ...options,
  });
  open.push(runtime);
  return runtime;
}

afterEach(async () => {
  for (const resource of open.splice(0).toReversed()) await resource[Symbol.asyncDispose]();
});

async function openStore(name: string): Promise<Store> {
  const store = await openIndexedDbStore({ name });
  open.push(store);
  return store;
}

const unique = (): string => `runtime-${crypto.randomUUID()}`;

test('a module is called, its parameters are read and written, in a worker', async () => {
  const runtime = createTestRuntime();
  const counter = await runtime.start('counter');
  expect(counter.id).toMatch(/^module_[0-9a-f]{16}$/);
  expect(counter.parameters.total.value).toBe(0);
  expect(await counter.call({ by: 3 })).toEqual({ total: 3 });
  expect(counter.parameters.total.value).toBe(3);
  await counter.parameters.total.set(10, { level: 'memory' });
  expect(counter.parameters.total.value).toBe(10);
  expect(await counter.parameters.total.get()).toBe(10);
  expect(
    counter.parameters.total.history.map((update) => [update.oldValue, update.newValue, update.cause]),
  ).toEqual([
    [0, 3, 'forward'],
    [3, 10, 'set'],
  ]);
  expect(counter.metrics).toMatchObject({ calls: 1, successes: 1, restarts: 0 });
});

test('a constraint is checked by the owner; the old value stays everywhere', async () => {
  const counter = await createTestRuntime().start('counter');
  await expect(counter.parameters.total.set(-1)).rejects.toMatchObject({
    code: 'program/constraint-violated',
  });
  expect(counter.parameters.total.value).toBe(0);
  expect(await counter.parameters.total.get()).toBe(0);
});

test('what was acknowledged in memory survives the worker; a pending call ends; the next call serves', async () => {
  const runtime = createTestRuntime();
  const counter = await runtime.start('counter', { id: 'kept' });
  const trouble = await runtime.start('trouble');
  await counter.parameters.total.set(41, { level: 'memory' });
  await counter.train('memory');
  const pending = trouble.call({ ask: 'never' });
  await expect(trouble.call({ ask: 'close-worker' })).rejects.toMatchObject({ code: 'actor/peer-died' });
  await expect(pending).rejects.toMatchObject({ code: 'actor/peer-died' });
  expect(await counter.call({ by: 1 })).toEqual({ total: 42 });
  expect(counter.mode).toBe('train');
  expect(counter.metrics.restarts).toBe(1);
  expect(await trouble.call({ ask: 'mode' })).toBe('eval');
  expect(runtime.inspect().supervisor).toMatchObject({ restartsLeft: 2, maxRestarts: 3 });
});

test('a hung worker is killed and its modules come back', async () => {
  const runtime = createTestRuntime();
  const counter = await runtime.start('counter');
  const trouble = await runtime.start('trouble');
  await counter.parameters.total.set(5, { level: 'memory' });
  await expect(trouble.call({ ask: 'spin' })).rejects.toMatchObject({
    code: 'actor/peer-died',
    fields: { cause: 'hang' },
  });
  expect(await counter.parameters.total.get()).toBe(5);
});

test('a worker that is paused is killed as hung, unless the time of a hang has no end', async () => {
  const watched = createTestRuntime({ actorLimits: { pingIntervalMs: 50, hangTimeoutMs: 200 } });
  const killed = await watched.start('trouble');
  await expect(killed.call({ ask: 'pause' })).rejects.toMatchObject({ fields: { cause: 'hang' } });
  const endless = { hangTimeoutMs: Infinity, actorStartMs: Infinity, workerBootMs: Infinity };
  const debugged = createTestRuntime({ actorLimits: { pingIntervalMs: 50, ...endless } });
  const paused = await debugged.start('trouble');
  expect(await paused.call({ ask: 'pause' }, { timeoutMs: Infinity })).toBe('went on');
  expect(paused.metrics.restarts).toBe(0);
});

test('an idempotent call outlives the loss of its worker', async () => {
  const runtime = createTestRuntime();
  const asker = await runtime.start('asker');
  let asked = 0;
  runtime.setLm(
    scriptedLm({
      script: () => {
        if (asked++ === 0) runtime.killWorkerOf(asker.id);
        return '[[ ## answer ## ]]\nforty-two\n\n[[ ## completed ## ]]';
      },
    }),
  );
  expect(await asker.call({ question: 'q' }, { isIdempotent: true })).toEqual({ answer: 'forty-two' });
  expect(asked).toBe(2);
});

test('the model of the page answers predictors in workers, and streams', async () => {
  const runtime = createTestRuntime({
    lm: scriptedLm({ script: () => '[[ ## answer ## ]]\none two three\n\n[[ ## completed ## ]]' }),
  });
  const asker = await runtime.start('asker');
  const parts: unknown[] = [];
  expect(await asker.call({ question: 'q' }, { onDelta: (part) => parts.push(part) })).toEqual({
    answer: 'one two three',
  });
  expect(parts.map((part) => (part as { text: string }).text).join('')).toContain('one two three');
  expect(parts[0]).toMatchObject({ path: 'answer' });
});

test('state in IndexedDB outlives the runtime: parameters, history, mode and checkpoints', async () => {
  const name = unique();
  const first = createTestRuntime({ store: await openStore(name) });
  const before = await first.start('counter', { id: 'c' });
  await before.parameters.total.set(7);
  const checkpoint = await before.checkpoint();
  await before.parameters.label.set('renamed', { level: 'relaxed' });
  await before.train();
  await first.close();

  const second = createTestRuntime({ store: await openStore(name) });
  const after = await second.start('counter', { id: 'c' });
  expect(after.parameters.total.value).toBe(7);
  expect(await after.parameters.label.get()).toBe('renamed');
  expect(after.mode).toBe('train');
  expect(after.parameters.total.history).toMatchObject([{ oldValue: 0, newValue: 7, cause: 'set' }]);
  await after.parameters.total.set(8);
  await after.restore(checkpoint);
  expect(after.parameters.total.value).toBe(7);
  expect(after.parameters.label.value).toBe('count');
  expect(await after.parameters.total.get()).toBe(7);
  await expect(after.restore('999')).rejects.toMatchObject({ code: 'runtime/checkpoint-not-found' });
});

test('a write that the store refuses is never acknowledged, and the value is said to be in the module only', async () => {
  const store = createMemoryStore();
  const refuse = (): Promise<never> => Promise.reject(new Error('disk is full'));
  const refusing = new Proxy(store, {
    get(target, name) {
      if (name === 'commit' || name === 'commitEach') return refuse;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  const counter = await createTestRuntime({ store: refusing }).start('counter');
  await expect(counter.parameters.total.set(1)).rejects.toThrow('disk is full');
  expect(await counter.parameters.total.get()).toBe(1);
});

test.each([
  ['an unknown kind', 'nothing', {}, 'actor/kind-not-found'],
  ['a class that throws in its constructor', 'broken', {}, 'runtime/module-load-failed'],
  ['an id that is no id', 'counter', { id: 'a b' }, 'runtime/module-id-invalid'],
  ['an id that runs already', 'counter', { id: 'taken' }, 'runtime/module-already-running'],
] as const)('starting %s is refused and leaves nothing behind', async (_, kind, options, code) => {
  const runtime = createTestRuntime();
  await runtime.start('counter', { id: 'taken' });
  await expect(runtime.start(kind as 'counter', options)).rejects.toMatchObject({ code });
  expect(runtime.inspect().modules.map((module) => module.id)).toEqual(['taken']);
});

test('a second runtime on the same store is told that the module runs elsewhere', async () => {
  const name = unique();
  await createTestRuntime({ store: await openStore(name) }).start('counter', { id: 'c' });
  const other = createTestRuntime({ store: await openStore(name) });
  await expect(other.start('counter', { id: 'c' })).rejects.toMatchObject({
    code: 'runtime/module-running-elsewhere',
  });
  await other.start('counter', { id: 'd' });
});

test('bad calls fail alone: thrown errors, answers that cannot cross, too large, no forward, timeout, cancel', async () => {
  const runtime = createTestRuntime();
  const trouble = await runtime.start('trouble');
  const silent = await runtime.start('silent');
  await expect(trouble.call({ ask: 'throw' })).rejects.toMatchObject({ code: 'runtime/asked-to-throw' });
  await expect(trouble.call({ ask: 'function' })).rejects.toMatchObject({ code: 'port/not-cloneable' });
  await expect(trouble.call({ ask: 'huge' })).rejects.toMatchObject({ code: 'port/message-too-large' });
  await expect(silent.call({})).rejects.toMatchObject({ code: 'program/forward-not-implemented' });
  await expect(trouble.call({ ask: 'never' }, { timeoutMs: 50 })).rejects.toMatchObject({
    code: 'port/timeout',
  });
  const controller = new AbortController();
  const cancelled = trouble.call({ ask: 'never' }, { signal: controller.signal });
  controller.abort();
  await expect(cancelled).rejects.toMatchObject({ code: 'port/cancelled' });
  expect(await trouble.call({ ask: 'values' }, { values: { season: 'winter' } })).toEqual({
    season: 'winter',
  });
  expect(runtime.inspect().supervisor.restartsLeft).toBe(3);
});

test('giving up is told to every handle, and the module can be started again with its state', async () => {
  const hub = createHub();
  const sink = createMemorySink(hub);
  const runtime = createTestRuntime({ hub, restartLimits: { maxRestarts: 0, maxSeconds: 5 } });
  const counter = await runtime.start('counter', { id: 'c' });
  await counter.parameters.total.set(3, { level: 'relaxed' });
  runtime.killWorkerOf('c');
  await expect.poll(() => counter.status).toBe('crashed');
  await expect(counter.call({ by: 1 })).rejects.toMatchObject({ code: 'actor/supervisor-gave-up' });
  expect(sink.ofType('supervisor-give-up')).toHaveLength(1);
  const again = await runtime.start('counter', { id: 'c' });
  expect(again.parameters.total.value).toBe(3);
});

test('two modules of one worker: the isolation of dedicated modules', async () => {
  const runtime = createTestRuntime();
  const alone = await runtime.start('counter', { isolation: 'dedicated' });
  const shared = await runtime.start('trouble');
  expect(alone.worker).not.toBe(shared.worker);
  await expect(shared.call({ ask: 'close-worker' })).rejects.toMatchObject({ code: 'actor/peer-died' });
  expect(alone.metrics.restarts).toBe(0);
  await alone.stop();
  expect(alone.status).toBe('stopped');
  expect(runtime.inspect().workers.every((worker) => !worker.isDedicated)).toBe(true);
});

test('without workers the same modules run on the page, and that is reported', async () => {
  const { testModules: modules } = await import('./runtime-test-modules.ts');
  const hub = createHub(systemClock);
  const sink = createMemorySink(hub);
  const runtime = createRuntime({ modules, hub });
  open.push(runtime);
  const counter = await runtime.start(modules.counter);
  expect(await counter.call({ by: 2 })).toEqual({ total: 2 });
  expect(sink.ofType('platform-degrade')).toMatchObject([{ what: 'host', from: 'worker', to: 'page' }]);
});
