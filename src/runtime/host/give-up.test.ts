/** The supervisor at the top gives up: everything that it had ends, each id is free again, and nobody is left waiting. */
import { afterEach, expect, test } from 'vitest';
import { sleep, systemClock } from '../../platform/index.ts';
import { Module, Parameter } from '../../program/index.ts';
import { createRuntime } from '../runtime.ts';
import type { Runtime } from '../runtime.ts';
import type { RuntimeOptions } from '../runtime-options.ts';
import { codeOf } from '../sub-module/sub-module-test-scene.ts';
import { subModuleTestModules } from '../sub-module/sub-module-test-modules.ts';

/** Ends no call by itself. */
class Deaf extends Module<null, never> {
  readonly count: Parameter<number> = new Parameter({ type: 'number', value: 0 });

  override forward(): Promise<never> {
    return new Promise(() => undefined);
  }
}

const modules = { ...subModuleTestModules, deaf: Deaf };
const open: Runtime<typeof modules>[] = [];
const rejections: unknown[] = [];
const onRejection = (error: unknown): void => void rejections.push(error);

afterEach(async () => {
  for (const runtime of open.splice(0)) await runtime.close();
});

const turn = (ms: number = 20): Promise<void> => sleep(systemClock, ms);

function create(options: RuntimeOptions<typeof modules> = {}): Runtime<typeof modules> {
  const restartLimits = { maxRestarts: 0, maxSeconds: 5 };
  const runtime = createRuntime({ modules, poolSize: 1, restartLimits, ...options });
  open.push(runtime);
  return runtime;
}

/** The crash of this one is too much for the supervisor. */
const startLast = (runtime: Runtime<typeof modules>): Promise<unknown> =>
  runtime.start('deaf', { id: 'last', isolation: 'dedicated' });

test.each([0, 1, 2, 3, 5, 8])(
  'a stop under way at a give-up is told, and its id is free (%i microtasks before)',
  async (microtasks) => {
    const runtime = create();
    const told: unknown[] = [];
    runtime.registry.watch('x', ({ type }) => told.push(type));
    await runtime.start('deaf', { id: 'x' });
    await startLast(runtime);
    const stopping = runtime.registry.stop('x');
    for (let each = 0; each < microtasks; each++) await Promise.resolve();
    runtime.killWorkerOf('last');
    expect(await stopping).toEqual({ how: 'graceful' });
    expect(told.at(-1)).toBe('module-stop');
    expect(runtime.registry.get('x')?.status).toBe('stopped');
    await runtime.start('deaf', { id: 'x' });
    await runtime.registry.stop('x');
    await runtime.registry.unregister('x');
  },
);

test('with sub-modules that are actors, a give-up leaves no rejection that nobody hears of', async () => {
  process.on('unhandledRejection', onRejection);
  const runtime = create({ poolSize: 2 });
  const actors = { critic: { kind: 'critic', whenDown: 'fail' } } as const;
  const pipeline = await runtime.start('pipeline', { id: 'p', actors });
  await startLast(runtime);
  runtime.killWorkerOf('last');
  await turn(50);
  process.off('unhandledRejection', onRejection);
  expect(rejections).toEqual([]);
  expect(pipeline.status).toBe('crashed');
  expect(runtime.inspect().modules).toEqual([]);
  const again = await runtime.start('pipeline', { id: 'p', actors });
  expect(await codeOf(again.call({ ask: 'judge' }))).toBe('answered');
});

test('what starts in the turn of a give-up waits until the old actor has ended', async () => {
  const runtime = create();
  const x = await runtime.start('deaf', { id: 'x', shutdownMs: 20 });
  await x.parameters.count.set(7);
  await startLast(runtime);
  const lost = codeOf(x.call(null));
  await turn();
  runtime.killWorkerOf('last');
  expect(x.status).toBe('crashed');
  const again = await runtime.start('deaf', { id: 'x' });
  expect(await lost).toBe('actor/peer-died');
  expect([again.status, await again.parameters.count.get()]).toEqual(['running', 7]);
});

test('a start that waits for the end of the old actor can be stopped', async () => {
  const runtime = create();
  await runtime.start('deaf', { id: 'x' });
  await startLast(runtime);
  runtime.killWorkerOf('last');
  const starting = codeOf(runtime.start('deaf', { id: 'x' }));
  await runtime.registry.stop('x');
  expect(await starting).toBe('runtime/module-stopped');
  expect((await runtime.start('deaf', { id: 'x' })).status).toBe('running');
});
