/** Parts of a program that were swapped to another version by themselves: each has its own state back, of its own version. */
import { expect, test } from 'vitest';
import { SimulatedClock } from '../../platform/index.ts';
import { Module, Parameter } from '../../program/index.ts';
import type { ModuleState } from '../../program/index.ts';
import { createMemoryStore, loadRecord, saveRecord, withJournal } from '../../state/index.ts';
import type { Store } from '../../state/index.ts';
import type { ModuleHandle } from '../handle/handle.ts';
import type { Modules } from '../version/module-catalog.ts';
import { codeOf, runtimesOf } from '../runtime-test-scene.ts';

/** Counts dozens. */
class Dozens extends Module<null, string> {
  static readonly version: string = '1.0.0';
  readonly limit: Parameter<number> = new Parameter({ type: 'number', value: 1 });
  readonly other: Parameter<number> = new Parameter({ type: 'number', value: 1 });

  override forward(): Promise<string> {
    return Promise.resolve(`${this.limit.value} ${this.other.value} ${this.mode}`);
  }
}

/** Counts pieces, under the same names. Nobody gets it who does not ask for it. */
class Pieces extends Dozens {
  static override readonly version: string = '2.0.0-pieces';
  override readonly other: Parameter<number> = new Parameter({ type: 'number', value: 12 });

  static migrate(state: ModuleState, from: string): ModuleState {
    if (from !== '1.0.0') return state;
    const entries = Object.entries(state.parameters).map(([name, each]) => [
      name,
      { ...each, value: Number(each.value) * 12 },
    ]);
    return { ...state, parameters: Object.fromEntries(entries) as ModuleState['parameters'] };
  }
}

class Program extends Module<null, string> {
  static readonly version: string = '1.0.0';
  readonly rounds: Parameter<number> = new Parameter({ type: 'number', value: 1 });
  readonly part: Dozens = new Dozens();

  override async forward(): Promise<string> {
    return `${this.rounds.value}: ${await this.part.call(null)}, copy ${this.part.limit.value}`;
  }
}

/** Its rounds have other units. */
class Later extends Program {
  static override readonly version: string = '1.1.0';
  static migrate(state: ModuleState): ModuleState {
    const { rounds } = state.parameters;
    if (!rounds) return state;
    const parameters = { ...state.parameters, rounds: { ...rounds, value: Number(rounds.value) + 100 } };
    return { ...state, parameters };
  }
}

/** Its class names the part's next version too, so it migrates what is the part's. */
class Converting extends Program {
  static override readonly version: string = '2.0.0';
  override readonly part: Dozens = new Pieces();
  static migrate(state: ModuleState): ModuleState {
    const limit = state.parameters['part.limit'];
    if (!limit) return state;
    const parameters = { ...state.parameters, 'part.limit': { ...limit, value: Number(limit.value) * 12 } };
    return { ...state, parameters };
  }
}

class Outermost extends Module<null, string> {
  readonly inner: Program = new Program();
  override forward(): Promise<string> {
    return this.inner.call(null);
  }
}

const modules: Modules = {
  part: [Dozens, Pieces],
  program: [Program, Later, Converting],
  outermost: Outermost,
};
const createRuntime = runtimesOf<Modules>({ modules, poolSize: 1 });
const actors = { part: { kind: 'part', whenDown: 'fail' } } as const;

interface Scene {
  readonly program: ModuleHandle;
  readonly part: ModuleHandle;
  readonly set: (values: Readonly<Record<string, number>>) => Promise<void>;
}

async function start(runtime: ReturnType<typeof createRuntime>): Promise<Scene> {
  const program = await runtime.start('program', { id: 'p', version: '1.0.0', actors });
  const part = program.subModule('part' as never) as ModuleHandle;
  return { program, part, set: (values) => program.setParameters(values as never) };
}

/** As the page, the part's owner and the program around it have it. */
async function limitsOf({ program, part }: Pick<Scene, 'program' | 'part'>): Promise<unknown> {
  return [part.parameter('limit').value, await part.call(null), await program.call(null)];
}

test('a part of another version than its program names is restored under its own, once and for all', async () => {
  const runtime = createRuntime();
  const { program, part, set } = await start(runtime);
  await part.swap({ version: '2.0.0-pieces' });
  await set({ 'part.limit': 20 });
  const checkpoint = await program.checkpoint();
  await set({ 'part.limit': 30 });
  for (let round = 0; round < 2; round++) {
    await program.restore(checkpoint);
    expect(await limitsOf({ program, part })).toEqual([20, '20 12 eval', '1: 20 12 eval, copy 20']);
  }
  runtime.killWorkerOf('p');
  await expect.poll(() => part.status).toBe('running');
  expect(await part.call(null, { isIdempotent: true })).toBe('20 12 eval');
});

test('a part inside a part too', async () => {
  const runtime = createRuntime();
  const outermost = await runtime.start('outermost', {
    id: 'o',
    actors: {
      inner: { kind: 'program', whenDown: 'fail' },
      'inner.part': { kind: 'part', whenDown: 'fail' },
    },
  });
  const part = outermost.subModule('inner.part' as never) as ModuleHandle;
  await part.swap({ version: '2.0.0-pieces' });
  await outermost.setParameters({ 'inner.part.limit': 20 } as never);
  const checkpoint = await outermost.checkpoint();
  await outermost.setParameters({ 'inner.part.limit': 30 } as never);
  await outermost.restore(checkpoint);
  expect([part.parameter('limit').value, await part.call(null)]).toEqual([20, '20 12 eval']);
});

