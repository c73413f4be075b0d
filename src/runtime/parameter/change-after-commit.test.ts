import { afterEach, expect, test } from 'vitest';
import { defaultActorLimits } from '../../actor/index.ts';
import type { Optimizer } from '../../optimize/index.ts';
import { Module, Parameter } from '../../program/index.ts';
import { createMemoryStore } from '../../state/index.ts';
import type { Store } from '../../state/index.ts';
import { runtimesOf } from '../runtime-test-scene.ts';
import { storedValue } from '../store-test-scene.ts';

/** What forwards wait for. */
let held: Promise<void> = Promise.resolve();

class Waits extends Module<null, number> {
  readonly a: Parameter<number> = new Parameter({ type: 'number', value: 1 });

  override async forward(): Promise<number> {
    await held;
    return this.a.value;
  }
}

/** Agrees to every change, and refuses to put in what is odd. */
class Fickle extends Module<null, number> {
  readonly a: Parameter<number> = new Parameter({ type: 'number', value: 1 });
  #isAsked = false;

  override prepareChanges(...given: Parameters<Module['prepareChanges']>): () => void {
    const apply = super.prepareChanges(...given);
    this.#isAsked = !this.#isAsked;
    if (this.#isAsked) return apply;
    throw new Error('it has changed its mind');
  }

  override forward(): Promise<number> {
    return Promise.resolve(this.a.value);
  }
}

const raise: Optimizer = {
  name: 'raise',
  compile: (program) => {
    program.parameterNamed('a').set(9, 'raise');
    return Promise.resolve(program);
  },
};

const modules = { waits: Waits, fickle: Fickle };

const createTestRuntime = runtimesOf({ modules, optimizers: { raise } });

afterEach(() => {
  held = Promise.resolve();
});

interface Gate {
  readonly promise: Promise<void>;
  readonly open: () => void;
}

function createGate(): Gate {
  let letGo = (): void => undefined;
  const promise = new Promise<void>((resolve) => (letGo = resolve));
  return { promise, open: () => letGo() };
}

/** Every commit waits for the gate of its moment. */
function createSlowStore(): {
  readonly store: Store;
  readonly commits: { gate: Promise<void>; count: number };
} {
  const commits = { gate: Promise.resolve(), count: 0 };
  const store = new Proxy(createMemoryStore(), {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      if (name !== 'commitEach') return value.bind(target) as unknown;
      return async (...given: Parameters<Store['commitEach']>) => {
        commits.count++;
        await commits.gate;
        return target.commitEach(...given);
      };
    },
  });
  return { store, commits };
}

const outcomeOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'resolved',
    (error: unknown) => (error as { code?: unknown }).code ?? error,
  );

const maxMailbox = 20;

test.each(['setParameters', 'a shared parameter'])(
  'a mailbox that fills during the commit does not keep what is committed out: %s',
  async (way) => {
    const { store, commits } = createSlowStore();
    const actorLimits = { ...defaultActorLimits, maxMailbox };
    const runtime = createTestRuntime({ store, actorLimits });
    const shared = await runtime.shared('common', { type: 'number', value: 1 });
    const module = await runtime.start('waits', { id: 'm', shared: { a: 'common' } });
    const [gate, forwards] = [createGate(), createGate()];
    [commits.gate, held] = [gate.promise, forwards.promise];
    const before = commits.count;
    const setting = outcomeOf(way === 'setParameters' ? module.setParameters({ a: 9 }) : shared.set(9));
    await expect.poll(() => commits.count).toBe(before + 1);
    const calls = Array.from({ length: maxMailbox }, () => outcomeOf(module.call(null)));
    await expect.poll(() => outcomeOf(module.call(null))).toBe('actor/mailbox-full');
    gate.open();
    expect(await setting).toBe('resolved');
    expect([module.parameters.a.value, commits.count]).toEqual([9, before + 1]);
    forwards.open();
    expect(new Set(await Promise.all(calls))).toEqual(new Set(['resolved']));
    expect([await module.parameters.a.get(), await module.call(null)]).toEqual([9, 9]);
  },
);

