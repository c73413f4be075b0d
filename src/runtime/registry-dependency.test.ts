import { afterEach, expect, test } from 'vitest';
import { isCodedError } from '../base/index.ts';
import type { ModuleEvent } from './registry-event.ts';
import {
  closeRegistryRuntimes,
  createRegistryRuntime,
  failNext,
  registryModules,
  settled,
  turn,
} from './registry-test-modules.ts';
import type { RegistryRuntime } from './registry-test-modules.ts';
import type { DependencySpec, ModuleSpec } from './runtime-options.ts';
import { createRuntime } from './runtime.ts';

afterEach(closeRegistryRuntimes);

type Kind = keyof typeof registryModules;

/** Registers modules of kind echo, by id and what they depend on; `id!` fails and `id~` degrades when it is down. */
function registerAll(
  runtime: Pick<RegistryRuntime, 'register'>,
  graph: Readonly<Record<string, string>>,
): void {
  for (const [id, list] of Object.entries(graph)) {
    const dependencies = list.split(' ').flatMap((name): DependencySpec[] => {
      const whenDown = name.endsWith('!') ? 'fail' : name.endsWith('~') ? 'degrade' : 'wait';
      return name === '' ? [] : [{ id: name.replace(/[!~]$/u, ''), whenDown }];
    });
    runtime.register({ id, kind: 'echo', dependencies } satisfies ModuleSpec<Kind>);
  }
}

function record(runtime: RegistryRuntime, ...types: readonly ModuleEvent['type'][]): string[] {
  const heard: string[] = [];
  runtime.registry.watch('**', (event) => {
    if (!types.includes(event.type)) return;
    heard.push(
      'dependency' in event
        ? `${event.type} ${event.module} ${event.dependency}`
        : `${event.type} ${event.module}`,
    );
  });
  return heard;
}

const statusOf = (runtime: RegistryRuntime, id: string): string => runtime.registry.get(id).status;
const call = (runtime: RegistryRuntime, id: string, timeoutMs = 1_000): Promise<unknown> =>
  settled(runtime.module(id).call(`to ${id}` as never, { timeoutMs }));

test('what a module depends on is started before it, all the way down and each once', async () => {
  const runtime = createRegistryRuntime();
  registerAll(runtime, { top: 'left right', left: 'base', right: 'base', base: '', unrelated: '' });
  const started = record(runtime, 'module-start');
  await runtime.registry.start('top');
  expect(started[0]).toBe('module-start base');
  expect(started.at(-1)).toBe('module-start top');
  expect(started).toHaveLength(4);
  expect(runtime.registry.get('base')).toMatchObject({ dependents: ['left', 'right'], downDependencies: [] });
});

test('a start awaits what starts already, and starts again what lies further down', async () => {
  const runtime = createRegistryRuntime();
  registerAll(runtime, { top: 'middle', middle: 'base', base: '', other: 'base' });
  const started = record(runtime, 'module-start');
  await Promise.all([runtime.registry.start('other'), runtime.registry.start('top')]);
  expect(started.filter((event) => event.endsWith('base'))).toHaveLength(1);
  await runtime.registry.stop('top');
  await runtime.registry.stop('base');
  expect(statusOf(runtime, 'middle')).toBe('degraded');
  await runtime.registry.start('top');
  expect([statusOf(runtime, 'base'), statusOf(runtime, 'middle')]).toEqual(['running', 'running']);
});

test('a dependency that restarts or stops is awaited', async () => {
  const runtime = createRegistryRuntime();
  registerAll(runtime, { top: 'base', base: '' });
  await runtime.registry.start('base');
  runtime.killWorkerOf('base');
  expect(statusOf(runtime, 'base')).toBe('restarting');
  await runtime.registry.start('top');
  expect(statusOf(runtime, 'base')).toBe('running');
  await runtime.registry.stop('top');
  const stopping = runtime.registry.stop('base');
  await runtime.registry.start('top');
  expect(await stopping).toEqual({ how: 'graceful' });
  expect([statusOf(runtime, 'base'), statusOf(runtime, 'top')]).toEqual(['running', 'running']);
});

