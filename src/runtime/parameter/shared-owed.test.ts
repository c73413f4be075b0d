/** A shared value that was acknowledged in memory: the page alone holds it, until something writes it. */
import { expect, test } from 'vitest';
import { CodedError } from '../../base/index.ts';
import { SimulatedClock } from '../../platform/index.ts';
import type { Store } from '../../state/index.ts';
import { createHub } from '../../telemetry/index.ts';
import { Counter } from '../runtime-test-modules.ts';
import { codeOf, runtimesOf } from '../runtime-test-scene.ts';
import type { SharedDefinition } from './shared-parameter.ts';
import { createHookedStore, writeFailed } from '../store-test-scene.ts';

const createRuntime = runtimesOf({ modules: { counter: Counter } });
const definition: SharedDefinition<number> = { type: 'number', value: 1 };

async function opened(store: Store) {
  const runtime = createRuntime({ store });
  const limit = await runtime.shared('limit', definition);
  const counter = await runtime.start('counter', { id: 'a', shared: { total: 'limit' } });
  return { runtime, limit, counter };
}

const storedIn = async (store: Store): Promise<unknown> =>
  (await store.get<{ value: unknown }>(['shared', 'limit']))?.value.value;

test('a snapshot holds it, also when it was set by a module that is bound', async () => {
  const { store } = createHookedStore();
  const { runtime, limit, counter } = await opened(store);
  await limit.set(2);
  await limit.set(3, { level: 'memory' });
  await runtime.snapshot('three');
  await counter.parameters.total.set(4, { level: 'memory' });
  await runtime.snapshot('four');
  await limit.set(5);
  await runtime.restoreTo('three');
  expect([limit.value, counter.parameters.total.value, await storedIn(store)]).toEqual([3, 3, 3]);
  await runtime.restoreTo('four');
  expect([limit.value, counter.parameters.total.value, await storedIn(store)]).toEqual([4, 4, 4]);
});

test('a runtime that is closed leaves it in the store', async () => {
  const { store } = createHookedStore();
  const { runtime, limit } = await opened(store);
  await limit.set(2);
  await limit.set(7, { level: 'memory' });
  await runtime.close();
  expect(await storedIn(store)).toBe(7);
  const again = await opened(store);
  expect([again.limit.value, again.counter.parameters.total.value]).toEqual([7, 7]);
});

test('what is stored since is not written once more, and what a store does not take is no snapshot', async () => {
  const hooked = createHookedStore();
  const { runtime, limit } = await opened(hooked.store);
  await limit.set(2, { level: 'memory' });
  await limit.set(3);
  let writes = 0;
  let isBroken = false;
  hooked.now = async (given, commit) => {
    const isShared = given.some(({ key }) => key[0] === 'shared');
    if (isShared) writes++;
    if (isShared && isBroken) throw writeFailed();
    return commit();
  };
  await runtime.snapshot('three');
  expect(writes).toBe(0);
  await limit.set(4, { level: 'memory' });
  isBroken = true;
  expect(await codeOf(runtime.snapshot('four'))).toBe('state/write-failed');
  isBroken = false;
  await runtime.snapshot('four');
  await limit.set(5);
  await runtime.restoreTo('four');
  expect(limit.value).toBe(4);
});

test('what another tab has set since stays, and what it had set before gives way', async () => {
  const { store } = createHookedStore();
  const notes: string[] = [];
  const hub = createHub();
  hub.subscribe((event) => void (event.type === 'note' && notes.push(event.text)));
  const clock = new SimulatedClock();
  const [here, there] = [createRuntime({ store, hub, clock }), createRuntime({ store, clock })];
  const [limit, other] = [await here.shared('limit', definition), await there.shared('limit', definition)];
  await limit.set(2, { level: 'memory' });
  await clock.advance(1);
  await other.set(3);
  await here.snapshot('three');
  expect([await storedIn(store), notes]).toEqual([3, [expect.stringContaining('another tab')]]);
  await clock.advance(1);
  await limit.set(4, { level: 'memory' });
  await here.close();
  expect([await storedIn(store), notes.length]).toEqual([4, 1]);
});

test('of two tabs that write at once the one that was set last has it', async () => {
  const hooked = createHookedStore();
  const { store } = hooked;
  const clock = new SimulatedClock();
  const [here, there] = [createRuntime({ store, clock }), createRuntime({ store, clock })];
  const [limit, other] = [await here.shared('limit', definition), await there.shared('limit', definition)];
  await limit.set(2);
  await clock.advance(1);
  await other.set(3, { level: 'memory' });
  await clock.advance(1);
  await limit.set(4, { level: 'memory' });
  // the older comes between what the newer has read and what it writes
  hooked.now = async (_, commit) => {
    hooked.now = undefined;
    await there.close();
    return commit();
  };
  await here.close();
  expect([hooked.now, await storedIn(store)]).toEqual([undefined, 4]);
});

test('a store in which others always write first ends it', async () => {
  const hooked = createHookedStore();
  const { store } = hooked;
  const notes: string[] = [];
  const hub = createHub();
  hub.subscribe((event) => void (event.type === 'note' && notes.push(event.text)));
  const runtime = createRuntime({ store, hub });
  const limit = await runtime.shared('limit', definition);
  await limit.set(4, { level: 'memory' });
  let attempts = 0;
  hooked.now = () => {
    attempts++;
    throw new CodedError('state/conflict', 'as asked');
  };
  await runtime.close();
  expect([attempts, notes]).toEqual([17, [expect.stringContaining('another tab')]]);
});
