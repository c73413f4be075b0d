import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Module, Parameter } from '../../program/index.ts';
import type { TensorValue } from '../../program/index.ts';
import { createMemoryStore } from '../../state/index.ts';
import type { Store, Write } from '../../state/index.ts';
import { createHub, createMemorySink } from '../../telemetry/index.ts';
import type { ModuleHandle } from '../handle/handle.ts';
import type { ParameterHandle } from './parameter-handle.ts';
import type { StoredParameter } from './parameter-record.ts';
import { createRuntime } from '../runtime.ts';
import { runtimesOf } from '../runtime-test-scene.ts';
import { createHookedStore } from '../store-test-scene.ts';

/** What forwards wait for before they change anything; it is here, where the test is, since no worker is. */
let held: Promise<void> = Promise.resolve();

class Limits extends Module<{ a: number }, number> {
  readonly a: Parameter<number> = new Parameter({
    type: 'number',
    value: 0,
    constraints: { min: 0, max: 1000 },
  });
  readonly b: Parameter<number> = new Parameter({
    type: 'number',
    value: 0,
    constraints: { type: 'integer' },
  });
  readonly names: Parameter<readonly string[]> = new Parameter<readonly string[]>({
    type: 'list',
    value: [],
  });
  /** Follows `a`, as a module may. */
  readonly echo: Parameter<string> = new Parameter({ type: 'string', value: '' });

  constructor() {
    super();
    this.a.subscribe(({ newValue }) => this.echo.set(`a is ${newValue}`, 'echo'));
  }

  override async forward({ a }: { a: number }): Promise<number> {
    await held;
    this.a.set(a, 'forward');
    return a;
  }
}

class Weights extends Module<null, number> {
  readonly weights: Parameter<TensorValue> = new Parameter({
    type: 'tensor',
    value: { shape: [2], data: new Float64Array([1, 2]) },
  });

  override forward(): Promise<number> {
    let sum = 0;
    for (const each of this.weights.value.data) sum += each;
    return Promise.resolve(sum);
  }
}

const modules = { limits: Limits, weights: Weights };

const createTestRuntime = runtimesOf({ modules, restartLimits: { maxRestarts: 1000, maxSeconds: 5 } });

interface WatchedStore {
  readonly store: Store;
  /** The keys of each commit, joined. */
  readonly commits: string[][];
  readonly control: { isRefusing: boolean; gate: Promise<void> };
}

