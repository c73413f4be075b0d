/* oxlint-disable vitest/no-standalone-expect -- laws are run by describeStore and by tests of broken stores */
/** Comparing and setting, alone and in races: no acknowledged change is lost. */
import fc from 'fast-check';
import { expect } from 'vitest';
import { isCodedError } from '../../base/index.ts';
import { compareKeys } from '../key.ts';
import type { Key } from '../key.ts';
import { atomicLaw, codeOf, errorOf, law, put } from './store-law.contract.ts';
import type { StoreLaw } from './store-law.contract.ts';
import type { Check, Delete, Put, Store, Write } from '../store.ts';

const compareLaws: readonly StoreLaw[] = [
  law('a write with the wrong revision is refused and says what is there', async (store) => {
    await store.commit([put(['k'], 'first')]);
    const error = await errorOf(store.commit([put(['k'], 'second', 7)]));
    expect(error.code).toBe('state/conflict');
    expect(error.fields).toMatchObject({ key: ['k'], expected: 7, actual: 1, index: 0 });
    expect((await store.get(['k']))?.value).toBe('first');
  }),
  law('revision 0 means that the key must not exist, never or no more', async (store) => {
    await store.commit([put(['k'], 1, 0)]);
    expect(await codeOf(store.commit([put(['k'], 2, 0)]))).toBe('state/conflict');
    await store.commit([{ type: 'delete', key: ['k'], expectedRevision: 1 }]);
    expect(await codeOf(store.commit([put(['k'], 3, 2)]))).toBe('state/conflict');
    expect((await store.commit([put(['k'], 3, 0)]))[0]?.revision).toBe(3);
  }),
  law('a delete compares too', async (store) => {
    await store.commit([put(['k'], 1)]);
    expect(await codeOf(store.commit([{ type: 'delete', key: ['k'], expectedRevision: 9 }]))).toBe(
      'state/conflict',
    );
    expect((await store.get(['k']))?.value).toBe(1);
  }),
  atomicLaw('one conflict among many writes applies none of them', async (store) => {
    await store.commit([put(['taken'], 1)]);
    const writes = [
      put(['a'], 1),
      put(['taken'], 2, 0),
      put(['b'], 1),
      { type: 'delete', key: ['taken'] } as const,
    ];
    const error = await errorOf(store.commit(writes));
    expect(error).toMatchObject({ code: 'state/conflict', fields: { index: 1 } });
    expect((await store.list([])).map(({ key, revision }) => [key, revision])).toEqual([[['taken'], 1]]);
    // nothing half-done is left behind either: the refused keys begin at 1
    expect((await store.commit([put(['a'], 1)]))[0]?.revision).toBe(1);
  }),
  atomicLaw('later writes of a commit see the earlier ones', async (store) => {
    const committed = await store.commit([
      put(['k'], 1, 0),
      put(['k'], 2, 1),
      { type: 'delete', key: ['k'], expectedRevision: 2 },
      put(['k'], 3, 0),
    ]);
    expect(committed.map(({ revision }) => revision)).toEqual([1, 2, 3, 4]);
    expect(await store.get(['k'])).toMatchObject({ value: 3, revision: 4 });
  }),
  atomicLaw('groups fail each for itself and see each other in order', async (store) => {
    await store.commit([put(['k'], 0)]);
    const outcomes = await store.commitEach([
      [put(['k'], 1, 1)],
      [put(['x'], 'torn'), put(['k'], 2, 1)],
      [put(['k'], 3, 2), put(['y'], 1)],
      [put(['x'], 'whole', 0)],
    ]);
    expect(outcomes.map(({ ok }) => ok)).toEqual([true, false, true, true]);
    expect((await store.list([])).map(({ key, value }) => [...key, value])).toEqual([
      ['k', 3],
      ['x', 'whole'],
      ['y', 1],
    ]);
  }),
];

const checkLaws: readonly StoreLaw[] = [
  atomicLaw('a check holds the whole commit to a revision, and writes nothing', async (store) => {
    await store.commit([put(['fence'], 1)]);
    const check = (expectedRevision: number): Write => ({ type: 'check', key: ['fence'], expectedRevision });
    const committed = await store.commit([check(1), put(['k'], 1)]);
    expect(committed).toMatchObject([
      { key: ['fence'], revision: 1 },
      { key: ['k'], revision: 1 },
    ]);
    const error = await errorOf(store.commit([put(['k'], 2), check(2)]));
    expect(error).toMatchObject({ code: 'state/conflict', fields: { expected: 2, actual: 1, index: 1 } });
    expect(await store.get(['k'])).toMatchObject({ value: 1, revision: 1 });
    expect(await store.get(['fence'])).toMatchObject({ value: 1, revision: 1 });
    // what others wrote since is seen, whatever this store remembers
    await store.commit([put(['fence'], 2)]);
    expect(await codeOf(store.commit([check(1), put(['k'], 2)]))).toBe('state/conflict');
  }),
  atomicLaw('a check may ask that nothing is there, and stand alone', async (store) => {
    const absent: Write = { type: 'check', key: ['k'], expectedRevision: 0 };
    expect(await store.commit([absent])).toMatchObject([{ revision: 0 }]);
    await store.commit([absent, put(['k'], 1)]);
    expect(await codeOf(store.commit([absent]))).toBe('state/conflict');
    await store.commit([{ type: 'delete', key: ['k'] }]);
    expect(await store.commit([absent])).toMatchObject([{ revision: 2 }]);
    expect((await store.commit([put(['k'], 1)]))[0]?.revision).toBe(3);
    const noRevision = { type: 'check', key: ['k'] } as unknown as Write;
    expect(await codeOf(store.commit([noRevision]))).toBe('state/write-invalid');
  }),
  atomicLaw('a check sees the earlier writes of its commit, and nobody is told of it', async (store) => {
    const told: string[] = [];
    if (store.capabilities.watch) store.watch(['k'], ({ revision }) => told.push(String(revision)));
    const check = (expectedRevision: number): Write => ({ type: 'check', key: ['k'], expectedRevision });
    await store.commit([check(0), put(['k'], 1), check(1), put(['k'], 2), check(2)]);
    await store.commit([check(2)]);
    expect(told).toEqual(store.capabilities.watch ? ['2'] : []);
    expect(await store.get(['k'])).toMatchObject({ value: 2, revision: 2 });
  }),
];

