import { expect, inject, onTestFinished, test, vi } from 'vitest';
import type { Executor } from '../../executor.ts';
import { describeExecutor, describeExecutorLimits } from '../../laws/executor.contract.ts';
import type { OpenExecutor } from '../../laws/executor.contract.ts';
import type { FrameKind } from '../../sandbox/frame.ts';
import { defaultLimits } from '../../limits.ts';
import { createPythonExecutor } from './python-executor.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** `tools/listener.mjs`, on another origin than the page. */
    readonly listenerUrl: string;
  }
}

const assets = { baseUrl: '/sandbox/' };
const byUrl: FrameKind = { url: `${inject('listenerUrl')}/sandbox/frame.html` };

const inSrcdoc: OpenExecutor = (options = {}) =>
  createPythonExecutor({ assets, frame: 'srcdoc', ...options });

describeExecutor('Python in a srcdoc frame', inSrcdoc);
describeExecutorLimits('Python in a srcdoc frame', inSrcdoc);
describeExecutor('Python in a frame by address', (options = {}) =>
  createPythonExecutor({ assets, frame: byUrl, ...options }),
);

/** As on a page without isolation headers: nothing lets the frame share memory, so nobody can ask a guest to stop. */
function withoutSharedMemory(): Executor {
  const allow = vi.spyOn(HTMLIFrameElement.prototype, 'allow', 'set').mockImplementation(() => undefined);
  onTestFinished(() => allow.mockRestore());
  return createPythonExecutor({ assets, frame: 'srcdoc' });
}

test('without shared memory a loop ends at its time by itself, and one that goes on is ended', async () => {
  await using executor = withoutSharedMemory();
  await using session = await executor.createSession();
  const loop = await session.execute('x = 5\nwhile True: pass', {}, { timeoutMs: 300 });
  expect(loop).toMatchObject({ type: 'exceeded', limit: 'time', isSandboxLost: false });
  expect(await session.execute('x')).toMatchObject({ value: 5 });
  const swallow =
    'print("a")\nfor n in range(200): print(n)\nwhile True:\n  try:\n    while True: pass\n  except BaseException: pass';
  const stuck = await executor.execute(swallow, {}, { timeoutMs: 300 });
  expect(stuck).toMatchObject({ type: 'exceeded', limit: 'time', isSandboxLost: true });
  expect(stuck.stdout).toMatch(/^a\n0\n1\n/u);
  // less than a sixteenth of it is lost
  expect(stuck.stdout.split('\n').length - 1).toBeGreaterThan(201 - 201 / 16);
  expect(await executor.execute('1 + 1')).toMatchObject({ value: 2 });
});

test('code that takes more memory to compile than there is, is told so', async () => {
  const limits = { memoryBytes: 2 ** 26, wallTimeMs: 30_000 };
  await using executor = createPythonExecutor({ assets, frame: 'srcdoc', limits });
  expect(await executor.execute(`x = [${'1,'.repeat(400_000)}]`)).toMatchObject({
    type: 'syntax-error',
    message: 'the code takes more memory to compile than there is, or is nested too deep (MemoryError)',
  });
});

const frames = (): NodeListOf<Element> => document.querySelectorAll('iframe[title="sandbox"]');

test('a frame that is taken away fails its runs at once, and the next run gets a new one', async () => {
  await using executor = createPythonExecutor({ assets, frame: 'srcdoc' });
  const run = executor.execute(
    'print("a")\nwhile True: pass',
    {},
    { onOutput: () => frames().forEach((frame) => frame.remove()) },
  );
  expect(await run).toMatchObject({
    type: 'failed',
    code: 'executor/frame-lost',
    stdout: 'a\n',
    isSandboxLost: true,
  });
  expect(await executor.execute('1 + 1')).toMatchObject({ value: 2 });
});

test('a frame that has gone silent is replaced before the next run', async () => {
  const limits = { frameAnswerMs: 500 };
  await using executor = createPythonExecutor({ assets, frame: 'srcdoc', limits });
  await using session = await executor.createSession();
  // what a crash looks like from the page: the element is there, nobody answers
  for (const frame of frames()) frame.setAttribute('srcdoc', 'gone');
  expect(await executor.execute('1 + 1')).toMatchObject({ value: 2 });
  expect(await session.execute('2 + 2')).toMatchObject({ value: 4 });
});

test('disposal takes the frame away', async () => {
  const before = frames().length;
  const executor = createPythonExecutor({ assets, frame: 'srcdoc' });
  await executor.execute('1');
  expect(frames().length).toBe(before + 1);
  await executor[Symbol.asyncDispose]();
  await expect.poll(() => frames().length).toBe(before);
});

test('missing files are told by the first run, and by every one', async () => {
  await using executor = createPythonExecutor({ assets: { baseUrl: '/nowhere/' }, frame: byUrl });
  for (let round = 0; round < 2; round += 1) {
    const outcome = await executor.execute('1');
    expect(outcome).toMatchObject({ type: 'failed', code: 'executor/boot-failed' });
    expect((outcome as { message: string }).message).toContain('/nowhere/');
  }
  expect(frames().length).toBeLessThanOrEqual(1);
});

test('a frame address that serves no frame ends as boot-failed in time', async () => {
  const limits = { ...defaultLimits, bootTimeoutMs: 1500 };
  await using executor = createPythonExecutor({
    assets,
    frame: { url: `${inject('listenerUrl')}/hits/nothing` },
    limits,
  });
  expect(await executor.execute('1')).toMatchObject({ type: 'failed', code: 'executor/boot-failed' });
});
