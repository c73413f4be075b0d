/** Swaps in real workers: what a worker's end takes with it, what hangs, and module files by address. */
import { afterEach, expect, test } from 'vitest';
import { isCodedError } from '../../base/index.ts';
import { createHub, createMemorySink } from '../../telemetry/index.ts';
import { createRuntime } from '../runtime.ts';
import type { Runtime } from '../runtime.ts';
import type { RuntimeOptions } from '../runtime-options.ts';
import type { modules } from './swap-test.worker.ts';

type Served = typeof modules;
const open: Runtime<Served>[] = [];

function createTestRuntime(options: RuntimeOptions<Served> = {}): Runtime<Served> {
  const runtime = createRuntime<Served>({
    worker: (name) => new Worker(new URL('./swap-test.worker.ts', import.meta.url), { type: 'module', name }),
    actorLimits: { pingIntervalMs: 100, hangTimeoutMs: 500 },
    poolSize: 1,
    ...options,
  });
  open.push(runtime);
  return runtime;
}

afterEach(async () => {
  for (const runtime of open.splice(0)) await runtime.close();
});

const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'resolved',
    (error: unknown) => (isCodedError(error) ? error.code : String(error)),
  );

test('a worker that is killed right behind a swap comes back with the new version and the migrated state', async () => {
  const runtime = createTestRuntime();
  const critic = await runtime.start('critic', { version: '1.0.0', id: 'c' });
  await critic.parameters.count.set(4, { level: 'memory' });
  await critic.swap({ version: '1.1.0' });
  runtime.killWorkerOf('c');
  expect(await critic.call({ by: 1 }, { isIdempotent: true })).toEqual({ version: '1.1.0', count: 6 });
  expect(critic.parameter('waitMs').value).toBe(2000);
});

test('a worker that is killed under a swap comes back with one of the two, whole', async () => {
  const runtime = createTestRuntime();
  const critic = await runtime.start('critic', { version: '1.0.0', id: 'c' });
  await critic.parameter('waitSeconds').set(4, { level: 'memory' });
  const swap = codeOf(critic.swap({ version: '1.1.0' }));
  runtime.killWorkerOf('c');
  expect(await swap).toBe('actor/peer-died');
  expect(await critic.call({}, { isIdempotent: true })).toEqual({ version: '1.0.0', count: 0 });
  expect(await critic.parameter('waitSeconds').get()).toBe(4);
});

test('a migration that hangs is ended with its worker, and the old version comes back with its state', async () => {
  const critic = await createTestRuntime().start('hanging', { version: '1.0.0' });
  await critic.parameters.count.set(7, { level: 'memory' });
  const failure = await critic.swap({ version: '1.1.0' }).catch((error: unknown) => error);
  expect(failure).toMatchObject({ code: 'actor/peer-died', fields: { cause: 'hang' } });
  expect(await critic.call({}, { isIdempotent: true })).toEqual({ version: '1.0.0', count: 7 });
});

test('a module file of the same origin is imported by its address, in every worker that needs it', async () => {
  const runtime = createTestRuntime();
  const url = new URL('./swap-test-file.ts', import.meta.url);
  const critic = await runtime.start('critic', { version: '1.0.0', id: 'c' });
  expect(await critic.swap({ url })).toEqual({ from: '1.0.0', to: '1.2.0' });
  expect(await critic.call({ by: 1 })).toEqual({ version: '1.2.0', count: 2 });
  runtime.killWorkerOf('c');
  expect(await critic.call({}, { isIdempotent: true })).toEqual({ version: '1.2.0', count: 2 });
  expect(await runtime.versions('critic')).toContain('1.2.0');
  const other = await runtime.start('critic', { isolation: 'dedicated' });
  expect(await other.call({})).toEqual({ version: '1.2.0', count: 0 });
  await critic.rollback();
  expect(await critic.call({})).toEqual({ version: '1.0.0', count: 2 });
});

const source = 'export class A {}';

test.each([
  [`data:text/javascript,${source}`, 'runtime/module-url-refused'],
  [`blob:${location.origin}/0`, 'runtime/module-url-refused'],
  ['javascript:void 0', 'runtime/module-url-refused'],
  ['https://elsewhere.example/critic.js', 'runtime/module-url-refused'],
  ['/no-such-file.js', 'runtime/module-load-failed'],
])('the file %s is refused in the worker: %s', async (url, code) => {
  const runtime = createTestRuntime();
  const critic = await runtime.start('critic', { version: '1.0.0' });
  expect(await codeOf(critic.swap({ url }))).toBe(code);
  expect(await codeOf(runtime.load('critic', url))).toBe(code);
  expect(await critic.call({})).toMatchObject({ version: '1.0.0' });
});

test('a file that the page made itself is no file of the origin', async () => {
  const url = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }));
  const critic = await createTestRuntime().start('critic', { version: '1.0.0' });
  expect(await codeOf(critic.swap({ url }))).toBe('runtime/module-url-refused');
});

const soon = (check: () => boolean): Promise<void> => expect.poll(check, { timeout: 5000 }).toBe(true);

test('serving again exchanges the classes of modules that run; what cannot be taken is told, and the code before serves on', async () => {
  const hub = createHub();
  const sink = createMemorySink(hub);
  const has = (type: string) => () => sink.events.some((event) => event.type === type);
  const runtime = createTestRuntime({ hub });
  const critic = await runtime.start('pinned');
  const kept = await runtime.start('pinned', { hotReload: false });
  const editor = await runtime.start('editor');
  await critic.parameters.count.set(3, { level: 'memory' });
  const learn = { optimizer: 'labeled-few-shot', metric: 'always', trainset: [{ text: 'one' }] };
  expect(await codeOf(critic.compile(learn))).toBe('runtime/metric-not-found');
  await editor.call({ edit: 'edited' });
  await soon(has('module-swap'));
  expect(await critic.call({})).toEqual({ version: 'edited', count: 3 });
  expect(await kept.call({})).toMatchObject({ version: '1.0.0' });
  expect(await codeOf(critic.compile(learn))).toBe('resolved');

  await editor.call({ edit: 'broken' });
  await soon(has('module-swap-fail'));
  expect(await critic.call({})).toEqual({ version: 'edited', count: 3 });
  expect(await codeOf(editor.call({ edit: 'misnamed' }))).toBe('runtime/version-invalid');
  await soon(has('hot-update-fail'));
  expect(await critic.call({})).toEqual({ version: 'edited', count: 3 });
  expect(sink.events.filter(({ type }) => type === 'module-swap')).toHaveLength(1);
});
