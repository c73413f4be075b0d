import { expect, test } from 'vitest';
import { CodedError } from '../../base/index.ts';
import { PackageBudget } from '../language/package-budget.ts';
import { SimulatedClock } from '../../platform/index.ts';
import type { Clock } from '../../platform/index.ts';
import { resolveLimits } from '../limits.ts';
import { resolvePolicy } from '../policy/policy.ts';
import type { PolicyInput } from '../policy/policy.ts';
import type { Tool } from '../tool.ts';
import type { Denial } from './denial.ts';
import type { ToolCallMessage } from './protocol.ts';
import { unpackAnswer } from './tool-answer.ts';
import { ToolDesk } from './tool-desk.ts';
import type { ToolDeskOptions } from './tool-desk.ts';

const limits = resolveLimits({ toolCalls: 3, toolArgumentBytes: 100, toolResultBytes: 1000 });

/** A desk, and what became of each call. */
function openDesk(tools: Record<string, Tool>, policy?: PolicyInput, over: Partial<ToolDeskOptions> = {}) {
  const answers: Record<number, unknown> = {};
  const denials: Denial[] = [];
  const seen: { exceeded: number; bound?: readonly [limit: string, allowed: number] } = { exceeded: 0 };
  const desk = new ToolDesk({
    tools: new Map(Object.entries(tools)),
    policy: resolvePolicy(policy),
    limits,
    packageBudget: new PackageBudget(),
    clock: new SimulatedClock(),
    packages: { isOpen: false, serve: () => Promise.resolve(null) },
    reply: ({ call }, answer) => {
      answers[call] = JSON.parse(new TextDecoder().decode(unpackAnswer(answer).text));
    },
    onExceed: (...bound) => {
      seen.exceeded += 1;
      seen.bound = bound;
    },
    onDeny: (denial) => void denials.push(denial),
    ...over,
  });
  return { desk, answers, denials, seen };
}

const message = (over: Partial<ToolCallMessage> = {}): ToolCallMessage => ({
  type: 'tool-call',
  run: 1,
  call: 1,
  name: 'echo',
  arguments: '[[1],[]]',
  buffers: [],
  line: 7,
  isBlocking: false,
  ...over,
});
const echo: Tool = { call: ({ arguments: values, named }) => [[...values], { ...named }] };
/** Every promise that is settled already is heard. */
const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));

test.each([
  ['no JSON', { arguments: '[' }],
  ['no pair', { arguments: '[[]]' }],
  ['no lists', { arguments: '[1,2]' }],
  ['a name that is no text', { arguments: '[[],[[1,2]]]' }],
  ['an unknown tag', { arguments: '[[{"$":"code"}],[]]' }],
  ['a buffer that is not there', { arguments: '[[{"$":"bytes","b":0}],[]]' }],
  ['too deep', { arguments: `[[${'['.repeat(45)}${']'.repeat(45)}],[]]`.padEnd(101) }],
  ['too much text', { arguments: `[["${'x'.repeat(100)}"],[]]` }],
  ['too many bytes', { buffers: [new ArrayBuffer(101)] }],
])('arguments with %s are not handed on', async (_name, over) => {
  let calls = 0;
  const { desk, answers } = openDesk({ echo: { call: () => void (calls += 1) } });
  desk.receive(message(over));
  await settle();
  expect(answers[1]).toMatchObject({ code: 'executor/tool-arguments-invalid' });
  expect(calls).toBe(0);
});

test('names of prototypes reach nothing, as a tool, as an argument, as a parameter', async () => {
  const named: Tool = { parameters: ['a'], call: () => 1 };
  const { desk, answers } = openDesk({ echo, named });
  desk.receive(message({ call: 1, name: 'constructor' }));
  desk.receive(message({ call: 2, arguments: '[[],[["__proto__",{"__proto__":1}]]]' }));
  desk.receive(message({ call: 3, name: 'named', arguments: '[[],[["__proto__",1]]]' }));
  await settle();
  expect(answers[1]).toMatchObject({ code: 'executor/tool-unknown' });
  expect(answers[2]).toHaveProperty('value');
  expect(answers[3]).toMatchObject({ code: 'executor/tool-arguments-invalid' });
  expect(Object.hasOwn(Object.prototype, '__proto__') && Reflect.get({}, 'a')).toBe(undefined);
});

