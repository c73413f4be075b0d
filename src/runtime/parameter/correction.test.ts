/** Modules that make something else of what they are given, by a listener of their own. */
import { expect, test } from 'vitest';
import { CodedError } from '../../base/index.ts';
import { Module, Parameter } from '../../program/index.ts';
import { createMemoryStore } from '../../state/index.ts';
import { createMemorySink } from '../../telemetry/index.ts';
import { runtimesOf, turn } from '../runtime-test-scene.ts';

class Plain extends Module<null, readonly number[]> {
  readonly limit: Parameter<number> = new Parameter({ type: 'number', value: 0 });
  readonly other: Parameter<number> = new Parameter({ type: 'number', value: 0 });

  override forward(): Promise<readonly number[]> {
    return Promise.resolve([this.limit.value, this.other.value]);
  }
}

/** Rounds its limit down to even numbers. */
class Even extends Plain {
  constructor() {
    super();
    this.limit.subscribe(({ newValue }) => {
      if (newValue % 2 !== 0) this.limit.set(newValue - 1, 'even');
    });
  }
}

/** Rounds its limit up to odd numbers. */
class Odd extends Plain {
  constructor() {
    super();
    this.limit.subscribe(({ newValue }) => {
      if (newValue % 2 === 0) this.limit.set(newValue + 1, 'odd');
    });
  }
}

/** Its other is never above its limit. */
class Below extends Plain {
  constructor() {
    super();
    const keep = (): void => {
      if (this.other.value > this.limit.value) this.other.set(this.limit.value, 'below');
    };
    this.limit.subscribe(keep);
    this.other.subscribe(keep);
  }
}

/** Does not take 6. */
class Picky extends Plain {
  override prepareChanges(...given: Parameters<Module['prepareChanges']>): () => void {
    const limit = given[0].values?.['limit'];
    if (limit === 6) throw new CodedError('program/constraint-violated', 'it does not take 6');
    return super.prepareChanges(...given);
  }
}

const modules = { plain: Plain, even: Even, odd: Odd, below: Below, picky: Picky };
const createTestRuntime = runtimesOf({ modules });

async function startOne(kind: keyof typeof modules) {
  const store = createMemoryStore();
  const runtime = createTestRuntime({ store });
  const module = await runtime.start(kind, { id: 'm' });
  const stored = async (name: string): Promise<unknown> =>
    (await store.get<{ state: { value: unknown } }>(['module', 'm', 'parameter', name]))?.value.state.value;
  return { runtime, module, stored };
}

test('what a module makes of values that are set together is what page and store have', async () => {
  const { runtime, module, stored } = await startOne('even');
  await module.setParameters({ limit: 7, other: 3 });
  const { limit } = module.parameters;
  await expect.poll(() => limit.value).toBe(6);
  expect([await module.call(null), await limit.get()]).toEqual([[6, 3], 6]);
  await expect.poll(() => stored('limit')).toBe(6);
  expect(limit.history.slice(-2)).toMatchObject([
    { oldValue: 0, newValue: 7, cause: 'set' },
    { oldValue: 7, newValue: 6, cause: 'even' },
  ]);
  runtime.killWorkerOf('m');
  expect(await module.call(null, { isIdempotent: true })).toEqual([6, 3]);
  // what it takes as it is, is told once
  await module.setParameters({ limit: 8 });
  await turn();
  expect(limit.history.map(({ newValue }) => newValue)).toEqual([7, 6, 8]);
});

test.each([
  [{ limit: 4, other: 9 }, [4, 4]],
  [{ other: 9, limit: 4 }, [4, 0]],
])('a listener of one of them may set another of them, in any order: %j', async (values, expected) => {
  const { module, stored } = await startOne('below');
  await module.setParameters(values);
  const { limit, other } = module.parameters;
  const has = async (): Promise<unknown> => [
    [limit.value, other.value],
    await module.call(null),
    [await stored('limit'), await stored('other')],
  ];
  await expect.poll(has).toEqual([expected, expected, expected]);
});

test('what one module makes of a shared value is everybody’s', async () => {
  const runtime = createTestRuntime();
  const limit = await runtime.shared('row-limit', { type: 'number', value: 2 });
  const shared = { limit: 'row-limit' };
  const even = await runtime.start('even', { shared });
  const plain = await runtime.start('plain', { shared });
  await limit.set(7);
  await expect
    .poll(() => [limit.value, even.parameters.limit.value, plain.parameters.limit.value])
    .toEqual([6, 6, 6]);
  expect([await even.call(null), await plain.call(null)]).toEqual([
    [6, 0],
    [6, 0],
  ]);
});

test.each([
  ['even', 'odd'],
  ['even', 'picky'],
] as const)('modules that cannot agree on a shared value come to an end: %s and %s', async (...kinds) => {
  const runtime = createTestRuntime();
  const sink = createMemorySink(runtime.hub);
  const limit = await runtime.shared('row-limit', { type: 'number', value: 2 });
  const shared = { limit: 'row-limit' };
  const started = await Promise.all(kinds.map((kind) => runtime.start(kind, { shared })));
  const told = (): string[] => sink.ofType('note').map(({ text }) => text);
  await limit.set(7);
  await expect.poll(told).toContainEqual(expect.stringContaining('do not agree on shared parameter'));
  await turn(50);
  const changes = sink.ofType('parameter-change').length;
  await turn(50);
  expect(sink.ofType('parameter-change').length).toBe(changes);
  // and the next set is as any
  for (const module of started) await module.stop();
  const plain = await runtime.start('plain', { shared });
  await limit.set(9);
  expect([limit.value, await plain.call(null)]).toEqual([9, [9, 0]]);
});