test('a dependency that cannot start fails the start, by name; the root is named too', async () => {
  const runtime = createRegistryRuntime();
  registerAll(runtime, { top: 'middle', middle: 'fine broken', fine: '', missing: 'nobody' });
  runtime.register({ id: 'broken', kind: 'broken' });
  const error = await settled(runtime.registry.start('top'));
  expect(error).toMatchObject({
    code: 'runtime/dependency-failed',
    fields: { module: 'top', dependency: 'middle', root: 'broken', code: 'runtime/module-load-failed' },
    cause: { code: 'runtime/module-load-failed' },
  });
  expect((error as Error).message).toContain('"middle"');
  const { crash, status } = runtime.registry.get('top');
  expect([status, crash?.code, crash?.reason]).toEqual([
    'crashed',
    'runtime/dependency-failed',
    'start-failed',
  ]);
  expect(['middle', 'broken', 'fine'].map((id) => statusOf(runtime, id))).toEqual([
    'crashed',
    'crashed',
    'running',
  ]);
  await expect(runtime.registry.start('missing')).rejects.toMatchObject({
    code: 'runtime/dependency-failed',
    fields: { dependency: 'nobody', root: 'nobody', code: 'runtime/module-not-found' },
  });
});

test('a module that may go on without a dependency starts without it, degraded', async () => {
  const runtime = createRegistryRuntime();
  registerAll(runtime, { top: 'flaky~ nobody~' });
  runtime.register({ id: 'flaky', kind: 'flaky' });
  failNext(1);
  await runtime.registry.start('top');
  expect(runtime.registry.get('top')).toMatchObject({
    status: 'degraded',
    downDependencies: ['flaky', 'nobody'],
  });
  expect(await call(runtime, 'top')).toBe('to top');
  await runtime.registry.start('flaky');
  registerAll(runtime, { nobody: '' });
  expect(runtime.registry.get('top')).toMatchObject({ status: 'degraded', downDependencies: ['nobody'] });
  await runtime.registry.start('nobody');
  expect(statusOf(runtime, 'top')).toBe('running');
});

test('while a dependency is down calls wait, fail or go on; when it is back all go on', async () => {
  const runtime = createRegistryRuntime();
  registerAll(runtime, { waits: 'base', fails: 'base!', degrades: 'base~', base: '' });
  for (const id of ['waits', 'fails', 'degrades']) await runtime.registry.start(id);
  const heard = record(runtime, 'dependency-down', 'dependency-up');
  const statuses: string[] = [];
  runtime.module('fails').onStatus((status) => statuses.push(status));
  await runtime.registry.stop('base');
  const waiting = call(runtime, 'waits');
  expect(await call(runtime, 'fails')).toMatchObject({
    code: 'runtime/dependency-down',
    fields: { module: 'fails', dependency: 'base', down: ['base'] },
    isRetryable: true,
  });
  expect(await call(runtime, 'degrades')).toBe('to degrades');
  expect(await call(runtime, 'waits', 20)).toMatchObject({ code: 'port/timeout' });
  const abort = new AbortController();
  const cancelled = settled(runtime.module('waits').call('x' as never, { signal: abort.signal }));
  abort.abort();
  expect(await cancelled).toMatchObject({ code: 'port/cancelled' });
  expect(['waits', 'fails', 'degrades'].map((id) => statusOf(runtime, id))).toEqual(
    Array(3).fill('degraded'),
  );
  await runtime.registry.start('base');
  expect(await waiting).toBe('to waits');
  expect(await call(runtime, 'fails')).toBe('to fails');
  expect(statuses).toEqual(['degraded', 'running']);
  const told = (type: string): string[] => ['waits', 'fails', 'degrades'].map((id) => `${type} ${id} base`);
  expect(heard).toEqual([...told('dependency-down'), ...told('dependency-up')]);
});

test('a failure travels as far as somebody degrades; the strictest declaration decides', async () => {
  const runtime = createRegistryRuntime();
  registerAll(runtime, { page: 'app', app: 'model~ store', model: 'net!', net: '', store: '' });
  await runtime.registry.start('page');
  await runtime.registry.stop('net');
  expect(await call(runtime, 'model')).toMatchObject({
    code: 'runtime/dependency-down',
    fields: { dependency: 'net' },
  });
  expect(await call(runtime, 'app')).toBe('to app');
  expect(await call(runtime, 'page')).toBe('to page');
  expect(['page', 'app', 'model'].map((id) => statusOf(runtime, id))).toEqual([
    'running',
    'degraded',
    'degraded',
  ]);
  await runtime.registry.stop('store');
  expect(await call(runtime, 'page', 20)).toMatchObject({ code: 'port/timeout' });
  expect(runtime.registry.get('page').downDependencies).toEqual(['app']);
  await runtime.registry.start('store');
  expect(await call(runtime, 'page')).toBe('to page');
});

