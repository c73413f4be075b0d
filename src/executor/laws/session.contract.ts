/** Runs that share an interpreter. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createHub, createMemorySink } from '../../telemetry/index.ts';
import type { Executor } from '../executor.ts';
import { codeOf, valueOf } from './open-executor.contract.ts';
import type { OpenExecutor } from './open-executor.contract.ts';

/** @param open makes an executor of the kind under test */
export function sessionLaws(open: OpenExecutor): void {
  let executor: Executor;
  beforeAll(() => {
    executor = open({ limits: { sessions: 2, queuedPerSession: 2 } });
  });
  afterAll(() => executor[Symbol.asyncDispose]());

  test('variables, functions, modules and files stay', async () => {
    await using session = await executor.createSession();
    const { id } = session;
    await session.execute('import math\nx = [1]\ndef f(): return x\nopen("f", "w").write("kept")');
    await session.execute('x.append(2)\nraise ValueError');
    expect(await valueOf(session, 'f(), math.pi > 3, open("f").read()')).toEqual([[1, 2], true, 'kept']);
    expect(session.id).toBe(id);
  });

  test('sessions are apart, and their number is bounded', async () => {
    const first = await executor.createSession();
    const second = await executor.createSession();
    expect(await codeOf(executor.createSession())).toBe('executor/session-limit');
    await first.execute('x = 1');
    expect(await valueOf(second, '"x" in globals()')).toBe(false);
    await first[Symbol.asyncDispose]();
    await using third = await executor.createSession();
    expect(await valueOf(third, '"x" in globals()')).toBe(false);
    await second[Symbol.asyncDispose]();
  });

  test('runs queue in order of call; too many are refused', async () => {
    await using session = await executor.createSession();
    const runs = [
      session.execute('import time\nx = ["a"]\ntime.sleep(0.1)'),
      session.execute('x.append("b")'),
      session.execute('x.append("c")\nx'),
    ];
    expect(await codeOf(session.execute('x'))).toBe('executor/queue-full');
    expect((await Promise.all(runs))[2]).toMatchObject({ type: 'returned', value: ['a', 'b', 'c'] });
  });

  test('a polite interrupt keeps the variables and does not hit the next run', async () => {
    await using session = await executor.createSession();
    await session.execute('x = 5');
    for (let round = 0; round < 5; round += 1) {
      const run = session.execute(
        'print("go")\nwhile True: pass',
        {},
        { onOutput: () => session.interrupt() },
      );
      const next = session.execute('x');
      expect(await run).toMatchObject({ type: 'cancelled', stdout: 'go\n', isSandboxLost: false });
      expect(await next).toMatchObject({ type: 'returned', value: 5 });
    }
  });

  test('a lost interpreter is told, and the session goes on afresh', async () => {
    await using session = await executor.createSession();
    const { id } = session;
    await session.execute('x = 5');
    expect(await session.execute('import os\nos._exit(1)')).toMatchObject({
      type: 'failed',
      isSandboxLost: true,
    });
    expect(await session.execute('x')).toMatchObject({ type: 'threw', error: { type: 'NameError' } });
    expect(session.id).not.toBe(id);
  });

  test('disposal ends the run and those that wait as cancelled', async () => {
    const session = await executor.createSession();
    const onOutput = (): void => void session[Symbol.asyncDispose]();
    const runs = [session.execute('print(1)\nwhile True: pass', {}, { onOutput }), session.execute('1')];
    expect(await Promise.all(runs)).toMatchObject([
      { type: 'cancelled', isSandboxLost: true },
      { type: 'cancelled' },
    ]);
    expect(await codeOf(session.execute('1'))).toBe('executor/disposed');
  });

  test('an interrupt with nothing running does nothing', async () => {
    await using session = await executor.createSession();
    session.interrupt();
    expect(await valueOf(session, 'sum(range(100000))')).toBe(4999950000);
  });

  test('an interrupt that comes before its run has begun is not lost', async () => {
    const hub = createHub();
    using sink = createMemorySink(hub);
    await using patient = open({ hub, limits: { interruptGraceMs: 20_000, wallTimeMs: 20_000 } });
    await using session = await patient.createSession();
    // what is left of this run keeps the interpreter from taking the next one up
    await session.execute(
      `import asyncio, time
kept = 1
def block():
  until = time.monotonic() + 1
  while time.monotonic() < until:
    try:
      while time.monotonic() < until: pass
    except BaseException: pass
asyncio.get_running_loop().call_later(0.01, block)
await asyncio.sleep(0)`,
    );
    await new Promise((resolve) => setTimeout(resolve, 100));
    const run = session.execute('print("began")\nwhile True: pass');
    await expect.poll(() => sink.ofType('execution-start')).toHaveLength(2);
    session.interrupt();
    expect(await run).toMatchObject({ type: 'cancelled', stdout: '', isSandboxLost: false });
    expect(await valueOf(session, 'kept')).toBe(1);
  });

  test('an interrupt ends a run that waits for a new interpreter', async () => {
    await using cold = open({ limits: { warmSandboxes: 0 } });
    await using session = await cold.createSession();
    await session.execute('import os\nos._exit(1)');
    const waiting = session.execute('while True: pass');
    const next = session.execute('1 + 1');
    await new Promise((resolve) => setTimeout(resolve, 50));
    session.interrupt();
    expect(await waiting).toMatchObject({ type: 'cancelled', isSandboxLost: true });
    expect(await next).toMatchObject({ type: 'returned', value: 2 });
  });
}