test('one call too many is told, and is not served', async () => {
  const { desk, answers, seen } = openDesk({ echo });
  for (let call = 1; call <= 5; call += 1) desk.receive(message({ call }));
  await settle();
  expect(Object.keys(answers)).toEqual(['1', '2', '3']);
  expect(seen).toEqual({ exceeded: 2, bound: ['calls', 3] });
});

test('an answer that cannot cross is our error', async () => {
  const large: Tool = { call: () => 'é'.repeat(600) };
  const strange: Tool = { call: () => Symbol('s') as never };
  const { desk, answers } = openDesk({ large, strange });
  desk.receive(message({ call: 1, name: 'large' }));
  desk.receive(message({ call: 2, name: 'strange' }));
  await settle();
  for (const call of [1, 2]) expect(answers[call]).toMatchObject({ code: 'executor/tool-answer-invalid' });
});

test('a message of great length is cut', async () => {
  const loud: Tool = {
    call: () => {
      throw new Error('x'.repeat(1e6));
    },
  };
  const { desk, answers } = openDesk({ loud });
  desk.receive(message({ name: 'loud' }));
  await settle();
  expect(answers[1]).toEqual({ code: 'executor/tool-failed', message: 'x'.repeat(16_384) });
});

test('after the end nothing is called, answered or denied', async () => {
  const late: Tool = { call: async () => (await settle(), 1) };
  const denied = new CodedError('executor/denied', 'no', { fields: { permission: 'network' } });
  const refusing: Tool = { call: () => Promise.reject(denied) };
  const { desk, answers, denials } = openDesk({ echo, late, refusing });
  desk.receive(message({ name: 'late' }));
  desk.receive(message({ name: 'refusing' }));
  desk.close();
  desk.receive(message({ call: 2 }));
  await settle();
  await settle();
  expect([answers, denials]).toEqual([{}, []]);
});

test('what the policy denies is told with its rule and its line', async () => {
  const { desk, denials } = openDesk({ echo }, { tools: ['other'] });
  desk.receive(message());
  await settle();
  expect(denials).toEqual([{ permission: 'tool', name: 'echo', rule: 'tools', line: 7, column: null }]);
});

/** Time goes by while keys are put: 15 ms each time that it is asked for. */
function slowClock(): Clock {
  let nowMs = 0;
  return { now: () => 0, monotonic: () => (nowMs += 15), after: () => () => undefined };
}
const wide = resolveLimits({ toolCalls: 100 });
const slowArguments = `[[{"$":"set","v":[${Array.from({ length: 64 }, (_none, index) => index).join(',')}]}],[]]`;

test('keys that keep the page in slices end the run, whatever each call takes', async () => {
  let calls = 0;
  const { desk, seen } = openDesk({ echo: { call: () => void (calls += 1) } }, undefined, {
    limits: wide,
    clock: slowClock(),
    onExceed: (...bound) => {
      seen.exceeded += 1;
      seen.bound = bound;
      desk.close();
    },
  });
  for (let call = 1; call <= 100; call += 1) desk.receive(message({ call, arguments: slowArguments }));
  await settle();
  // 33 times 15 ms are within half a second
  expect([calls, seen.exceeded, seen.bound]).toEqual([33, 1, ['keys', 500]]);
});

test('so do those of a request for packages, in a run without tools', async () => {
  let served = 0;
  const serve = (): Promise<null> => Promise.resolve(((served += 1), null));
  const { desk, seen } = openDesk({}, undefined, {
    limits: wide,
    clock: slowClock(),
    packages: { isOpen: true, serve },
  });
  for (let call = 1; call <= 34; call += 1)
    desk.receive(message({ call, name: 'micropip.install', arguments: slowArguments }));
  await settle();
  expect([served, seen.exceeded]).toEqual([33, 1]);
});
