import { expect, test } from 'vitest';
import { SimulatedClock } from '../../platform/index.ts';
import type { ModuleState } from '../../program/index.ts';
import { createGroupCommitter, createMemoryStore } from '../../state/index.ts';
import { defaultRuntimeLimits } from '../limits.ts';
import { ModuleJournal } from './module-journal.ts';
import type { ParameterRecord } from '../module-protocol.ts';
import { Counter } from '../runtime-test-modules.ts';

const clock = new SimulatedClock(1000);
const store = createMemoryStore();
const committer = createGroupCommitter(store);

function open(module = 'm'): ModuleJournal {
  const limits = defaultRuntimeLimits;
  return new ModuleJournal({
    module,
    kind: 'k',
    store,
    committer,
    limits,
    clock,
    onFailure: () => undefined,
  });
}

function change(oldValue: number, value: number): ParameterRecord {
  const counter = new Counter();
  counter.total.set(value);
  return { name: 'total', oldValue, cause: 'set', atMs: clock.now(), state: counter.total.dumpState() };
}

test('a value whose history was not written in time still knows the change that led to it', async () => {
  const state: ModuleState = new Counter().dumpState();
  const first = open();
  first.begin(state);
  first.apply(change(0, 1));
  await first.persist(['total'], 'strict');
  await first.settle();
  await clock.advance(10);
  first.apply(change(1, 2));
  await first.persist(['total'], 'strict');

  const second = open();
  await second.load();
  const { state: kept, history } = second.parameter('total');
  expect(kept.value).toBe(2);
  expect(history.map(({ oldValue, newValue }) => [oldValue, newValue])).toEqual([
    [0, 1],
    [1, 2],
  ]);
  await first.settle();
  const third = open();
  await third.load();
  expect(third.parameter('total').history).toHaveLength(2);
});

test('of many parameters all come back, however many a list of the store gives', async () => {
  const total = new Counter().total.dumpState();
  const names = Array.from({ length: 1200 }, (_, index) => `p${index}`);
  const state = (value: number): ModuleState => ({
    ...new Counter().dumpState(),
    parameters: Object.fromEntries(names.map((name) => [name, { ...total, value }])),
  });
  const first = open('many');
  first.begin(state(0));
  for (const name of names) first.apply({ ...change(0, 7), name });
  await first.persist(names, 'strict');
  await first.settle();
  const second = open('many');
  await second.load();
  second.begin(state(0));
  expect(names.filter((name) => second.parameter(name).state.value !== 7)).toEqual([]);
  expect(names.filter((name) => second.parameter(name).history.length !== 1)).toEqual([]);
});
