/** Every end of a run is told as what it is. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Executor, OutputPart, Session } from '../executor.ts';
import { expectType, valueOf } from './open-executor.contract.ts';
import type { OpenExecutor } from './open-executor.contract.ts';

/** @param open makes an executor of the kind under test */
export function outcomeLaws(open: OpenExecutor): void {
  let executor: Executor;
  let session: Session;
  beforeAll(async () => {
    executor = open();
    session = await executor.createSession();
  });
  afterAll(() => executor[Symbol.asyncDispose]());

  test('printed text is kept beside a value', async () => {
    const outcome = await session.execute('import sys\nprint("out")\nprint("err", file=sys.stderr)\n0');
    expect(outcome).toMatchObject({ type: 'returned', value: 0, stdout: 'out\n', stderr: 'err\n' });
  });

  test('text arrives while the code still runs', async () => {
    const parts: OutputPart[] = [];
    const seen = new Promise<void>((resolve) => {
      const onOutput = (part: OutputPart): void => {
        parts.push(part);
        resolve();
      };
      void session.execute('print("early é")\nwhile True: pass', {}, { onOutput, timeoutMs: 5000 });
    });
    await seen;
    expect(parts).toEqual([{ stream: 'stdout', text: 'early é\n' }]);
    session.interrupt();
  });

  test('text that is flushed by the character arrives whole, in few parts', async () => {
    const parts: OutputPart[] = [];
    const code = 'import os\nfor _ in range(10_000):\n  print(end="a", flush=True)\n  os.write(2, b"b")';
    const outcome = await session.execute(code, {}, { onOutput: (part) => void parts.push(part) });
    expect(outcome).toMatchObject({ stdout: 'a'.repeat(10_000), stderr: 'b'.repeat(10_000) });
    expect(parts.length).toBeLessThan(2000);
  });

  test('SUBMIT ends the run with an answer', async () => {
    const code = 'print("a")\ntry:\n  SUBMIT(answer=[1, None], note="n")\nexcept Exception: pass\nprint("b")';
    const outcome = expectType(await session.execute(code), 'submitted');
    expect({ ...outcome.value }).toEqual({ answer: [1, null], note: 'n' });
    expect(outcome.stdout).toBe('a\n');
    expect({ ...expectType(await session.execute('SUBMIT(0)'), 'submitted').value }).toEqual({ output: 0 });
  });

  test('an exception names its line and shows the guest alone', async () => {
    const outcome = await session.execute('def f():\n  raise KeyError("k")\n\nf()');
    const { error } = expectType(outcome, 'threw');
    expect(error).toMatchObject({ type: 'KeyError', message: "'k'", line: 2 });
    expect(error.traceback).toMatch(
      /^Traceback \(most recent call last\):\n {2}File "<run-\d+>", line 4, in <module>/u,
    );
    expect(error.traceback).toContain('raise KeyError("k")');
    expect(error.traceback).not.toContain('harness');
  });

  test.each([
    ['raise SystemExit(3)', 'SystemExit', '3'],
    ['import sys\nsys.exit()', 'SystemExit', ''],
    ['raise KeyboardInterrupt', 'KeyboardInterrupt', ''],
    ['assert False, "no"', 'AssertionError', 'no'],
    ['input()', 'EOFError', 'EOF when reading a line'],
  ])('%s is an exception', async (code, type, message) => {
    expect(await session.execute(code)).toMatchObject({ type: 'threw', error: { type, message } });
  });

  test('a syntax error has its place, and nothing of the code runs', async () => {
    const outcome = await session.execute('print("ran")\nx = = 1');
    expect(outcome).toMatchObject({ type: 'syntax-error', line: 2, column: 5, stdout: '' });
    expect(expectType(outcome, 'syntax-error').message).toBe('invalid syntax');
  });

  test.each(['import js', 'import ctypes.util', 'from pyodide.ffi import to_js', 'if 0:\n  import os, js'])(
    '%s is denied by default, and nothing of the code runs',
    async (code) => {
      const outcome = await session.execute(`print("ran")\n${code}`);
      expect(outcome).toMatchObject({
        type: 'denied',
        code: 'executor/denied',
        permission: 'module',
        stdout: '',
      });
    },
  );

  test('a missing output is a NameError', async () => {
    const outcome = await session.execute('found = 1', {}, { outputs: ['found', 'missing'] });
    expect(outcome).toMatchObject({ type: 'threw', error: { type: 'NameError' } });
  });

  test('files are there before the code runs', async () => {
    const files = { 'data/a.csv': 'x,y\n1,é\n', 'b.bin': new Uint8Array([0, 200]) };
    const code = 'open("data/a.csv").read(), open("/sandbox/b.bin", "rb").read()';
    expect(expectType(await session.execute(code, { files }), 'returned').value).toEqual([
      'x,y\n1,é\n',
      new Uint8Array([0, 200]),
    ]);
  });

  test('code may await at its top level', async () => {
    expect(await valueOf(session, 'import asyncio\nawait asyncio.sleep(0.01, "slept")')).toBe('slept');
    expect(await valueOf(session, 'async def f(): return 7\nx = await f()\nx + 1')).toBe(8);
  });
}
