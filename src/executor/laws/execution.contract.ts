/** Runs that stand alone. */
import { expect, test } from 'vitest';
import { createHub, createMemorySink } from '../../telemetry/index.ts';
import { codeOf, valueOf } from './open-executor.contract.ts';
import type { OpenExecutor } from './open-executor.contract.ts';
import { lines } from './spelling.contract.ts';
import type { Spelling } from './spelling.contract.ts';

/** @param open makes an executor of the kind under test */
export function executionLaws(open: OpenExecutor, spelling: Spelling): void {
  const { number, say, loop } = spelling;

  test('a run never sees what another one did', async () => {
    await using executor = open({ limits: { concurrentExecutions: 1 } });
    const { leave, seen } = spelling.traces;
    for (let round = 0; round < 3; round += 1) {
      await executor.execute(leave);
      expect(await valueOf(executor, seen[0])).toEqual(seen[1]);
    }
  });

  test('runs at the same time are apart, and more than the places wait', async () => {
    await using executor = open({ limits: { concurrentExecutions: 2 } });
    const values = await Promise.all([0, 1, 2, 3, 4].map((value) => valueOf(executor, number(value))));
    expect(values).toEqual([0, 1, 2, 3, 4]);
  });

  test('a full queue refuses, and serves again afterwards', async () => {
    await using executor = open({ limits: { concurrentExecutions: 1, queuedExecutions: 1 } });
    const runs = [executor.execute(number(1)), executor.execute(number(2))];
    expect(await codeOf(executor.execute(number(3)))).toBe('executor/queue-full');
    expect(await Promise.all(runs)).toMatchObject([{ value: 1 }, { value: 2 }]);
    expect(await valueOf(executor, number(4))).toBe(4);
  });

  test('a signal cancels before, while waiting, and during a run', async () => {
    await using executor = open({ limits: { concurrentExecutions: 1 } });
    expect(await executor.execute(number(1), {}, { signal: AbortSignal.abort() })).toMatchObject({
      type: 'cancelled',
    });
    const running = new AbortController();
    const waiting = new AbortController();
    const runs = [
      executor.execute(
        lines(say('a'), loop),
        {},
        { signal: running.signal, onOutput: () => running.abort() },
      ),
      executor.execute(number(1), {}, { signal: waiting.signal }),
    ];
    waiting.abort();
    expect(await Promise.all(runs)).toMatchObject([
      { type: 'cancelled', stdout: 'a\n' },
      { type: 'cancelled' },
    ]);
    expect(await valueOf(executor, number(1))).toBe(1);
  });

  test('disposal during a run ends it as cancelled, and later calls are refused', async () => {
    const executor = open();
    const run = executor.execute(
      lines(say('a'), loop),
      {},
      { onOutput: () => void executor[Symbol.asyncDispose]() },
    );
    expect(await run).toMatchObject({ type: 'cancelled', stdout: 'a\n', isSandboxLost: true });
    expect(await codeOf(executor.execute(number(1)))).toBe('executor/disposed');
    expect(await codeOf(executor.createSession())).toBe('executor/disposed');
    await executor[Symbol.asyncDispose]();
  });

  test('disposal at once ends a run that still waits for its interpreter', async () => {
    const executor = open();
    const run = executor.execute(number(1));
    await executor[Symbol.asyncDispose]();
    expect(await run).toMatchObject({ type: 'cancelled' });
  });

  test('a listener that throws harms nobody', async () => {
    await using executor = open();
    const onOutput = (): void => {
      throw new Error('mine');
    };
    expect(await executor.execute(lines(say('1'), number(2)), {}, { onOutput })).toMatchObject({
      value: 2,
      stdout: '1\n',
    });
  });

  test('everything is told to the hub', async () => {
    const hub = createHub();
    using sink = createMemorySink(hub);
    let isRenewable: boolean;
    {
      await using executor = open({ hub, limits: { warmSandboxes: 0 } });
      ({ isRenewable } = executor.capabilities);
      await executor.execute(number(1));
      // long enough that it is stuck by then
      await executor.execute(spelling.stuck, {}, { timeoutMs: 1000 });
    }
    expect(sink.ofType('sandbox-start')).toHaveLength(isRenewable ? 1 : 2);
    expect(sink.ofType('sandbox-start')[0]).toMatchObject({ language: spelling.language });
    const { language } = spelling;
    expect(sink.ofType('execution-start')).toMatchObject([{ language }, { language }]);
    const sandbox = expect.any(String) as string;
    expect(sink.ofType('execution-end')).toMatchObject([
      { language, sandbox, outcome: 'returned' },
      { language, sandbox, outcome: 'exceeded', limit: 'time' },
    ]);
    const causes = isRenewable ? ['time'] : ['used', 'time'];
    expect(sink.ofType('sandbox-kill').map((event) => event.cause)).toEqual(causes);
  });
}
