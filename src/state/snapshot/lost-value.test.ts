/** Journals and snapshots whose values lie in files, and what becomes of them when a file is lost. */
import 'fake-indexeddb/auto';
import { describe, expect, test } from 'vitest';
import { isCodedError } from '../../base/index.ts';
import { seededRandom, SimulatedClock } from '../../platform/index.ts';
import { createHub } from '../../telemetry/index.ts';
import { createMemoryFolder } from '../backend/body-folder.contract.ts';
import type { FaultyFolder } from '../backend/body-folder.contract.ts';
import { openOpfsStore } from '../backend/opfs.ts';
import type { Key } from '../key.ts';
import type { ListOptions, Store, Write } from '../store.ts';
import { withJournal } from './journal.ts';
import type { JournaledStore } from './journal.ts';
import type { JournalOptions } from './journal-options.ts';
import { entryPrefix, headKey, infoKey } from './layout.ts';
import { defaultSnapshotLimits } from './limits.ts';
import { stateAt } from './point-in-time.ts';
import { forkSnapshot, restoreTo } from './restore.ts';
import { writeParts } from './snapshot-parts.ts';
import { deleteSnapshot, listSnapshots, takeSnapshot } from './snapshot.ts';

let count = 0;
const put = (key: string, value: unknown): Write => ({ type: 'put', key: ['p', key], value });
const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'done',
    (error: unknown) => (isCodedError(error) ? error.code : String(error)),
  );

interface Scene {
  readonly clock: SimulatedClock;
  readonly folder: FaultyFolder;
  readonly inner: Store;
  readonly store: JournaledStore;
  readonly options: JournalOptions;
  /** Takes the file of a key away. */
  readonly lose: (key: Key) => Promise<void>;
}

/** A journaled store, every value of which lies in a file. */
async function opened(given: JournalOptions = {}): Promise<Scene> {
  const clock = new SimulatedClock(1000);
  const folder = createMemoryFolder();
  const inner = await openOpfsStore({
    name: `lost-values-${count++}`,
    openFolder: async () => folder,
    fileThresholdBytes: 1,
    clock,
  });
  const options = { clock, isCompacting: false, ...given };
  const store = await withJournal(inner, options);
  const lose = async (key: Key): Promise<void> => {
    const asked: string[] = [];
    folder.onRead = (file) => void asked.push(file);
    await inner.get(key);
    folder.onRead = () => undefined;
    expect(asked.length).toBe(1);
    folder.files.delete(asked[0] ?? '');
    await expect(inner.get(key)).rejects.toMatchObject({ code: 'state/body-missing' });
  };
  return { clock, folder, inner, store, options, lose };
}

const valuesAt = async (store: Store, atMs: number): Promise<Record<string, unknown>> =>
  Object.fromEntries((await stateAt(store, atMs)).entries.map(({ key, value }) => [key.join('/'), value]));

const partKeys = async (inner: Store): Promise<readonly Key[]> =>
  (await inner.list([])).map(({ key }) => key).filter((key) => key[1] === 'part');

