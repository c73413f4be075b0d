/** Runs that stand alone. */
import { expect, test } from 'vitest';
import { createHub, createMemorySink } from '../../telemetry/index.ts';
import { codeOf, valueOf } from './open-executor.contract.ts';
import type { OpenExecutor } from './open-executor.contract.ts';

/** @param open makes an executor of the kind under test */
export function executionLaws(open: OpenExecutor): void {
  test('a run never sees what another one did', async () => {
    await using executor = open();
    await executor.execute(
      'import builtins, json\nbuiltins.leak = 1\njson.dumps = None\nx = 1\nopen("f", "w").write("1")',
    );
    const code =
      'import os, json\n["leak" in dir(__builtins__), "x" in globals(), json.dumps(1), os.listdir()]';
    expect(await valueOf(executor, code)).toEqual([false, false, '1', []]);
  });

  test('runs at the same time are apart, and more than the places wait', async () => {
    await using executor = open({ limits: { concurrentExecutions: 2 } });
    const codes = Array.from({ length: 5 }, (_, index) => `x = ${index}\nx * 10`);
    const values = await Promise.all(codes.map((code) => valueOf(executor, code)));
    expect(values).toEqual([0, 10, 20, 30, 40]);
  });

  test('a full queue refuses, and serves again afterwards', async () => {
    await using executor = open({ limits: { concurrentExecutions: 1, queuedExecutions: 1 } });
    const runs = [executor.execute('1'), executor.execute('2')];
    expect(await codeOf(executor.execute('3'))).toBe('executor/queue-full');
    expect(await Promise.all(runs)).toMatchObject([{ value: 1 }, { value: 2 }]);
    expect(await valueOf(executor, '4')).toBe(4);
  });

  test('a signal cancels before, while waiting, and during a run', async () => {
    await using executor = open({ limits: { concurrentExecutions: 1 } });
    expect(await executor.execute('1', {}, { signal: AbortSignal.abort() })).toMatchObject({
      type: 'cancelled',
    });
    const running = new AbortController();
    const waiting = new AbortController();
    const runs = [
      executor.execute(
        'print("a")\nwhile True: pass',
        {},
        { signal: running.signal, onOutput: () => running.abort() },
      ),
      executor.execute('1', {}, { signal: waiting.signal }),
    ];
    waiting.abort();
    expect(await Promise.all(runs)).toMatchObject([
      { type: 'cancelled', stdout: 'a\n' },
      { type: 'cancelled' },
    ]);
    expect(await valueOf(executor, '1')).toBe(1);
  });

  test('disposal during a run ends it as cancelled, and later calls are refused', async () => {
    const executor = open();
    const run = executor.execute(
      'print("a")\nwhile True: pass',
      {},
      { onOutput: () => void executor[Symbol.asyncDispose]() },
    );
    expect(await run).toMatchObject({ type: 'cancelled', stdout: 'a\n', isSandboxLost: true });
    expect(await codeOf(executor.execute('1'))).toBe('executor/disposed');
    expect(await codeOf(executor.createSession())).toBe('executor/disposed');
    await executor[Symbol.asyncDispose]();
  });

  test('disposal at once ends a run that still waits for its interpreter', async () => {
    const executor = open();
    const run = executor.execute('1');
    await executor[Symbol.asyncDispose]();
    expect(await run).toMatchObject({ type: 'cancelled' });
  });

  test('a listener that throws harms nobody', async () => {
    await using executor = open();
    const onOutput = (): void => {
      throw new Error('mine');
    };
    expect(await executor.execute('print(1)\n2', {}, { onOutput })).toMatchObject({
      value: 2,
      stdout: '1\n',
    });
  });

  test('everything is told to the hub', async () => {
    const hub = createHub();
    using sink = createMemorySink(hub);
    {
      await using executor = open({ hub, limits: { warmSandboxes: 0 } });
      await executor.execute('1');
      await executor.execute(
        'while True:\n  try:\n    while True: pass\n  except BaseException: pass',
        {},
        { timeoutMs: 100 },
      );
    }
    expect(sink.ofType('sandbox-start')).toHaveLength(2);
    expect(sink.ofType('sandbox-start')[0]).toMatchObject({ language: 'python' });
    expect(sink.ofType('execution-start')).toHaveLength(2);
    expect(sink.ofType('execution-end').map((event) => event.outcome)).toEqual(['returned', 'exceeded']);
    expect(sink.ofType('sandbox-kill').map((event) => event.cause)).toEqual(['used', 'time']);
  });
}
