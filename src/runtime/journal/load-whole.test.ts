/** What comes while a restore is under way, and what one that was refused leaves behind: nothing. */
import { expect, test } from 'vitest';
import { Module, Parameter, parseSignature, Predict } from '../../program/index.ts';
import type { ModuleState, PredictorState } from '../../program/index.ts';
import { createMemoryStore, takeSnapshot, withJournal } from '../../state/index.ts';
import type { Store } from '../../state/index.ts';
import type { Modules } from '../version/module-catalog.ts';
import { codeOf, runtimesOf, turn } from '../runtime-test-scene.ts';
import { storedValue } from '../store-test-scene.ts';
import { subModuleTestModules } from '../sub-module/sub-module-test-modules.ts';

class Asker extends Module<null, number> {
  static readonly version: string = '1.0.0';
  readonly limit: Parameter<number> = new Parameter({ type: 'number', value: 1 });
  readonly other: Parameter<number> = new Parameter({ type: 'number', value: 1 });
  readonly ask: Predict<'question -> answer'> = new Predict('question -> answer');

  override forward(): Promise<number> {
    return Promise.resolve(this.limit.value);
  }
}

/** Nobody gets it who does not ask for it. */
class Careful extends Asker {
  static override readonly version: string = '2.0.0-careful';
  override readonly ask: Predict<'question -> answer'> = new Predict(
    parseSignature('question -> answer').withInstructions('Answer with care.'),
  );
}

const createRuntime = runtimesOf<Modules>({ modules: { asker: [Asker, Careful], ...subModuleTestModules } });
const instructionsOf = (handle: {
  record(): { predictors: Readonly<Record<string, PredictorState>> };
}): unknown => handle.record().predictors['ask']?.signature.instructions;

/** Commits wait for the gate of their moment, and are refused while it says so. */
function createGatedStore(inner: Store = createMemoryStore()) {
  const control = { gate: Promise.resolve(), isRefusing: false, count: 0 };
  const store = new Proxy(inner, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      if (name !== 'commitEach') return value.bind(target) as unknown;
      return async (...given: Parameters<Store['commitEach']>) => {
        const { isRefusing } = control;
        control.count++;
        await control.gate;
        if (isRefusing) throw new Error('broken');
        return target.commitEach(...given);
      };
    },
  });
  return { store, control };
}

function createGate(): { readonly promise: Promise<void>; readonly open: () => void } {
  let letGo = (): void => undefined;
  const promise = new Promise<void>((resolve) => (letGo = resolve));
  return { promise, open: () => letGo() };
}

test.each([{}, { limit: 'bar' }])(
  'an owner that is lost while a restore is committed has what was restored: shared %j',
  async (shared) => {
    const { store, control } = createGatedStore();
    const runtime = createRuntime({ store });
    await runtime.shared('bar', { type: 'number', value: 5 });
    const module = await runtime.start('asker', { id: 'm', shared });
    await module.setParameters({ limit: 2, other: 2 } as never);
    const checkpoint = await module.checkpoint();
    await module.setParameters({ limit: 9, other: 9 } as never);
    await turn();
    const gate = createGate();
    [control.gate, control.count] = [gate.promise, 0];
    const restoring = module.restore(checkpoint);
    await expect.poll(() => control.count).toBe(1);
    runtime.killWorkerOf('m');
    await expect.poll(() => module.metrics.restarts).toBe(1);
    await expect.poll(() => module.status).toBe('running');
    gate.open();
    await restoring;
    expect([
      module.parameter('limit').value,
      await module.call(null),
      await module.parameter('other').get(),
    ]).toEqual([2, 2, 2]);
  },
);

test.each([{}, { limit: 'bar' }])(
  'a refused restore puts nothing back: what was set meanwhile stays, and predictors follow their class: shared %j',
  async (shared) => {
    const { store, control } = createGatedStore();
    const runtime = createRuntime({ store });
    await runtime.shared('bar', { type: 'number', value: 5 });
    const module = await runtime.start('asker', { id: 'm', shared });
    await module.parameter('other').set(2);
    const checkpoint = await module.checkpoint();
    await module.parameter('other').set(9);
    await turn();
    const gate = createGate();
    [control.gate, control.isRefusing, control.count] = [gate.promise, true, 0];
    const restoring = codeOf(module.restore(checkpoint));
    await expect.poll(() => control.count).toBe(1);
    // what nobody refused is what calls find meanwhile
    expect(await module.parameter('other').get()).toBe(9);
    await module.parameter('other').set(7, { level: 'memory' });
    gate.open();
    expect(await restoring).toContain('broken');
    control.isRefusing = false;
    expect([module.parameter('other').value, await module.parameter('other').get()]).toEqual([7, 7]);
    await module.swap({ version: '2.0.0-careful' });
    expect([instructionsOf(module), await module.parameter('other').get()]).toEqual(['Answer with care.', 7]);
  },
);