function createWatchedStore(): WatchedStore {
  const commits: string[][] = [];
  const control = { isRefusing: false, gate: Promise.resolve() };
  const store = new Proxy(createMemoryStore(), {
    get(target, name) {
      if (name === 'commitEach') {
        return (groups: readonly (readonly Write[])[], options: object) => {
          if (control.isRefusing) return Promise.reject(new Error('disk is full'));
          commits.push(groups.flatMap((writes) => writes.map(({ key }) => key.join('/'))));
          return control.gate.then(() => target.commitEach(groups, options));
        };
      }
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
  return { store, commits, control };
}

const storedValue = async (store: Store, module: string, name: string): Promise<unknown> =>
  (await store.get<StoredParameter>(['module', module, 'parameter', name]))?.value.state.value;

const codeOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'resolved',
    (error: unknown) => (error as { code?: unknown }).code ?? error,
  );

test('several parameters change together, in one transaction; the owner and the listeners hear it', async () => {
  const { store, commits } = createWatchedStore();
  const hub = createHub();
  const sink = createMemorySink(hub);
  const limits = await createTestRuntime({ store, hub }).start('limits', { id: 'm' });
  const heard: unknown[] = [];
  limits.subscribe(({ name, newValue, oldValue, cause }) => heard.push([name, oldValue, newValue, cause]));
  await limits.setParameters({ a: 4, b: 5, names: ['x'] }, { cause: 'tuned' });
  expect(commits[0]).toEqual([
    'module/m/meta',
    'module/m/parameter/a',
    'module/m/parameter/b',
    'module/m/parameter/names',
  ]);
  expect(await Promise.all([limits.parameters.a.get(), limits.parameters.b.get()])).toEqual([4, 5]);
  expect(heard.slice(0, 3)).toEqual([
    ['a', 0, 4, 'tuned'],
    ['b', 0, 5, 'tuned'],
    ['names', [], ['x'], 'tuned'],
  ]);
  // what the module itself made of it is its own doing
  expect(heard.at(-1)).toEqual(['echo', '', 'a is 4', 'echo']);
  expect(limits.parameters.echo.value).toBe('a is 4');
  expect(sink.ofType('parameter-change').map(({ name }) => name)).toEqual(['a', 'b', 'names', 'echo']);
  expect(limits.parameters.a.history).toMatchObject([{ oldValue: 0, newValue: 4, cause: 'tuned' }]);
});

test('what the caller changes after the call is not what is set', async () => {
  const limits = await createTestRuntime().start('limits');
  const names = ['x'];
  const setting = limits.setParameters({ names });
  const single = limits.parameters.names.set(names);
  names.push('y');
  await Promise.all([setting, single]);
  expect(limits.parameters.names.value).toEqual(['x']);
  expect(await limits.parameters.names.get()).toEqual(['x']);
});

const refusals: readonly (readonly [string, Record<string, unknown>, string])[] = [
  ['a constraint', { a: 4, b: 0.5 }, 'program/constraint-violated'],
  ['a wrong type', { a: 4, names: 'text' }, 'program/constraint-violated'],
  ['a name that does not exist', { a: 4, c: 1 }, 'program/parameter-not-found'],
  ['a value that cannot cross', { a: 4, names: () => 1 }, 'port/not-cloneable'],
];

test.each(refusals)('%s refuses all of them', async (_, values, code) => {
  const { store, commits } = createWatchedStore();
  const runtime = createTestRuntime({ store });
  const limits = await runtime.start('limits', { id: 'm' });
  expect(await codeOf(limits.setParameters(values as never))).toBe(code);
  expect(await codeOf(runtime.setParameters([[limits, values]]))).toBe(code);
  expect([limits.parameters.a.value, await limits.parameters.a.get()]).toEqual([0, 0]);
  expect(limits.parameters.a.history).toEqual([]);
  expect(commits).toEqual([]);
});

test('when one of several modules refuses, none changes; when all agree, one transaction holds them', async () => {
  const { store, commits } = createWatchedStore();
  const runtime = createTestRuntime({ store });
  const [one, two] = [
    await runtime.start('limits', { id: 'one' }),
    await runtime.start('limits', { id: 'two' }),
  ];
  const refused = runtime.setParameters([
    [one, { a: 1 }],
    ['two', { b: 0.5 }],
  ]);
  expect(await codeOf(refused)).toBe('program/constraint-violated');
  expect([await one.parameters.a.get(), await two.parameters.b.get(), commits]).toEqual([0, 0, []]);
  await runtime.setParameters([
    [one, { a: 1 }],
    ['two', { b: 2 }],
    [one, { a: 3, b: 4 }],
  ]);
  expect([await one.parameters.a.get(), await one.parameters.b.get(), await two.parameters.b.get()]).toEqual([
    3, 4, 2,
  ]);
  expect(commits[0]?.toSorted()).toEqual([
    'module/one/meta',
    'module/one/parameter/a',
    'module/one/parameter/b',
    'module/two/meta',
    'module/two/parameter/b',
  ]);
  expect(await codeOf(runtime.setParameters([['three', { a: 1 }]]))).toBe('runtime/module-not-found');
  expect(await codeOf(runtime.setParameters([['one', [1] as never]]))).toBe('runtime/values-invalid');
});

test('a store that refuses, and a caller who cancels, leave every value as it was, in the modules too', async () => {
  const { store, control } = createWatchedStore();
  const runtime = createTestRuntime({ store });
  const limits = await runtime.start('limits', { id: 'm' });
  await limits.setParameters({ a: 1, b: 1 });
  control.isRefusing = true;
  await expect(limits.setParameters({ a: 2, b: 2 })).rejects.toThrow('disk is full');
  expect(await codeOf(limits.setParameters({ a: 3 }, { signal: AbortSignal.abort() }))).toBe(
    'port/cancelled',
  );
  expect([
    limits.parameters.a.value,
    await limits.parameters.a.get(),
    await limits.parameters.b.get(),
  ]).toEqual([1, 1, 1]);
  control.isRefusing = false;
  await limits.setParameters({ a: 9 }, { level: 'memory' });
  expect([await limits.parameters.a.get(), await storedValue(store, 'm', 'a')]).toEqual([9, 1]);
});

test('workers that are lost at any moment: all modules have all of it, or none has any', async () => {
  const seen = new Set<string>();
  for (let microtasks = 0; microtasks < 160; microtasks += 4) {
    const store = createMemoryStore();
    const runtime = createTestRuntime({ store });
    const [one, two] = [
      await runtime.start('limits', { id: 'one' }),
      await runtime.start('limits', { id: 'two' }),
    ];
    const setting = codeOf(
      runtime.setParameters([
        [one, { a: 7, b: 7 }],
        [two, { a: 7 }],
      ]),
    );
    for (let waited = 0; waited < microtasks; waited++) await Promise.resolve();
    runtime.killWorkerOf(microtasks % 8 === 0 ? 'one' : 'two');
    const outcome = await setting;
    const values = await Promise.all([
      one.parameters.a.get(),
      one.parameters.b.get(),
      two.parameters.a.get(),
    ]);
    seen.add(`${String(outcome)} ${values.join()}`);
    expect([microtasks, [one.parameters.a.value, one.parameters.b.value, two.parameters.a.value]]).toEqual([
      microtasks,
      values,
    ]);
    const stored = await Promise.all([storedValue(store, 'one', 'a'), storedValue(store, 'two', 'a')]);
    expect([microtasks, stored]).toEqual([microtasks, [values[0], values[2]]]);
    await runtime.close();
  }
  expect(seen).toEqual(new Set(['resolved 7,7,7']));
});

test('a set that comes while the transaction is under way is older than it, in the store too', async () => {
  const { store, control } = createWatchedStore();
  const limits = await createTestRuntime({ store }).start('limits', { id: 'm' });
  await limits.parameters.a.set(1);
  let letGo = (): void => undefined;
  control.gate = new Promise((resolve) => (letGo = resolve));
  const together = limits.setParameters({ a: 5, b: 5 });
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setTimeout(resolve, 0));
  const single = limits.parameters.a.set(7);
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setTimeout(resolve, 0));
  expect(limits.parameters.a.value).toBe(7);
  letGo();
  await Promise.all([together, single]);
  expect([limits.parameters.a.value, await limits.parameters.a.get()]).toEqual([5, 5]);
  expect(await storedValue(store, 'm', 'a')).toBe(5);
  expect(limits.parameters.a.history.map(({ newValue }) => newValue)).toEqual([1, 7, 5]);
});

