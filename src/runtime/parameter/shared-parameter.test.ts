import { expect, test } from 'vitest';
import { Module, Parameter } from '../../program/index.ts';
import { createMemoryStore } from '../../state/index.ts';
import type { Store } from '../../state/index.ts';
import { createHub, createMemorySink } from '../../telemetry/index.ts';
import type { ModuleHandle } from '../handle/handle.ts';
import { createRuntime } from '../runtime.ts';
import type { SharedDefinition } from './shared-parameter.ts';
import { runtimesOf, turn } from '../runtime-test-scene.ts';

class Reader extends Module<{ set?: number }, number> {
  readonly limit: Parameter<number> = new Parameter({
    type: 'number',
    value: 1,
    constraints: { min: 0, max: 100 },
  });
  readonly other: Parameter<number> = new Parameter({ type: 'number', value: 0 });

  override async forward({ set }: { set?: number }): Promise<number> {
    await Promise.resolve();
    if (set !== undefined) this.limit.set(set, 'forward');
    return this.limit.value;
  }
}

/** Takes less than its neighbours. */
class Narrow extends Module<null, number> {
  readonly limit: Parameter<number> = new Parameter({ type: 'number', value: 1, constraints: { max: 10 } });

  override forward(): Promise<number> {
    return Promise.resolve(this.limit.value);
  }
}

const modules = { reader: Reader, narrow: Narrow };
const shared = { limit: 'row-limit' };
const definition: SharedDefinition<number> = { type: 'number', value: 20, constraints: { max: 50 } };

const createTestRuntime = runtimesOf({ modules });

async function storedOf(store: Store): Promise<unknown[]> {
  const one = await store.get<{ value: unknown }>(['shared', 'row-limit']);
  const modulesOf = await store.list<{ state: { value: unknown } }>(['module']);
  const limits = modulesOf.filter(({ key }) => key[2] === 'parameter' && key[3] === 'limit');
  return [one?.value.value, ...limits.map(({ value }) => value.state.value)];
}

test('a shared parameter reaches every module that is bound to it, and their histories say so', async () => {
  const store = createMemoryStore();
  const runtime = createTestRuntime({ store });
  const limit = await runtime.shared('row-limit', definition);
  const one = await runtime.start('reader', { id: 'one', shared });
  const two = await runtime.start('reader', { id: 'two', shared });
  const free = await runtime.start('reader', { id: 'free' });
  expect([one.parameters.limit.value, await two.call({}), await free.call({})]).toEqual([20, 20, 1]);
  expect(limit.modules).toEqual(['one', 'two']);
  const heard: unknown[] = [];
  limit.subscribe((newValue, oldValue) => heard.push([oldValue, newValue]));
  await limit.set(30, { cause: 'tuned' });
  expect([await one.call({}), await two.call({}), await free.call({})]).toEqual([30, 30, 1]);
  expect(heard).toEqual([[20, 30]]);
  expect(limit.history).toMatchObject([{ oldValue: 20, newValue: 30, cause: 'tuned' }]);
  expect(one.parameters.limit.history.map(({ newValue, cause }) => [newValue, cause])).toEqual([
    [20, 'shared row-limit'],
    [30, 'shared row-limit'],
  ]);
  expect(await storedOf(store)).toEqual([30, 30, 30]);
});

test('setting a bound parameter of a module sets the shared one', async () => {
  const runtime = createTestRuntime();
  const limit = await runtime.shared('row-limit', definition);
  const one = await runtime.start('reader', { shared });
  const two = await runtime.start('reader', { shared });
  await one.parameters.limit.set(31);
  expect([limit.value, two.parameters.limit.value, await two.call({})]).toEqual([31, 31, 31]);
  await one.parameters.other.set(3);
  expect(two.parameters.other.value).toBe(0);
});

test('when one module refuses, nothing changes anywhere', async () => {
  const store = createMemoryStore();
  const runtime = createTestRuntime({ store });
  const limit = await runtime.shared('row-limit', { ...definition, value: 5 });
  const one = await runtime.start('reader', { id: 'one', shared });
  const narrow = await runtime.start('narrow', { id: 'two', shared });
  for (const value of [11, 51, 'x' as never]) {
    await expect(limit.set(value)).rejects.toMatchObject({ code: 'program/constraint-violated' });
  }
  expect([limit.value, await one.call({}), await narrow.call(null)]).toEqual([5, 5, 5]);
  expect(limit.history).toEqual([]);
  // its start is refused too
  await narrow.stop();
  await limit.set(40);
  await expect(runtime.start('narrow', { id: 'two', shared })).rejects.toMatchObject({
    code: 'program/constraint-violated',
  });
  expect(limit.modules).toEqual(['one']);
  const again = await runtime.start('narrow', { id: 'two' });
  expect(await again.call(null)).toBe(5);
});

