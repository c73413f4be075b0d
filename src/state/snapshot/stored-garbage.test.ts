/** What somebody else wrote where a journal and its snapshots keep what they know: it is lost, and nothing worse. */
import { describe, expect, test } from 'vitest';
import { isCodedError } from '../../base/index.ts';
import { SimulatedClock } from '../../platform/index.ts';
import { createMemoryStore } from '../backend/memory.ts';
import type { Key } from '../key.ts';
import type { Store, Write } from '../store.ts';
import { withJournal } from './journal.ts';
import { headKey, infoKey, markerKey } from './layout.ts';
import { stateAt } from './point-in-time.ts';
import { restoreTo } from './restore.ts';
import { deleteSnapshot, listSnapshots, takeSnapshot } from './snapshot.ts';

const put = (key: Key, value: unknown): Write => ({ type: 'put', key, value });
const options = { clock: new SimulatedClock(1000), isCompacting: false };

/** A value with one thing in it changed at each place, and other things altogether. */
function garbageOf(value: object): readonly unknown[] {
  const others: unknown[] = [
    null,
    undefined,
    7,
    'text',
    [],
    {},
    -1,
    1.5,
    Number.NaN,
    2 ** 60,
    ['\ud800'],
    [7],
  ];
  const changed = (whole: unknown, replace: (made: unknown) => unknown): unknown[] => {
    if (typeof whole !== 'object' || whole === null) return [];
    return Object.entries(whole).flatMap(([name, part]) => {
      const copyWith = (made: unknown): unknown =>
        replace(
          Array.isArray(whole) ? Object.assign([...whole], { [name]: made }) : { ...whole, [name]: made },
        );
      return [...others.map(copyWith), ...changed(part, copyWith)];
    });
  };
  return [...others, ...changed(value, (made) => made)];
}

async function filled(): Promise<Store> {
  const inner = createMemoryStore({ clock: options.clock });
  const store = await withJournal(inner, options);
  await store.commit([put(['p', 'a'], 1)]);
  await takeSnapshot(store, 's');
  await store.commit([put(['p', 'a'], 2)]);
  return inner;
}

/** A value or a coded error; anything else fails the test. */
async function typed(what: string, work: Promise<unknown>): Promise<unknown> {
  return work.catch((error: unknown) => {
    if (isCodedError(error)) return error.code;
    throw new Error(`${what} ended without a type`, { cause: error });
  });
}

async function valueAt(inner: Store, key: Key): Promise<object> {
  return (await inner.get<object>(key))?.value ?? {};
}

describe('in the place of', () => {
  test('the head of a journal: it begins anew, or says what is wrong, and what is stored is as it was', async () => {
    const garbage = garbageOf(await valueAt(await filled(), headKey('main')));
    expect(garbage.length).toBeGreaterThan(100);
    const [codes, states] = [new Set<string>(), new Set<string>()];
    for (const value of garbage) {
      const inner = await filled();
      await inner.commit([put(headKey('main'), value)]);
      const what = JSON.stringify(value) ?? 'undefined';
      const opened = await typed(what, withJournal(inner, options));
      if (typeof opened === 'string') {
        codes.add(opened);
        continue;
      }
      const store = opened as Store;
      await typed(what, stateAt(store, options.clock.now()));
      await store.commit([put(['p', 'b'], 1)]);
      states.add((await store.list(['p'])).map((entry) => entry.value).join());
    }
    expect([...states]).toEqual(['2,1']);
    expect([...codes].toSorted()).toEqual(['state/journal-mismatch', 'state/version-too-new']);
  });

  test('what is known of a snapshot: it is damaged, and can be deleted', async () => {
    const garbage = garbageOf(await valueAt(await filled(), infoKey('s')));
    expect(garbage.length).toBeGreaterThan(100);
    const [wrong, names]: [string[], string[]] = [[], []];
    for (const value of garbage) {
      const inner = await filled();
      await inner.commit([put(infoKey('s'), value)]);
      const what = JSON.stringify(value) ?? 'undefined';
      const store = await withJournal(inner, options);
      const listed = await listSnapshots(store);
      names.push(...listed.map((info) => info.name));
      const restored = await typed(what, restoreTo(store, 's'));
      const after = (await store.get(['p', 'a']))?.value;
      // what is only told of it may be anything
      if (after !== (typeof restored === 'string' ? 2 : 1)) wrong.push(what);
      await typed(what, stateAt(store, options.clock.now()));
      await typed(what, deleteSnapshot(store, 's'));
      await takeSnapshot(store, 't');
    }
    expect(wrong).toEqual([]);
    expect(new Set(names)).toEqual(new Set(['s']));
  });

  test('the marker of a writer: nobody is kept from opening, and no snapshot from being taken', async () => {
    for (const value of garbageOf({ touchedAtMs: -Infinity, parts: 3 })) {
      const inner = await filled();
      await inner.commit([put(markerKey('x'), value)]);
      const store = await withJournal(inner, options);
      await takeSnapshot(store, 't');
      expect((await stateAt(store, 't')).entries.length).toBe(1);
    }
  });
});
