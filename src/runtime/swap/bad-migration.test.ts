import { afterEach, expect, test } from 'vitest';
import type { ModuleState } from '../../program/index.ts';
import type { ModuleHandle } from '../handle/handle.ts';
import { createRuntime } from '../runtime.ts';
import { Critic_1_0, migratingBy } from './swap-test-modules.ts';

const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const runtime of open.splice(0)) await runtime[Symbol.asyncDispose]();
});

/** Version 1.0.0 runs; 1.1.0 migrates as it is told. */
async function startCritic(migrate: (state: ModuleState) => unknown): Promise<ModuleHandle<Critic_1_0>> {
  const runtime = createRuntime({ modules: { critic: [Critic_1_0, migratingBy(migrate)] } });
  open.push(runtime);
  return runtime.start(Critic_1_0);
}

const settled = (work: Promise<unknown>): Promise<unknown> => work.catch((error: unknown) => error);

const withParameters = (state: ModuleState, parameters: object): object => ({
  ...state,
  parameters: { ...state.parameters, ...parameters },
});

test.each<readonly [string, (state: ModuleState) => unknown, string]>([
  [
    'throws',
    () => {
      throw new TypeError('no way');
    },
    'no way',
  ],
  ['returns nothing', () => undefined, 'no state'],
  ['returns null', () => null, 'no state'],
  ['returns text', () => 'rubbish', 'no state'],
  ['returns an empty object', () => ({}), 'no state'],
  ['returns lists for records', (state) => ({ ...state, parameters: [] }), 'no state'],
  ['returns a promise', (state) => Promise.resolve(state), 'synchronous'],
  ['returns another format', (state) => ({ ...state, format: 7 }), 'format'],
  ['returns no state of a parameter', (state) => withParameters(state, { note: 7 }), 'note'],
  [
    'breaks a constraint',
    (state) => withParameters(state, { note: { ...state.parameters['note'], value: 'far longer than ten' } }),
    'note',
  ],
  [
    'changes a type',
    (state) => withParameters(state, { count: { ...state.parameters['count'], type: 'string' } }),
    'count',
  ],
  ['invents a parameter', (state) => withParameters(state, { conut: state.parameters['count'] }), 'conut'],
  [
    'returns what cannot be copied',
    (state) => withParameters(state, { note: { ...state.parameters['note'], metadata: { f: () => 1 } } }),
    'cloned',
  ],
])('a migration that %s fails the swap and changes nothing', async (_, migrate, why) => {
  const critic = await startCritic(migrate);
  await critic.call({ by: 1 });
  const failure = await settled(critic.swap({ version: '1.1.0' }));
  expect(failure).toMatchObject({ code: 'runtime/state-migration-failed' });
  expect((failure as Error).message).toContain(why);
  expect(await critic.call({})).toEqual({ version: '1.0.0', count: 2 });
});

test('a migration that keeps or changes what it was given does not reach the version that serves', async () => {
  const critic = await startCritic((state) => {
    for (const parameter of Object.values(state.parameters)) Object.assign(parameter, { value: -1 });
    throw new Error('afterwards');
  });
  await critic.parameters.count.set(3);
  expect(await settled(critic.swap({ version: '1.1.0' }))).toMatchObject({
    code: 'runtime/state-migration-failed',
  });
  expect(await critic.parameters.count.get()).toBe(3);
});
