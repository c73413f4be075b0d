/** Which parts a sweep of what nothing names leaves alone. */
import { describe, expect, test } from 'vitest';
import { seededRandom, SimulatedClock } from '../../platform/index.ts';
import { createMemoryStore } from '../backend/memory.ts';
import type { Key } from '../key.ts';
import type { Store, Write } from '../store.ts';
import { withJournal } from './journal.ts';
import { headKey, journalPrefix, partKey, partPrefix } from './layout.ts';
import { defaultSnapshotLimits, maxOrphanLooks } from './limits.ts';
import { sweepOrphans } from './orphans.ts';
import { stateAt } from './point-in-time.ts';

const clock = new SimulatedClock(1000);
const context = { clock, random: seededRandom(3), limits: defaultSnapshotLimits };
const put = (key: Key, value: unknown): Write => ({ type: 'put', key, value });

const idsOf = async (store: Store): Promise<readonly string[]> => [
  ...new Set((await store.list(partPrefix)).map(({ key }) => key[2] ?? '')),
];

/** Two journals, each with a base, and parts that nothing names. */
async function filled(): Promise<{ readonly inner: Store; readonly last: Store }> {
  const inner = createMemoryStore({ clock });
  await inner.commit([put(['p'], 1), put(['q'], 2), put(partKey('orphan', 0), new Uint8Array(3))]);
  const options = { clock, random: context.random, isCompacting: false };
  await withJournal(inner, { ...options, name: 'a', prefixes: [['p']] });
  const last = await withJournal(inner, { ...options, name: 'b', prefixes: [['q']] });
  expect((await idsOf(inner)).length).toBe(3);
  return { inner, last };
}

describe('a sweep of what nothing names', () => {
  test.each([
    ['behind what a journal has', [...journalPrefix, 'a', 'z']],
    ['behind that, deeper', [...journalPrefix, 'a', 'z', '\uffff', '1']],
    ['before all journals', journalPrefix],
    ['between two of them', [...journalPrefix, 'a\u0000', 'z']],
    ['behind a part', [...partPrefix, 'orphan', 'z']],
  ])('keeps what every journal has, with a key of somebody else %s', async (_, key) => {
    const { inner, last } = await filled();
    await inner.commit([put(key, 'foreign')]);
    await sweepOrphans(inner, context);
    expect((await stateAt(last, clock.now(), ['q'])).entries).toMatchObject([{ value: 2 }]);
    const left = (await inner.list(partPrefix)).filter(({ value }) => value !== 'foreign');
    expect(new Set(left.map((entry) => entry.key[2])).size).toBe(2);
  });

  test.each([
    ['more journals than are looked at', undefined],
    ['a head that cannot be read', put(headKey('a'), 'garbage')],
    ['a head of newer code', put(headKey('a'), { format: 99 })],
    ['a name that is none', put([...journalPrefix, 'x'.repeat(512)], 1)],
  ])('deletes nothing where it cannot know: %s', async (_, write) => {
    const { inner } = await filled();
    const many = Array.from({ length: maxOrphanLooks }, (__, index) => put(headKey(`${index}`), null));
    await inner.commit(write ? [write] : many);
    await sweepOrphans(inner, context);
    expect((await idsOf(inner)).length).toBe(3);
  });
});
