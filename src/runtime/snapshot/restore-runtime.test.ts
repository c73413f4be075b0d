import { expect, test } from 'vitest';
import type { ModuleState } from '../../program/index.ts';
import { Module, Parameter } from '../../program/index.ts';
import { SimulatedClock } from '../../platform/index.ts';
import { createMemoryStore, withJournal } from '../../state/index.ts';
import type { JournaledStore, Store } from '../../state/index.ts';
import { CodedError } from '../../base/index.ts';
import { Counter } from '../runtime-test-modules.ts';
import { codeOf, runtimesOf, turn } from '../runtime-test-scene.ts';
import { subModuleTestModules } from '../sub-module/sub-module-test-modules.ts';

/** Refuses the states that say so, when it is given one. */
class Picky_1 extends Module<null, number> {
  static readonly version = '1.0.0';
  readonly size: Parameter<number> = new Parameter({ type: 'number', value: 1 });
  override forward(): Promise<number> {
    return Promise.resolve(this.size.value);
  }
}

class Picky_2 extends Module<null, number> {
  static readonly version = '2.0.0';
  readonly size: Parameter<number> = new Parameter({ type: 'number', value: 1 });
  static migrate(state: ModuleState): ModuleState {
    if (state.parameters['size']?.value === 13) throw new Error('not thirteen');
    return state;
  }
  override forward(): Promise<number> {
    return Promise.resolve(this.size.value);
  }
}

/** Answers when it is let go. */
const gates: (() => void)[] = [];
class Slow extends Module<null, number> {
  readonly size: Parameter<number> = new Parameter({ type: 'number', value: 1 });
  override async forward(): Promise<number> {
    await new Promise<void>((resolve) => gates.push(resolve));
    return this.size.value;
  }
}

const modules = { ...subModuleTestModules, counter: Counter, picky: [Picky_1, Picky_2] as const, slow: Slow };
const createRuntime = runtimesOf({ modules });

interface Opened {
  readonly clock: SimulatedClock;
  readonly memory: Store;
  readonly store: JournaledStore;
  /** What commits instead of the store below the journal. */
  readonly broken: { commitEach: Store['commitEach'] | undefined };
}

/** Only the store's clock is simulated: it says when a commit was. */
async function opened(): Promise<Opened> {
  const clock = new SimulatedClock();
  const memory = createMemoryStore({ clock });
  const broken: Opened['broken'] = { commitEach: undefined };
  const below: Store = {
    name: memory.name,
    capabilities: memory.capabilities,
    get: (key) => memory.get(key),
    list: (prefix, options) => memory.list(prefix, options),
    history: (key, options) => memory.history(key, options),
    commit: (writes, options) => memory.commit(writes, options),
    commitEach: (groups, options) =>
      broken.commitEach ? broken.commitEach(groups, options) : memory.commitEach(groups, options),
    watch: (prefix, listener) => memory.watch(prefix, listener),
    estimate: () => memory.estimate(),
    close: () => memory.close(),
    [Symbol.asyncDispose]: () => memory.close(),
  };
  const prefixes = [['module'], ['shared']];
  const store = await withJournal(below, { clock, prefixes, isCompacting: false });
  return { clock, memory, store, broken };
}

/** This moment; what comes next is later. */
async function moment(clock: SimulatedClock): Promise<number> {
  const now = clock.now();
  await clock.advance(10);
  return now;
}

