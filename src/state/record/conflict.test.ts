import 'fake-indexeddb/auto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { seededRandom, SimulatedClock } from '../../platform/index.ts';
import { openIndexedDbStore } from '../backend/indexeddb.ts';
import { createMemoryStore } from '../backend/memory.ts';
import type { Store, Write } from '../store.ts';
import type { MergeFunction } from './conflict.ts';
import { headKey } from './record-key.ts';
import { createRecords } from './records.ts';
import { isLinearizable, runSavers, saverOf } from './save-history.contract.ts';
import type { Operation, SaverStep } from './save-history.contract.ts';

const seeded = async (): Promise<{ store: Store; records: ReturnType<typeof createRecords> }> => {
  const store = createMemoryStore();
  const records = createRecords(store);
  await records.save('r', ['base']);
  return { store, records };
};

describe('a save that expects a version', () => {
  test('is saved when that is the latest, by name, by number, or none at all', async () => {
    const records = createRecords(createMemoryStore());
    expect(await records.save('r', 'a', { expectedVersion: null })).toMatchObject({ version: '1' });
    expect(await records.save('r', 'b', { expectedVersion: '1' })).toMatchObject({ version: '2' });
    expect(await records.save('r', 'c', { expectedVersion: 2 })).toMatchObject({ version: '3' });
    await records.delete('r');
    expect(await records.save('r', 'd', { expectedVersion: null })).toMatchObject({ version: '4' });
  });

  test('is refused otherwise: the error says what is there, and nothing changed', async () => {
    const { records } = await seeded();
    for (const expectedVersion of [null, '2', 2, '01', 0]) {
      await expect(records.save('r', ['mine'], { expectedVersion })).rejects.toMatchObject({
        code: 'state/conflict',
        fields: { id: 'r', expected: expectedVersion, actual: '1' },
      });
    }
    await expect(records.save('new', 1, { expectedVersion: '1' })).rejects.toMatchObject({
      fields: { id: 'new', expected: '1', actual: null },
    });
    expect(await records.versions('r')).toHaveLength(1);
    expect(await records.ids()).toEqual(['r']);
  });

  test('last-writer saves on top', async () => {
    const { records } = await seeded();
    await records.save('r', ['theirs'], { expectedVersion: '1' });
    const saved = await records.save('r', ['mine'], { expectedVersion: '1', onConflict: 'last-writer' });
    expect(saved).toMatchObject({ version: '3', state: ['mine'] });
    const options = { expectedVersion: '1', onConflict: 'newest' as 'reject' };
    await expect(records.save('r', 1, options)).rejects.toMatchObject({ code: 'state/option-invalid' });
  });
});

const union: MergeFunction<string[]> = (mine, theirs = [], base = []) => [
  ...theirs,
  ...mine.filter((each) => !theirs.includes(each) && !base.includes(each)),
];

