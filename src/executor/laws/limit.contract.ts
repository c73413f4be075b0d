/** Bounds hold, whatever the guest does and whatever it is handed. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Executor } from '../executor.ts';
import type { GuestValue } from '../guest-value.ts';
import { hostile, isTimeout } from './hostile-program.contract.ts';
import { codeOf, valueOf } from './open-executor.contract.ts';
import type { OpenExecutor } from './open-executor.contract.ts';

/** @param open makes an executor of the kind under test */
export function limitLaws(open: OpenExecutor): void {
  let executor: Executor;
  beforeAll(() => {
    executor = open({ limits: { wallTimeMs: 20_000 } });
  });
  afterAll(() => executor[Symbol.asyncDispose]());

  test.each(hostile)('%s ends as it must, and the next run works', async (name, code, check) => {
    // only those that never end by themselves are stopped by the clock
    const options = check === isTimeout || name.includes('swallows') ? { timeoutMs: 500 } : {};
    const runOnce = async (): Promise<void> => {
      check(await executor.execute(code, {}, options));
      expect(await valueOf(executor, '1 + 1')).toBe(2);
    };
    const runInSession = async (): Promise<void> => {
      await using session = await executor.createSession();
      await session.execute('kept = 1');
      const outcome = await session.execute(code, {}, options);
      check(outcome);
      expect(await valueOf(session, '1 + 1')).toBe(2);
      // the flag is true exactly when the variables are gone
      expect(await valueOf(session, '"kept" in globals()')).toBe(!outcome.isSandboxLost);
    };
    await Promise.all([runOnce(), runInSession()]);
  });

  test.each<[string, string, () => Promise<unknown>]>([
    ['50 MB of code', 'executor/code-too-large', () => executor.execute('x'.repeat(50_000_000))],
    [
      'a name with a dash',
      'executor/variable-invalid',
      () => executor.execute('1', { variables: { 'a-b': 1 } }),
    ],
    ['a keyword', 'executor/variable-invalid', () => executor.execute('1', { variables: { lambda: 1 } })],
    ['an empty name', 'executor/variable-invalid', () => executor.execute('1', { variables: { '': 1 } })],
    [
      'a name of Python',
      'executor/variable-invalid',
      () => executor.execute('1', { variables: { __name__: 1 } }),
    ],
    ['a bad output', 'executor/variable-invalid', () => executor.execute('1', {}, { outputs: ['a b'] })],
    [
      'a function',
      'executor/variable-invalid',
      () => executor.execute('1', { variables: { x: (() => 1) as never } }),
    ],
    [
      'an instance',
      'executor/variable-invalid',
      () => executor.execute('1', { variables: { x: new Error('e') as never } }),
    ],
    ['a cycle', 'executor/variable-invalid', () => executor.execute('1', { variables: { x: cycle() } })],
    [
      '70 MB of data',
      'executor/variable-invalid',
      () => executor.execute('1', { variables: { x: new Uint8Array(70e6) } }),
    ],
    ['a path upwards', 'executor/file-invalid', () => executor.execute('1', { files: { '../x': '' } })],
    ['an absolute path', 'executor/file-invalid', () => executor.execute('1', { files: { '/etc/x': '' } })],
    [
      '40 MB of files',
      'executor/file-invalid',
      () => executor.execute('1', { files: { x: new Uint8Array(40e6) } }),
    ],
    ['no time at all', 'executor/option-invalid', () => executor.execute('1', {}, { timeoutMs: 0 })],
    ['NaN as time', 'executor/option-invalid', () => executor.execute('1', {}, { timeoutMs: NaN })],
  ])('%s is refused with %s', async (_name, code, work) => {
    expect(await codeOf(work())).toBe(code);
  });

  test('the next run works after refusals', async () => {
    expect(await valueOf(executor, '1 + 1')).toBe(2);
  });

  test('a limit that makes no sense is refused', async () => {
    for (const limits of [{ wallTimeMs: 0 }, { memoryBytes: 1 }, { outputBytes: NaN }, { unknown: 1 }]) {
      expect(await codeOf(Promise.resolve().then(() => open({ limits })))).toBe('executor/limit-invalid');
    }
  });

  test('files that were deleted no longer count', async () => {
    const code =
      'import os\nfor _ in range(10):\n  open("f", "wb").write(b"x" * 20_000_000)\n  os.remove("f")\n"ok"';
    expect(await valueOf(executor, code)).toBe('ok');
  });

  test('text printed before a stop is kept', async () => {
    const outcome = await executor.execute('print("before")\nwhile True: pass', {}, { timeoutMs: 300 });
    expect(outcome).toMatchObject({ type: 'exceeded', stdout: 'before\n' });
  });

  test('the page stays quick while guests flood it', async () => {
    const delaysMs: number[] = [];
    let lastMs = performance.now();
    const timer = setInterval(() => {
      delaysMs.push(performance.now() - lastMs);
      lastMs = performance.now();
    }, 10);
    await executor.execute('for _ in range(10_000_000): print(1)');
    clearInterval(timer);
    // the worst single delay says more of the machine than of the flood
    const ninetyFifth = delaysMs.toSorted((a, b) => a - b)[Math.floor(delaysMs.length * 0.95)];
    expect(ninetyFifth).toBeLessThan(250);
  });
}

function cycle(): GuestValue {
  const list: GuestValue[] = [];
  list.push(list);
  return list;
}
