/** Options from code without types: each that is wrong is refused by name, and nothing is done. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Module, Parameter } from '../program/index.ts';
import type { ModuleHandle } from './handle/handle.ts';
import { createRuntime } from './runtime.ts';
import type { Runtime } from './runtime.ts';
import type { SharedParameter } from './parameter/shared-parameter.ts';

class Echo extends Module<{ text: string }, string> {
  readonly limit: Parameter<number> = new Parameter({ type: 'number', value: 1, requiresGrad: true });

  override forward = ({ text }: { text: string }): Promise<string> => Promise.resolve(text);
}

const modules = { echo: Echo };
let runtime: Runtime<typeof modules>;
let echo: ModuleHandle<Echo>;
let shared: SharedParameter<number>;

beforeAll(async () => {
  runtime = createRuntime({ modules });
  echo = await runtime.start('echo', { id: 'echo' });
  shared = await runtime.shared('shared', { type: 'number', value: 1 });
});
afterAll(() => runtime.close());

/** What no type allows. */
const bad = (value: unknown): never => value as never;

/** What was refused, however it was told. */
async function refusal(act: () => unknown): Promise<unknown> {
  const { code, fields } = await Promise.resolve()
    .then(act)
    .then(
      () => ({ code: 'accepted', fields: {} }),
      (error: { code?: string; fields?: object; message: string }) =>
        error.code === undefined ? { code: error.message, fields: {} } : error,
    );
  return { code, ...fields };
}

const refused = (field: string, code: string = 'runtime/option-invalid'): unknown =>
  expect.objectContaining({ code, field, expected: expect.any(String) as string });

const noReach: readonly (readonly [string, unknown, string])[] = [
  ['a time below 0', { timeoutMs: -1 }, 'timeoutMs'],
  ['a time that is none', { timeoutMs: Number.NaN }, 'timeoutMs'],
  ['a time in words', { timeoutMs: '5' }, 'timeoutMs'],
  ['no time', { timeoutMs: null }, 'timeoutMs'],
  ['a signal that is none', { signal: {} }, 'signal'],
  ['no signal', { signal: null }, 'signal'],
  ['no options', null, 'options'],
  ['a number', 5, 'options'],
];

describe.each(noReach)('%s is refused', (_what, options, field) => {
  test.each<[string, () => unknown]>([
    ['call', () => echo.call({ text: 'x' }, bad(options))],
    ['set', () => echo.parameters.limit.set(5, bad(options))],
    ['get', () => echo.parameters.limit.get(bad(options))],
    ['applyGradient', () => echo.parameters.limit.applyGradient(1, bad(options))],
    ['setParameters', () => echo.setParameters({ limit: 5 }, bad(options))],
    ['runtime.setParameters', () => runtime.setParameters([['echo', { limit: 5 }]], bad(options))],
    ['shared.set', () => shared.set(5, bad(options))],
    ['swap', () => echo.swap({ version: '0.0.0' }, bad(options))],
    ['rollback', () => echo.rollback(bad(options))],
  ])('by %s', async (_call, act) => {
    expect(await refusal(act)).toEqual(refused(field));
    expect([echo.parameters.limit.value, shared.value]).toEqual([1, 1]);
  });
});

test.each<[string, () => unknown, string]>([
  ['a level', () => echo.parameters.limit.set(5, bad({ level: 'x' })), 'level'],
  ['a cause that is no text', () => echo.parameters.limit.set(5, bad({ cause: 5 })), 'cause'],
  ['a cause that is none', () => shared.set(5, bad({ cause: null })), 'cause'],
  ['the level of a mode', () => echo.train(bad('x')), 'level'],
  ['a listener', () => echo.call({ text: 'x' }, bad({ onDelta: 1 })), 'onDelta'],
  ['values', () => echo.call({ text: 'x' }, bad({ values: 1 })), 'values'],
  ['what is compiled', () => echo.compile(bad(undefined)), 'request'],
  ['an optimizer', () => echo.compile(bad({ trainset: [] })), 'optimizer'],
  [
    'the time of a compilation',
    () => echo.compile(bad({ optimizer: 'x', trainset: [], timeoutMs: -1 })),
    'timeoutMs',
  ],
  ['a checkpoint', () => echo.restore(bad(undefined)), 'checkpoint'],
  ['the id of a checkpoint', () => echo.restore(bad({ id: 5 })), 'checkpoint'],
  ['a class', () => runtime.start(bad(undefined)), 'kind'],
  ['the options of a start', () => runtime.start('echo', bad(null)), 'options'],
  ['a list of values', () => runtime.setParameters(bad(undefined)), 'values'],
  ['a pair', () => runtime.setParameters(bad([null])), 'values[0]'],
  ['a module of a pair', () => runtime.setParameters(bad([[null, {}]])), 'values[0][0]'],
  ['the options of a runtime', () => createRuntime(bad(undefined)), 'options'],
  ['limits', () => createRuntime({ modules, limits: bad(5) }), 'limits'],
  [
    'calls that may wait',
    () => createRuntime({ modules, limits: { maxWaitingCalls: -1 } }),
    'limits.maxWaitingCalls',
  ],
  [
    'a limit that is no number',
    () => createRuntime({ modules, limits: { callTimeoutMs: Number.NaN } }),
    'limits.callTimeoutMs',
  ],
  [
    'a limit of no time',
    () => createRuntime({ modules, limits: { callTimeoutMs: 0 } }),
    'limits.callTimeoutMs',
  ],
])('%s that is none is refused by name', async (_what, act, field) => {
  expect(await refusal(act)).toEqual(refused(field));
  expect([echo.parameters.limit.value, shared.value]).toEqual([1, 1]);
});

test.each([0, -1, Number.NaN, 1.5])('a pool of %s workers is refused', async (poolSize) => {
  expect(await refusal(() => createRuntime({ modules, poolSize }))).toEqual(
    refused('poolSize', 'actor/spec-invalid'),
  );
});

test.each([
  { hangTimeoutMs: 0 },
  { hangTimeoutMs: Number.NaN },
  { pingIntervalMs: 0 },
  { maxMailbox: -1 },
  { maxDedicatedWorkers: -1 },
])('the bounds %o are refused', async (actorLimits) => {
  const field = `actorLimits.${Object.keys(actorLimits)[0]}`;
  expect(await refusal(() => createRuntime({ modules, actorLimits }))).toEqual(
    refused(field, 'actor/spec-invalid'),
  );
});

test('a swap to nothing, and a shared parameter of no type, are refused as what they are', async () => {
  expect(await refusal(() => echo.swap(bad(undefined)))).toMatchObject({
    code: 'runtime/swap-target-invalid',
  });
  expect(await refusal(() => runtime.shared('zz', bad({ type: 'nope' })))).toMatchObject({
    code: 'runtime/shared-invalid',
    shared: 'zz',
  });
  expect(await refusal(() => runtime.shared('zz', bad(5)))).toMatchObject({ code: 'runtime/shared-invalid' });
});

test('what is at the edge is taken', async () => {
  const { signal } = new AbortController();
  expect(await echo.call({ text: 'x' }, { timeoutMs: Infinity, signal })).toBe('x');
  const limits = { maxWaitingCalls: 0, callTimeoutMs: Infinity };
  const actorLimits = { hangTimeoutMs: Infinity, shutdownMs: 0, maxDedicatedWorkers: 0 };
  const edge = createRuntime({ modules, poolSize: 1, limits, actorLimits });
  expect(await (await edge.start('echo')).call({ text: 'y' })).toBe('y');
  await edge.close();
});