test('back to a time or a snapshot, predictors that nobody had changed follow their class', async () => {
  const store = await withJournal(createMemoryStore());
  const runtime = createRuntime({ store });
  const module = await runtime.start('asker', { id: 'm' });
  await module.parameter('other').set(2);
  await takeSnapshot(store, 'then', { prefixes: [['module']] });
  await module.parameter('other').set(9);
  await module.restoreTo('then');
  const meta = await store.get<{ state: ModuleState }>(['module', 'm', 'meta']);
  expect([module.parameter('other').value, meta?.value.state.predictors]).toEqual([2, {}]);
  await module.swap({ version: '2.0.0-careful' });
  expect(instructionsOf(module)).toBe('Answer with care.');
  runtime.killWorkerOf('m');
  expect(await module.call(null, { isIdempotent: true })).toBe(1);
});

test('what is written of a module while a restore of it is committed does not bring the mode of before back', async () => {
  const { store, control } = createGatedStore();
  const runtime = createRuntime({ store });
  const bar = await runtime.shared('bar', { type: 'number', value: 5 });
  const module = await runtime.start('asker', { id: 'm', shared: { limit: 'bar' } });
  await module.train();
  const checkpoint = await module.checkpoint();
  await module.eval();
  await turn();
  const gate = createGate();
  [control.gate, control.count] = [gate.promise, 0];
  const restoring = module.restore(checkpoint);
  await expect.poll(() => control.count).toBe(1);
  // its record is written anew when a compilation ends, however it does
  const compiling = codeOf(module.compile({ optimizer: 'none', trainset: [] }));
  await turn();
  gate.open();
  await restoring;
  expect(await compiling).toBe('runtime/optimizer-not-found');
  await runtime.close();
  const meta = await store.get<{ state: ModuleState }>(['module', 'm', 'meta']);
  expect([meta?.value.state.mode, module.mode, bar.value]).toEqual(['train', 'train', 5]);
});

test('a checkpoint of several actors has all of what was set together, or nothing of it', async () => {
  const runtime = createRuntime({ store: createMemoryStore() });
  const program = await runtime.start('pipeline', {
    id: 'p',
    actors: { critic: { kind: 'critic', whenDown: 'fail' } },
  });
  const found = new Set<string>();
  for (let microtasks = 0; microtasks < 60; microtasks += 3) {
    await program.setParameters({ rounds: 1, 'critic.limit': 1 } as never);
    const setting = program.setParameters({ rounds: 2, 'critic.limit': 2 } as never);
    for (let waited = 0; waited < microtasks; waited++) await Promise.resolve();
    const checkpoint = await program.checkpoint();
    await setting;
    await program.restore(checkpoint);
    found.add(
      `${String(program.parameter('rounds').value)} ${String(program.parameter('critic.limit').value)}`,
    );
  }
  for (const each of found) expect(['1 1', '2 2']).toContain(each);
});

test('a mode that cannot be stored is nobody’s', async () => {
  const { store, control } = createGatedStore();
  const runtime = createRuntime({ store });
  const program = await runtime.start('pipeline', {
    id: 'p',
    actors: { critic: { kind: 'critic', whenDown: 'fail' } },
  });
  control.isRefusing = true;
  expect(await codeOf(program.train())).toContain('broken');
  control.isRefusing = false;
  const { verdict } = (await program.call({ ask: 'judge' } as never)) as { verdict: unknown };
  expect([program.mode, program.subModule('critic' as never).mode, verdict]).toEqual([
    'eval',
    'eval',
    expect.objectContaining({ mode: 'eval' }),
  ]);
});

test('each step of what is set together is in the stored history', async () => {
  const store = createMemoryStore();
  const runtime = createRuntime({ store });
  const module = await runtime.start('asker', { id: 'm' });
  for (const limit of [2, 3, 4]) await module.setParameters({ limit } as never);
  await runtime.close();
  const again = await createRuntime({ store }).start('asker', { id: 'm' });
  expect(again.parameter('limit').history.map(({ newValue }) => newValue)).toEqual([2, 3, 4]);
});

test('what a program writes of a part that is down, while a restore is committed, does not stay in the store', async () => {
  const { store, control } = createGatedStore();
  const runtime = createRuntime({ store, restartLimits: { maxRestarts: 0, maxSeconds: 50 } });
  const critic = { kind: 'critic', isolation: 'dedicated', whenDown: 'local' } as const;
  const program = await runtime.start('pipeline', { id: 'p', actors: { critic } });
  const limit = program.parameter('critic.limit');
  await limit.set(2);
  const checkpoint = await program.checkpoint();
  await limit.set(9);
  runtime.killWorkerOf('p/critic');
  await expect.poll(() => program.subModule('critic' as never).status).toBe('crashed');
  const gate = createGate();
  [control.gate, control.count] = [gate.promise, 0];
  const restoring = program.restore(checkpoint);
  await expect.poll(() => control.count).toBe(1);
  await program.call({ ask: 'tune', text: '7' } as never);
  await expect.poll(() => limit.value).toBe(7);
  gate.open();
  await restoring;
  expect(limit.value).toBe(2);
  await expect.poll(() => storedValue(store, 'p/critic', 'limit')).toBe(2);
});
