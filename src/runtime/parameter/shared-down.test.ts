/** A part that is bound and has ended for good, while the program around it goes on with the copy that it has. */
import { expect, test } from 'vitest';
import { codeOf, runtimesOf } from '../runtime-test-scene.ts';
import { createHookedStore, storedValue, writeFailed } from '../store-test-scene.ts';
import { subModuleTestModules } from '../sub-module/sub-module-test-modules.ts';

const createRuntime = runtimesOf({
  modules: subModuleTestModules,
  restartLimits: { maxRestarts: 1, maxSeconds: 50 },
});

/** In the program `p` the limit of the critic, which is down, and the rounds are bound to `bar`; so is the limit of `other`. */
async function opened() {
  const hooked = createHookedStore();
  const runtime = createRuntime({ store: hooked.store });
  const bar = await runtime.shared('bar', { type: 'number', value: 20 });
  const program = await runtime.start('pipeline', {
    id: 'p',
    isolation: 'dedicated',
    shared: { 'critic.limit': 'bar', rounds: 'bar' },
    actors: { critic: { kind: 'critic', isolation: 'dedicated', whenDown: 'local' } },
  });
  const other = await runtime.start('critic', { id: 'other', shared: { limit: 'bar' } });
  const part = program.subModule('critic');
  await expect
    .poll(() => {
      runtime.killWorkerOf('p/critic');
      return part.status;
    })
    .toBe('crashed');
  const { rounds, 'critic.limit': limit } = program.parameters;
  const has = async (): Promise<unknown[]> => {
    const { verdict } = (await program.call({ ask: 'judge' }, { isIdempotent: true })) as {
      verdict: { limit: number };
    };
    const stored = await storedValue(hooked.store, 'p/critic', 'limit');
    return [
      bar.value,
      limit.value,
      verdict.limit,
      stored,
      await rounds.get(),
      await other.parameters.limit.get(),
    ];
  };
  const startAgain = async (): Promise<void> => {
    runtime.killWorkerOf('p');
    await expect.poll(() => [program.status, part.status]).toEqual(['running', 'running']);
  };
  return { hooked, runtime, bar, program, has, startAgain };
}

const all = (value: number): unknown[] => Array.from({ length: 6 }, () => value);

test('what is set reaches the copy, and the part when it is started again', async () => {
  const { bar, has, startAgain } = await opened();
  expect(bar.modules).toEqual(['p', 'other']);
  await bar.set(33);
  expect(await has()).toEqual(all(33));
  await startAgain();
  expect(await has()).toEqual(all(33));
});

test('what its program makes of it is everybody’s', async () => {
  const { program, has, startAgain } = await opened();
  await program.call({ ask: 'tune', text: '7' });
  await expect.poll(has).toEqual(all(7));
  await startAgain();
  expect(await has()).toEqual(all(7));
});

test('what its program makes of it, and another refuses or the store, is nobody’s', async () => {
  const { hooked, program, has } = await opened();
  await program.call({ ask: 'tune', text: '7' });
  await expect.poll(has).toEqual(all(7));
  hooked.now = async (writes, commit) => {
    if (!writes.some(({ key }) => key[0] === 'shared')) return commit();
    hooked.now = undefined;
    throw writeFailed();
  };
  await program.call({ ask: 'tune', text: '8' });
  await expect.poll(() => hooked.now).toBe(undefined);
  await expect.poll(has).toEqual(all(7));
});

test('a checkpoint that is taken meanwhile has what is shared', async () => {
  const { bar, program, has, startAgain } = await opened();
  await bar.set(33);
  const { id } = await program.checkpoint();
  await bar.set(44);
  await startAgain();
  expect(await codeOf(program.restore(id))).toBe('resolved');
  expect(await has()).toEqual(all(33));
});

test('a set that comes while it is started again, and a set when its program has ended', async () => {
  const { bar, runtime, program, has } = await opened();
  runtime.killWorkerOf('p');
  for (let value = 50; value < 60; value++) await bar.set(value);
  await expect.poll(() => program.subModule('critic').status).toBe('running');
  expect(await has()).toEqual(all(59));
  await program.stop();
  expect(await codeOf(bar.set(60))).toBe('resolved');
  expect(bar.modules).toEqual(['other']);
});