test('a module has what was committed while more calls wait for its restart than may', async () => {
  const { store, commits } = createSlowStore();
  const runtime = createTestRuntime({ store, limits: { maxWaitingCalls: 1 } });
  const module = await runtime.start('waits', { id: 'm' });
  const gate = createGate();
  commits.gate = gate.promise;
  const setting = outcomeOf(module.setParameters({ a: 9 }));
  await expect.poll(() => commits.count).toBe(1);
  const calls: Promise<unknown>[] = [];
  module.onStatus((status) => {
    if (status !== 'restarting') return;
    // the commit is done long before the module runs again
    gate.open();
    calls.push(outcomeOf(module.call(null)), outcomeOf(module.call(null)));
  });
  runtime.killWorkerOf('m');
  await expect.poll(() => calls.length).toBe(2);
  expect(await Promise.all([setting, ...calls])).toEqual([
    'resolved',
    'resolved',
    'runtime/module-restarting',
  ]);
  expect([module.parameters.a.value, await module.parameters.a.get(), await module.call(null)]).toEqual([
    9, 9, 9,
  ]);
});

test.each(['setParameters', 'a shared parameter', 'compile'])(
  'an owner that refuses what it had agreed to is started again from what is stored: %s',
  async (way) => {
    const store = createMemoryStore();
    const runtime = createTestRuntime({ store });
    const shared = await runtime.shared('common', { type: 'number', value: 1 });
    const module = await runtime.start('fickle', { id: 'm', shared: { a: 'common' } });
    const other = await runtime.start('waits', { id: 'other' });
    const crashes: unknown[] = [];
    runtime.registry.watch('**', (event) => {
      if (event.type === 'module-crash') crashes.push([event.module, event.error.code, event.willRestart]);
    });
    const ways = {
      setParameters: () =>
        runtime.setParameters([
          [module, { a: 9 }],
          [other, { a: 9 }],
        ]),
      'a shared parameter': () => shared.set(9),
      compile: () => module.compile({ optimizer: 'raise', trainset: [] }),
    };
    expect(await outcomeOf(ways[way as keyof typeof ways]())).toBe('resolved');
    expect([module.parameters.a.value, await module.parameters.a.get(), await module.call(null)]).toEqual([
      9, 9, 9,
    ]);
    expect([shared.value, crashes[0]]).toEqual([9, ['m', 'runtime/owner-behind', true]]);
    expect(await storedValue(store, 'm', 'a')).toBe(9);
  },
);

test('one that refuses and may not be restarted rejects, and starts again with what was committed', async () => {
  const runtime = createTestRuntime({});
  const module = await runtime.start('fickle', { id: 'm', restart: 'temporary' });
  expect(await outcomeOf(module.setParameters({ a: 9 }))).toBe('actor/peer-died');
  const again = await runtime.start('fickle', { id: 'm' });
  expect(await again.call(null)).toBe(9);
});

test('a module that was restarted right after the commit has it once: a newer set stays', async () => {
  const { store, commits } = createSlowStore();
  const runtime = createTestRuntime({ store });
  const module = await runtime.start('waits', { id: 'm' });
  const gate = createGate();
  commits.gate = gate.promise;
  const setting = outcomeOf(module.setParameters({ a: 9 }));
  await expect.poll(() => commits.count).toBe(1);
  const newer: Promise<unknown>[] = [];
  // the page has it, the owner is about to get it
  const leave = module.parameters.a.subscribe(() => {
    leave();
    runtime.killWorkerOf('m');
  });
  module.onStatus((status) => {
    // who sees what was committed sets something newer
    if (status === 'running') newer.push(outcomeOf(module.parameters.a.set(module.parameters.a.value + 1)));
  });
  gate.open();
  expect([await setting, await Promise.all(newer)]).toEqual(['resolved', ['resolved']]);
  expect([module.parameters.a.value, await module.parameters.a.get()]).toEqual([10, 10]);
  expect(module.parameters.a.history.map(({ newValue }) => newValue)).toEqual([9, 10]);
  await expect.poll(() => storedValue(store, 'm', 'a')).toBe(10);
});

test('whoever hears of a change and sets something newer has the last word', async () => {
  const { store } = createSlowStore();
  const runtime = createTestRuntime({ store });
  const module = await runtime.start('waits', { id: 'm' });
  const newer: Promise<unknown>[] = [];
  module.parameters.a.subscribe((value) => {
    if (value > 5) newer.push(outcomeOf(module.parameters.a.set(5)), outcomeOf(module.call(null)));
  });
  await module.setParameters({ a: 9 });
  expect(await Promise.all(newer)).toEqual(['resolved', 'resolved']);
  expect([module.parameters.a.value, await module.parameters.a.get()]).toEqual([5, 5]);
  expect(module.parameters.a.history.map(({ newValue }) => newValue)).toEqual([9, 5]);
  await expect.poll(() => storedValue(store, 'm', 'a')).toBe(5);
});
