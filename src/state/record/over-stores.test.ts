/** Records over what stands around a store: a journal, a lease. */
import { expect, test } from 'vitest';
import { SimulatedClock } from '../../platform/index.ts';
import { createMemoryStore } from '../backend/memory.ts';
import { acquireWriterLease } from '../lease.ts';
import { withJournal } from '../snapshot/journal.ts';
import { restoreTo } from '../snapshot/restore.ts';
import { createRecords } from './records.ts';

test('over a journal: a record goes back in time with all its parts, and goes on from there', async () => {
  const clock = new SimulatedClock(1000);
  const store = await withJournal(createMemoryStore({ clock }), { clock });
  const records = createRecords(store, { clock, versioning: 'semantic', retention: { maxVersions: 2 } });
  await clock.advance(1000);
  for (const state of ['a', 'b', 'c']) {
    await records.save('r', state, { bump: 'minor' });
    await clock.advance(1000);
  }
  expect((await records.versions('r')).map(({ version }) => version)).toEqual(['0.2.0', '0.3.0']);
  await restoreTo(store, 3500);
  expect((await records.versions('r')).map(({ version }) => version)).toEqual(['0.1.0', '0.2.0']);
  expect(await records.load('r')).toMatchObject({ state: 'b' });
  expect(await records.load('r', '0.1.0')).toMatchObject({ state: 'a' });
  expect(await records.verify('r')).toEqual({ wholeCount: 2, damaged: [], isHeadWhole: true });
  expect(await records.save('r', 'd', { bump: 'minor' })).toMatchObject({ version: '0.3.0', sequence: 3 });
  await restoreTo(store, 1500);
  expect(await records.load('r')).toBeUndefined();
  expect(await records.ids()).toEqual([]);
  await store.close();
}, 30_000);

test('over a journal over a lease: whoever lost the lease saves nothing and journals nothing', async () => {
  const base = createMemoryStore();
  const lease = await acquireWriterLease(base, 'w', { locks: null });
  const journaled = await withJournal(lease.store, { prefixes: [['record']] });
  const records = createRecords(journaled);
  await records.save('r', 'mine');
  const entries = (await base.list([])).length;
  const other = await acquireWriterLease(base, 'w', { locks: null });
  await expect(records.save('r', 'late')).rejects.toMatchObject({ code: 'state/fenced' });
  expect((await base.list([])).length).toBe(entries);
  const next = createRecords(await withJournal(other.store, { prefixes: [['record']] }));
  expect(await next.save('r', 'theirs')).toMatchObject({ sequence: 2 });
  expect(await records.load('r')).toMatchObject({ state: 'theirs' });
});
