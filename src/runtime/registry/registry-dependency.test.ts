import { afterEach, expect, test } from 'vitest';
import {
  call,
  closeRegistryRuntimes,
  createRegistryRuntime,
  record,
  registerAll,
  settled,
  statusOf,
  turn,
} from './registry-test-modules.ts';

afterEach(closeRegistryRuntimes);

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

test('a module that goes on without a dependency knows of it', async () => {
  const runtime = createRegistryRuntime();
  const top = await runtime.start('values', {
    dependencies: [
      { id: 'a', whenDown: 'degrade' },
      { id: 'b', whenDown: 'degrade' },
    ],
  });
  expect(await top.call(null, { values: { own: 1 } })).toEqual({ own: 1, downDependencies: ['a', 'b'] });
  registerAll(runtime, { a: '', b: '' });
  await runtime.registry.start('a');
  expect(await top.call(null)).toEqual({ downDependencies: ['b'] });
  expect(await top.call(null, { values: { downDependencies: 'mine' } })).toEqual({
    downDependencies: 'mine',
  });
  await runtime.registry.start('b');
  expect(await top.call(null)).toEqual({});
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

test.each(['in the order of their start', 'where the dependency was started last'])(
  'all that are lost together serve in the order of their dependencies: %s',
  async (order) => {
    const runtime = createRegistryRuntime({ poolSize: 1, restartLimits: { maxRestarts: 20, maxSeconds: 5 } });
    registerAll(runtime, { top: 'middle!', middle: 'base', loose: 'base~', base: '' });
    await runtime.registry.start('top');
    await runtime.registry.start('loose');
    if (order !== 'in the order of their start') {
      await runtime.registry.stop('base');
      await runtime.registry.start('base');
    }
    for (let round = 0; round < 3; round++) {
      const wrong: string[] = [];
      const answered: string[] = [];
      const dependencyOf = { top: 'middle', middle: 'base', loose: 'base' };
      const leave = runtime.registry.watch('**', ({ type }) => {
        for (const [id, dependency] of Object.entries(dependencyOf)) {
          const [status, below] = [statusOf(runtime, id), runtime.registry.get(dependency)];
          const isServed = below.status === 'running' && below.downDependencies.length === 0;
          if (status === 'running' && !isServed) wrong.push(`${type}: ${id} without ${dependency}`);
        }
      });
      runtime.registry.watch('base', ({ type }) => answered.push(type));
      runtime.killWorkerOf('base');
      const calls = ['middle', 'base', 'top'].map(async (id) => {
        // what fails at once while its dependency is down is retryable
        for (;;) {
          const outcome = await call(runtime, id);
          if (typeof outcome === 'string') return answered.push(outcome);
          expect(outcome).toMatchObject({ isRetryable: true });
          await turn();
        }
      });
      await Promise.all(calls);
      leave();
      expect(wrong).toEqual([]);
      expect(answered.indexOf('module-restart')).toBeLessThan(answered.indexOf('to middle'));
      expect(['top', 'middle', 'loose', 'base'].map((id) => statusOf(runtime, id))).toEqual(
        Array(4).fill('running'),
      );
    }
  },
);

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
