/** Leases and restores: who may write now is no part of the past. */
import { describe, expect, test } from 'vitest';
import { SimulatedClock } from '../../platform/index.ts';
import { createMemoryStore } from '../backend/memory.ts';
import { acquireWriterLease } from '../lease.ts';
import { withJournal } from './journal.ts';
import { restoreTo } from './restore.ts';
import { exportSnapshot, importSnapshot } from './snapshot-file.ts';
import { takeSnapshot } from './snapshot.ts';

const put = (value: unknown) => [{ type: 'put', key: ['k'], value }] as const;

describe('a restore of everything', () => {
  test('leaves a lease with its holder, whoever held it then', async () => {
    const store = createMemoryStore();
    const first = await acquireWriterLease(store, 'w', { locks: null });
    await first.commit(put(1));
    await takeSnapshot(store, 's');
    const second = await acquireWriterLease(store, 'w', { locks: null });
    await second.commit(put(2));
    expect(await restoreTo(store, 's')).toMatchObject({ puts: 1, deletes: 0 });
    await second.commit(put(3));
    await expect(first.commit(put(4))).rejects.toMatchObject({ code: 'state/fenced' });
    expect(await restoreTo(store, 's', { prefix: ['fence'] })).toMatchObject({ puts: 0, deletes: 0 });
    await second.commit(put(5));
  });

  test('leaves a lease that was taken since', async () => {
    const clock = new SimulatedClock();
    const store = await withJournal(createMemoryStore({ clock }), { clock });
    await store.commit(put(1));
    const then = clock.now();
    await clock.advance(10);
    const lease = await acquireWriterLease(store, 'w', { locks: null });
    await lease.commit(put(2));
    expect(await restoreTo(store, then)).toMatchObject({ puts: 1, deletes: 0 });
    await lease.commit(put(3));
    expect((await store.get(['fence', 'w']))?.revision).toBe(lease.token);
  });

  test('brings no token along from another store', async () => {
    const [store, other] = [createMemoryStore(), createMemoryStore()];
    await acquireWriterLease(store, 'w', { locks: null });
    await takeSnapshot(store, 's');
    await importSnapshot(other, await exportSnapshot(store, 's'));
    const lease = await acquireWriterLease(other, 'w', { locks: null });
    await restoreTo(other, 's');
    await lease.commit(put(1));
    // what is under a fence, and what only looks like one, is anybody's
    await other.commit([{ type: 'put', key: ['fence', 'w', 'x'], value: 1 }]);
    expect(await restoreTo(other, 's', { prefix: ['fence'] })).toMatchObject({ puts: 0, deletes: 1 });
  });
});
