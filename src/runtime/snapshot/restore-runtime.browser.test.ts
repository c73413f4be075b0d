import { afterEach, expect, test } from 'vitest';
import { isCodedError } from '../../base/index.ts';
import { sleep, systemClock } from '../../platform/index.ts';
import { openIndexedDbStore, withJournal } from '../../state/index.ts';
import type { JournaledStore } from '../../state/index.ts';
import type { testModules } from '../runtime-test-modules.ts';
import { createRuntime } from '../runtime.ts';
import type { Runtime } from '../runtime.ts';

type TestModules = typeof testModules;
const open: AsyncDisposable[] = [];

afterEach(async () => {
  for (const resource of open.splice(0).toReversed()) await resource[Symbol.asyncDispose]();
});

/** A tab: a runtime with workers of its own over a connection of its own. */
async function openTab(
  name: string,
): Promise<{ readonly runtime: Runtime<TestModules>; readonly store: JournaledStore }> {
  const below = await openIndexedDbStore({ name });
  const store = await withJournal(below, { prefixes: [['module'], ['shared']] });
  open.push(store);
  const runtime = createRuntime<TestModules>({
    worker: (worker) =>
      new Worker(new URL('../runtime-test.worker.ts', import.meta.url), { type: 'module', name: worker }),
    actorLimits: { pingIntervalMs: 100, hangTimeoutMs: 500 },
    restartLimits: { maxRestarts: 1_000, maxSeconds: 1 },
    store,
  });
  open.push(runtime);
  return { runtime, store };
}

const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'resolved',
    (error: unknown) => (isCodedError(error) ? error.code : String(error)),
  );

/** A time behind everything that is committed, and before everything that comes. */
async function moment(): Promise<number> {
  await sleep(systemClock, 5);
  const now = systemClock.now();
  await sleep(systemClock, 5);
  return now;
}

test('modules in workers go back together, in one transaction, and a reload finds them there', async () => {
  const name = `restore-all-${crypto.randomUUID()}`;
  const { runtime, store } = await openTab(name);
  const counters = await Promise.all(['a', 'b', 'c', 'd'].map((id) => runtime.start('counter', { id })));
  await runtime.setParameters(counters.map((counter, index) => [counter, { total: index + 1 }]));
  const then = await moment();
  await runtime.setParameters(counters.map((counter) => [counter, { total: 50, label: 'later' }]));
  const { entries } = await store.journalState();
  const totals = (): readonly number[] => counters.map(({ parameters }) => parameters.total.value);

  expect((await runtime.restoreTo(then)).running).toHaveLength(4);
  expect((await store.journalState()).entries).toBe(entries + 1);
  expect(totals()).toEqual([1, 2, 3, 4]);
  expect(await Promise.all(counters.map((counter) => counter.call({ by: 10 })))).toEqual(
    [11, 12, 13, 14].map((total) => ({ total })),
  );
  await runtime.restoreTo(then);
  await runtime.close();
  await store.close();

  const again = await openTab(name);
  for (const [index, id] of ['a', 'b', 'c', 'd'].entries()) {
    const { parameters } = await again.runtime.start('counter', { id });
    expect([parameters.total.value, parameters.label.value]).toEqual([index + 1, 'count']);
  }
});

test('what another tab runs is not taken away from under it, and nothing has changed then', async () => {
  const name = `restore-tabs-${crypto.randomUUID()}`;
  const [here, there] = [await openTab(name), await openTab(name)];
  const mine = await here.runtime.start('counter', { id: 'mine' });
  const theirs = await there.runtime.start('counter', { id: 'theirs' });
  await mine.parameters.total.set(1);
  const then = await moment();
  // theirs is as it was then: who would not change is nobody's business
  await mine.parameters.total.set(2);
  expect(await here.runtime.restoreTo(then)).toEqual({ running: ['mine'], stored: [] });
  expect(mine.parameters.total.value).toBe(1);

  await mine.parameters.total.set(2);
  await theirs.parameters.total.set(9);
  expect(await codeOf(here.runtime.restoreTo(then))).toBe('runtime/module-running-elsewhere');
  expect([mine.parameters.total.value, await mine.parameters.total.get()]).toEqual([2, 2]);
  expect(theirs.parameters.total.value).toBe(9);

  await theirs.stop();
  expect(await here.runtime.restoreTo(then)).toEqual({ running: ['mine'], stored: ['theirs'] });
  expect((await there.runtime.start('counter', { id: 'theirs' })).parameters.total.value).toBe(0);
});

test('a worker that is killed under it: all went back, or none did, and the error says so', async () => {
  const { runtime } = await openTab(`restore-kill-${crypto.randomUUID()}`);
  const isolation = 'dedicated';
  const one = await runtime.start('counter', { id: 'one', isolation });
  const two = await runtime.start('counter', { id: 'two', isolation });
  await runtime.setParameters([
    [one, { total: 1 }],
    [two, { total: 2 }],
  ]);
  const then = await moment();
  const outcomes = new Set<string>();
  for (let round = 0; round < 12; round++) {
    await runtime.setParameters([
      [one, { total: 100 }],
      [two, { total: 200 }],
    ]);
    const restoring = codeOf(runtime.restoreTo(then));
    // from the first question to behind the commit
    await sleep(systemClock, 2 * round);
    runtime.killWorkerOf(round % 2 === 0 ? 'one' : 'two');
    const outcome = await restoring;
    outcomes.add(outcome);
    const expected = outcome === 'resolved' ? [1, 2] : [100, 200];
    expect([one.parameters.total.value, two.parameters.total.value]).toEqual(expected);
    await expect
      .poll(
        () => Promise.all([one, two].map(({ parameters }) => parameters.total.get().catch(() => 'down'))),
        {
          timeout: 20_000,
        },
      )
      .toEqual(expected);
  }
  expect([...outcomes].filter((outcome) => !['resolved', 'actor/peer-died'].includes(outcome))).toEqual([]);
}, 90_000);