test("a module's own change right before it is told gives way, everywhere", async () => {
  const store = createMemoryStore();
  const limits = await createTestRuntime({ store }).start('limits', { id: 'm' });
  let goOn = (): void => undefined;
  held = new Promise((resolve) => (goOn = resolve));
  const forward = limits.call({ a: 9 });
  const seen: unknown[] = [];
  limits.parameters.a.subscribe((newValue) => {
    seen.push(newValue);
    goOn();
  });
  await limits.setParameters({ a: 5 });
  await forward;
  expect(seen).toEqual([5, 9, 5]);
  expect([limits.parameters.a.value, await limits.parameters.a.get()]).toEqual([5, 5]);
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setTimeout(resolve, 0));
  expect(await storedValue(store, 'm', 'a')).toBe(5);
});

const value = fc.integer({ min: 0, max: 1000 });
const step = fc.oneof(
  fc.record({ type: fc.constant('set' as const), by: fc.constantFrom(0, 1), value, isAwaited: fc.boolean() }),
  fc.record({
    type: fc.constant('together' as const),
    by: fc.constantFrom(0, 1),
    value,
    isAwaited: fc.boolean(),
  }),
  fc.record({ type: fc.constant('forward' as const), value, isAwaited: fc.boolean() }),
  fc.record({
    type: fc.constant('memory' as const),
    by: fc.constantFrom(0, 1),
    value,
    isAwaited: fc.boolean(),
  }),
  fc.record({ type: fc.constant('kill' as const) }),
);

