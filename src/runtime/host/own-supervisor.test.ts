/** A module with restart limits of its own: what it uses up is no loss of its neighbours, and its end is its own. */
import { afterEach, expect, test, vi } from 'vitest';
import { Module, Parameter } from '../../program/index.ts';
import { createRuntime } from '../runtime.ts';
import type { Runtime } from '../runtime.ts';
import { codeOf } from '../sub-module/sub-module-test-scene.ts';
import { subModuleTestModules } from '../sub-module/sub-module-test-modules.ts';

class Steady extends Module<{ add: number }, number> {
  readonly sum: Parameter<number> = new Parameter({ type: 'number', value: 0 });

  override forward = ({ add }: { add: number }): Promise<number> => Promise.resolve(add + 1);
}

const modules = { ...subModuleTestModules, steady: Steady };
const open: Runtime<typeof modules>[] = [];

afterEach(async () => {
  for (const runtime of open.splice(0)) await runtime.close();
});

/** One failure of what has no limits of its own is too much for the supervisor at the top. */
function create(): Runtime<typeof modules> {
  const runtime = createRuntime({
    modules,
    poolSize: 2,
    restartLimits: { maxRestarts: 0, maxSeconds: 1_000 },
  });
  open.push(runtime);
  return runtime;
}

const startBad = (runtime: Runtime<typeof modules>) =>
  runtime.start('steady', {
    id: 'bad',
    isolation: 'dedicated',
    restartLimits: { maxRestarts: 2, maxSeconds: 1_000 },
  });

/** Until its supervisor has had enough. */
async function useUp(runtime: Runtime<typeof modules>): Promise<void> {
  const bad = runtime.module('bad');
  for (let restarts = 1; restarts <= 3; restarts++) {
    await vi.waitFor(() => expect(bad.status).toBe('running'));
    runtime.killWorkerOf('bad');
    await vi.waitFor(() => expect(bad.record().restarts === restarts || bad.status === 'crashed').toBe(true));
  }
  await vi.waitFor(() => expect(bad.status).toBe('crashed'));
}

test('that fails for ever ends alone, however often it is started anew: 20 neighbours keep running', async () => {
  const runtime = create();
  const neighbours = await Promise.all(
    Array.from({ length: 20 }, (_, at) => runtime.start('steady', { id: `n${at}` })),
  );
  for (let round = 1; round <= 3; round++) {
    const bad = await startBad(runtime);
    await bad.parameters.sum.set(round);
    const { supervisor } = runtime.inspect();
    const own = supervisor.children.find(({ id }) => id === 'bad')?.supervisor;
    expect(own).toMatchObject({ maxRestarts: 2, restartsLeft: 2 });
    await useUp(runtime);
    expect(await codeOf(bad.call({ add: 1 }))).toBe('actor/supervisor-gave-up');
    expect(runtime.registry.get('bad')).toMatchObject({ status: 'crashed' });
  }
  expect(neighbours.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 'running'));
  expect(await Promise.all(neighbours.map((each) => each.call({ add: 1 })))).toEqual(
    Array.from({ length: 20 }, () => 2),
  );
  const { supervisor, gaveUp } = runtime.inspect();
  expect(supervisor).toMatchObject({ id: 'supervisor-1', restarts: [] });
  expect(supervisor.children).toHaveLength(20);
  expect(gaveUp.map((each) => each.supervisor.id)).toEqual(
    Array.from({ length: 3 }, () => 'supervisor-1/bad'),
  );
  const again = await startBad(runtime);
  expect(await again.parameters.sum.get()).toBe(3);
});

test('that is stopped, or cannot start, leaves no supervisor behind', async () => {
  const runtime = create();
  for (let round = 0; round < 3; round++) {
    const bad = await startBad(runtime);
    await bad.stop();
    expect(runtime.inspect().supervisor.children).toEqual([]);
  }
  const restartLimits = { maxRestarts: 2, maxSeconds: 1_000 };
  const refused = codeOf(runtime.start('steady', { id: 'bad', version: '9.9.9', restartLimits }));
  expect(await refused).toBe('runtime/version-not-found');
  await vi.waitFor(() => expect(runtime.inspect().supervisor.children).toEqual([]));
  const stopped = codeOf(startBad(runtime));
  await runtime.registry.stop('bad');
  expect(await stopped).toBe('runtime/module-stopped');
  expect(runtime.inspect().supervisor.children).toEqual([]);
  expect((await startBad(runtime)).status).toBe('running');
});

test('ends, when the supervisor at the top gives up, with that error', async () => {
  const runtime = create();
  const bad = await startBad(runtime);
  await runtime.start('steady', { id: 'last', isolation: 'dedicated' });
  runtime.killWorkerOf('last');
  await vi.waitFor(() => expect(bad.status).toBe('crashed'));
  expect(await codeOf(bad.call({ add: 1 }))).toBe('actor/supervisor-gave-up');
  const again = await startBad(runtime);
  expect(await again.call({ add: 1 })).toBe(2);
  expect(runtime.inspect().supervisor.id).toBe('supervisor-2');
});

test('takes its parts with it, and is started anew with them', async () => {
  const runtime = create();
  const neighbour = await runtime.start('steady', { id: 'n' });
  const actors = { critic: { kind: 'critic', whenDown: 'fail' } } as const;
  const options = {
    id: 'p',
    actors,
    isolation: 'dedicated',
    restartLimits: { maxRestarts: 0, maxSeconds: 1_000 },
  } as const;
  const pipeline = await runtime.start('pipeline', options);
  runtime.killWorkerOf('p');
  await vi.waitFor(() => expect(pipeline.status).toBe('crashed'));
  const again = await runtime.start('pipeline', options);
  expect(await codeOf(again.call({ ask: 'judge' }))).toBe('answered');
  expect(runtime.inspect().modules.map(({ id }) => id)).toEqual(['n', 'p', 'p/critic']);
  expect(neighbour.status).toBe('running');
});
