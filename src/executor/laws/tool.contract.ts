/** What tools promise. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CodedError } from '../../base/index.ts';
import type { ExecutionContext, ExecutionOptions, Executor } from '../executor.ts';
import type { GuestValue } from '../guest-value.ts';
import type { Outcome } from '../outcome.ts';
import type { Tool, ToolCall, Tools } from '../tool.ts';
import { codeOf, expectType } from './open-executor.contract.ts';
import type { OpenExecutor } from './open-executor.contract.ts';
import { have, lawOf, lines } from './spelling.contract.ts';
import type { Spelling } from './spelling.contract.ts';

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
const rubbish: Tool = { call: () => (() => 1) as never };
const tools: Tools = { echo, add, fail, rubbish };

/** @param open makes an executor of the kind under test */
export function toolLaws(open: OpenExecutor, spelling: Spelling): void {
  const { number, say } = spelling;
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

  lawOf(spelling.tools, 'a call answers, with values both ways', async ({ passing: [code, answer] }) => {
    expect(await value(code)).toEqual(answer);
  });

  lawOf(
    spelling.tools,
    'values get the names of parameters, and what does not fit is told to the guest',
    async ({ additions, misfits, ask, attempt }) => {
      for (const call of additions) expect([call, await value(ask(call))]).toEqual([call, 3]);
      for (const call of misfits) {
        expect(await value(attempt(call))).toEqual([
          'ToolError',
          expect.stringContaining('add'),
          'executor/tool-arguments-invalid',
        ]);
      }
    },
  );

  lawOf(spelling.tools, 'calls can be on their way together', async ({ together }) => {
    const waiting: (() => void)[] = [];
    const both: Tool = {
      call: ({ arguments: [name] }) =>
        new Promise((resolve) => {
          waiting.push(() => resolve(name));
          // answered only when both are here
          if (waiting.length === 2) for (const answer of waiting) answer();
        }),
    };
    expect(await value(together, { tools: { both } })).toEqual(['a', 'b']);
  });

  lawOf(
    spelling.tools,
    'what a tool throws arrives with its message and its code',
    async ({ attempt, ask, call }) => {
      expect(await value(attempt(call('fail')))).toEqual(['ToolError', 'not <now>', 'lm/overloaded']);
      const { error } = expectType(await run(lines('', ask(call('fail')))), 'threw');
      expect(error).toMatchObject({ type: 'ToolError', message: 'not <now>', line: 2 });
    },
  );

  lawOf(
    spelling.tools,
    'an answer that cannot cross, or is too large, is our error and no crash',
    async ({ attempt, call }) => {
      const large: Tool = { call: () => 'x'.repeat(5000) };
      const invalid = ['ToolError', expect.any(String), 'executor/tool-answer-invalid'];
      expect(await value(attempt(call('rubbish')))).toEqual(invalid);
      expect(await value(attempt(call('large')), { tools: { large } })).toEqual(invalid);
    },
  );

  lawOf(
    spelling.tools,
    'arguments beyond their bound, or that cannot cross, do not leave, and the run goes on',
    async ({ attempt, call, large, uncrossable }) => {
      const reached: ToolCall[] = [];
      const context = { tools: { echo: { call: (given: ToolCall) => void reached.push(given) } } };
      for (const given of large) {
        const [kind, , code] = (await value(attempt(call('echo', given)), context)) as GuestValue[];
        expect([given, kind, code]).toEqual([given, 'ToolError', 'executor/tool-arguments-invalid']);
      }
      for (const [given, kind] of uncrossable) {
        expect([given, ((await value(attempt(call('echo', given)), context)) as GuestValue[])[0]]).toEqual([
          given,
          kind,
        ]);
      }
      expect(reached).toEqual([]);
    },
  );

  lawOf(
    spelling.tools,
    'one call too many ends the run, whoever catches what',
    async ({ endless, ask, additions }) => {
      expect(await run(endless, { tools }, { timeoutMs: 8000 })).toMatchObject({
        type: 'exceeded',
        limit: 'calls',
        allowed: 20,
      });
      expect(await value(ask(additions[0] as string))).toBe(3);
    },
  );

  test.each(have(spelling.tools)?.never ?? [])(
    'a tool that never answers ends at the deadline: %s',
    async (code) => {
      const signals: AbortSignal[] = [];
      const never: Tool = {
        call: ({ signal }: ToolCall) => {
          signals.push(signal);
          return new Promise<GuestValue>(() => undefined);
        },
      };
      const outcome = await run(code, { tools: { never } }, { timeoutMs: 400 });
      expect(outcome).toMatchObject({ type: 'exceeded', limit: 'time', stdout: 'a\n' });
      expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
      expect(await value(number(2))).toBe(2);
    },
  );

  lawOf(
    spelling.tools,
    'an answer after the end is dropped, and no later call gets it',
    async ({ ask, call, additions }) => {
      await using session = await executor.createSession();
      let answer: ((value: GuestValue) => void) | undefined;
      const late: Tool = { call: () => new Promise<GuestValue>((resolve) => (answer = resolve)) };
      const first = await session.execute(ask(call('late')), { tools: { late } }, { timeoutMs: 300 });
      expect(first).toMatchObject({ type: 'exceeded', limit: 'time' });
      answer?.('too late');
      expect(await session.execute(ask(additions[0] as string), { tools })).toMatchObject({ value: 3 });
    },
  );

  lawOf(
    spelling.tools,
    'tools are those of the run, also in a session',
    async ({ keep, callKept, ask, additions, unknown }) => {
      await using session = await executor.createSession();
      expect(await session.execute(keep, { tools })).toMatchObject({ value: 2 });
      expect(await session.execute(ask(additions[0] as string))).toMatchObject({
        type: 'threw',
        error: { type: unknown },
      });
      expect(await session.execute(callKept, { tools: { echo } })).toMatchObject({ type: 'threw' });
      expect(await session.execute(number(5))).toMatchObject({ value: 5 });
    },
  );

  lawOf(
    have(spelling.tools)?.forge ?? { lacks: 'a call cannot be given another name' },
    'names that objects have by nature are not tools',
    async (forge) => {
      for (const name of ['constructor', 'toString', 'hasOwnProperty']) {
        expect(await value(forge(name))).toBe('executor/tool-unknown');
      }
    },
  );

  lawOf(
    have(spelling.tools)?.polluting ?? { lacks: 'values have no names here' },
    'names of values pollute nothing',
    async ([code, answer]) => {
      expect(await value(code)).toEqual(answer);
      expect(Object.hasOwn(Object.prototype, 'left')).toBe(false);
    },
  );

  lawOf(
    spelling.tools,
    'the policy says which tools may be called, and where the call stands',
    async ({ ask, additions, denied, hidden }) => {
      await using strict = open({ policy: { tools: ['add'] } });
      expect(await strict.execute(ask(additions[0] as string), { tools })).toMatchObject({ value: 3 });
      const refusal = { type: 'denied', permission: 'tool', name: 'echo' };
      expect(await strict.execute(denied.code, { tools })).toMatchObject({
        ...refusal,
        rule: 'tools',
        line: 2,
        column: denied.column,
        stdout: '',
      });
      expect(await strict.execute(hidden.code, { tools })).toMatchObject({
        ...refusal,
        line: hidden.line,
        stdout: '1\n',
      });
    },
  );

  lawOf(spelling.tools, 'what cannot be a tool is refused', async ({ badNames }) => {
    const wrong: readonly (readonly [string, Tools])[] = [
      ...badNames.map((name) => [name, { [name]: echo }] as const),
      ['a name with a dash', { 'a-b': echo }],
      ['a name that is too long', { ['n'.repeat(257)]: echo }],
      ['no function', { a: { call: 1 as never } }],
      ['nothing', { a: null as never }],
      ['the same parameter twice', { a: { ...echo, parameters: ['x', 'x'] } }],
      ['a parameter that is no name', { a: { ...echo, parameters: ['x y'] } }],
    ];
    for (const [name, given] of wrong) {
      expect([name, await codeOf(run(number(1), { tools: given }))]).toEqual([name, 'executor/tool-invalid']);
    }
  });

  lawOf(spelling.tools, 'a stop is heard while a tool is waited for', async ({ ask, call }) => {
    await using session = await executor.createSession();
    const controller = new AbortController();
    const stop: Tool = {
      call: () => {
        controller.abort();
        return new Promise<GuestValue>(() => undefined);
      },
    };
    const context = { tools: { stop } };
    const outcome = await session.execute(lines(say('a'), ask(call('stop'))), context, {
      signal: controller.signal,
    });
    expect(outcome).toMatchObject({ type: 'cancelled', stdout: 'a\n' });
    expect(await session.execute(number(2))).toMatchObject({ value: 2 });
  });

  if (have(spelling.tools)) return;
  test('a context with tools is refused', async () => {
    expect(await codeOf(run(number(1)))).toBe('executor/option-invalid');
  });
}