test('two handles of one module: after its own write a handle never reads an older value, and all end alike', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 16 }), async (steps) => {
      const store = createMemoryStore();
      const runtime = createTestRuntime({ store });
      const first = await runtime.start('limits', { id: 'm' });
      const handles = [first, runtime.module('m') as unknown as typeof first] as const;
      const under: Promise<unknown>[] = [];
      const reads: (readonly unknown[])[] = [];
      for (const each of steps) {
        if (each.type === 'kill') {
          runtime.killWorkerOf('m');
          continue;
        }
        const handle = handles['by' in each ? each.by : 0]!;
        const write = codeOf(writeBy(handle, each));
        under.push(write);
        if (!each.isAwaited) continue;
        // alone with its write, a handle reads it at once, and so does the other
        await Promise.all(under.splice(0));
        const seen = handles.map(({ parameters }) => parameters.a.value);
        if ((await write) === 'resolved') reads.push([...seen, await handle.parameters.a.get()]);
      }
      await Promise.all(under);
      for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setTimeout(resolve, 0));
      const owner = await first.parameters.a.get();
      expect(handles.map((handle) => handle.parameters.a.value)).toEqual([owner, owner]);
      expect(reads).toEqual(reads.map(([seen]) => [seen, seen, seen]));
      await runtime.close();
      // what was set in memory alone, or lost with its worker, the store may not have
      const isWritten = steps.some(({ type }) => type === 'set' || type === 'together');
      const isComparable = isWritten && !steps.some(({ type }) => type === 'kill' || type === 'memory');
      const stored = isComparable ? await storedValue(store, 'm', 'a') : owner;
      expect(stored).toBe(owner);
    }),
    { numRuns: 100 },
  );
}, 30_000);

interface WriteStep {
  readonly type: 'set' | 'together' | 'forward' | 'memory';
  readonly value: number;
}

function writeBy(handle: ModuleHandle<Limits>, each: WriteStep): Promise<unknown> {
  const { type, value: a } = each;
  if (type === 'together') return handle.setParameters({ a, b: a });
  if (type === 'forward') return handle.call({ a });
  return handle.parameters.a.set(a, { level: type === 'memory' ? 'memory' : 'strict' });
}

test('after its own write a handle reads it, whatever writes the other handle makes before', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.constantFrom(0, 1), value), { minLength: 1, maxLength: 12 }),
      async (sets) => {
        const runtime = createTestRuntime();
        const first = await runtime.start('limits', { id: 'm' });
        const handles = [first, runtime.module('m') as unknown as typeof first] as const;
        for (const [by, a] of sets) {
          const handle: ParameterHandle<number> = handles[by]!.parameters.a;
          await handle.set(a, { level: 'memory' });
          expect([handle.value, handles[1 - by]!.parameters.a.value, await handle.get()]).toEqual([a, a, a]);
        }
        await runtime.close();
      },
    ),
    { numRuns: 40 },
  );
}, 30_000);

test('a tensor is set, read, remembered, restarted with and stored', async () => {
  const store = createMemoryStore();
  const runtime = createTestRuntime({ store });
  const weights = await runtime.start('weights', { id: 'w' });
  const given = new Float64Array([3, 4, 5]);
  const setting = weights.parameters.weights.set({ shape: [3], data: given });
  given[0] = 99;
  await setting;
  const expected = { shape: [3], data: new Float64Array([3, 4, 5]) };
  expect(weights.parameters.weights.value).toEqual(expected);
  expect(await weights.parameters.weights.get()).toEqual(expected);
  expect(await weights.call(null)).toBe(12);
  expect(weights.parameters.weights.history).toMatchObject([
    { oldValue: { shape: [2] }, newValue: expected, cause: 'set' },
  ]);
  expect(await storedValue(store, 'w', 'weights')).toEqual(expected);
  runtime.killWorkerOf('w');
  expect(await weights.parameters.weights.get()).toEqual(expected);
  await weights.parameters.weights.set({ shape: [1], data: new Float64Array([6]) }, { level: 'memory' });
  await weights.setParameters({ weights: { shape: [1], data: new Float64Array([7]) } });
  expect(await weights.call(null)).toBe(7);
  await expect(
    weights.parameters.weights.set({ shape: [2], data: new Float64Array([1]) }),
  ).rejects.toMatchObject({ code: 'program/constraint-violated' });
  await runtime.close();
  const after = await createTestRuntime({ store }).start('weights', { id: 'w' });
  expect(after.parameters.weights.value).toEqual({ shape: [1], data: new Float64Array([7]) });
  expect(after.parameters.weights.history).toHaveLength(3);
});

