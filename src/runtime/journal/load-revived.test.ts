/** A part that is down when a restore begins, and is started again while the restore is being committed. */
import { expect, test } from 'vitest';
import { CodedError } from '../../base/index.ts';
import type { ModuleHandle } from '../handle/handle.ts';
import { codeOf, runtimesOf } from '../runtime-test-scene.ts';
import { createHookedStore, storedValue } from '../store-test-scene.ts';
import { subModuleTestModules } from '../sub-module/sub-module-test-modules.ts';
import type { Pipeline } from '../sub-module/sub-module-test-modules.ts';

const createRuntime = runtimesOf({
  modules: subModuleTestModules,
  restartLimits: { maxRestarts: 1, maxSeconds: 50 },
});

/** A program `p`, and in it a critic whose limit was 3 when the snapshot and the checkpoint were taken and `bar` was 20. Now both are 40. */
async function opened(isBound: boolean) {
  const hooked = createHookedStore();
  const runtime = createRuntime({ store: hooked.store });
  const bar = await runtime.shared('bar', { type: 'number', value: 20 });
  const critic = { kind: 'critic', isolation: 'dedicated', whenDown: 'fail' } as const;
  const start = (shared: Readonly<Record<string, string>>): Promise<ModuleHandle<Pipeline>> =>
    runtime.start('pipeline', { id: 'p', isolation: 'dedicated', actors: { critic }, shared });
  const before = await start({});
  await before.parameters['critic.limit'].set(3);
  await bar.set(21);
  await bar.set(20);
  await runtime.snapshot('then');
  const { id: checkpoint } = await before.checkpoint();
  await before.stop();
  const program = await start(isBound ? { 'critic.limit': 'bar' } : {});
  await bar.set(40);
  await program.parameters['critic.limit'].set(40);
  const part = program.subModule('critic');
  await expect
    .poll(() => {
      runtime.killWorkerOf('p/critic');
      return part.status;
    })
    .toBe('crashed');

  /** Starts the program again as the next commit begins, which goes on when the critic has begun to start. */
  const restartAtCommit = (then: () => void = () => undefined): void => {
    hooked.now = async (_, commit) => {
      hooked.now = undefined;
      runtime.killWorkerOf('p');
      await expect.poll(() => part.status).not.toBe('crashed');
      const committed = await commit();
      then();
      return committed;
    };
  };
  const has = async (): Promise<unknown> => {
    await expect.poll(() => [program.status, part.status]).toEqual(['running', 'running']);
    const { 'critic.limit': limit } = program.parameters;
    await expect.poll(() => storedValue(hooked.store, 'p/critic', 'limit')).toBe(limit.value);
    return [bar.value, limit.value, await limit.get()];
  };
  return { hooked, runtime, bar, program, checkpoint, restartAtCommit, has };
}

test('of the whole runtime: what it is bound to by now is what was shared then', async () => {
  const { runtime, restartAtCommit, has } = await opened(true);
  restartAtCommit();
  await runtime.restoreTo('then');
  expect(await has()).toEqual([20, 20, 20]);
});

test('of the whole runtime: what is bound to nothing else goes back also while it stays down', async () => {
  const { runtime, program, bar } = await opened(true);
  await runtime.restoreTo('then');
  expect([bar.value, program.parameters['critic.limit'].value]).toEqual([20, 20]);
});

test.each(['is started again', 'stays down'])(
  'of the program: what is shared is set with it: %s',
  async (what) => {
    const { runtime, program, checkpoint, restartAtCommit, has } = await opened(true);
    if (what === 'is started again') restartAtCommit();
    await program.restore(checkpoint);
    if (what === 'stays down') runtime.killWorkerOf('p');
    expect(await has()).toEqual([3, 3, 3]);
  },
);

test.each(['restore', 'restoreTo'] as const)(
  'a store that refuses what it makes of its state does not undo what is committed: %s',
  async (way) => {
    const { hooked, runtime, program, checkpoint, restartAtCommit, has } = await opened(false);
    let refused = 0;
    restartAtCommit(() => {
      hooked.now = async (writes, commit) => {
        if (!writes.some(({ key }) => key[1] === 'p/critic')) return commit();
        if (refused++ > 0) hooked.now = undefined;
        throw new CodedError('state/quota-exceeded', 'as asked');
      };
    });
    const restoring = way === 'restore' ? program.restore(checkpoint) : runtime.restoreTo('then');
    expect(await codeOf(restoring)).toBe('resolved');
    hooked.now = undefined;
    expect(refused).toBeGreaterThan(0);
    expect(await has()).toEqual([way === 'restore' ? 40 : 20, 3, 3]);
  },
);
