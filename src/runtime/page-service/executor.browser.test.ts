import { afterEach, expect, test } from 'vitest';
import { createPythonExecutor } from '../../executor/index.ts';
import type { Executor } from '../../executor/index.ts';
import { createHub, createMemorySink } from '../../telemetry/index.ts';
import type { testModules } from '../runtime-test-modules.ts';
import { createRuntime } from '../runtime.ts';
import type { Runtime } from '../runtime.ts';

type TestModules = typeof testModules;
const open: AsyncDisposable[] = [];

afterEach(async () => {
  for (const resource of open.splice(0).toReversed()) await resource[Symbol.asyncDispose]();
});

function createPage(): {
  readonly runtime: Runtime<TestModules>;
  readonly executor: Executor;
  readonly sink: ReturnType<typeof createMemorySink>;
} {
  const hub = createHub();
  const sink = createMemorySink(hub);
  const executor = createPythonExecutor({
    assets: { baseUrl: '/sandbox/' },
    frame: 'srcdoc',
    hub,
    limits: { warmSandboxes: 0, sessions: 1 },
  });
  const runtime = createRuntime<TestModules>({
    worker: (name) =>
      new Worker(new URL('../runtime-test.worker.ts', import.meta.url), { type: 'module', name }),
    poolSize: 1,
    executor,
    hub,
  });
  open.push(executor, runtime);
  return { runtime, executor, sink };
}

test('a module in a worker keeps a Python session: variables stay, text is streamed', async () => {
  const { runtime } = createPage();
  const coder = await runtime.start('coder');
  const code = 'x = globals().get("x", 0) + 1\nprint("round", x)\nx';
  expect(await coder.call({ code, times: 3 })).toMatchObject({
    last: { type: 'returned', value: 3 },
    printed: 'round 1\nround 2\nround 3\n',
  });
});

test('a module hands its functions to the code, and hears what the code shows', async () => {
  const { runtime } = createPage();
  const coder = await runtime.start('tool-coder');
  const code =
    'import os\ndisplay({"text/html": "<b>1</b>"}, raw=True)\n[double(21), await double(x=4), os.environ["NAME"]]';
  expect(await coder.call({ code })).toMatchObject({
    last: { type: 'returned', value: [42, 8, 'coder'], displays: [{ 'text/html': '<b>1</b>' }] },
    shown: [{ 'text/html': '<b>1</b>' }],
    language: 'python',
  });
});

test('sessions of a lost worker are disposed: the only place is free for the restarted module', async () => {
  const { runtime, sink } = createPage();
  const coder = await runtime.start('coder', { id: 'coder' });
  const stuck = coder.call({ code: 'while True: pass', times: 1 }).catch((error: unknown) => error);
  await expect.poll(() => sink.ofType('execution-start'), { timeout: 20_000 }).toHaveLength(1);
  runtime.killWorkerOf('coder');
  expect(await stuck).toMatchObject({ code: 'actor/peer-died' });
  await expect.poll(() => sink.ofType('sandbox-kill').length, { timeout: 10_000 }).toBeGreaterThan(0);
  expect(await coder.call({ code: '40 + 2', times: 1 })).toMatchObject({ last: { value: 42 } });
});

test('sessions of a module that was stopped are disposed before close ends', async () => {
  const { runtime, executor, sink } = createPage();
  const coder = await runtime.start('coder');
  const stuck = coder.call({ code: 'while True: pass', times: 1 }).catch((error: unknown) => error);
  await expect.poll(() => sink.ofType('execution-start'), { timeout: 20_000 }).toHaveLength(1);
  await runtime.close();
  expect(await stuck).toMatchObject({ code: 'actor/peer-died' });
  await using session = await executor.createSession();
  expect(await session.execute('1 + 1')).toMatchObject({ value: 2 });
});