describe('a value whose file is lost', () => {
  test('of what is stored now comes back from the journal, and from a snapshot', async () => {
    const { clock, store, lose } = await opened();
    await store.commit([put('a', 'one'), put('b', 'two'), put('c', 'three')]);
    await takeSnapshot(store, 's');
    await clock.advance(1);
    await store.commit([put('b', 'four')]);
    await lose(['p', 'b']);
    expect(await valuesAt(store, clock.now())).toEqual({ 'p/a': 'one', 'p/b': 'four', 'p/c': 'three' });
    // a snapshot of what cannot be read says so
    expect(await codeOf(takeSnapshot(store, 'now'))).toBe('state/body-missing');
    expect(await codeOf(forkSnapshot(store, 's', ['p', 'b']))).toBe('state/prefix-occupied');
    await clock.advance(1);
    expect(await restoreTo(store, clock.now())).toMatchObject({ puts: 1, deletes: 0 });
    expect((await store.get(['p', 'b']))?.value).toBe('four');
    await lose(['p', 'b']);
    await lose(['p', 'a']);
    expect(await restoreTo(store, 's')).toMatchObject({ puts: 2, deletes: 0 });
    expect((await store.list(['p'])).map(({ value }) => value)).toEqual(['one', 'two', 'three']);
    await store.close();
  });

  test('of an entry is a damaged entry: it is named, with the last time that can be restored', async () => {
    const { clock, store, inner, lose, options } = await opened();
    for (let n = 1; n <= 5; n++) {
      await clock.advance(10);
      await store.commit([put('n', n)]);
    }
    const lastMs = clock.now() - 20;
    await lose([...entryPrefix('main'), '000000000000005']);
    await expect(stateAt(store, clock.now())).rejects.toMatchObject({
      code: 'state/journal-damaged',
      fields: { entry: 5, lastMs },
    });
    expect(await valuesAt(store, lastMs)).toEqual({ 'p/n': 3 });
    // it stands in nobody's way: neither of opening, nor of writing, nor of a snapshot of who knows what is behind it
    const again = await withJournal(inner, options);
    expect(await again.journalState()).toMatchObject({ entries: 5 });
    await takeSnapshot(store, 'after');
    await clock.advance(1);
    await again.commit([put('n', 6)]);
    expect(await valuesAt(again, clock.now())).toEqual({ 'p/n': 6 });
    expect(await codeOf(again.compactJournal())).toBe('done');
    await store.close();
  });

  test('of an entry, a base or a live key keeps no journal from its bounds', async () => {
    const { clock, store, inner, lose } = await opened({ maxEntries: 10 });
    for (let round = 1; round <= 3; round++) {
      for (let n = 1; n <= 12; n++) {
        await clock.advance(1);
        await store.commit([put(`r${round}`, n), put('x', n)]);
      }
      if (round === 1) await lose((await inner.list(entryPrefix('main')))[1]?.key ?? []);
      if (round === 2) for (const key of await partKeys(inner)) await lose(key);
      if (round === 3) {
        await lose((await inner.list(entryPrefix('main')))[0]?.key ?? []);
        await lose(['p', 'r1']);
      }
      await store.compactJournal();
      expect((await store.journalState()).entries).toBeLessThanOrEqual(10);
    }
    // what was lost is not in the base, everything else is
    expect(await valuesAt(store, clock.now())).toEqual({ 'p/r2': 12, 'p/r3': 12, 'p/x': 12 });
    await store.close();
  });

  test('of the head lets the journal begin anew, which is told', async () => {
    const events: unknown[] = [];
    const hub = createHub();
    hub.subscribe((event) => events.push(event));
    const { clock, store, inner, options, lose } = await opened({ hub });
    await store.commit([put('a', 1)]);
    await clock.advance(10);
    await store.commit([put('a', 2)]);
    for (const open of [
      () => withJournal(inner, options),
      async () => (await store.compactJournal(), store),
    ]) {
      await lose(headKey('main'));
      await expect(stateAt(store, clock.now())).rejects.toMatchObject({ code: 'state/journal-damaged' });
      events.length = 0;
      const again = await open();
      expect(events).toMatchObject([{ type: 'store-fail', error: { code: 'state/journal-damaged' } }]);
      await clock.advance(1);
      await again.commit([put('b', 1)]);
      expect(await valuesAt(again, clock.now())).toEqual({ 'p/a': 2, 'p/b': 1 });
    }
    await store.close();
  });

  test('of a snapshot is a damaged snapshot: the journal is read from further back', async () => {
    const { clock, store, inner, lose } = await opened();
    await store.commit([put('a', 1)]);
    await clock.advance(1);
    const before = await partKeys(inner);
    await takeSnapshot(store, 's');
    const [part] = (await partKeys(inner)).filter((key) => !before.some((each) => each[2] === key[2]));
    await store.commit([put('b', 1)]);
    await lose(part ?? []);
    expect(await valuesAt(store, clock.now())).toEqual({ 'p/a': 1, 'p/b': 1 });
    expect(await codeOf(restoreTo(store, 's'))).toBe('state/checksum-failed');
    await takeSnapshot(store, 't');
    await lose(infoKey('s'));
    expect((await listSnapshots(store)).map(({ name }) => name)).toEqual(['t']);
    expect(await codeOf(restoreTo(store, 's'))).toBe('state/checksum-failed');
    expect(await codeOf(takeSnapshot(store, 's'))).toBe('state/snapshot-exists');
    await deleteSnapshot(store, 's');
    await takeSnapshot(store, 's');
    expect(await codeOf(restoreTo(store, 's'))).toBe('done');
    await store.close();
  });

  test('of the head, or of what is known of a snapshot, leaves no part behind that nothing names', async () => {
    const { clock, store, inner, options, lose } = await opened({
      snapshotLimits: { partBytes: 64, maxSnapshotBytes: 4000 },
    });
    await withJournal(inner, { ...options, name: 'beside', prefixes: [['q']] });
    const text = 'x'.repeat(300);
    for (const name of ['a', 'b', 'c']) await store.commit([put(name, text + name)]);
    await takeSnapshot(store, 's');
    await takeSnapshot(store, 't');
    await clock.advance(8 * 24 * 3600 * 1000);
    await store.compactJournal();
    const idsOf = async (): Promise<readonly string[]> => [
      ...new Set((await partKeys(inner)).map((key) => key[2] ?? '')),
    ];
    // the bases of two journals, and two snapshots
    const before = await idsOf();
    expect(before.length).toBe(4);
    await lose(headKey('main'));
    const again = await withJournal(inner, options);
    const fresh = await idsOf();
    expect(fresh.length).toBe(4);
    expect(fresh.filter((id) => !before.includes(id)).length).toBe(1);
    // gone without a trace
    await inner.commit([{ type: 'delete', key: headKey('main'), forget: true }]);
    await withJournal(inner, options);
    expect((await idsOf()).length).toBe(4);
    expect(await idsOf()).not.toEqual(fresh);
    await lose(infoKey('s'));
    // parts that somebody is writing at the moment are named by their marker
    const pending = await writeParts(inner, new Uint8Array(300), {
      clock,
      random: seededRandom(7),
      limits: { ...defaultSnapshotLimits, partBytes: 64 },
    });
    await deleteSnapshot(again, 's');
    expect((await idsOf()).length).toBe(4);
    expect((await idsOf()).includes(pending.id)).toBe(true);
    expect(Object.keys(await valuesAt(again, clock.now()))).toEqual(['p/a', 'p/b', 'p/c']);
    expect((await stateAt(again, 't')).entries.length).toBe(3);
    await store.close();
  });

  test('that is replaced while the rest is read makes no moment of what was read in pieces', async () => {
    const { clock, inner, options, lose } = await opened({ prefixes: [['q']] });
    const names = ['a', 'b', 'c', 'd'];
    await inner.commit(names.map((name) => put(name, 1)));
    await lose(['p', 'c']);
    let looks = 0;
    const list: Store['list'] = async <T>(prefix: Key, asked: ListOptions = {}) => {
      const page = await inner.list<T>(prefix, asked);
      // the second time all is asked for at once, and then in halves of halves
      const isFirstPiece = prefix[0] === 'p' && asked.limit === 2 && !asked.after;
      if (isFirstPiece && ++looks === 2) await inner.commit([put('a', 2), put('c', 2)]);
      return page;
    };
    const busy: Store = Object.assign(Object.create(inner) as Store, {
      name: inner.name,
      capabilities: inner.capabilities,
      get: inner.get.bind(inner),
      commit: inner.commit.bind(inner),
      list,
    });
    const store = await withJournal(busy, { ...options, name: 'late', prefixes: [['p']] });
    expect(looks).toBeGreaterThanOrEqual(2);
    const { entries } = await stateAt(store, clock.now(), ['p']);
    expect(entries.map(({ value }) => value)).toEqual([2, 1, 2, 1]);
    await inner.close();
  });
});