test('parameters and state of a module are its own: they are reached while a dependency is down', async () => {
  const runtime = createRegistryRuntime();
  const counter = await runtime.start('counter', {
    id: 'c',
    dependencies: [{ id: 'gone', whenDown: 'degrade' }],
  });
  expect(counter.status).toBe('degraded');
  await counter.stop();
  runtime.register({ id: 'base', kind: 'echo' });
  const again = await runtime.start('counter', { id: 'c', dependencies: [{ id: 'base', whenDown: 'fail' }] });
  await runtime.registry.stop('base');
  await again.parameters.total.set(7);
  expect(await again.parameters.total.get()).toBe(7);
  await expect(again.call({ by: 1 })).rejects.toMatchObject({ code: 'runtime/dependency-down' });
});

test('calls that wait for a dependency are bounded, and end when their module is stopped', async () => {
  const runtime = createRegistryRuntime({ limits: { maxWaitingCalls: 2 } });
  registerAll(runtime, { top: 'base', base: '' });
  const top = await runtime.registry.start('top');
  await runtime.registry.stop('base');
  const waiting = [settled(top.call('a' as never)), settled(top.call('b' as never))];
  await turn();
  await expect(top.call('c' as never)).rejects.toMatchObject({ code: 'runtime/module-restarting' });
  await runtime.registry.stop('top');
  for (const outcome of await Promise.all(waiting))
    expect(outcome).toMatchObject({ code: 'runtime/module-stopped' });
});

test('a restart of a dependency is seen by those that depend on it, as down and up', async () => {
  const runtime = createRegistryRuntime();
  runtime.register({ id: 'base', kind: 'echo', isolation: 'dedicated' });
  registerAll(runtime, { top: 'base' });
  const top = await runtime.registry.start('top');
  const heard = record(runtime, 'dependency-down', 'dependency-up', 'module-crash', 'module-restart');
  runtime.killWorkerOf('base');
  expect(statusOf(runtime, 'top')).toBe('degraded');
  expect(await top.call('x' as never)).toBe('x');
  expect(heard).toEqual([
    'module-crash base',
    'dependency-down top base',
    'module-restart base',
    'dependency-up top base',
  ]);
  expect(statusOf(runtime, 'top')).toBe('running');
});

test('when both are lost together, no call passes before the dependency is back', async () => {
  const runtime = createRegistryRuntime({ poolSize: 1 });
  registerAll(runtime, { top: 'base', base: '' });
  const top = await runtime.registry.start('top');
  const order: string[] = [];
  runtime.registry.watch('base', ({ type }) => order.push(type));
  runtime.killWorkerOf('base');
  await top.call('x' as never).then(() => order.push('answer'));
  expect(order).toEqual(['module-crash', 'module-restart', 'answer']);
});

test('closing stops dependents first, also where the dependency was started later', async () => {
  const runtime = createRegistryRuntime();
  registerAll(runtime, { top: 'middle', middle: 'base', base: '', loose: '' });
  await runtime.registry.start('top');
  await runtime.registry.stop('base');
  await runtime.registry.start('loose');
  await runtime.registry.start('base');
  const stopped = record(runtime, 'module-stop', 'dependency-down');
  await runtime.close();
  const chain = stopped.filter((event) => !event.endsWith('loose'));
  expect(chain).toEqual(['module-stop top', 'module-stop middle', 'module-stop base']);
  expect(stopped).toContain('module-stop loose');
});

test.each(Array.from({ length: 12 }, (_, at) => at + 1))(
  'a cycle of %i is refused with its name',
  async (length) => {
    const runtime = createRegistryRuntime();
    const ring = Array.from({ length }, (_, at) => `m${at}`);
    for (let at = 1; at < length; at++)
      registerAll(runtime, { [ring[at] as string]: ring[(at + 1) % length] as string });
    const first = { dependencies: [{ id: ring[1 % length] as string }] };
    const error = { code: 'runtime/dependency-cycle', fields: { module: 'm0', cycle: [...ring, 'm0'] } };
    expect(() => runtime.register({ id: 'm0', kind: 'echo', ...first })).toThrow(
      expect.objectContaining({
        ...error,
        message: expect.stringContaining(`${ring.at(-1)} → m0`) as string,
      }) as Error,
    );
    expect(runtime.registry.has('m0')).toBe(false);
    await expect(runtime.start('echo', { id: 'm0', ...first })).rejects.toMatchObject(error);
    // the same ring, closed by a start of what was registered without dependencies
    registerAll(runtime, { m0: '' });
    await expect(runtime.start('echo', { id: 'm0', ...first })).rejects.toMatchObject(error);
    await expect(runtime.registry.start(ring.at(-1) as string)).resolves.toBeDefined();
  },
);