test("a module's own change is everybody's, or is taken back when another refuses", async () => {
  const hub = createHub();
  const sink = createMemorySink(hub);
  const runtime = createTestRuntime({ hub });
  const limit = await runtime.shared('row-limit', { ...definition, value: 5 });
  const one = await runtime.start('reader', { id: 'one', shared });
  const two = await runtime.start('narrow', { id: 'two', shared });
  await one.call({ set: 7 });
  await turn();
  expect([limit.value, await two.call(null)]).toEqual([7, 7]);
  expect(limit.history.at(-1)?.cause).toBe('module one');
  await one.call({ set: 12 });
  await turn();
  expect([limit.value, one.parameters.limit.value, await one.call({}), await two.call(null)]).toEqual([
    7, 7, 7, 7,
  ]);
  expect(sink.ofType('note').map(({ text }) => text)).toEqual([expect.stringContaining('shared parameter')]);
});

test('restart and reload keep it; what changed while a module did not run reaches it at its start', async () => {
  const store = createMemoryStore();
  const first = createTestRuntime({ store });
  const limit = await first.shared('row-limit', definition);
  const one = await first.start('reader', { id: 'one', shared });
  await first.start('reader', { id: 'two', shared });
  await limit.set(33);
  first.killWorkerOf('one');
  expect([await one.call({}, { isIdempotent: true }), one.metrics.restarts]).toEqual([33, 1]);
  await first.module('two').stop();
  await limit.set(34);
  await first.close();

  const second = createTestRuntime({ store });
  const again = await second.shared('row-limit', definition);
  expect([again.value, again.history.length]).toEqual([34, 2]);
  const two = await second.start('reader', { id: 'two', shared });
  expect([two.parameters.limit.value, await two.call({})]).toEqual([34, 34]);
});

test('a binding outlives versions that lack the parameter', async () => {
  class Old extends Reader {
    static readonly version: string = '1.0.0';
  }
  class New extends Module<object, number> {
    static readonly version: string = '2.0.0';
    override forward(): Promise<number> {
      return Promise.resolve(0);
    }
  }
  await using runtime = createRuntime({ modules: { s: [Old, New] }, poolSize: 1 });
  const rows = await runtime.shared('row-limit', definition);
  const module = (await runtime.start('s', { id: 's', version: '1.0.0', shared })) as ModuleHandle;
  await module.swap({ version: '2.0.0' });
  await rows.set(33);
  expect(rows.modules).toEqual([]);
  await module.rollback();
  await expect.poll(() => module.parameter('limit').value).toBe(33);
  expect([rows.modules, await module.call({})]).toEqual([['s'], 33]);
  await rows.set(44);
  expect([module.parameter('limit').value, await module.call({})]).toEqual([44, 44]);
  await module.parameter('limit').set(7);
  expect(rows.value).toBe(7);
});

test('sets at once are made one after the other', async () => {
  const runtime = createTestRuntime();
  const limit = await runtime.shared('row-limit', definition);
  const one = await runtime.start('reader', { shared });
  await Promise.all(Array.from({ length: 20 }, (_, index) => limit.set(index, { level: 'memory' })));
  expect([limit.value, one.parameters.limit.value, await one.call({})]).toEqual([19, 19, 19]);
  expect(limit.history.map(({ newValue }) => newValue)).toEqual(
    Array.from({ length: 20 }, (_, index) => index),
  );
});

test('a store that refuses leaves it as it was, with nobody bound too', async () => {
  const store = createMemoryStore();
  const limit = await createTestRuntime({ store }).shared('row-limit', definition);
  await store.close();
  await expect(limit.set(30)).rejects.toMatchObject({ code: 'state/closed' });
  expect([limit.value, limit.history]).toEqual([20, []]);
});

test('bad names, types, bindings and numbers of them are refused', async () => {
  const runtime = createTestRuntime({ limits: { maxSharedParameters: 2 } });
  const code = (work: Promise<unknown>): Promise<unknown> =>
    work.then(
      () => 'resolved',
      (error: unknown) => (error as { code?: unknown }).code,
    );
  expect(await code(runtime.shared('row-limit'))).toBe('runtime/shared-not-found');
  expect(await code(runtime.shared('a b', definition))).toBe('runtime/shared-invalid');
  expect(await code(runtime.shared('x'.repeat(129), definition))).toBe('runtime/shared-invalid');
  expect(await code(runtime.shared('row-limit', { ...definition, value: 51 }))).toBe(
    'program/constraint-violated',
  );
  expect(await code(runtime.shared('row-limit', { type: 'bogus' as never, value: 1 }))).toBe(
    'runtime/shared-invalid',
  );
  const limit = await runtime.shared('row-limit', definition);
  expect(await runtime.shared('row-limit')).toBe(limit);
  expect(await code(runtime.shared('row-limit', { type: 'string', value: 'x' }))).toBe(
    'runtime/shared-invalid',
  );
  await runtime.shared('second', definition);
  expect(await code(runtime.shared('third', definition))).toBe('runtime/shared-invalid');
  expect(await code(runtime.start('reader', { shared: { limit: 'unknown' } }))).toBe(
    'runtime/shared-not-found',
  );
  expect(await code(runtime.start('reader', { shared: { unknown: 'row-limit' } }))).toBe(
    'program/parameter-not-found',
  );
  expect(await code(runtime.start('reader', { shared: { limit: 7 } as never }))).toBe(
    'runtime/module-spec-invalid',
  );
  expect(limit.modules).toEqual([]);
  expect(runtime.inspect().modules).toEqual([]);
});