test('a checkpoint of before the part was swapped is migrated once, and one of afterwards is refused by an older part', async () => {
  const { program, part, set } = await start(createRuntime());
  await set({ 'part.limit': 2, rounds: 5 });
  const before = await program.checkpoint();
  await part.swap({ version: '2.0.0-pieces' });
  await set({ 'part.limit': 30 });
  const after = await program.checkpoint();
  await program.restore(before);
  expect(await limitsOf({ program, part })).toEqual([24, '24 12 eval', '5: 24 12 eval, copy 24']);
  await part.swap({ version: '1.0.0' });
  await set({ 'part.limit': 3, rounds: 6 });
  expect(await codeOf(program.restore(after))).toBe('runtime/state-migration-failed');
  expect(await limitsOf({ program, part })).toEqual([3, '3 12 eval', '6: 3 12 eval, copy 3']);
});

test('a program that migrates what is the part’s has it taken over as its own class names the part', async () => {
  const { program, part, set } = await start(createRuntime());
  await set({ 'part.limit': 2, rounds: 5 });
  const before = await program.checkpoint();
  await part.swap({ version: '2.0.0-pieces' });
  await program.swap({ version: '2.0.0' });
  await set({ 'part.limit': 99 });
  await program.restore(before);
  expect(await limitsOf({ program, part })).toEqual([24, expect.stringContaining('24'), expect.any(String)]);
});

test('a program that migrates only what is its own leaves the part its version', async () => {
  const { program, part, set } = await start(createRuntime());
  await part.swap({ version: '2.0.0-pieces' });
  await set({ 'part.limit': 20, rounds: 5 });
  const before = await program.checkpoint();
  await program.swap({ version: '1.1.0' });
  await set({ 'part.limit': 99, rounds: 0 });
  await program.restore(before);
  expect(await limitsOf({ program, part })).toEqual([20, '20 12 eval', '105: 20 12 eval, copy 20']);
});

test('a checkpoint that does not say what its parts were is taken as its program names them', async () => {
  const store: Store = createMemoryStore();
  const { program, part, set } = await start(createRuntime({ store }));
  await set({ 'part.limit': 2 });
  await program.checkpoint();
  const record = await loadRecord<ModuleState & { parts?: unknown }>(store, 'module/p');
  const { parts, ...old } = (record as NonNullable<typeof record>).state;
  expect(parts).toEqual({ part: { version: '1.0.0', mode: 'eval' } });
  const { version } = await saveRecord(store, 'module/p', old, { clock: new SimulatedClock() });
  await part.swap({ version: '2.0.0-pieces' });
  await set({ 'part.limit': 1 });
  await program.restore(String(version));
  expect(await limitsOf({ program, part })).toEqual([24, '24 12 eval', '1: 24 12 eval, copy 24']);
});

test('a part that is down takes its share under the version that it had, when it is started again', async () => {
  const runtime = createRuntime({ restartLimits: { maxRestarts: 0, maxSeconds: 5 } });
  const program = await runtime.start('program', {
    id: 'p',
    version: '1.0.0',
    actors: { part: { ...actors.part, isolation: 'dedicated' } },
  });
  const part = program.subModule('part' as never) as ModuleHandle;
  await program.setParameters({ 'part.limit': 20 } as never);
  const checkpoint = await program.checkpoint();
  await program.setParameters({ 'part.limit': 30, rounds: 4 } as never);
  runtime.killWorkerOf('p/part');
  await expect.poll(() => part.status).toBe('crashed');
  await program.restore(checkpoint);
  expect([program.parameter('rounds').value, part.parameter('limit').value]).toEqual([1, 20]);
});

test('a part has its own mode back', async () => {
  const { program, part } = await start(createRuntime());
  await part.train();
  const checkpoint = await program.checkpoint();
  await program.eval();
  await program.restore(checkpoint);
  expect([program.mode, part.mode, await part.call(null)]).toEqual(['eval', 'train', '1 1 train']);
});

test('back to a time: each part under the version that it had then', async () => {
  const clock = new SimulatedClock();
  const store = await withJournal(createMemoryStore({ clock }), { clock, isCompacting: false });
  const { program, part, set } = await start(createRuntime({ store }));
  const untouched = clock.now();
  await clock.advance(10);
  await set({ 'part.limit': 2 });
  const old = clock.now();
  await clock.advance(10);
  await part.swap({ version: '2.0.0-pieces' });
  await set({ 'part.limit': 30 });
  const swapped = clock.now();
  await clock.advance(10);
  await set({ 'part.limit': 40 });
  await clock.advance(10);
  const found = [];
  for (const time of [swapped, old, untouched]) {
    await program.restoreTo(time);
    found.push(await limitsOf({ program, part }));
  }
  expect(found).toEqual([
    [30, '30 12 eval', '1: 30 12 eval, copy 30'],
    [24, '24 12 eval', '1: 24 12 eval, copy 24'],
    [12, '12 12 eval', '1: 12 12 eval, copy 12'],
  ]);
});
