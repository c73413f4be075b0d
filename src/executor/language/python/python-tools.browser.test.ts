import { expect, test } from 'vitest';
import { assembleExecutor, createExecutor } from '../../create-executor.ts';
import type { Executor } from '../../executor.ts';
import type { GuestValue } from '../../guest-value.ts';
import type { SandboxHost } from '../../sandbox/sandbox-host.ts';
import { createFetchTool } from '../../policy/fetch-tool.ts';
import { frameWalls } from '../../sandbox/walls.ts';
import type { Tools } from '../../tool.ts';

const assets = { baseUrl: '/sandbox/' };
const tools: Tools = {
  add: { parameters: ['left', 'right'], call: ({ named }) => Number(named['left']) + Number(named['right']) },
  never: { call: () => new Promise<GuestValue>(() => undefined) },
};

const decode = (script: ArrayBuffer): string => new TextDecoder().decode(script);

/** As on a page without isolation headers: no memory is shared, nothing can be interrupted. @param before runs first in the worker */
function withoutSharedMemory(before: string = ''): Executor {
  return assembleExecutor({ language: 'python', assets, frame: 'srcdoc' }, (options, limits) => {
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
