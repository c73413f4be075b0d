import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { assembleExecutor, createExecutor } from '../../create-executor.ts';
import type { Executor } from '../../executor.ts';
import type { GuestValue } from '../../guest-value.ts';
import type { SandboxHost } from '../../sandbox/sandbox-host.ts';
import { createFetchTool } from '../../policy/fetch-tool.ts';
import { frameWalls } from '../../sandbox/walls.ts';
import type { Policy } from '../../policy/policy.ts';
import type { Tools } from '../../tool.ts';

const assets = { baseUrl: '/sandbox/' };
const tools: Tools = {
  add: { parameters: ['left', 'right'], call: ({ named }) => Number(named['left']) + Number(named['right']) },
  never: { call: () => new Promise<GuestValue>(() => undefined) },
};

const decode = (script: ArrayBuffer): string => new TextDecoder().decode(script);

/** As on a page without isolation headers: no memory is shared, nothing can be interrupted. @param before runs first in the worker */
function withoutSharedMemory(before: string = '', policy: Partial<Policy> = {}): Executor {
  return assembleExecutor({ language: 'python', assets, frame: 'srcdoc', policy }, (options, limits) => {
    const { createHost, isStripped } = frameWalls(options, limits);
    return {
      isStripped,
      async createHost(signal) {
        const host: SandboxHost = await createHost(signal);
        const [open, load] = [host.open.bind(host), host.load.bind(host)];
        host.load = ({ worker, assets: files }) =>
          load({ worker: before + (typeof worker === 'string' ? worker : decode(worker)), assets: files });
        Object.defineProperty(host, 'isIsolated', { value: false });
        host.open = (id, { kind, settings }, watcher) =>
          open(id, { kind, settings: { ...settings, mailboxBytes: 0 } }, watcher);
        return host;
      },
    };
  });
}

test('without shared memory a plain call waits with its stack put aside, and an awaited one as ever', async () => {
  await using executor = withoutSharedMemory();
  const code = 'def f(n):\n  return add(n, right=1)\n[f(1), await add(2, 2), [f(n) for n in range(3)]]';
  expect(await executor.execute(code, { tools })).toMatchObject({ value: [2, 4, [1, 2, 3]] });
  const stuck = await executor.execute('print("a")\nnever()', { tools }, { timeoutMs: 300 });
  expect(stuck).toMatchObject({ type: 'exceeded', limit: 'time', stdout: 'a\n', isSandboxLost: false });
  expect(await executor.execute('add(1, 1)', { tools })).toMatchObject({ value: 2 });
});

test('where no stack can be put aside, a plain call says what to write instead', async () => {
  await using executor = withoutSharedMemory('delete WebAssembly.promising; delete WebAssembly.Suspending;');
  const code = 'try:\n  add(1, 1)\nexcept RuntimeError as e:\n  code = e.code\n[code, await add(1, 1)]';
  expect(await executor.execute(code, { tools })).toMatchObject({
    value: ['executor/tool-wait-unavailable', 2],
  });
});

/** `pyodide` may be imported. */
const withInside: Partial<Policy> = { deniedModules: ['js', 'ctypes'] };
const asyncMain =
  'import asyncio\nasync def main(n):\n  await asyncio.sleep(0.001)\n  return add(n, 1) + await add(n, right=1)\n';

