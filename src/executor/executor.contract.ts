/* oxlint-disable vitest/valid-title -- laws are run by describeExecutor */
/** The laws of `Executor` over Python: what every way of making one must pass. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isCodedError } from '../base/index.ts';
import { createHub, createMemorySink } from '../telemetry/index.ts';
import type { Hub } from '../telemetry/index.ts';
import type { Executor, OutputPart, Session } from './executor.ts';
import type { GuestValue } from './guest-value.ts';
import type { ExecutorLimits } from './limits.ts';
import type { Outcome } from './outcome.ts';
import type { Policy } from './policy.ts';

export interface OpenOptions {
  readonly limits?: Partial<ExecutorLimits>;
  readonly policy?: Policy;
  readonly hub?: Hub;
}

/** Makes an executor; the law disposes it. */
export type OpenExecutor = (options?: OpenOptions) => Executor;

async function codeOf(work: Promise<unknown>): Promise<string> {
  const error: unknown = await work.then(
    () => 'nothing',
    (reason: unknown) => reason,
  );
  return isCodedError(error) ? error.code : `no coded error: ${String(error)}`;
}

type OutcomeOf<T extends Outcome['type']> = Extract<Outcome, { type: T }>;

function expectType<T extends Outcome['type']>(outcome: Outcome, type: T): OutcomeOf<T> {
  if (outcome.type !== type)
    throw new Error(`expected ${type}, got ${JSON.stringify(outcome).slice(0, 2000)}`);
  return outcome as OutcomeOf<T>;
}

async function valueOf(session: Pick<Executor, 'execute'>, code: string): Promise<GuestValue> {
  return expectType(await session.execute(code), 'returned').value;
}

/** Programs that misbehave, and how each must end. After each one the next run works. */
const hostile: readonly (readonly [name: string, code: string, check: (outcome: Outcome) => void])[] = [
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
  ['an await that never ends', 'import asyncio\nawait asyncio.get_running_loop().create_future()', isTimeout],
  [
    '300 MB',
    'x = bytearray(300 * 2**20)',
    (outcome) => expect(outcome).toMatchObject({ type: 'exceeded', limit: 'memory', allowed: 256 * 2 ** 20 }),
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
    (outcome) => expect(outcome).toMatchObject({ type: 'threw', error: { type: 'RecursionError', line: 1 } }),
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
        error: { type: 'TypeError', message: 'the value: a value of type function cannot leave the sandbox' },
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
    (outcome) => expect(outcome).toMatchObject({ type: 'exceeded', limit: 'output', allowed: 16 * 2 ** 20 }),
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

function isTimeout(outcome: Outcome): void {
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

/** Values that come back as they went in. */
const roundTrip: fc.Arbitrary<GuestValue> = fc.letrec<{ value: GuestValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constant(null),
    fc.boolean(),
    fc.integer(),
    fc.maxSafeInteger(),
    fc
      .double()
      .filter((value) => !Number.isInteger(value) || Math.abs(value) >= 1e21 || Object.is(value, -0)),
    fc.bigInt().filter((value) => value > 2n ** 53n || value < -(2n ** 53n)),
    fc.string({ unit: 'binary' }),
    fc.string({ unit: 'grapheme', maxLength: 40_000, size: 'max' }),
    fc.date({ noInvalidDate: true, min: new Date('0001-01-02'), max: new Date('9999-12-30') }),
    fc.uint8Array(),
    fc.float64Array(),
    fc.int32Array(),
    fc.bigInt64Array(),
    fc.array(tie('value')),
    fc.dictionary(
      fc.oneof(fc.string(), fc.constantFrom('$', '__proto__', 'v', 'constructor')),
      tie('value'),
      {
        noNullPrototype: true,
      },
    ),
    fc
      .uniqueArray(fc.tuple(fc.integer(), tie('value')), { minLength: 1, selector: ([key]) => key })
      .map((entries): GuestValue => new Map(entries)),
  ) as fc.Arbitrary<GuestValue>,
})).value;

