import { expect, test } from 'vitest';
import { Module, Parameter, Predict } from '../../program/index.ts';
import type { ModuleState } from '../../program/index.ts';
import { createMemoryStore } from '../../state/index.ts';
import type { Store } from '../../state/index.ts';
import type { Optimizer } from '../../optimize/index.ts';
import { createRuntime } from '../runtime.ts';
import type { SharedDefinition } from './shared-parameter.ts';
import { runtimesOf } from '../runtime-test-scene.ts';

class Reader extends Module<null, number> {
  readonly limit: Parameter<number> = new Parameter({ type: 'number', value: 1 });
  readonly other: Parameter<number> = new Parameter({ type: 'number', value: 0 });
  readonly answer = new Predict('question -> answer');

  override forward(): Promise<number> {
    return Promise.resolve(this.limit.value);
  }
}

class Narrow extends Module<null, number> {
  readonly limit: Parameter<number> = new Parameter({ type: 'number', value: 1, constraints: { max: 30 } });

  override forward(): Promise<number> {
    return Promise.resolve(this.limit.value);
  }
}

class Outer extends Module<number | null, number> {
  readonly rounds: Parameter<number> = new Parameter({ type: 'number', value: 1 });
  readonly reader: Reader = new Reader();

  override async forward(value: number | null): Promise<number> {
    if (value !== null) this.reader.limit.set(value, 'forward');
    return this.reader.call(null);
  }
}

/** Gives the limit another value. */
const raise: Optimizer = {
  name: 'raise',
  compile: (program) => {
    program.parameterNamed('limit').set(25, 'raise');
    return Promise.resolve(program);
  },
};

const modules = { reader: Reader, narrow: Narrow, outer: Outer };
const shared = { limit: 'row-limit' };
const definition: SharedDefinition<number> = { type: 'number', value: 20, constraints: { max: 50 } };

const createTestRuntime = runtimesOf({ modules, optimizers: { raise } });

/** Counts the commits, and refuses them while it is told to. */
function createWatchedStore(): { readonly store: Store; readonly commits: unknown[][]; isBroken: boolean } {
  const watched = { store: createMemoryStore(), commits: [] as unknown[][], isBroken: false };
  const { store } = watched;
  watched.store = new Proxy(store, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      if (name !== 'commitEach') return value.bind(target) as unknown;
      return (...given: Parameters<Store['commitEach']>) => {
        if (watched.isBroken) return Promise.reject(new Error('broken'));
        watched.commits.push(given[0].map((each) => each.map(({ key }) => key.join(' '))));
        return target.commitEach(...given);
      };
    },
  });
  return watched;
}

test('a shared value that only the page holds is stored with a strict set of the same value', async () => {
  const { store } = createWatchedStore();
  const runtime = createTestRuntime({ store });
  const limit = await runtime.shared('row-limit', definition);
  const one = await runtime.start('reader', { id: 'one', shared });
  await limit.set(5, { level: 'memory' });
  await one.setParameters({ limit: 5 });
  expect((await store.get(['shared', 'row-limit']))?.value).toMatchObject({ value: 5 });
});

test('a restore sets what is shared for everybody, in one transaction', async () => {
  const { store, commits } = createWatchedStore();
  const runtime = createTestRuntime({ store });
  const limit = await runtime.shared('row-limit', definition);
  const one = await runtime.start('reader', { id: 'one', shared });
  const two = await runtime.start('reader', { id: 'two', shared });
  await one.parameters.other.set(3);
  const checkpoint = await one.checkpoint();
  await limit.set(30);
  await one.parameters.other.set(4);
  commits.length = 0;
  await one.restore(checkpoint);
  expect([limit.value, one.parameters.limit.value, two.parameters.limit.value]).toEqual([20, 20, 20]);
  expect([await one.call(null), await two.call(null), one.parameters.other.value]).toEqual([20, 20, 3]);
  expect(commits.slice(0, 1).flat(2)).toEqual(
    expect.arrayContaining(['shared row-limit', 'module one parameter limit', 'module two parameter limit']),
  );
  expect(limit.history.at(-1)).toMatchObject({ newValue: 20, cause: `restore ${checkpoint.id}` });
  runtime.killWorkerOf('one');
  expect(await one.call(null, { isIdempotent: true })).toBe(20);
  await runtime.close();
  const again = createTestRuntime({ store });
  expect((await again.shared('row-limit', definition)).value).toBe(20);
  const reopened = await again.start('reader', { id: 'one', shared });
  expect([reopened.parameters.limit.value, reopened.parameters.other.value]).toEqual([20, 3]);
});