describe.each([
  ['with', () => createExecutor({ language: 'python', assets, frame: 'srcdoc', policy: withInside })],
  ['without', () => withoutSharedMemory('', withInside)],
] as const)('asyncio.run %s shared memory', (memory, open) => {
  let executor: Executor;
  beforeAll(() => {
    executor = open();
  });
  afterAll(() => executor[Symbol.asyncDispose]());

  test('waits, as run_until_complete and run_sync do, with tools and without', async () => {
    for (const code of [
      'asyncio.run(main(1))',
      'asyncio.get_event_loop().run_until_complete(main(1))',
      'loop = asyncio.new_event_loop()\nasyncio.set_event_loop(loop)\nloop.run_until_complete(main(1))',
      'from pyodide.ffi import run_sync\nrun_sync(main(1))',
      'async def outer(): return asyncio.run(main(1))\nasyncio.run(outer())',
    ]) {
      expect(await executor.execute(asyncMain + code, { tools })).toMatchObject({ value: 4, stderr: '' });
    }
    const code =
      'import asyncio\nasync def f(n):\n  await asyncio.sleep(0.01 * n)\n  return n\n' +
      'async def main(): return await asyncio.gather(f(2), f(1))\nprint("a")\nx = asyncio.run(main())\nx';
    expect(await executor.execute(code)).toMatchObject({ value: [2, 1], stdout: 'a\n', stderr: '' });
    const helper = 'import asyncio\nasync def f(): return 7\ndef g(): return asyncio.run(f())';
    expect(await executor.execute('import helper\nhelper.g()', { imports: { helper } })).toMatchObject({
      value: 7,
    });
  });

  test('what it throws is the guest’s, with its line', async () => {
    const code = 'import asyncio\nasync def main():\n  raise ValueError("v")\nasyncio.run(main())';
    expect(await executor.execute(code)).toMatchObject({
      type: 'threw',
      error: { type: 'ValueError', message: 'v', line: 3 },
      stderr: '',
    });
    const submit = 'import asyncio\nasync def main(): SUBMIT(5)\nasyncio.run(main())';
    expect(await executor.execute(submit)).toMatchObject({ type: 'submitted', value: { output: 5 } });
  });

  test('a run ends inside of it at its time and when it is cancelled, and the session stays and is put aside', async () => {
    await using session = await executor.createSession();
    await session.execute('import asyncio\nkept = 1\ndef wait(x): return asyncio.run(x)');
    const define = 'async def idle(): await asyncio.sleep(100)\nasync def nested(): wait(idle())\n';
    await session.execute(`${define}async def busy():\n  while True: pass\nasync def ask(): await never()`);
    for (const code of ['wait(idle())', 'wait(nested())', 'wait(busy())', 'wait(ask())']) {
      const late = await session.execute(`kept += 1\n${code}`, { tools }, { timeoutMs: 150 });
      expect([code, late]).toMatchObject([code, { type: 'exceeded', limit: 'time', isSandboxLost: false }]);
      expect(late.stderr).toBe('');
    }
    const onOutput = (): void => session.interrupt();
    const stopped = await session.execute('print("x")\nwait(idle())', { tools }, { onOutput });
    expect(stopped).toMatchObject({ type: 'cancelled', isSandboxLost: memory === 'without' });
    expect(await session.execute('kept, wait(asyncio.sleep(0, 3))')).toMatchObject({ value: [5, 3] });
    const lost = await session.execute('sum(range(10**12))', {}, { timeoutMs: 200 });
    expect(lost).toMatchObject({ isSandboxLost: true });
    expect(await session.execute('kept, wait(asyncio.sleep(0, 4))')).toMatchObject({
      value: [5, 4],
    });
  }, 30_000);
});

test('where no stack can be put aside, asyncio.run says what to write instead', async () => {
  await using executor = withoutSharedMemory('delete WebAssembly.promising; delete WebAssembly.Suspending;');
  const code = 'import asyncio\nasync def main(): return 5\n';
  expect(await executor.execute(`${code}asyncio.run(main())`)).toMatchObject({
    type: 'threw',
    error: { type: 'RuntimeError', message: expect.stringContaining('`await main()`') as string },
    stderr: '',
  });
  expect(await executor.execute(`${code}await main()`)).toMatchObject({ value: 5 });
});

test('a guest reaches the origins of its policy through a tool, and no others', async () => {
  const network = [{ origin: location.origin, methods: ['GET'] }];
  const options = { language: 'python', assets, frame: 'srcdoc', policy: { network } } as const;
  await using executor = createExecutor(options);
  const context = { tools: { fetch: createFetchTool({ fetch: (url, init) => fetch(url, init) }) } };
  const own = `fetch("${location.origin}/sandbox/NOTICE.txt")["status"]`;
  expect(await executor.execute(own, context)).toMatchObject({ value: 200 });
  const other = 'try:\n  fetch("https://other.example/x", "POST")\nexcept BaseException: pass\n1';
  expect(await executor.execute(other, context)).toMatchObject({
    type: 'denied',
    permission: 'network',
    name: 'POST https://other.example',
    rule: 'network',
    line: 2,
  });
});
