import { expect, test } from 'vitest';
import { SimulatedClock } from '../../platform/index.ts';
import { createMemoryStore, restoreTo, stateAt, takeSnapshot, withJournal } from '../../state/index.ts';
import type { JournaledStore } from '../../state/index.ts';
import { Counter } from '../runtime-test-modules.ts';
import { codeOf, runtimesOf } from '../runtime-test-scene.ts';
import { subModuleTestModules } from '../sub-module/sub-module-test-modules.ts';

const modules = { ...subModuleTestModules, counter: Counter };
const createRuntime = runtimesOf({ modules });

/** Only the store's clock is simulated: it says when a commit was. */
async function opened(): Promise<{ readonly clock: SimulatedClock; readonly store: JournaledStore }> {
  const clock = new SimulatedClock();
  const store = await withJournal(createMemoryStore({ clock }), { clock, isCompacting: false });
  return { clock, store };
}

test('a running module goes back to a time, in its owner and in the store; what was untouched then is as declared', async () => {
  const { clock, store } = await opened();
  const runtime = createRuntime({ store });
  const counter = await runtime.start('counter', { id: 'c' });
  const begin = clock.now();
  await clock.advance(10);
  await counter.parameters.total.set(5);
  const five = clock.now();
  await clock.advance(10);
  await counter.setParameters({ total: 9, label: 'later' });
  await counter.train();
  await clock.advance(10);
  const heard: unknown[] = [];
  counter.subscribe(({ name, newValue, cause }) => heard.push([name, newValue, cause]));

  await counter.restoreTo(five);
  expect([counter.parameters.total.value, counter.parameters.label.value, counter.mode]).toEqual([
    5,
    'count',
    'eval',
  ]);
  expect(heard).toEqual(
    expect.arrayContaining([
      ['total', 5, `restore to ${five}`],
      ['label', 'count', `restore to ${five}`],
    ]),
  );
  // the owner has it, and a restart starts from it
  expect(await counter.call({ by: 1 })).toEqual({ total: 6 });
  await counter.restoreTo(five);
  await counter.stop();
  const again = await runtime.start('counter', { id: 'c' });
  expect([again.parameters.total.value, again.parameters.label.value, again.mode]).toEqual([
    5,
    'count',
    'eval',
  ]);

  await again.restoreTo(begin);
  expect([again.parameters.total.value, again.parameters.label.value]).toEqual([0, 'count']);
  expect(await codeOf(again.restoreTo(begin - 1))).toBe('state/not-retained');
  expect(await codeOf(again.restoreTo('none'))).toBe('state/snapshot-not-found');
  expect(again.parameters.total.value).toBe(0);
  // the restore is journaled too: what it undid can be had back
  await clock.advance(10);
  await again.restoreTo(five + 15);
  expect([again.parameters.total.value, again.parameters.label.value, again.mode]).toEqual([
    9,
    'later',
    'train',
  ]);
});

test('a program goes back with the actors inside it, and to a snapshot', async () => {
  const { store } = await opened();
  const runtime = createRuntime({ store });
  const pipeline = await runtime.start('pipeline', {
    id: 'p',
    actors: { critic: { kind: 'critic', whenDown: 'fail' } },
  });
  await pipeline.parameters.rounds.set(2);
  await takeSnapshot(store, 'two', { prefixes: [['module']] });
  await pipeline.parameters.rounds.set(3);
  await pipeline.parameters['critic.limit'].set(50);
  await pipeline.restoreTo('two');
  expect([pipeline.parameters.rounds.value, pipeline.parameters['critic.limit'].value]).toEqual([2, 10]);
  expect(await pipeline.call({ ask: 'judge' })).toMatchObject({ verdict: { limit: 10 } });
  expect(pipeline.subModule('critic').parameters.limit.value).toBe(10);
});

test('a module that does not run is restored in the store, and starts from there', async () => {
  const { clock, store } = await opened();
  const runtime = createRuntime({ store });
  const counter = await runtime.start('counter', { id: 'c' });
  await counter.parameters.total.set(1);
  const one = clock.now();
  await clock.advance(10);
  await counter.parameters.total.set(2);
  await counter.stop();
  await clock.advance(10);
  await restoreTo(store, one, { prefix: ['module', 'c'] });
  expect((await runtime.start('counter', { id: 'c' })).parameters.total.value).toBe(1);
  expect((await stateAt(store, one + 10, ['module', 'c', 'parameter', 'total'])).entries).toMatchObject([
    { value: { state: { value: 2 } } },
  ]);
});
