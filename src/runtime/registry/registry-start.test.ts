import { afterEach, expect, test } from 'vitest';
import { isCodedError } from '../../base/index.ts';
import {
  call,
  closeRegistryRuntimes,
  createRegistryRuntime,
  failNext,
  record,
  registerAll,
  registryModules,
  settled,
  statusOf,
  turn,
} from './registry-test-modules.ts';
import { createRuntime } from '../runtime.ts';

afterEach(closeRegistryRuntimes);

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

test('a restart that takes several tries is awaited, and one that is given up fails the start', async () => {
  const runtime = createRegistryRuntime({ restartLimits: { maxRestarts: 4, maxSeconds: 60 } });
  runtime.register({ id: 'base', kind: 'flaky' });
  registerAll(runtime, { top: 'base' });
  await runtime.registry.start('base');
  const heard = record(runtime, 'module-start', 'module-restart');
  failNext(2);
  runtime.killWorkerOf('base');
  await runtime.registry.start('top');
  expect(heard).toEqual(['module-restart base', 'module-start top']);
  await runtime.registry.stop('top');
  failNext(10);
  runtime.killWorkerOf('base');
  await expect(runtime.registry.start('top')).rejects.toMatchObject({
    code: 'runtime/dependency-failed',
    fields: { dependency: 'base', code: 'actor/supervisor-gave-up' },
  });
  failNext(0);
});

test('many ways to one module are no many starts: a ladder of running modules is walked once', async () => {
  const runtime = createRegistryRuntime();
  const steps = 25;
  for (let at = 0; at < steps; at++) {
    const below = at === 0 ? '' : `left${at - 1} right${at - 1}`;
    registerAll(runtime, { [`left${at}`]: below, [`right${at}`]: below });
  }
  const all = runtime.registry.list().map(({ id }) => id);
  for (const id of all) await runtime.registry.start(id);
  registerAll(runtime, { top: `left${steps - 1}` });
  await runtime.registry.start('top');
  expect(statusOf(runtime, 'top')).toBe('running');
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
  for (let microtasks = 0; microtasks < 150; microtasks += 2) {
    expect(await closeDuringStart(microtasks)).toEqual({
      microtasks,
      modules: [],
      workers: [],
      isOver: true,
      atRest: 4,
    });
  }
}, 60_000);

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
  for (let microtasks = 0; microtasks < 150; microtasks += 2) {
    expect(await stopDuringStart(microtasks)).toEqual({ microtasks, status: 'stopped', answer: 'to top' });
  }
}, 60_000);

test('a chain of a thousand is started from its top, and falls and rises as one', async () => {
  const runtime = createRegistryRuntime();
  for (let at = 0; at < 1_000; at++) registerAll(runtime, { [`m${at}`]: at === 999 ? '' : `m${at + 1}` });
  await runtime.registry.start('m0');
  expect(runtime.registry.list().every(({ status }) => status === 'running')).toBe(true);
  await runtime.registry.stop('m999');
  expect(statusOf(runtime, 'm0')).toBe('degraded');
  const waiting = call(runtime, 'm0', 20_000);
  await runtime.registry.start('m999');
  expect(await waiting).toBe('to m0');
  await runtime.close();
}, 60_000);

test('the error of a long chain is short', async () => {
  const runtime = createRegistryRuntime();
  for (let at = 0; at < 300; at++) registerAll(runtime, { [`m${at}`]: `m${at + 1}` });
  const error = (await settled(runtime.registry.start('m0'))) as Error;
  expect(error).toMatchObject({
    fields: { dependency: 'm1', root: 'm300', code: 'runtime/module-not-found' },
  });
  expect(error.message.length).toBeLessThan(500);
});
