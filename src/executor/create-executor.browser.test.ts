import { expect, test } from 'vitest';
import { createHub, createMemorySink } from '../telemetry/index.ts';
import { assembleExecutor, createExecutor, createTrustDomain } from './create-executor.ts';
import { frameWalls } from './sandbox/walls.ts';

const files = { assets: { baseUrl: '/sandbox/' }, frame: 'srcdoc' } as const;
const countFrames = (): number => document.querySelectorAll('iframe[title="sandbox"]').length;

test('executors of one domain share its frame, and outlive each other', async () => {
  const before = countFrames();
  const domain = createTrustDomain(files);
  const javascript = createExecutor({ language: 'javascript', domain });
  const python = createExecutor({ language: 'python', domain });
  const outcomes = await Promise.all([javascript.execute('1n << 70n'), python.execute('1 << 70')]);
  expect(outcomes).toMatchObject([{ value: 2n ** 70n }, { value: 2n ** 70n }]);
  expect(countFrames()).toBe(before + 1);
  await python[Symbol.asyncDispose]();
  expect(await javascript.execute('2')).toMatchObject({ value: 2 });
  domain[Symbol.dispose]();
  await expect.poll(countFrames).toBe(before);
  expect(await javascript.execute('3')).toMatchObject({ type: 'failed', code: 'executor/disposed' });
  await javascript[Symbol.asyncDispose]();
});

test('the frame is laid out, or its process would have less of the machine; nobody sees it, points at it or gets into it', async () => {
  const domain = createTrustDomain(files);
  const executor = createExecutor({ language: 'javascript', domain });
  await executor.execute('1');
  const frame = [...document.querySelectorAll('iframe')].find(({ title }) => title === 'sandbox');
  expect(frame?.checkVisibility()).toBe(true);
  expect(frame?.getBoundingClientRect()).toMatchObject({ x: 0, y: 0, width: 1, height: 1 });
  expect(getComputedStyle(frame as Element)).toMatchObject({ opacity: '0', pointerEvents: 'none' });
  expect(frame).toMatchObject({ inert: true, tabIndex: -1, ariaHidden: 'true' });
  await executor[Symbol.asyncDispose]();
  domain[Symbol.dispose]();
});

test('runs of their own share workers, and no more of them stay than may run at a time', async () => {
  const hub = createHub();
  using sink = createMemorySink(hub);
  {
    const limits = { concurrentExecutions: 2, warmSandboxes: 1 };
    await using executor = createExecutor({ language: 'javascript', ...files, hub, limits });
    for (let round = 0; round < 10; round += 1) {
      const codes = Array.from({ length: 10 }, (_, index) => `typeof x === 'undefined' && (x = ${index}, x)`);
      const outcomes = await Promise.all(codes.map((code) => executor.execute(code)));
      expect(outcomes.map((outcome) => outcome.type === 'returned' && outcome.value)).toEqual([
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9,
      ]);
    }
  }
  expect(sink.ofType('sandbox-start').length).toBeLessThanOrEqual(3);
});

test('where no memory is shared, a guest that keeps time still keeps its variables', async () => {
  const executor = assembleExecutor({ language: 'javascript', ...files }, (options, limits) => {
    const { createHost, isStripped } = frameWalls(options, limits);
    return {
      isStripped,
      async createHost(signal) {
        const host = await createHost(signal);
        return Object.defineProperty(host, 'isIsolated', { value: false });
      },
    };
  });
  const session = await executor.createSession();
  await session.execute('kept = 1');
  const outcome = await session.execute('while (true);', {}, { timeoutMs: 200 });
  expect(outcome).toMatchObject({ type: 'exceeded', limit: 'time', allowed: 200, isSandboxLost: false });
  expect(await session.execute('kept')).toMatchObject({ value: 1 });
  await executor[Symbol.asyncDispose]();
});

test('a session that ran out of memory is told so, and goes on with what it had before that run', async () => {
  const limits = { memoryBytes: 32 * 2 ** 20 };
  await using executor = createExecutor({ language: 'javascript', ...files, limits });
  await using session = await executor.createSession();
  await session.execute('kept = 1');
  const outcome = await session.execute('x = []\nwhile (true) x.push({ a: [x.length] })');
  expect(outcome).toMatchObject({ type: 'exceeded', limit: 'memory', allowed: limits.memoryBytes });
  expect(outcome.isSandboxLost ? outcome.restored?.names : ['kept']).toContain('kept');
  expect(await session.execute('kept')).toMatchObject({ value: 1 });
});

test('a language that does not exist is refused by name', () => {
  expect(() => createExecutor({ language: 'cobol' as never, ...files })).toThrow(
    expect.objectContaining({ code: 'executor/option-invalid' }),
  );
});

test('modules are refused where a language takes none, and names and sources that are none anywhere', async () => {
  await using sql = createExecutor({ language: 'sql', ...files });
  await expect(sql.execute('SELECT 1', { imports: { a: '' } })).rejects.toMatchObject({
    code: 'executor/option-invalid',
    fields: { field: 'imports' },
  });
  await using javascript = createExecutor({ language: 'javascript', ...files });
  for (const imports of [{ '': '' }, { 'a\0': '' }, { a: 1 as never }, { a: 'x'.repeat(70e6) }]) {
    await expect(javascript.execute('1', { imports })).rejects.toMatchObject({
      code: 'executor/import-invalid',
    });
  }
  await using python = createExecutor({ language: 'python', ...files });
  for (const name of ['a-b', 'a..b', '../a', '/a', 'a/b.c', '__init__', 'a.class', '．．／a', '1.py']) {
    await expect(python.execute('1', { imports: { [name]: '' } })).rejects.toMatchObject({
      code: 'executor/import-invalid',
      fields: { field: `imports["${name}"]`, expected: 'the name of a module' },
    });
  }
});