/** What clients do at once: each reads a counter and writes it back plus one, only if nobody was faster. */
async function incrementWithRetry(store: Store, key: Key): Promise<void> {
  for (;;) {
    const entry = await store.get<number>(key);
    const write = put(key, (entry?.value ?? 0) + 1, entry?.revision ?? 0);
    const code = await store.commit([write]).then(
      () => 'done',
      (error: unknown) => (isCodedError(error) ? error.code : String(error)),
    );
    if (code === 'done') return;
    expect(code).toBe('state/conflict');
  }
}

const raceLaws: readonly StoreLaw[] = [
  law('racing writers lose no update', async (store) => {
    await Promise.all(Array.from({ length: 8 }, () => incrementWithRetry(store, ['counter'])));
    expect(await store.get(['counter'])).toMatchObject({ value: 8, revision: 8 });
  }),
  law('concurrent commits are linearizable per key', async (store) => {
    const step = fc.record({
      keys: fc.uniqueArray(fc.integer({ min: 0, max: 2 }), { minLength: 1, maxLength: 3 }),
      type: fc.constantFrom('put' as const, 'put' as const, 'delete' as const),
      expected: fc.option(fc.integer({ min: 0, max: 3 }), { nil: undefined }),
      pause: fc.boolean(),
    });
    let round = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 10 }), async (steps) => {
        const root = `round-${round++}`;
        const pending = [];
        for (const [id, { keys, type, expected, pause }] of steps.entries()) {
          const writes = keys.slice(0, store.capabilities.atomicCommits ? 3 : 1).map(
            (key): Write =>
              ({
                type,
                key: [root, String(key)],
                ...(type === 'put' ? { value: id } : {}),
                ...(expected === undefined ? {} : { expectedRevision: expected }),
              }) as Write,
          );
          const commit = store.commit(writes).then(
            (committed) => ({ ok: true as const, writes, id, committed }),
            (error: unknown) => ({ ok: false as const, error }),
          );
          pending.push(commit);
          if (pause) await commit;
        }
        const outcomes = await Promise.all(pending);
        for (const outcome of outcomes)
          if (!outcome.ok) expect(outcome.error).toMatchObject({ code: 'state/conflict' });
        for (let key = 0; key <= 2; key++) await checkHistory(store, [root, String(key)], outcomes);
      }),
      { numRuns: 30 },
    );
  }),
];

interface Outcome {
  readonly ok: boolean;
  readonly id?: number;
  readonly writes?: readonly Write[];
  readonly committed?: readonly { readonly revision: number }[];
}

type Acknowledged = ReadonlyMap<number, { readonly write: Put | Delete | Check; readonly id: number }>;

/** The acknowledged changes of one key by revision; a delete of what was gone repeats a revision and changes nothing. */
function historyOf(key: Key, outcomes: readonly Outcome[]): Acknowledged {
  const history = new Map<number, { readonly write: Put | Delete | Check; readonly id: number }>();
  const acknowledged = outcomes.flatMap(({ writes = [], committed = [], id = -1 }) =>
    writes.map((write, index) => ({ write, id, revision: committed[index]?.revision ?? 0 })),
  );
  for (const { write, id, revision } of acknowledged) {
    if (write.type === 'append' || revision === 0 || compareKeys(write.key, key) !== 0) continue;
    const known = history.get(revision)?.write.type;
    // two puts cannot have made the same revision
    if (write.type === 'put') expect(known).not.toBe('put');
    if (write.type === 'put' || known === undefined) history.set(revision, { write, id });
  }
  return history;
}

/** Acknowledged changes must be one history: no gap, every comparison true, the last one stored. */
async function checkHistory(store: Store, key: Key, outcomes: readonly Outcome[]): Promise<void> {
  const history = historyOf(key, outcomes);
  let isLive = false;
  for (let revision = 1; revision <= history.size; revision++) {
    const write = history.get(revision)?.write;
    expect(write, `revision ${revision} of ${history.size}`).toBeDefined();
    const found = isLive ? revision - 1 : 0;
    isLive = write?.type === 'put';
    if (isLive) expect(write?.expectedRevision ?? found).toBe(found);
  }
  const stored = await store.get(key);
  if (isLive) expect(stored).toMatchObject({ revision: history.size, value: history.get(history.size)?.id });
  else expect(stored).toBeUndefined();
}

/** Laws of revisions. */
export const revisionLaws: readonly StoreLaw[] = [...compareLaws, ...checkLaws, ...raceLaws];
