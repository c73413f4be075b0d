/** Programs that misbehave, and how each of them must end. */
import { expect } from 'vitest';
import type { Outcome } from '../outcome.ts';

/** After each one the next run works. */
export const hostile: readonly (readonly [name: string, code: string, check: (outcome: Outcome) => void])[] =
  [
    ['an endless loop', 'while True: pass', isTimeout],
    [
      'an endless loop that swallows everything',
      'while True:\n  try:\n    while True: pass\n  except BaseException: pass',
      (outcome) => {
        isTimeout(outcome);
        expect(outcome.isSandboxLost).toBe(true);
      },
    ],
    ['sleep', 'import time\ntime.sleep(100)', isTimeout],
    ['a C loop', 'sum(range(10**12))', isTimeout],
    [
      'an await that never ends',
      'import asyncio\nawait asyncio.get_running_loop().create_future()',
      isTimeout,
    ],
    [
      '300 MB',
      'x = bytearray(300 * 2**20)',
      (outcome) =>
        expect(outcome).toMatchObject({ type: 'exceeded', limit: 'memory', allowed: 256 * 2 ** 20 }),
    ],
    [
      'lists that never end',
      'x = []\nwhile True: x.append([0] * 100000)',
      (outcome) => expect(outcome).toMatchObject({ type: 'exceeded', limit: 'memory' }),
    ],
    ['one print of 100 MB', 'print("x" * 100_000_000)', isFlood],
    ['a million prints of 100 bytes', 'for _ in range(1_000_000): print("y" * 99)', isFlood],
    [
      'prints that swallow the refusal',
      'while True:\n  try:\n    print("z" * 1000)\n  except BaseException: pass',
      isFlood,
    ],
    ['a flood below the streams', 'import os\nwhile True: os.write(1, b"w" * 10000)', isFlood],
    [
      'text past the harness',
      'import sys\nsys._getframe(1).f_globals["emit"](0, "v" * 20_000_000)\nwhile True: pass',
      isFlood,
    ],
    [
      'bytes past the harness',
      'import sys\nkeep = sys._getframe(1).f_globals["keep"]\nfor _ in range(100): keep(b"u" * 10_000_000)',
      (outcome) => expect(outcome).toMatchObject({ type: 'exceeded', limit: 'output', stdout: '' }),
    ],
    ['C stack overflow', 'import json\njson.loads("[" * 100000)', isDeath],
    ['os._exit', 'import os\nos._exit(3)', isDeath],
    ['os.abort', 'import os\nos.abort()', isDeath],
    [
      'deep recursion',
      'def f(n): return f(n + 1)\nf(0)',
      (outcome) =>
        expect(outcome).toMatchObject({ type: 'threw', error: { type: 'RecursionError', line: 1 } }),
    ],
    [
      'arguments that are not JSON',
      'raise ValueError(object(), {1}, b"x", lambda: 1)',
      (outcome) => expect(outcome).toMatchObject({ type: 'threw', error: { type: 'ValueError', line: 1 } }),
    ],
    [
      'an exception whose text raises',
      'class E(Exception):\n  def __str__(self): raise SystemExit\nraise E()',
      (outcome) => expect(outcome).toMatchObject({ type: 'threw', error: { type: 'E' } }),
    ],
    [
      'a null byte',
      'x = 1\ny = "\0"',
      (outcome) => expect(outcome).toMatchObject({ type: 'syntax-error', line: 2, column: 6 }),
    ],
    [
      'half of a surrogate pair',
      'x = 1\n"\ud800"',
      (outcome) => expect(outcome).toMatchObject({ type: 'syntax-error', line: 2, column: 2 }),
    ],
    [
      'a million nested parentheses',
      '('.repeat(500_000) + ')'.repeat(500_000),
      (outcome) => expect(outcome.type).toMatch(/syntax-error|failed/u),
    ],
    [
      'a function as the value',
      'lambda: 1',
      (outcome) =>
        expect(outcome).toMatchObject({
          type: 'threw',
          error: {
            type: 'TypeError',
            message: 'the value: a value of type function cannot leave the sandbox',
          },
        }),
    ],
    [
      'a cycle as the value',
      'a = []\na.append(a)\na',
      (outcome) => expect(outcome).toMatchObject({ type: 'threw', error: { type: 'TypeError' } }),
    ],
    [
      'a value of 40 MB',
      '"x" * 40_000_000',
      (outcome) =>
        expect(outcome).toMatchObject({ type: 'exceeded', limit: 'output', allowed: 16 * 2 ** 20 }),
    ],
    [
      'files of 100 MB',
      'f = open("big", "wb")\nfor _ in range(100): f.write(b"x" * 2**20)',
      (outcome) =>
        expect(outcome).toMatchObject({
          type: 'threw',
          error: { type: 'OSError', message: '[Errno 51] No space left on device' },
        }),
    ],
    [
      'a file stretched to a gigabyte',
      'open("big", "wb").truncate(2**30)',
      (outcome) => expect(outcome).toMatchObject({ type: 'threw', error: { type: 'OSError' } }),
    ],
  ];

/** It was stopped by the clock. */
export function isTimeout(outcome: Outcome): void {
  expect(outcome).toMatchObject({ type: 'exceeded', limit: 'time', allowed: 500 });
  expect(outcome.durationMs).toBeGreaterThanOrEqual(490);
  expect(outcome.durationMs).toBeLessThan(5000);
}

function isFlood(outcome: Outcome): void {
  expect(outcome).toMatchObject({ type: 'exceeded', limit: 'output', allowed: 2 ** 20 });
  expect(outcome.stdout.length).toBeGreaterThan(2 ** 20 - 20_000);
  expect(outcome.stdout.length).toBeLessThanOrEqual(2 ** 20);
}

function isDeath(outcome: Outcome): void {
  expect(outcome).toMatchObject({ type: 'failed', code: 'executor/interpreter-died', isSandboxLost: true });
}
