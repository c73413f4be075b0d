/** What tools promise, in a language whose calls wait as they stand: the spelling is Python's. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CodedError } from '../../base/index.ts';
import type { ExecutionContext, ExecutionOptions, Executor } from '../executor.ts';
import type { GuestValue } from '../guest-value.ts';
import type { Outcome } from '../outcome.ts';
import type { Tool, ToolCall, Tools } from '../tool.ts';
import { codeOf, expectType } from './open-executor.contract.ts';
import type { OpenExecutor } from './open-executor.contract.ts';

const echo: Tool = { call: ({ arguments: values, named }) => [[...values], { ...named }] };
const add: Tool = {
  parameters: ['left', 'right'],
  call: ({ named }) => Number(named['left']) + Number(named['right']),
};
const fail: Tool = {
  call: () => {
    throw new CodedError('lm/overloaded', 'not <now>');
  },
};
const never: Tool = { call: () => new Promise<GuestValue>(() => undefined) };
const rubbish: Tool = { call: () => (() => 1) as never };
const tools: Tools = { echo, add, fail, never, rubbish };

/** @param open makes an executor of the kind under test */
export function toolLaws(open: OpenExecutor): void {
  let executor: Executor;
  beforeAll(() => {
    executor = open({ limits: { toolCalls: 20, toolArgumentBytes: 2000, toolResultBytes: 2000 } });
  });
  afterAll(() => executor[Symbol.asyncDispose]());

  const run = (
    code: string,
    context: ExecutionContext = { tools },
    options: ExecutionOptions = {},
  ): Promise<Outcome> => executor.execute(code, context, options);
  const value = async (code: string, context?: ExecutionContext): Promise<GuestValue> =>
    expectType(await run(code, context), 'returned').value;

  test('a plain call waits for the answer, with values both ways', async () => {
    expect(await value('echo(1, [True, None, "é"], b"ab", at=2**70)')).toEqual([
      [1, [true, null, 'é'], new Uint8Array([97, 98])],
      { at: 2n ** 70n },
    ]);
  });

  test('values get the names of parameters, and what does not fit is told to the guest', async () => {
    const attempt = (call: string): string =>
      `try:\n  r = ${call}\nexcept RuntimeError as e:\n  r = [type(e).__name__, e.code]\nr`;
    expect(await value('add(1, right=2)')).toBe(3);
    for (const call of ['add(1, 2, 3)', 'add(1, up=2)', 'add(1, left=2)']) {
      expect(await value(attempt(call))).toEqual(['ToolError', 'executor/tool-arguments-invalid']);
    }
  });

  test('an awaited call does not hold the thread', async () => {
    const waiting: (() => void)[] = [];
    const both: Tool = {
      call: ({ arguments: [name] }) =>
        new Promise((resolve) => {
          waiting.push(() => resolve(name));
          // answered only when both are here
          if (waiting.length === 2) for (const answer of waiting) answer();
        }),
    };
    const code = 'import asyncio\nawait asyncio.gather(both.start("a"), both.start("b"))';
    expect(await value(code, { tools: { both } })).toEqual(['a', 'b']);
    expect(await value('await add(1, 2)')).toBe(3);
  });

  test('what a tool throws arrives with its message and its code', async () => {
    expect(await value('try:\n  fail()\nexcept Exception as e:\n  r = [str(e), e.code]\nr')).toEqual([
      'not <now>',
      'lm/overloaded',
    ]);
    const { error } = expectType(await run('\nfail()'), 'threw');
    expect(error).toMatchObject({ type: 'ToolError', message: 'not <now>', line: 2 });
  });

  test('an answer that cannot cross, or is too large, is our error and no crash', async () => {
    const large: Tool = { call: () => 'x'.repeat(5000) };
    const code = (name: string): string => `try:\n  ${name}()\nexcept Exception as e:\n  r = e.code\nr`;
    expect(await value(code('rubbish'))).toBe('executor/tool-answer-invalid');
    expect(await value(code('large'), { tools: { large } })).toBe('executor/tool-answer-invalid');
  });

  test('arguments beyond their bound do not leave, and the run goes on', async () => {
    const code = (given: string): string =>
      `try:\n  echo(${given})\nexcept Exception as e:\n  r = [e.code, add(1, 1)]\nr`;
    for (const given of ['"x" * 3000', 'b"x" * 3000', '[0] * 3000']) {
      expect(await value(code(given))).toEqual(['executor/tool-arguments-invalid', 2]);
    }
  });

  test('one call too many ends the run, whoever catches what', async () => {
    const code = 'while True:\n  try:\n    add(1, 1)\n  except BaseException: pass';
    expect(await run(code, { tools }, { timeoutMs: 8000 })).toMatchObject({
      type: 'exceeded',
      limit: 'calls',
      allowed: 20,
    });
    expect(await value('add(1, 1)')).toBe(2);
  });

  test.each(['never()', 'await never()', 'await never.start()'])(
    'a tool that never answers ends at the deadline: %s',
    async (call) => {
      const signals: AbortSignal[] = [];
      const watched: Tool = {
        call: ({ signal }: ToolCall) => {
          signals.push(signal);
          return new Promise<GuestValue>(() => undefined);
        },
      };
      const context = { tools: { never: watched } };
      const outcome = await run(`print("a")\n${call}`, context, { timeoutMs: 400 });
      expect(outcome).toMatchObject({ type: 'exceeded', limit: 'time', stdout: 'a\n' });
      expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
      expect(await value('add(1, 1)')).toBe(2);
    },
  );

  test('an answer after the end is dropped, and no later call gets it', async () => {
    await using session = await executor.createSession();
    let answer: ((value: GuestValue) => void) | undefined;
    const late: Tool = { call: () => new Promise<GuestValue>((resolve) => (answer = resolve)) };
    const first = await session.execute('late()', { tools: { late } }, { timeoutMs: 300 });
    expect(first).toMatchObject({ type: 'exceeded', limit: 'time' });
    answer?.('too late');
    expect(await session.execute('add(2, 2)', { tools })).toMatchObject({ value: 4 });
  });

  test('tools are those of the run, also in a session', async () => {
    await using session = await executor.createSession();
    expect(await session.execute('keep = add\nadd(1, 1)', { tools })).toMatchObject({ value: 2 });
    expect(await session.execute('add(1, 1)')).toMatchObject({ type: 'threw', error: { type: 'NameError' } });
    expect(await session.execute('keep(1, 1)', { tools: { echo } })).toMatchObject({ type: 'threw' });
  });

  test('names that objects have by nature are not tools', async () => {
    for (const name of ['constructor', 'toString', 'hasOwnProperty']) {
      expect(await run(`${name}()`)).toMatchObject({ type: 'threw', error: { type: 'NameError' } });
      const forged = `t = type(echo)(${JSON.stringify(name)})\ntry:\n  t()\nexcept Exception as e:\n  r = e.code\nr`;
      expect(await value(forged)).toBe('executor/tool-unknown');
    }
    expect(await value('echo(**{"__proto__": 1, "constructor": 2})')).toEqual([
      [],
      Object.fromEntries([
        ['__proto__', 1],
        ['constructor', 2],
      ]),
    ]);
    expect(Object.hasOwn(Object.prototype, 'left')).toBe(false);
  });

  test('the policy says which tools may be called, and where the call stands', async () => {
    await using strict = open({ policy: { tools: ['add'] } });
    expect(await strict.execute('add(1, 1)', { tools })).toMatchObject({ value: 2 });
    expect(await strict.execute('print(1)\nx = echo(1)', { tools })).toMatchObject({
      type: 'denied',
      permission: 'tool',
      name: 'echo',
      rule: 'tools',
      line: 2,
      column: 5,
      stdout: '',
    });
    // not to be seen in the text
    const hidden = 'print(1)\ntry:\n  globals()["ec" + "ho"](1)\nexcept BaseException: pass';
    expect(await strict.execute(hidden, { tools })).toMatchObject({
      type: 'denied',
      permission: 'tool',
      name: 'echo',
      line: 3,
      stdout: '1\n',
    });
  });

  test.each<[string, Tools]>([
    ['a keyword as name', { lambda: echo }],
    ['a name with a dash', { 'a-b': echo }],
    ['a name that is too long', { ['n'.repeat(257)]: echo }],
    ['no function', { a: { call: 1 as never } }],
    ['nothing', { a: null as never }],
    ['the same parameter twice', { a: { ...echo, parameters: ['x', 'x'] } }],
    ['a parameter that is no name', { a: { ...echo, parameters: ['x y'] } }],
  ])('%s is refused', async (_name, wrong) => {
    expect(await codeOf(run('1', { tools: wrong }))).toBe('executor/tool-invalid');
  });

  test('a stop is heard while a tool is waited for', async () => {
    await using session = await executor.createSession();
    const controller = new AbortController();
    const stop: Tool = {
      call: () => {
        controller.abort();
        return new Promise<GuestValue>(() => undefined);
      },
    };
    const outcome = await session.execute(
      'x = 1\nstop()',
      { tools: { stop } },
      { signal: controller.signal },
    );
    expect(outcome).toMatchObject({ type: 'cancelled' });
    expect(await session.execute('2')).toMatchObject({ value: 2 });
  });
}
