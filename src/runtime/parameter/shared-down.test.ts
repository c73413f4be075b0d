/** A part that is bound and has ended for good, while the program around it goes on with the copy that it has. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { codeOf, runtimesOf, turn } from '../runtime-test-scene.ts';
import { createHookedStore, storedValue, writeFailed } from '../store-test-scene.ts';
import { Critic, Pipeline, subModuleTestModules } from '../sub-module/sub-module-test-modules.ts';

/** A critic of which no further one can be made while it is told so. */
class Frail extends Critic {
  static isLast = false;

  constructor() {
    super();
    if (Frail.isLast) throw new Error('as asked');
  }
}

class FrailPipeline extends Pipeline {
  override readonly critic: Critic = new Frail();
}

const createRuntime = runtimesOf({
  modules: { ...subModuleTestModules, critic: Frail, pipeline: FrailPipeline },
  restartLimits: { maxRestarts: 1000, maxSeconds: 1 },
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
    actors: { critic: { kind: 'critic', isolation: 'dedicated', whenDown: 'local', restart: 'temporary' } },
  });
  const other = await runtime.start('critic', { id: 'other', shared: { limit: 'bar' } });
  const part = program.subModule('critic');
  runtime.killWorkerOf('p/critic');
  await expect.poll(() => part.status).toBe('crashed');
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
  return { hooked, runtime, bar, program, part, has, startAgain };
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

test('what is set reaches the copy also when the part could not be started again, and while that was tried', async () => {
  const { runtime, bar, program, part, has, startAgain } = await opened();
  const sets: Promise<string>[] = [];
  let tries = 0;
  const leave = part.onStatus((status) => {
    if (status !== 'restarting') return;
    tries++;
    // the program around it has made its copy by now
    Frail.isLast = true;
    sets.push(codeOf(bar.set(32 + tries)));
  });
  for (const value of [33, 34]) {
    runtime.killWorkerOf('p');
    await expect.poll(() => [tries, program.status, part.status]).toEqual([value - 32, 'running', 'crashed']);
    Frail.isLast = false;
    await expect.poll(has).toEqual(all(value));
    await bar.set(value + 10);
    expect(await has()).toEqual(all(value + 10));
  }
  leave();
  expect(await Promise.all(sets)).toEqual(['resolved', 'resolved']);
  await startAgain();
  expect(await has()).toEqual(all(44));
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

const step = fc.constantFrom(
  ...([
    'set',
    'set',
    'tune',
    'tune',
    'set by its handle',
    'checkpoint',
    'restore',
    'end',
    'start',
    'wait',
  ] as const),
);

test('whatever comes while it is down or starts again, all have the same in the end', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 14 }), async (steps) => {
      const { runtime, bar, program, has, startAgain } = await opened();
      const checkpoints = [(await program.checkpoint()).id];
      const ends: Promise<unknown>[] = [];
      const does = (what: (typeof steps)[number], value: number): Promise<unknown> | void => {
        if (what === 'set') return bar.set(value);
        if (what === 'tune') return program.call({ ask: 'tune', text: String(value) });
        if (what === 'set by its handle') return program.parameters['critic.limit'].set(value);
        if (what === 'checkpoint') return program.checkpoint().then(({ id }) => checkpoints.push(id));
        if (what === 'restore') return program.restore(checkpoints.at(-1) ?? '');
        if (what === 'wait') return undefined;
        return runtime.killWorkerOf(what === 'end' ? 'p/critic' : 'p');
      };
      for (const [index, what] of steps.entries()) {
        const end = does(what, index + 30);
        if (end) ends.push(codeOf(end));
        if (what === 'wait') await turn(2);
      }
      const codes = new Set(await Promise.all(ends));
      // what ended it, and what was lost with it
      expect([...codes].filter((code) => !['resolved', 'actor/peer-died'].includes(String(code)))).toEqual(
        [],
      );
      await expect.poll(async () => new Set(await has()).size, { interval: 5 }).toBe(1);
      await startAgain();
      await expect.poll(async () => new Set(await has()).size, { interval: 5 }).toBe(1);
      await runtime.close();
    }),
    { numRuns: 40, endOnFailure: true },
  );
}, 60_000);
