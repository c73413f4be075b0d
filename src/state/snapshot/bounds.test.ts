/** What journals and restores take, however much is stored: on disk, and in one read. */
import { describe, expect, test } from 'vitest';
import { SimulatedClock } from '../../platform/index.ts';
import { createMemoryStore } from '../backend/memory.ts';
import type { ListOptions, Store, Write } from '../store.ts';
import { withJournal } from './journal.ts';
import { entryPrefix } from './layout.ts';
import { pageBytes } from './limits.ts';
import { sizeOfEntry } from './paging.ts';
import { stateAt } from './point-in-time.ts';
import { restoreTo } from './restore.ts';
import { takeSnapshot } from './snapshot.ts';

const limits = { maxSnapshotBytes: 20_000, partBytes: 1000 };
const name = (index: number): string => `k${String(index).padStart(4, '0')}`;
const put = (index: number, value: unknown): Write => ({ type: 'put', key: ['p', name(index)], value });

describe('a journal of more than fits one snapshot', () => {
  test('keeps to its bounds, and gives back what is asked for by prefix', { timeout: 60_000 }, async () => {
    const clock = new SimulatedClock();
    const inner = createMemoryStore({ clock });
    const options = { clock, maxEntries: 40, isCompacting: false, snapshotLimits: limits };
    const store = await withJournal(inner, options);
    const text = (index: number, round: number): string => `${index}.${round}.`.padEnd(700, 'x');
    for (let round = 1; round <= 4; round++) {
      // up to 140,000 bytes live; the last round takes most of them away again
      for (let index = 0; index < 200; index++) {
        await clock.advance(1);
        const isGone = round === 4 && index % 10 !== 0;
        const write: Write = isGone
          ? { type: 'delete', key: ['p', name(index)] }
          : put(index, text(index, round));
        await store.commit([write]);
        if (index % 20 === 19) await store.compactJournal();
        const { entries } = await store.journalState();
        expect(entries).toBeLessThanOrEqual(40 + 20);
      }
      expect((await inner.list(entryPrefix('main'))).length).toBeLessThanOrEqual(40);
      const now = (await store.list(['p'])).map(({ key, value }) => ({ key, value }));
      for (const index of [0, 50, 190]) {
        const found = await stateAt(store, clock.now(), ['p', name(index)]);
        expect(found.entries).toEqual(now.filter(({ key }) => key[1] === name(index)));
      }
    }
    // now it fits again, and all of it is there
    await clock.advance(8 * 24 * 3600 * 1000);
    await store.compactJournal();
    const past = await stateAt(store, clock.now());
    expect(past.entries).toEqual((await store.list(['p'])).map(({ key, value }) => ({ key, value })));
    expect(past.entries.length).toBe(20);
    // nothing of what was replaced is left
    const parts = (await inner.list([])).filter(({ key }) => key[1] === 'part');
    const bytes = parts.reduce((sum, entry) => sum + sizeOfEntry(entry), 0);
    expect(bytes).toBeLessThan(60_000);
  });

  test('is opened over, restored from, and begins anew when it is damaged', { timeout: 60_000 }, async () => {
    const clock = new SimulatedClock();
    const inner = createMemoryStore({ clock });
    for (let index = 0; index < 100; index++) await inner.commit([put(index, 'x'.repeat(700))]);
    const options = { clock, maxEntries: 8, isCompacting: false, snapshotLimits: limits };
    const store = await withJournal(inner, options);
    await expect(stateAt(store, clock.now())).rejects.toMatchObject({ code: 'state/snapshot-too-large' });
    await expect(takeSnapshot(store, 's')).rejects.toMatchObject({ code: 'state/snapshot-too-large' });
    const then = clock.now();
    await clock.advance(1);
    await store.commit([put(42, 'new')]);
    await restoreTo(store, then, { prefix: ['p', name(42)] });
    expect((await store.get(['p', name(42)]))?.value).toBe('x'.repeat(700));
    for (let index = 0; index < 12; index++) await store.commit([put(index, index)]);
    const [entry] = await inner.list(entryPrefix('main'));
    await inner.commit([{ type: 'delete', key: entry?.key ?? [] }]);
    await store.compactJournal();
    expect(await store.journalState()).toMatchObject({ entries: 0 });
    expect((await stateAt(store, clock.now(), ['p', name(3)])).entries).toMatchObject([{ value: 3 }]);
    expect((await stateAt(store, clock.now(), ['p', name(77)])).entries.length).toBe(1);
  });
});

/** The same store, and the largest read of it in bytes. */
function measured(inner: Store): { readonly store: Store; largestBytes: number } {
  const seen = {
    largestBytes: 0,
    store: new Proxy(inner, {
      get(target, property) {
        const member: unknown = Reflect.get(target, property);
        if (typeof member !== 'function') return member;
        if (property !== 'list') return member.bind(target) as unknown;
        return async (prefix: readonly string[], options?: ListOptions) => {
          const page = await target.list(prefix, options);
          const bytes = page.reduce((sum, entry) => sum + sizeOfEntry(entry), 0);
          seen.largestBytes = Math.max(seen.largestBytes, bytes);
          return page;
        };
      },
    }),
  };
  return seen;
}

describe('one read', () => {
  const MiB = 2 ** 20;
  /** Of one value with what surrounds it. */
  const largestBytes = MiB + 100;
  const large = (index: number): Write => put(index, new Uint8Array(MiB).fill(index));

  test(
    'of large values takes a few of them, for a snapshot, a restore and a journal',
    { timeout: 60_000 },
    async () => {
      const inner = createMemoryStore();
      for (let index = 0; index < 60; index++) await inner.commit([large(index)]);
      const seen = measured(inner);
      await takeSnapshot(seen.store, 's', { prefixes: [['p']] });
      expect(seen.largestBytes).toBeLessThanOrEqual(pageBytes + largestBytes);
      await inner.commit([put(3, 'changed')]);
      await restoreTo(seen.store, 's', { prefix: ['p'] });
      expect((await inner.get(['p', name(3)]))?.value).toEqual(new Uint8Array(MiB).fill(3));
      await withJournal(seen.store, { prefixes: [['p']] });
      expect(seen.largestBytes).toBeLessThanOrEqual(pageBytes + largestBytes);
    },
  );

  test(
    'that meets large values behind small ones ends with the first of them',
    { timeout: 60_000 },
    async () => {
      const inner = createMemoryStore();
      await inner.commit(Array.from({ length: 990 }, (_, index) => put(index, index)));
      for (let index = 990; index < 1020; index++) await inner.commit([large(index)]);
      const seen = measured(inner);
      await takeSnapshot(seen.store, 's', { prefixes: [['p']] });
      await inner.commit([put(1000, 'changed')]);
      await restoreTo(seen.store, 's', { prefix: ['p'] });
      await withJournal(seen.store, { prefixes: [['p']] });
      expect((await inner.get(['p', name(1000)]))?.value).toEqual(new Uint8Array(MiB).fill(1000));
      expect(seen.largestBytes).toBeLessThanOrEqual(pageBytes + largestBytes);
    },
  );
});