test('a restore that another module or the store refuses changes nothing', async () => {
  const watched = createWatchedStore();
  const runtime = createTestRuntime({ store: watched.store });
  const limit = await runtime.shared('row-limit', { ...definition, value: 40 });
  const one = await runtime.start('reader', { id: 'one', shared });
  await one.parameters.other.set(3);
  const checkpoint = await one.checkpoint();
  await limit.set(10);
  await one.parameters.other.set(4);
  const narrow = await runtime.start('narrow', { id: 'two', shared });
  const values = async (): Promise<unknown> => [
    limit.value,
    await one.call(null),
    await narrow.call(null),
    await one.parameters.other.get(),
    one.parameters.other.value,
    one.parameters.limit.value,
    limit.history.length,
  ];
  const before = await values();
  await expect(one.restore(checkpoint)).rejects.toMatchObject({ code: 'program/constraint-violated' });
  expect(await values()).toEqual(before);
  await narrow.stop();
  watched.isBroken = true;
  await expect(one.restore(checkpoint)).rejects.toThrow('broken');
  expect([limit.value, await one.call(null), await one.parameters.other.get()]).toEqual([10, 10, 4]);
  expect([one.parameters.limit.value, one.parameters.other.value]).toEqual([10, 4]);
  watched.isBroken = false;
  await one.restore(checkpoint);
  expect([limit.value, await one.call(null), await one.parameters.other.get()]).toEqual([40, 40, 3]);
});

test('several parameters set together, and a compilation, set what is shared for everybody', async () => {
  const runtime = createTestRuntime();
  const limit = await runtime.shared('row-limit', definition);
  const one = await runtime.start('reader', { id: 'one', shared });
  const two = await runtime.start('reader', { id: 'two', shared });
  await one.setParameters({ limit: 31, other: 5 });
  expect([limit.value, await one.call(null), await two.call(null)]).toEqual([31, 31, 31]);
  expect(one.parameters.limit.history.at(-1)?.cause).toBe('set');
  expect(two.parameters.limit.history.at(-1)?.cause).toBe('shared row-limit');
  await one.compile({ optimizer: 'raise', trainset: [] });
  expect([limit.value, await one.call(null), await two.call(null)]).toEqual([25, 25, 25]);
  expect(limit.history.at(-1)?.cause).toBe('compile raise');
  // what the shared parameter refuses, the module does not get
  await expect(one.setParameters({ limit: 51, other: 6 })).rejects.toMatchObject({
    code: 'program/constraint-violated',
  });
  expect([limit.value, await one.call(null), one.parameters.other.value]).toEqual([25, 25, 5]);
});

test('two values for one shared parameter are refused, and named', async () => {
  const runtime = createTestRuntime();
  const limit = await runtime.shared('row-limit', definition);
  const one = await runtime.start('reader', { id: 'one', shared });
  const two = await runtime.start('reader', {
    id: 'two',
    shared: { limit: 'row-limit', other: 'row-limit' },
  });
  const refused = runtime.setParameters([
    [one, { limit: 31 }],
    [two, { limit: 32 }],
  ]);
  await expect(refused).rejects.toMatchObject({
    code: 'runtime/shared-conflict',
    fields: { shared: 'row-limit', module: 'one', parameter: 'limit', otherModule: 'two' },
  });
  expect([limit.value, await one.call(null), await two.call(null)]).toEqual([20, 20, 20]);
  await runtime.setParameters([
    [one, { limit: 31 }],
    [two, { limit: 31 }],
  ]);
  expect([limit.value, two.parameters.other.value]).toEqual([31, 31]);
});