class Learner extends Module<null, number> {
  readonly rate: Parameter<number> = new Parameter({
    type: 'number',
    value: 1,
    requiresGrad: true,
    learningRate: 0.5,
    momentum: 0.5,
    constraints: { min: 0 },
  });
  readonly weights: Parameter<TensorValue> = new Parameter({
    type: 'tensor',
    value: { shape: [2], data: new Float64Array([1, 2]) },
    requiresGrad: true,
    learningRate: 0.5,
  });
  readonly fixed: Parameter<number> = new Parameter({ type: 'number', value: 1 });
}

test("a gradient step is the owner's; its velocity outlives a restart", async () => {
  const store = createMemoryStore();
  await using runtime = createRuntime({ modules: { learner: Learner }, store });
  const { parameters } = await runtime.start('learner', { id: 'l' });
  await parameters.rate.applyGradient(1);
  expect([parameters.rate.value, parameters.rate.state.velocity]).toEqual([0.75, 0.5]);
  expect(parameters.rate.history).toMatchObject([{ oldValue: 1, newValue: 0.75, cause: 'gradient' }]);
  runtime.killWorkerOf('l');
  await parameters.rate.applyGradient(1, { level: 'memory', cause: 'again' });
  // velocity 0.75, of which half is taken
  expect([parameters.rate.value, await parameters.rate.get()]).toEqual([0.375, 0.375]);
  await parameters.weights.applyGradient({ shape: [2], data: new Float64Array([1, 2]) });
  expect(parameters.weights.value).toEqual({ shape: [2], data: new Float64Array([0.5, 1]) });
  expect(await storedValue(store, 'l', 'weights')).toEqual(parameters.weights.value);
  expect(await codeOf(parameters.rate.applyGradient(10))).toBe('program/constraint-violated');
  expect(await codeOf(parameters.fixed.applyGradient(1))).toBe('program/gradient-not-required');
  expect(await parameters.rate.get()).toBe(0.375);
});

test('a module that ends between the commit and its turn rejects, and starts again with what was committed', async () => {
  const hooked = createHookedStore();
  const { store } = hooked;
  const runtime = createTestRuntime({ store });
  const limits = await runtime.start('limits', { id: 'm' });
  let stopping: Promise<void> | undefined;
  hooked.now = async (_, commit) => {
    const committed = await commit();
    stopping ??= limits.stop();
    return committed;
  };
  expect(await codeOf(limits.setParameters({ a: 5, b: 6 }))).toBe('runtime/module-stopped');
  await stopping;
  const again = await runtime.start('limits', { id: 'm' });
  expect([again.parameters.a.value, await again.parameters.b.get()]).toEqual([5, 6]);
});

test('a tensor larger than a history keeps its steps without the numbers', async () => {
  const store = createMemoryStore();
  const runtime = createTestRuntime({ store });
  const weights = await runtime.start('weights', { id: 'w' });
  const data = new Float64Array(50_000).fill(0.5);
  for (const level of ['memory', 'strict', 'strict'] as const) {
    await weights.parameters.weights.set({ shape: [50_000], data }, { level });
  }
  expect(weights.parameters.weights.history).toHaveLength(3);
  expect(weights.parameters.weights.history.at(-1)).toMatchObject({ isTooLarge: true, cause: 'set' });
  const stored = await store.get<StoredParameter>(['module', 'w', 'parameter', 'weights']);
  expect(stored?.value.newest).toMatchObject({ isTooLarge: true, newValue: undefined });
  expect((stored!.value.state.value as TensorValue).data).toEqual(data);
});

test('the owner does not send back the numbers of a tensor that it was sent', async () => {
  const bytes: number[] = [];
  const cloned = globalThis.structuredClone;
  globalThis.structuredClone = ((body: unknown, options?: StructuredSerializeOptions) => {
    const text = JSON.stringify(body, (_, each: unknown) =>
      ArrayBuffer.isView(each) ? { bytes: each.byteLength } : each,
    );
    const isFrame = typeof body === 'object' && body !== null && 'vivarium' in body;
    if (isFrame) bytes.push(...[...(text ?? '').matchAll(/"bytes":(\d+)/g)].map(([, size]) => Number(size)));
    return cloned(body, options);
  }) as typeof structuredClone;
  try {
    const weights = await createTestRuntime().start('weights', { id: 'w' });
    bytes.length = 0;
    await weights.parameters.weights.set({ shape: [1000], data: new Float64Array(1000) });
    expect(bytes).toEqual([8000]);
  } finally {
    globalThis.structuredClone = cloned;
  }
});
