import { afterEach, expect, test } from 'vitest';
import type { ModuleEvent } from './registry-event.ts';
import { createRuntime } from '../runtime.ts';
import type { Runtime } from '../runtime.ts';
import type { testModules } from '../runtime-test-modules.ts';

type TestModules = typeof testModules;
const open: Runtime<TestModules>[] = [];

function createTestRuntime(): { readonly runtime: Runtime<TestModules>; readonly heard: ModuleEvent[] } {
  const runtime = createRuntime<TestModules>({
    worker: (name) =>
      new Worker(new URL('../runtime-test.worker.ts', import.meta.url), { type: 'module', name }),
    poolSize: 1,
  });
  open.push(runtime);
  const heard: ModuleEvent[] = [];
  runtime.registry.watch('**', (event) => heard.push(event));
  return { runtime, heard };
}

afterEach(async () => {
  for (const runtime of open.splice(0)) await runtime.close();
});

const settled = (work: Promise<unknown>): Promise<unknown> => work.catch((error: unknown) => error);

test('a module that cannot end in its time is killed with its worker, and the stop says so', async () => {
  const { runtime, heard } = createTestRuntime();
  const stuck = await runtime.start('trouble', { id: 'stuck', isolation: 'dedicated', shutdownMs: 200 });
  const counter = await runtime.start('counter', { id: 'counter' });
  const spinning = settled(stuck.call({ ask: 'spin' }));
  await counter.call({ by: 1 });
  const outcome = await runtime.registry.stop('stuck');
  expect(outcome).toMatchObject({
    how: 'killed',
    error: { code: 'runtime/stop-timeout', fields: { module: 'stuck' } },
  });
  expect(await spinning).toMatchObject({ code: 'actor/peer-died' });
  expect(heard.find(({ type }) => type === 'module-stop')).toMatchObject({
    module: 'stuck',
    how: 'killed',
    error: { code: 'runtime/stop-timeout' },
  });
  expect(runtime.registry.get('stuck').status).toBe('stopped');
  expect(runtime.inspect().workers.flatMap(({ actors }) => actors)).toEqual(['counter']);
  // it can be started again, and its neighbour never noticed
  await runtime.registry.start('stuck');
  expect(await counter.call({ by: 1 })).toEqual({ total: 2 });
});

test('a module in another worker waits while its dependency is restarted, and loses no call', async () => {
  const { runtime, heard } = createTestRuntime();
  runtime.register({ id: 'base', kind: 'counter', isolation: 'dedicated' });
  const top = await runtime.start('counter', { id: 'top', dependencies: [{ id: 'base' }] });
  expect(runtime.registry.get('base').worker).not.toBe(top.worker);
  runtime.killWorkerOf('base');
  expect(top.status).toBe('degraded');
  const answers = await Promise.all([1, 2, 3].map(() => top.call({ by: 1 })));
  expect(answers).toEqual([{ total: 1 }, { total: 2 }, { total: 3 }]);
  expect(top.status).toBe('running');
  expect(heard.map(({ type, module }) => `${type} ${module}`).slice(-4)).toEqual([
    'module-crash base',
    'dependency-down top',
    'module-restart base',
    'dependency-up top',
  ]);
});