test('the whole runtime goes back: who runs, who does not, who was not there, and what is shared', async () => {
  const { clock, store } = await opened();
  const runtime = createRuntime({ store });
  const tone = await runtime.shared('tone', { type: 'string', value: 'plain' });
  const one = await runtime.start('counter', { id: 'one', shared: { label: 'tone' } });
  const two = await runtime.start('counter', { id: 'two' });
  const gone = await runtime.start('counter', { id: 'gone' });
  const program = await runtime.start('pipeline', {
    id: 'p',
    actors: { critic: { kind: 'critic', whenDown: 'fail' } },
  });
  await one.parameters.total.set(1);
  await gone.parameters.total.set(3);
  await program.parameters['critic.limit'].set(50);
  await tone.set('first');
  const then = await moment(clock);

  await runtime.setParameters([
    ['one', { total: 11 }],
    ['two', { total: 12, label: 'own' }],
    ['gone', { total: 13 }],
    ['p', { rounds: 5, 'critic.limit': 60 }],
  ]);
  await one.train();
  await tone.set('second');
  await gone.stop();
  // bound to what it was not bound to then, and not there then
  const late = await runtime.start('counter', { id: 'late', shared: { label: 'tone' } });
  await late.parameters.total.set(14);
  const stored = await runtime.start('counter', { id: 'stored' });
  await stored.parameters.total.set(15);
  await stored.stop();
  await moment(clock);
  const heard: unknown[] = [];
  two.subscribe(({ name, newValue, cause }) => heard.push([name, newValue, cause]));

  const restored = await runtime.restoreTo(then);
  expect(restored.running).toEqual(['one', 'two', 'p', 'late']);
  expect([...restored.stored].toSorted()).toEqual(['gone', 'stored']);
  expect([one.parameters.total.value, one.mode, one.parameters.label.value]).toEqual([1, 'eval', 'first']);
  expect([two.parameters.total.value, two.parameters.label.value]).toEqual([0, 'count']);
  expect([late.parameters.total.value, late.parameters.label.value]).toEqual([0, 'first']);
  expect([program.parameters.rounds.value, program.parameters['critic.limit'].value]).toEqual([1, 50]);
  expect([tone.value, tone.modules]).toEqual(['first', ['one', 'late']]);
  expect(heard).toEqual(expect.arrayContaining([['total', 0, `restore to ${then}`]]));
  // the owners have it
  expect(await one.call({ by: 1 })).toEqual({ total: 2 });
  expect(await late.parameters.label.get()).toBe('first');
  expect(await program.call({ ask: 'judge' })).toMatchObject({ verdict: { limit: 50 } });
  // and so has the store, of those who do not run too
  expect((await store.get(['shared', 'tone']))?.value).toMatchObject({ value: 'first' });
  expect((await store.get(['module', 'late', 'parameter', 'label']))?.value).toMatchObject({
    state: { value: 'first' },
  });
  expect((await runtime.start('counter', { id: 'gone' })).parameters.total.value).toBe(3);
  expect(await store.list(['module', 'stored'])).toEqual([]);
});

test('a restore of the whole runtime is one commit, and can be undone', async () => {
  const { clock, store } = await opened();
  const runtime = createRuntime({ store });
  const one = await runtime.start('counter', { id: 'one' });
  const two = await runtime.start('counter', { id: 'two' });
  const begin = await moment(clock);
  await runtime.setParameters([
    ['one', { total: 1 }],
    ['two', { total: 2 }],
  ]);
  const after = await moment(clock);
  const before = await store.journalState();
  await runtime.restoreTo(begin);
  expect((await store.journalState()).entries).toBe(before.entries + 1);
  expect([one.parameters.total.value, two.parameters.total.value]).toEqual([0, 0]);
  await moment(clock);
  await runtime.restoreTo(after);
  expect([one.parameters.total.value, two.parameters.total.value]).toEqual([1, 2]);
});

test('one that refuses its state leaves all as they were, in the owners, on the page and in the store', async () => {
  const { clock, store } = await opened();
  const runtime = createRuntime({ store });
  const counter = await runtime.start('counter', { id: 'c' });
  const picky = await runtime.start('picky', { id: 'p', version: '1.0.0' });
  const tone = await runtime.shared('tone', { type: 'string', value: 'plain' });
  await counter.parameters.total.set(1);
  await picky.parameters.size.set(13);
  const then = await moment(clock);
  await picky.parameters.size.set(2);
  await picky.swap({ version: '2.0.0' });
  await counter.parameters.total.set(5);
  await tone.set('second');
  await moment(clock);
  const before = await store.list(['module']);

  expect(await codeOf(runtime.restoreTo(then))).toBe('runtime/state-migration-failed');
  expect([counter.parameters.total.value, picky.parameters.size.value, tone.value]).toEqual([5, 2, 'second']);
  expect(await counter.parameters.total.get()).toBe(5);
  expect(await picky.call(null)).toBe(2);
  expect(await store.list(['module'])).toEqual(before);
  expect(await codeOf(runtime.restoreTo(then - 1e6))).toBe('state/not-retained');
  expect(await codeOf(runtime.restoreTo('none'))).toBe('state/snapshot-not-found');
});