describe('a merge', () => {
  test('gets mine, theirs and what mine came from', async () => {
    const { records } = await seeded();
    await records.save('r', ['base', 'theirs'], { expectedVersion: '1' });
    const seen: unknown[] = [];
    const onConflict: MergeFunction<string[]> = (...states) => {
      seen.push(structuredClone(states));
      // what a merge is handed is its own
      states[0].push('changed in place');
      return union(['base', 'mine'], states[1], states[2]);
    };
    const saved = await records.save('r', ['base', 'mine'], { expectedVersion: '1', onConflict });
    expect(seen).toEqual([[['base', 'mine'], ['base', 'theirs'], ['base']]]);
    expect(saved).toMatchObject({ version: '3', state: ['base', 'theirs', 'mine'] });
    expect(await records.load('r')).toEqual(saved);
  });

  test('gets no base that is not kept, and no theirs of a record that was deleted', async () => {
    const { records } = await seeded();
    await records.save('r', ['theirs']);
    await records.delete('r', '1');
    const seen: unknown[] = [];
    const onConflict: MergeFunction<string[]> = (...states) => (seen.push(states), states[0]);
    await records.save('r', ['mine'], { expectedVersion: '1', onConflict });
    await records.delete('r');
    await records.save('r', ['late'], { expectedVersion: '3', onConflict });
    await records.save('r', ['never'], { expectedVersion: null, onConflict });
    expect(seen).toEqual([
      [['mine'], ['theirs'], undefined],
      [['late'], undefined, undefined],
      [['never'], ['late'], undefined],
    ]);
  });

  test('is made again with what was saved while it ran', async () => {
    const { records } = await seeded();
    await records.save('r', ['base', 'first'], { expectedVersion: '1' });
    let runs = 0;
    const onConflict: MergeFunction<string[]> = async (mine, theirs, base) => {
      if (runs++ < 2) await records.save('r', [...(theirs ?? []), `meanwhile-${runs}`]);
      return union(mine, theirs, base);
    };
    const { state } = await records.save('r', ['base', 'mine'], { expectedVersion: '1', onConflict });
    expect(state).toEqual(['base', 'first', 'meanwhile-1', 'meanwhile-2', 'mine']);
    expect(runs).toBe(3);
  });

  test('is made 16 times at most when it is always overtaken', async () => {
    const { records } = await seeded();
    let runs = 0;
    const onConflict: MergeFunction<string[]> = async (mine) => {
      runs++;
      await records.save('r', ['faster']);
      return mine;
    };
    const saving = records.save('r', ['mine'], { expectedVersion: null, onConflict });
    await expect(saving).rejects.toMatchObject({ code: 'state/conflict', fields: { attempts: 16 } });
    expect(runs).toBe(16);
    expect(await records.load('r')).toMatchObject({ state: ['faster'] });
  });

  test('that throws, or gives what cannot be saved, changes nothing', async () => {
    const { records } = await seeded();
    const cause = new Error('cannot be merged');
    const failing: readonly (readonly [MergeFunction<unknown>, object])[] = [
      [
        () => {
          throw cause;
        },
        { code: 'state/merge-failed', fields: { id: 'r' }, cause },
      ],
      [() => Promise.reject(cause), { code: 'state/merge-failed', cause }],
      [() => () => 1, { code: 'state/not-cloneable' }],
      [() => /x/, { code: 'state/not-encodable' }],
    ];
    for (const [onConflict, expected] of failing) {
      const saving = records.save<unknown>('r', 'mine', { expectedVersion: null, onConflict });
      await expect(saving).rejects.toMatchObject(expected);
    }
    expect(await records.versions('r')).toHaveLength(1);
  });

  test('that never settles ends at its time limit, or with its signal', async () => {
    const clock = new SimulatedClock();
    let merges = 0;
    const onConflict = (): Promise<never> => (merges++, new Promise(() => undefined));
    const records = createRecords(createMemoryStore(), { clock, onConflict });
    await records.save('r', 'theirs');
    let outcome = 'open';
    const endOf = (work: Promise<unknown>): Promise<void> =>
      work.then(
        () => void (outcome = 'saved'),
        (error: { code: string }) => void (outcome = error.code),
      );
    const saving = endOf(records.save('r', 'mine', { expectedVersion: null }));
    await expect.poll(() => merges).toBe(1);
    await clock.advance(9999);
    expect(outcome).toBe('open');
    await clock.advance(1);
    await saving;
    expect(outcome).toBe('state/merge-failed');
    const controller = new AbortController();
    const cancelled = endOf(records.save('r', 'mine', { expectedVersion: null, signal: controller.signal }));
    await expect.poll(() => merges).toBe(2);
    controller.abort();
    await cancelled;
    expect(outcome).toBe('port/cancelled');
    expect(await records.versions('r')).toHaveLength(1);
  });

  test('of what is damaged is refused with what is wrong', async () => {
    const { store, records } = await seeded();
    const state = (await store.list(['record', 'r'])).at(-1)?.key ?? [];
    await store.commit([{ type: 'put', key: state, value: 'damaged' }]);
    const saving = records.save('r', ['mine'], { expectedVersion: null, onConflict: union });
    await expect(saving).rejects.toMatchObject({ code: 'state/checksum-failed' });
    expect(await records.save('r', ['mine'], { expectedVersion: '1' })).toMatchObject({ version: '2' });
  });
});

/** A store whose answers take a while, each its own: calls that overlap meet in every order. */
function unsteady(store: Store, seed: number): Store {
  const random = seededRandom(seed);
  const pause = async (): Promise<void> => {
    for (let turns = Math.floor(random.next() * 6); turns > 0; turns--) await Promise.resolve();
  };
  return new Proxy(store, {
    get(target, property) {
      const member: unknown = Reflect.get(target, property);
      if (typeof member !== 'function') return member;
      if (!['get', 'list', 'commit'].includes(String(property))) return member.bind(target) as unknown;
      return async (...args: unknown[]): Promise<unknown> => {
        await pause();
        const answer: unknown = await member.apply(target, args);
        await pause();
        return answer;
      };
    },
  });
}

const withoutComparing = (store: Store): Store =>
  new Proxy(store, {
    get(target, property) {
      const member: unknown = Reflect.get(target, property);
      if (property !== 'commit')
        return typeof member === 'function' ? (member.bind(target) as unknown) : member;
      return (writes: readonly Write[]) =>
        target.commit(
          writes.map(
            ({ type, key, ...rest }) =>
              ({ type, key, ...('value' in rest ? { value: rest.value } : {}) }) as Write,
          ),
        );
    },
  });

const scripts = fc.array(
  fc.array(fc.constantFrom<SaverStep>('load', 'save-expected', 'save-expected', 'save-anyway'), {
    minLength: 1,
    maxLength: 6,
  }),
  { minLength: 2, maxLength: 4 },
);

/** Runs random scripts against stores that share their data; what was wrong with the first bad history, or null. */
async function faultIn(open: (id: string) => Promise<readonly Store[]>, numRuns: number): Promise<unknown> {
  let round = 0;
  const details = await fc.check(
    fc.asyncProperty(scripts, fc.integer(), async (script, seed) => {
      const id = `r-${round++}`;
      const stores = await open(id);
      const savers = script.map((steps, index) => {
        const store = stores[index % stores.length] as Store;
        const records = createRecords(unsteady(store, seed + index));
        return { saver: saverOf(records, id), script: steps };
      });
      const history = await runSavers(savers);
      const versions = await createRecords(stores[0] as Store).versions(id);
      const saves = history.filter(({ did }) => did.type === 'save');
      expect(versions).toHaveLength(saves.length);
      expect(isLinearizable(history)).toBe(true);
    }),
    { numRuns, seed: 7 },
  );
  return details.errorInstance;
}