/** Vitest's equality looks at prototypes; ours are gone on purpose. */
function plain(value: GuestValue): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (value instanceof Map) return new Map([...value].map(([key, item]) => [key, plain(item as GuestValue)]));
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value) || value instanceof Date) {
    return value;
  }
  return Object.entries(value)
    .map(([key, item]) => [key, plain(item as GuestValue)] as const)
    .toSorted(([left], [right]) => (left < right ? -1 : 1));
}

/** The laws but those of {@link describeExecutorLimits}. @param open makes an executor of the kind under test */
export function describeExecutor(name: string, open: OpenExecutor): void {
  describe(name, () => {
    describe('values and outcomes', () => {
      valueLaws(open);
    });
    describe('one-shot runs', () => {
      executionLaws(open);
    });
    describe('sessions', () => {
      sessionLaws(open);
    });
  });
}

/**
 * The hostile programs, a minute or more. To be left out only for an executor that differs from one that passed them in
 * nothing but how its frame comes about.
 */
export function describeExecutorLimits(name: string, open: OpenExecutor): void {
  describe(`${name}: limits`, () => {
    limitLaws(open);
  });
}

function valueLaws(open: OpenExecutor): void {
  let executor: Executor;
  let session: Session;
  beforeAll(async () => {
    executor = open();
    session = await executor.createSession();
  });
  afterAll(() => executor[Symbol.asyncDispose]());

  test('what goes in comes back', async () => {
    await fc.assert(
      fc.asyncProperty(roundTrip, async (value) => {
        const outcome = await session.execute('x', { variables: { x: value } }, { outputs: ['x'] });
        const { value: back, variables } = expectType(outcome, 'returned');
        expect(plain(back)).toEqual(plain(value));
        expect(plain(variables['x'] as GuestValue)).toEqual(plain(value));
      }),
      { numRuns: 150 },
    );
  });

  test.each<[string, GuestValue]>([
    ['type(True).__name__', 'bool'],
    ['(1, 2)', [1, 2]],
    ['{3, 3}', [3]],
    ['2**70', 2n ** 70n],
    ['-2**53 + 1', -(2 ** 53) + 1],
    ['-(2**53)', -(2n ** 53n)],
    ['b"\\x00\\xff"', new Uint8Array([0, 255])],
    ['import array\narray.array("f", [1.5])', new Float32Array([1.5])],
    ['import datetime\ndatetime.date(2026, 11, 22)', new Date('2026-11-22')],
    ['0', 0],
    ['""', ''],
    ['False', false],
    ['None', null],
    ['x = 1', null],
    ['', null],
    ['# only a comment', null],
  ])('%s is %o', async (code, value) => {
    expect(await valueOf(session, code)).toEqual(value);
  });

  test('values arrive as Python means them', async () => {
    const variables = {
      a: 1,
      b: 1.5,
      c: 2n ** 65n,
      d: new Uint8Array([1]),
      e: new Date(1000),
      f: new Float64Array([1, 2]),
      g: new Map<GuestValue, GuestValue>([
        [1, 'one'],
        [[1, 2], 'pair'],
      ]),
      h: -0,
      ſ: 'long s',
    };
    const code = '[type(x).__name__ for x in (a, b, c, d, e, f, g, h)], g[(1, 2)], e.isoformat(), s';
    expect(plain(expectType(await session.execute(code, { variables }), 'returned').value)).toEqual([
      ['int', 'float', 'int', 'bytes', 'datetime', 'array', 'dict', 'float'],
      'pair',
      '1970-01-01T00:00:01+00:00',
      'long s',
    ]);
  });

  test('what comes back is frozen, and its keys pollute nothing', async () => {
    const value = await valueOf(
      session,
      '{"__proto__": {"polluted": 1}, "constructor": {"prototype": {"polluted": 1}}}',
    );
    expect(Object.getPrototypeOf(value)).toBe(null);
    expect(Object.isFrozen(value)).toBe(true);
    expect(({} as Record<string, unknown>)['polluted']).toBe(undefined);
    expect(Object.keys(value as object)).toEqual(['__proto__', 'constructor']);
  });

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

function limitLaws(open: OpenExecutor): void {
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

function executionLaws(open: OpenExecutor): void {
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

function sessionLaws(open: OpenExecutor): void {
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
}