test('a stop ends a start that waits for a dependency; the dependency goes on', async () => {
  const runtime = createRegistryRuntime();
  registerAll(runtime, { top: 'base', base: '' });
  const heard = record(runtime, 'module-start', 'module-stop');
  const starting = settled(runtime.registry.start('top'));
  expect(statusOf(runtime, 'top')).toBe('starting');
  await expect(runtime.registry.start('top')).rejects.toMatchObject({
    code: 'runtime/module-already-running',
  });
  await expect(runtime.start('echo', { id: 'top' })).rejects.toMatchObject({
    code: 'runtime/module-already-running',
  });
  expect(await runtime.registry.stop('top')).toEqual({ how: 'graceful' });
  expect(await starting).toMatchObject({ code: 'runtime/module-stopped' });
  await expect.poll(() => statusOf(runtime, 'base')).toBe('running');
  expect(heard).toEqual(['module-stop top', 'module-start base']);
  expect(statusOf(runtime, 'top')).toBe('stopped');
  await runtime.registry.start('top');
});

test('a dependency that is stopped while it starts fails the start of what waits for it', async () => {
  const runtime = createRegistryRuntime();
  registerAll(runtime, { top: 'base', base: '' });
  const starting = settled(runtime.registry.start('top'));
  await Promise.resolve();
  await Promise.resolve();
  await runtime.registry.stop('base');
  expect(await starting).toMatchObject({
    code: 'runtime/dependency-failed',
    fields: { code: 'runtime/module-stopped' },
  });
});

async function closeDuringStart(microtasks: number): Promise<object> {
  const runtime = createRuntime({ modules: registryModules });
  registerAll(runtime, { top: 'left right', left: 'base', right: 'base', base: '' });
  const starting = settled(runtime.registry.start('top'));
  for (let waited = 0; waited < microtasks; waited++) await Promise.resolve();
  await runtime.close();
  const outcome = await starting;
  await turn();
  const { modules, workers, registered } = runtime.inspect();
  const isOver = isCodedError(outcome) || (outcome as { status: string }).status === 'stopped';
  const atRest = registered.filter(({ status }) => status === 'stopped' || status === 'crashed').length;
  return { microtasks, modules, workers, isOver, atRest };
}

test('a runtime that is closed at any moment of such a start leaves nothing behind', async () => {
  for (let microtasks = 0; microtasks < 150; microtasks++) {
    expect(await closeDuringStart(microtasks)).toEqual({
      microtasks,
      modules: [],
      workers: [],
      isOver: true,
      atRest: 4,
    });
  }
});

async function stopDuringStart(microtasks: number): Promise<object> {
  const runtime = createRegistryRuntime();
  registerAll(runtime, { top: 'base', base: '' });
  const starting = settled(runtime.registry.start('top'));
  for (let waited = 0; waited < microtasks; waited++) await Promise.resolve();
  await runtime.registry.stop('top');
  const status = statusOf(runtime, 'top');
  await starting;
  await runtime.registry.start('top');
  const answer = await call(runtime, 'top');
  await runtime.close();
  return { microtasks, status, answer };
}

test('a module that is stopped at any moment of its start is stopped, and starts again', async () => {
  for (let microtasks = 0; microtasks < 150; microtasks++) {
    expect(await stopDuringStart(microtasks)).toEqual({ microtasks, status: 'stopped', answer: 'to top' });
  }
});

test('a chain of a thousand is started from its top, and falls and rises as one', async () => {
  const runtime = createRegistryRuntime();
  for (let at = 0; at < 1_000; at++) registerAll(runtime, { [`m${at}`]: at === 999 ? '' : `m${at + 1}` });
  const startedMs = performance.now();
  await runtime.registry.start('m0');
  expect(runtime.registry.list().every(({ status }) => status === 'running')).toBe(true);
  await runtime.registry.stop('m999');
  expect(statusOf(runtime, 'm0')).toBe('degraded');
  const waiting = call(runtime, 'm0', 20_000);
  await runtime.registry.start('m999');
  expect(await waiting).toBe('to m0');
  await runtime.close();
  expect(performance.now() - startedMs).toBeLessThan(20_000);
});

test('the error of a long chain is short', async () => {
  const runtime = createRegistryRuntime();
  for (let at = 0; at < 300; at++) registerAll(runtime, { [`m${at}`]: `m${at + 1}` });
  const error = (await settled(runtime.registry.start('m0'))) as Error;
  expect(error).toMatchObject({
    fields: { dependency: 'm1', root: 'm300', code: 'runtime/module-not-found' },
  });
  expect(error.message.length).toBeLessThan(500);
});
