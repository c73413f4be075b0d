import 'fake-indexeddb/auto';
import { describe, expect, test } from 'vitest';
import { SimulatedClock } from '../../platform/index.ts';
import { openIndexedDbStore } from '../backend/indexeddb.ts';
import { createMemoryStore } from '../backend/memory.ts';
import { describeStore } from '../contract/store.contract.ts';
import type { ValueWithOutcomes } from '../outcomes.ts';
import type { Store, Write } from '../store.ts';
import { withJournal } from './journal.ts';
import type { JournalOptions } from './journal-options.ts';
import { entryPrefix, headKey } from './layout.ts';
import { restoreTo } from './restore.ts';
import { stateAt } from './point-in-time.ts';
import { takeSnapshot } from './snapshot.ts';

let count = 0;
describeStore('a journaled memory', async () => withJournal(createMemoryStore()));
describeStore('a journaled indexeddb (simulated)', async () =>
  withJournal(await openIndexedDbStore({ name: `journaled-${count++}` })),
);
describeStore('a journaled memory, always compacting', async () =>
  withJournal(createMemoryStore(), { maxEntries: 2, retentionMs: 1 }),
);

const put = (key: string, value: unknown): Write => ({ type: 'put', key: ['p', key], value });

async function opened(options: JournalOptions = {}) {
  const clock = new SimulatedClock();
  const inner = createMemoryStore({ clock });
  const store = await withJournal(inner, { clock, ...options });
  return { clock, inner, store };
}

const valuesAt = async (store: Store, atMs: number): Promise<Record<string, unknown>> =>
  Object.fromEntries((await stateAt(store, atMs)).entries.map(({ key, value }) => [key.join('/'), value]));