describe('savers at once', () => {
  test('of one store: what they see has one order', async () => {
    const store = createMemoryStore();
    expect(await faultIn(async () => [store], 200)).toBeNull();
  }, 60_000);

  test('of two stores on one database: what they see has one order', async () => {
    const stores = await Promise.all([1, 2].map(() => openIndexedDbStore({ name: 'savers' })));
    expect(await faultIn(async () => stores, 40)).toBeNull();
    for (const store of stores) await store.close();
  }, 60_000);

  test('of a store that does not compare are found out', async () => {
    expect(await faultIn(async () => [withoutComparing(createMemoryStore())], 200)).toBeInstanceOf(Error);
  }, 60_000);
});

test('changes of every kind at once: none is lost, and the head counts what is there', async () => {
  const change = fc.record({
    type: fc.constantFrom('save', 'save', 'pin', 'unpin', 'delete', 'prune'),
    sequence: fc.integer({ min: 1, max: 8 }),
  });
  let round = 0;
  const store = createMemoryStore();
  await fc.assert(
    fc.asyncProperty(
      fc.array(change, { minLength: 2, maxLength: 10 }),
      fc.integer(),
      async (changes, seed) => {
        const id = `r-${round++}`;
        for (let n = 1; n <= 6; n++) await createRecords(store).save(id, n);
        const outcomes = await Promise.all(
          changes.map(async ({ type, sequence }, index) => {
            const records = createRecords(unsteady(store, seed + index), { retention: { maxVersions: 7 } });
            if (type === 'save')
              return { type, sequence: (await records.save(id, seed)).sequence, done: true };
            if (type === 'prune') return { type, sequence, done: (await records.prune(id)) > 0 };
            return { type, sequence, done: await records[type as 'pin' | 'unpin' | 'delete'](id, sequence) };
          }),
        );
        const versions = await createRecords(store).versions(id);
        const free = versions.filter(({ isPinned }) => !isPinned);
        expect((await store.get(headKey(id)))?.value).toMatchObject({
          count: free.length,
          sizeBytes: free.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
          pinnedCount: versions.length - free.length,
          sequence: 6 + changes.filter(({ type }) => type === 'save').length,
        });
        const kept = versions.map(({ sequence }) => sequence);
        for (const { type, sequence, done } of outcomes) {
          const isGone = type === 'delete' && done;
          expect({ sequence, isLost: isGone && kept.includes(sequence) }).toEqual({
            sequence,
            isLost: false,
          });
        }
        expect(await createRecords(store).verify(id)).toMatchObject({ damaged: [], isHeadWhole: true });
      },
    ),
    { numRuns: 150 },
  );
}, 60_000);

describe('the search for an order', () => {
  const load = (startedAt: number, endedAt: number, found: string | null): Operation => ({
    startedAt,
    endedAt,
    did: { type: 'load', found },
  });
  const save = (
    startedAt: number,
    endedAt: number,
    version: string,
    expected?: string | null,
  ): Operation => ({
    startedAt,
    endedAt,
    did: { type: 'save', expected, version },
  });
  const conflict = (
    startedAt: number,
    endedAt: number,
    expected: string | null,
    actual: string | null,
  ): Operation => ({
    startedAt,
    endedAt,
    did: { type: 'conflict', expected, actual },
  });

  test.each([
    ['nothing', []],
    ['one after the other', [load(0, 1, null), save(2, 3, 'a', null), load(4, 5, 'a')]],
    ['overlapping, seen before it ended', [save(0, 9, 'a'), load(1, 2, null), load(3, 4, 'a')]],
    ['a conflict with one that is under way', [save(0, 9, 'a', null), conflict(1, 2, null, 'a')]],
    ['two at once, the later ended first', [save(0, 9, 'b', 'a'), save(1, 8, 'a', null), load(10, 11, 'b')]],
  ])('finds one: %s', (_, history) => {
    expect(isLinearizable(history)).toBe(true);
  });

  test.each([
    ['a stale read', [save(0, 1, 'a', null), load(2, 3, null)]],
    ['seen, and then not any more', [save(0, 9, 'a', null), load(1, 2, 'a'), load(3, 4, null)]],
    ['both had the same expectation', [save(0, 5, 'a', null), save(0, 5, 'b', null)]],
    ['a conflict with what was expected', [save(0, 1, 'a', null), conflict(2, 3, 'a', 'a')]],
    ['a conflict with what is not there', [save(0, 1, 'a', null), conflict(2, 3, null, 'b')]],
    ['a lost save', [save(0, 1, 'a', null), save(2, 3, 'b', 'a'), load(4, 5, 'a')]],
  ])('finds none: %s', (_, history) => {
    expect(isLinearizable(history)).toBe(false);
  });
});