test.each(['state/quota-exceeded', 'state/write-failed'] as const)(
  'a store that refuses it with %s leaves all as they were',
  async (code) => {
    const { clock, store, broken } = await opened();
    const runtime = createRuntime({ store });
    const tone = await runtime.shared('tone', { type: 'string', value: 'plain' });
    const one = await runtime.start('counter', { id: 'one', shared: { label: 'tone' } });
    const stored = await runtime.start('counter', { id: 'stored' });
    const then = await moment(clock);
    await one.parameters.total.set(7);
    await stored.parameters.total.set(8);
    await tone.set('later');
    await stored.stop();
    await moment(clock);
    broken.commitEach = () => {
      broken.commitEach = undefined;
      throw new CodedError(code, 'as asked');
    };
    expect(await codeOf(runtime.restoreTo(then))).toBe(code);
    expect([one.parameters.total.value, await one.parameters.total.get()]).toEqual([7, 7]);
    expect([tone.value, await one.parameters.label.get()]).toEqual(['later', 'later']);
    await expect
      .poll(async () => (await store.get(['module', 'stored', 'parameter', 'total']))?.value)
      .toMatchObject({ state: { value: 8 } });
  },
);

test('an outcome that nobody knows is put right: what was there goes over what came in', async () => {
  const { clock, store, memory, broken } = await opened();
  const runtime = createRuntime({ store });
  const one = await runtime.start('counter', { id: 'one' });
  const stored = await runtime.start('counter', { id: 'stored' });
  const tone = await runtime.shared('tone', { type: 'string', value: 'plain' });
  const then = await moment(clock);
  await one.parameters.total.set(7);
  await stored.parameters.total.set(8);
  await tone.set('later');
  await stored.stop();
  await moment(clock);
  broken.commitEach = async (groups, options) => {
    broken.commitEach = undefined;
    await memory.commitEach(groups, options);
    throw new CodedError('state/write-failed', 'nobody knows');
  };
  expect(await codeOf(runtime.restoreTo(then))).toBe('state/write-failed');
  await runtime.close();
  const again = createRuntime({ store });
  expect((await again.start('counter', { id: 'one' })).parameters.total.value).toBe(7);
  expect((await again.start('counter', { id: 'stored' })).parameters.total.value).toBe(8);
  expect((await again.shared('tone', { type: 'string', value: 'plain' })).value).toBe('later');
});

test.each([
  ['unknown', 'stored'],
  ['unknown and in', 'stored'],
  ['not-applied', 'stored'],
  ['unknown', 'open'],
  ['unknown and in', 'open'],
  ['not-applied', 'open'],
] as const)(
  'a failure whose outcome is %s, of what is %s, takes nothing from a set that another runtime was promised',
  async (outcome, kind) => {
    const { clock, store, memory, broken } = await opened();
    const options = { type: 'string', value: 'plain' as string } as const;
    const first = createRuntime({ store });
    const earlier = await first.shared('tone', options);
    await earlier.set('first');
    const then = await moment(clock);
    await earlier.set('later');
    await first.close();
    await moment(clock);
    const runtime = createRuntime({ store });
    if (kind === 'open') await runtime.shared('tone', options);
    const other = createRuntime({ store: memory });
    const theirs = await other.shared('tone', options);
    broken.commitEach = async (groups, given) => {
      broken.commitEach = undefined;
      if (outcome === 'unknown and in') await memory.commitEach(groups, given);
      await theirs.set('theirs');
      const fields = { outcome: outcome === 'not-applied' ? outcome : 'unknown' };
      throw new CodedError('state/write-failed', 'as asked', { fields });
    };
    expect(await codeOf(runtime.restoreTo(then))).toBe('state/write-failed');
    await runtime.close();
    expect((await store.get(['shared', 'tone']))?.value).toMatchObject({ value: 'theirs' });
    expect(await codeOf(theirs.set('on'))).toBe('resolved');
  },
);