describe('a journal', () => {
  test('gives back every state since it began, with deletes and appends, and the one it began with', async () => {
    const clock = new SimulatedClock();
    const inner = createMemoryStore({ clock });
    await inner.commit([put('old', 0), { type: 'append', key: ['log'], value: 'zero' }]);
    await inner.commit([{ type: 'delete', key: ['log', '000000000000001'] }]);
    const store = await withJournal(inner, { clock });
    const start = clock.now();
    await clock.advance(10);
    await store.commit([put('a', 1), put('b', new Map([['x', 1n]]))]);
    await clock.advance(10);
    await store.commit([
      { type: 'delete', key: ['p', 'a'] },
      put('old', 1),
      { type: 'append', key: ['log'], value: 'one' },
      { type: 'append', key: ['log'], value: 'two' },
    ]);
    await clock.advance(10);
    expect(await valuesAt(store, start)).toEqual({ 'p/old': 0 });
    expect(await valuesAt(store, start + 9)).toEqual({ 'p/old': 0 });
    expect(await valuesAt(store, start + 10)).toEqual({ 'p/old': 0, 'p/a': 1, 'p/b': new Map([['x', 1n]]) });
    const last = {
      'p/old': 1,
      'p/b': new Map([['x', 1n]]),
      'log/000000000000002': 'one',
      'log/000000000000003': 'two',
    };
    expect(await valuesAt(store, start + 20)).toEqual(last);
    expect(await valuesAt(store, start + 1e9)).toEqual(last);
    await expect(stateAt(store, start - 1)).rejects.toMatchObject({
      code: 'state/not-retained',
      fields: { atMs: start - 1, earliestMs: start },
    });
  });

  test('keeps what is under its prefixes alone, and of a refused group nothing', async () => {
    const { clock, store, inner } = await opened({ prefixes: [['p'], ['p', 'x'], ['q']] });
    await clock.advance(1);
    await store.commitEach([
      [put('a', 1), { type: 'put', key: ['other'], value: 1 }],
      [put('b', 1), { type: 'put', key: ['other'], value: 2, expectedRevision: 7 }],
      [{ type: 'put', key: ['other'], value: 3 }],
    ]);
    expect((await inner.list(entryPrefix('main'))).length).toBe(1);
    expect((await stateAt(store, clock.now(), ['p'])).entries).toEqual([{ key: ['p', 'a'], value: 1 }]);
    await expect(stateAt(store, clock.now(), ['other'])).rejects.toMatchObject({
      code: 'state/prefix-not-covered',
    });
    await expect(stateAt(store, clock.now())).rejects.toMatchObject({ code: 'state/prefix-not-covered' });
    await expect(stateAt(inner, clock.now())).rejects.toMatchObject({ code: 'state/not-journaled' });
  });

  test('an append with outcomes is in the past what it is in the store, and a restore leaves it alone', async () => {
    const { clock, store } = await opened();
    const audit: Write = {
      type: 'append',
      key: ['audit'],
      value: { why: ['x'], at: 1n },
      withOutcomes: true,
    };
    await clock.advance(1);
    await store.commit([put('a', 1)]);
    await clock.advance(1);
    const shared = { twice: 1 };
    await store.commit([
      put('a', 2),
      { type: 'check', key: ['none'], expectedRevision: 0 },
      { type: 'append', key: ['log'], value: 'plain' },
      audit,
      put('b', [shared, shared]),
      { ...audit, value: [shared, shared] } as Write,
    ]);
    const then = clock.now();
    const audits = (await store.list(['audit'])).map(({ key, value }) => ({ key, value }));
    expect(audits).toMatchObject([
      { value: { outcomes: { length: 3 } } },
      { value: { outcomes: { length: 5 } } },
    ]);
    expect((await stateAt(store, then, ['audit'])).entries).toEqual(audits);
    expect(await restoreTo(store, then)).toMatchObject({ puts: 0, deletes: 0 });
    await clock.advance(1);
    await store.commit(audits.map(({ key }): Write => ({ type: 'delete', key })));
    expect(await restoreTo(store, then)).toMatchObject({ puts: 2, deletes: 0 });
    expect((await store.list(['audit'])).map(({ key, value }) => ({ key, value }))).toEqual(audits);
  });

  test('entries longer than a value may be are kept in parts', async () => {
    const limits = { maxValueBytes: 10_000, maxCommitBytes: 200_000 };
    const clock = new SimulatedClock();
    const store = await withJournal(createMemoryStore({ limits, clock }), { limits, clock });
    const values = Array.from({ length: 9 }, (_, index) => new Uint8Array(9000).fill(index));
    await clock.advance(1);
    await store.commit(values.map((value, index) => put(String(index), value)));
    expect((await store.journalState()).entries).toBeGreaterThan(9);
    expect((await stateAt(store, clock.now())).entries.map(({ value }) => value)).toEqual(values);
  });

  test('refuses what it could not give back, and keys that are its own', async () => {
    const { store, inner } = await opened();
    await expect(store.commit([put('a', 1), put('b', new Blob(['x']))])).rejects.toMatchObject({
      code: 'state/not-encodable',
    });
    await expect(store.commit([{ type: 'put', key: ['\uffff\uffff'], value: 1 }])).rejects.toMatchObject({
      code: 'state/key-invalid',
    });
    expect(await store.list([])).toEqual([]);
    const [head] = await inner.list([]);
    expect(await store.get(head?.key ?? [])).toBeUndefined();
    await expect(withJournal(store)).rejects.toMatchObject({ code: 'state/snapshot-invalid' });
    await expect(withJournal(inner, { prefixes: [['p']] })).rejects.toMatchObject({
      code: 'state/journal-mismatch',
      fields: { stored: [[]], given: [['p']] },
    });
    for (const bad of [{ maxEntries: 0 }, { retentionMs: Number.NaN }, { name: '' }, { prefixes: [] }]) {
      await expect(withJournal(inner, bad)).rejects.toMatchObject({ code: 'state/snapshot-invalid' });
    }
  });

  test('a clock that goes back makes no time before what was journaled already', async () => {
    const { store } = await opened();
    const times = [100, 50, 60, 120];
    const clocks = times.map((time) => {
      const clock = new SimulatedClock();
      return clock.advance(time + 1e6).then(() => clock);
    });
    const inner = createMemoryStore();
    for (const [index, waiting] of clocks.entries()) {
      // each as another tab would: it knows nothing of the clocks of the others
      const other = await withJournal(inner, { clock: await waiting });
      await other.commit([put('n', index)]);
    }
    const reader = await withJournal(inner);
    const start = (await clocks[0])?.now() ?? 0;
    const seen = [];
    for (const offset of [0, 19, 20]) seen.push((await valuesAt(reader, start + offset))['p/n']);
    expect(seen).toEqual([2, 2, 3]);
    await store.close();
  });

  test('is bounded: by age, by entries and by bytes; the earliest time says what is left', async () => {
    const { clock, store, inner } = await opened({ retentionMs: 1000, maxEntries: 40, maxBytes: 1e6 });
    for (let index = 0; index < 100; index++) {
      await clock.advance(1);
      await store.commit([put('n', index)]);
    }
    await expect.poll(async () => (await inner.list(entryPrefix('main'))).length).toBeLessThanOrEqual(45);
    // one may be at work in the background still
    await store.compactJournal();
    const { earliestMs, entries } = await store.journalState();
    expect(entries).toBeGreaterThanOrEqual(30);
    const end = clock.now();
    for (let atMs = earliestMs; atMs <= end; atMs++) {
      expect(await valuesAt(store, atMs)).toEqual({ 'p/n': 99 - (end - atMs) });
    }
    await expect(stateAt(store, earliestMs - 1)).rejects.toMatchObject({ fields: { earliestMs } });
    await clock.advance(5000);
    await store.compactJournal();
    expect(await store.journalState()).toMatchObject({ entries: 0, earliestMs: end });
    const bytes = await opened({ maxBytes: 20_000 });
    for (let index = 0; index < 60; index++) await bytes.store.commit([put('n', 'x'.repeat(1000))]);
    await bytes.store.compactJournal();
    expect((await bytes.store.journalState()).entries).toBeLessThanOrEqual(20);
    // what is compacted leaves nothing behind but the keys of the journal itself
    expect((await bytes.inner.list([])).length).toBeLessThanOrEqual(20 + 4);
  });

  test('one large write among small ones drops nothing that is within the bounds', async () => {
    const { clock, store, inner } = await opened({ maxBytes: 100_000 });
    for (let index = 0; index < 100; index++) await store.commit([put('small', index)]);
    await clock.advance(1);
    // another tab, which wrote nothing but what is large
    const other = await withJournal(inner, { clock, maxBytes: 100_000 });
    await other.commit([put('large', 'x'.repeat(20_000))]);
    await clock.advance(1);
    await other.compactJournal();
    expect(await other.journalState()).toMatchObject({ entries: 101, earliestMs: clock.now() - 2 });
    // and what is beyond them is counted as what it is, whoever wrote it
    for (let index = 0; index < 5; index++) await store.commit([put('large', 'x'.repeat(20_000))]);
    await store.compactJournal();
    const sizes = (await inner.list<Uint8Array>(entryPrefix('main'))).map(({ value }) => value.length);
    const bytes = sizes.reduce((sum, size) => sum + size, 0);
    expect(bytes).toBeLessThanOrEqual(75_000);
    expect(bytes).toBeGreaterThan(75_000 - 20_100);
  });

  test('a damaged entry is named, with the last time before it, which can be restored', async () => {
    const { clock, store, inner } = await opened();
    for (let index = 1; index <= 5; index++) {
      await clock.advance(10);
      await store.commit([put('n', index)]);
    }
    // the first begins the journal
    const key = [...entryPrefix('main'), '000000000000005'];
    const good = (await inner.get<Uint8Array>(key))?.value ?? new Uint8Array();
    const lastMs = clock.now() - 20;
    const damages: Write[] = [
      { type: 'put', key, value: good.map((byte, index) => (index === good.length - 6 ? byte ^ 1 : byte)) },
      { type: 'put', key, value: good.slice(0, -1) },
      { type: 'put', key, value: 'no bytes' },
      { type: 'delete', key },
    ];
    for (const damage of damages) {
      await inner.commit([damage]);
      await expect(stateAt(store, clock.now())).rejects.toMatchObject({
        code: 'state/journal-damaged',
        fields: { journal: 'main', entry: 5, lastMs },
      });
      expect(await valuesAt(store, lastMs)).toEqual({ 'p/n': 3 });
      await inner.commit([{ type: 'put', key, value: good }]);
    }
    expect(await valuesAt(store, clock.now())).toEqual({ 'p/n': 5 });
    // a snapshot that was taken behind the damage does not need what is before it
    await takeSnapshot(store, 'after');
    await clock.advance(1);
    await store.commit([put('n', 6)]);
    await inner.commit([{ type: 'delete', key }]);
    expect(await valuesAt(store, clock.now())).toEqual({ 'p/n': 6 });
  });

  test('a damaged number of an append is found, wherever it points', async () => {
    const { clock, store, inner } = await opened();
    for (const value of ['one', 'two']) {
      await clock.advance(10);
      await store.commit([put('n', value), { type: 'append', key: ['log'], value }]);
    }
    // the first begins the journal
    const key = [...entryPrefix('main'), '000000000000003'];
    const stored = await inner.get<ValueWithOutcomes>(key);
    expect(stored?.value.checksum).toBeGreaterThan(0);
    const { outcomes = [], ...good } = stored?.value ?? {};
    const [of, appended] = outcomes;
    const damages = [
      [of, { ...appended, key: ['log', '000000000000001'] }],
      [of, { ...appended, key: ['log', '000000000000003'] }],
      [{ ...of, revision: 7 }, appended],
      'none',
    ];
    for (const each of damages) {
      await inner.commit([{ type: 'put', key, value: { ...good, outcomes: each } }]);
      await expect(stateAt(store, clock.now())).rejects.toMatchObject({
        code: 'state/journal-damaged',
        fields: { entry: 3, lastMs: clock.now() - 10 },
      });
      expect(await valuesAt(store, clock.now() - 10)).toEqual({ 'p/n': 'one', 'log/000000000000001': 'one' });
    }
    // as it was stored before there was a checksum
    await inner.commit([{ type: 'put', key, value: { ...good, outcomes, checksum: undefined } }]);
    expect(await valuesAt(store, clock.now())).toMatchObject({ 'log/000000000000002': 'two' });
  });

  test('a journal that cannot be read and is beyond its bounds begins anew', async () => {
    const { clock, store, inner } = await opened({ maxEntries: 10, isCompacting: false });
    for (let index = 1; index <= 12; index++) {
      await clock.advance(1);
      await store.commit([put('n', index)]);
    }
    await inner.commit([{ type: 'delete', key: [...entryPrefix('main'), '000000000000002'] }]);
    await store.compactJournal();
    expect(await store.journalState()).toMatchObject({ entries: 0, earliestMs: clock.now() });
    expect(await valuesAt(store, clock.now())).toEqual({ 'p/n': 12 });
    await clock.advance(1);
    await store.commit([put('n', 13)]);
    expect(await valuesAt(store, clock.now())).toEqual({ 'p/n': 13 });
  });

  test('whose head is lost when all its entries are compacted begins anew behind them', async () => {
    const losses: Write[] = [
      { type: 'put', key: headKey('main'), value: 'no head' },
      { type: 'delete', key: headKey('main') },
    ];
    for (const loss of losses) {
      const { clock, store, inner } = await opened({ retentionMs: 1, isCompacting: false });
      for (let index = 1; index <= 20; index++) await store.commit([put('n', index)]);
      await clock.advance(10);
      await store.compactJournal();
      expect(await inner.list(entryPrefix('main'))).toEqual([]);
      await inner.commit([loss]);
      const again = await withJournal(inner, { clock });
      await again.commit([put('n', 21)]);
      expect(await valuesAt(again, clock.now())).toEqual({ 'p/n': 21 });
      expect(await again.journalState()).toMatchObject({ entries: 1 });
    }
  });

  test('a restore is one commit, writes only what differs, and can be undone', async () => {
    const { clock, store } = await opened();
    await clock.advance(1);
    await store.commit([put('a', 1), put('b', [1]), put('c', 1)]);
    const good = clock.now();
    await clock.advance(1);
    await store.commit([
      put('a', 2),
      { type: 'delete', key: ['p', 'c'] },
      put('d', 1),
      { type: 'put', key: ['q'], value: 1 },
    ]);
    const bad = clock.now();
    await clock.advance(1);
    const heard: string[] = [];
    store.watch([], ({ type, key }) => heard.push(`${type} ${key.join('/')}`));
    expect(await restoreTo(store, good, { prefix: ['p'] })).toEqual({ atMs: good, puts: 2, deletes: 1 });
    expect(heard.toSorted()).toEqual(['delete p/d', 'put p/a', 'put p/c']);
    expect(await valuesAt(store, clock.now())).toEqual({ 'p/a': 1, 'p/b': [1], 'p/c': 1, q: 1 });
    expect(await restoreTo(store, good, { prefix: ['p'] })).toMatchObject({ puts: 0, deletes: 0 });
    await restoreTo(store, bad);
    expect(await valuesAt(store, clock.now())).toEqual(await valuesAt(store, bad));
  });
});
