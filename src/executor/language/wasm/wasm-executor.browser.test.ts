import { expect, test } from 'vitest';
import { createHub, createMemorySink } from '../../../telemetry/index.ts';
import { createExecutor } from '../../create-executor.ts';
import type { Code, Executor } from '../../executor.ts';
import { describeExecutor, describeExecutorLimits } from '../../laws/executor.contract.ts';
import type { OpenExecutor } from '../../laws/executor.contract.ts';
import { codeOf } from '../../laws/open-executor.contract.ts';
import { inModule, wasmSpelling } from './wasm-spelling.contract.ts';

const place = { assets: { baseUrl: '/sandbox/' }, frame: 'srcdoc' } as const;

const spelled = (code: Code): Code => (typeof code === 'string' ? inModule(code) : code);

/** Takes the laws' lines for modules. */
const open: OpenExecutor = (options = {}) => {
  const executor = createExecutor({ language: 'wat', ...place, ...options });
  return {
    language: executor.language,
    capabilities: executor.capabilities,
    execute: (code, context, runOptions) => executor.execute(spelled(code), context, runOptions),
    async createSession() {
      const session = await executor.createSession();
      const execute: Executor['execute'] = (code, context, runOptions) =>
        session.execute(spelled(code), context, runOptions);
      // its own `id` changes
      return new Proxy(session, {
        get(target, name) {
          if (name === 'execute') return execute;
          const member: unknown = Reflect.get(target, name, target);
          return typeof member === 'function' ? (member.bind(target) as unknown) : member;
        },
      });
    },
    [Symbol.asyncDispose]: () => executor[Symbol.asyncDispose](),
  };
};

describeExecutor('WebAssembly', open, wasmSpelling);
describeExecutorLimits('WebAssembly', open, wasmSpelling);

/** `(func (export "add") (param i64 i64) (result i64) local.get 0 local.get 1 i64.add)` and `(memory (export "memory") 1)`. */
const adding = Uint8Array.from(
  [
    [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    [1, 7, 1, 0x60, 2, 0x7e, 0x7e, 1, 0x7e],
    [3, 2, 1, 0],
    [5, 3, 1, 0, 1],
    [7, 16, 2, 3, 0x61, 0x64, 0x64, 0, 0, 6, 0x6d, 0x65, 0x6d, 0x6f, 0x72, 0x79, 2, 0],
    [10, 9, 1, 7, 0, 0x20, 0, 0x20, 1, 0x7c, 0x0b],
  ].flat(),
);
const call = { variables: { call: 'add', arguments: [2n ** 60n, 1] } };

test('a binary is taken as it is, its bytes stay the caller’s', async () => {
  await using executor = createExecutor({ language: 'wasm', ...place });
  for (let round = 0; round < 3; round += 1) {
    expect(await executor.execute(adding, call)).toMatchObject({ type: 'returned', value: 2n ** 60n + 1n });
  }
  await using session = await executor.createSession();
  expect(await session.execute(adding)).toMatchObject({ value: null });
  expect(await session.execute(new Uint8Array(), call)).toMatchObject({ value: 2n ** 60n + 1n });
  expect(await session.execute(new Uint8Array(), {}, { outputs: ['memory'] })).toMatchObject({
    type: 'threw',
    error: { type: 'ReferenceError' },
  });
});

test('broken binaries are told, and the next one works, in the worker that they share', async () => {
  const hub = createHub();
  using sink = createMemorySink(hub);
  await using executor = createExecutor({ language: 'wasm', ...place, hub, limits: { warmSandboxes: 0 } });
  for (let length = 1; length < adding.length; length += 7) {
    const outcome = await executor.execute(adding.subarray(0, length));
    expect(outcome.type).toMatch(/^(syntax-error|returned)$/u);
  }
  expect(await executor.execute(adding, call)).toMatchObject({ type: 'returned' });
  expect(executor.capabilities.isRenewable).toBe(true);
  expect(sink.ofType('sandbox-start')).toHaveLength(1);
});

test.each<[string, string, (executor: Executor) => Promise<unknown>]>([
  ['text', 'executor/option-invalid', (it) => it.execute('(module)')],
  ['no code', 'executor/option-invalid', (it) => it.execute(null as never)],
  ['2 MB', 'executor/code-too-large', (it) => it.execute(new Uint8Array(2e6))],
  [
    'a variable of another name',
    'executor/variable-invalid',
    (it) => it.execute(adding, { variables: { x: 1 } }),
  ],
  [
    'an environment among the variables, which no policy would see',
    'executor/variable-invalid',
    (it) => it.execute(adding, { variables: { environment: { A: '1' } } }),
  ],
  ['modules', 'executor/option-invalid', (it) => it.execute(adding, { imports: { x: '' } })],
])('%s is refused with %s', async (_name, code, work) => {
  await using executor = createExecutor({ language: 'wasm', ...place, limits: { warmSandboxes: 0 } });
  expect(await codeOf(work(executor))).toBe(code);
});