test('changes and restores of modules that share parameters never wait in a circle', async () => {
  const runtime = createTestRuntime();
  const [rows, columns] = await Promise.all([
    runtime.shared('rows', definition),
    runtime.shared('columns', definition),
  ]);
  const one = await runtime.start('reader', { id: 'one', shared: { limit: 'rows', other: 'columns' } });
  const two = await runtime.start('reader', { id: 'two', shared: { other: 'rows', limit: 'columns' } });
  const free = await runtime.start('reader', { id: 'free' });
  const checkpoints = [await one.checkpoint(), await two.checkpoint()] as const;
  const limit = { timeoutMs: 10_000 };
  for (let round = 0; round < 10; round++) {
    const done = await Promise.allSettled([
      one.restore(checkpoints[0]),
      rows.set(round, limit),
      runtime.setParameters(
        [
          [one, { other: round }],
          [free, { limit: round }],
        ],
        limit,
      ),
      two.restore(checkpoints[1]),
      free.train(),
      columns.set(round, limit),
      runtime.setParameters(
        [
          [two, { limit: 7 }],
          [free, { other: round }],
        ],
        limit,
      ),
      two.eval(),
    ]);
    expect(done.map(({ status }) => status)).toEqual(Array(8).fill('fulfilled'));
    const [a, b] = [one.parameters, two.parameters];
    expect([a.limit.value, b.other.value]).toEqual([rows.value, rows.value]);
    expect([a.other.value, b.limit.value]).toEqual([columns.value, columns.value]);
    expect([await a.limit.get(), await b.limit.get()]).toEqual([rows.value, columns.value]);
  }
});

test('what a program sets in its copy of a part that is bound is everybody’s', async () => {
  const runtime = createTestRuntime();
  const limit = await runtime.shared('row-limit', definition);
  const one = await runtime.start('reader', { id: 'one', shared });
  const outer = await runtime.start('outer', {
    id: 'outer',
    actors: { reader: { kind: 'reader', whenDown: 'fail' } },
    shared: { 'reader.limit': 'row-limit' },
  });
  const checkpoint = await outer.checkpoint();
  await outer.call(33);
  await expect.poll(() => limit.value).toBe(33);
  expect([await one.call(null), await outer.parameters['reader.limit'].get()]).toEqual([33, 33]);
  await outer.restore(checkpoint);
  expect([limit.value, await one.call(null), await outer.call(null)]).toEqual([20, 20, 20]);
});

/** The limit of this version is counted by the dozen. */
class Old extends Reader {
  static readonly version: string = '1.0.0';
}
class Doubles extends Reader {
  static readonly version: string = '2.0.0';
  static migrate(state: ModuleState): ModuleState {
    const { limit } = state.parameters;
    if (!limit) return state;
    return {
      ...state,
      parameters: { ...state.parameters, limit: { ...limit, value: Number(limit.value) * 2 } },
    };
  }
}
class Small extends Module<null, number> {
  static readonly version: string = '3.0.0';
  readonly limit: Parameter<number> = new Parameter({ type: 'number', value: 1, constraints: { max: 5 } });
  static migrate(state: ModuleState): ModuleState {
    return { ...state, parameters: {} };
  }
  override forward(): Promise<number> {
    return Promise.resolve(this.limit.value);
  }
}

test('a swap and the way back keep the shared value, and are refused by a version that refuses it', async () => {
  await using runtime = createRuntime({ modules: { s: [Old, Doubles, Small] }, poolSize: 1 });
  const limit = await runtime.shared('row-limit', definition);
  const module = await runtime.start('s', { id: 's', version: '1.0.0', shared });
  await module.swap({ version: '2.0.0' });
  expect([await module.call(null), module.parameter('limit').value, limit.value]).toEqual([20, 20, 20]);
  await limit.set(30);
  await module.rollback();
  expect([await module.call(null), module.parameter('limit').value, limit.value]).toEqual([30, 30, 30]);
  await expect(module.swap({ version: '3.0.0' })).rejects.toMatchObject({
    code: 'runtime/state-migration-failed',
    fields: { parameter: 'limit', cause: 'program/constraint-violated' },
  });
  expect([module.version, await module.call(null)]).toEqual(['1.0.0', 30]);
  await limit.set(4);
  await module.swap({ version: '3.0.0' });
  expect([await module.call(null), module.parameter('limit').value]).toEqual([4, 4]);
});