test('calls and sets come before it or after it, and starts wait for it', async () => {
  const { clock, store } = await opened();
  const runtime = createRuntime({ store });
  const slow = await runtime.start('slow', { id: 's' });
  const counter = await runtime.start('counter', { id: 'c' });
  await counter.parameters.total.set(1);
  const then = await moment(clock);
  await slow.parameters.size.set(9);
  await counter.parameters.total.set(2);
  await moment(clock);

  const call = slow.call(null);
  const restoring = runtime.restoreTo(then);
  const set = counter.parameters.total.set(40);
  const starting = runtime.start('counter', { id: 'late' });
  const together = runtime.setParameters([
    ['c', { label: 'after' }],
    ['s', { size: 3 }],
  ]);
  await Promise.all([restoring, set, starting, together]);
  // the call had begun: it meets what is there when it reads
  for (const open of gates.splice(0)) open();
  const { size } = slow.parameters;
  expect(await call).toBe(size.value);
  // what was set together was before it or after it together
  expect([
    ['after', 3],
    ['count', 1],
  ]).toContainEqual([counter.parameters.label.value, size.value]);
  // the set was before it, or after it, and everybody agrees which
  const total = counter.parameters.total.value;
  expect([1, 40]).toContain(total);
  expect(await counter.parameters.total.get()).toBe(total);
  expect((await store.get(['module', 'c', 'parameter', 'total']))?.value).toMatchObject({
    state: { value: total },
  });
  expect((await starting).parameters.total.value).toBe(0);
});

test('many sets and restores at once leave page, owner and store with one value', async () => {
  const { clock, store } = await opened();
  const runtime = createRuntime({ store });
  const counters = await Promise.all(['a', 'b', 'c'].map((id) => runtime.start('counter', { id })));
  const then = await moment(clock);
  for (let round = 0; round < 30; round++) {
    const sets = counters.flatMap((counter, index) => [
      counter.parameters.total.set(100 * round + index + 1),
      counter.call({ by: 1 }),
    ]);
    const restore = runtime.restoreTo(then);
    if (round % 3 === 0) await turn(0);
    await Promise.all([...sets, restore]);
  }
  for (const counter of counters) {
    const { value } = counter.parameters.total;
    expect(await counter.parameters.total.get()).toBe(value);
    await counter.stop();
    expect((await runtime.start('counter', { id: counter.id })).parameters.total.value).toBe(value);
  }
});

test('a module that is stopped under it ends it, and the others are as they were', async () => {
  const { clock, store } = await opened();
  const runtime = createRuntime({ store });
  const one = await runtime.start('counter', { id: 'one' });
  const two = await runtime.start('counter', { id: 'two' });
  const then = await moment(clock);
  await one.parameters.total.set(1);
  await two.parameters.total.set(2);
  await moment(clock);
  const [restoring] = await Promise.all([codeOf(runtime.restoreTo(then)), two.stop()]);
  expect(['resolved', 'runtime/module-stopped']).toContain(restoring);
  const isDone = restoring === 'resolved';
  expect([one.parameters.total.value, await one.parameters.total.get()]).toEqual(isDone ? [0, 0] : [1, 1]);
  expect((await runtime.start('counter', { id: 'two' })).parameters.total.value).toBe(isDone ? 0 : 2);
});

test('a closed runtime has no past', async () => {
  const runtime = createRuntime();
  await runtime.close();
  expect(await codeOf(runtime.restoreTo(0))).toBe('runtime/closed');
  expect(await codeOf(runtime.snapshot('x'))).toBe('runtime/closed');
});
