import { expect, inject, test } from 'vitest';
import { describeExecutor, describeExecutorLimits } from '../../laws/executor.contract.ts';
import type { OpenExecutor } from '../../laws/executor.contract.ts';
import type { FrameKind } from '../../sandbox/frame.ts';
import { defaultLimits } from '../../limits.ts';
import { assembleExecutor } from '../../create-executor.ts';
import { frameWalls } from '../../sandbox/walls.ts';
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

/** As on a page without isolation headers: no shared memory, so no interrupt. */
const withoutInterrupt = () =>
  assembleExecutor({ language: 'python', assets, frame: 'srcdoc' }, (options, limits) => {
    const { createHost, isStripped } = frameWalls(options, limits);
    return {
      isStripped,
      async createHost(signal) {
        const host = await createHost(signal);
        return Object.defineProperty(host, 'isIsolated', { value: false });
      },
    };
  });

test('without isolation a stuck guest is ended at once, and the next run works', async () => {
  await using executor = withoutInterrupt();
  const outcome = await executor.execute('print("a")\nwhile True: pass', {}, { timeoutMs: 200 });
  expect(outcome).toMatchObject({ type: 'exceeded', limit: 'time', stdout: 'a\n', isSandboxLost: true });
  expect(await executor.execute('1 + 1')).toMatchObject({ value: 2 });
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
