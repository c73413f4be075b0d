/** Restores beside commits of other tabs, in any order of their requests: each commit is before a restore or after it. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CodedError, isCodedError } from '../../base/index.ts';
import { seededRandom, SimulatedClock } from '../../platform/index.ts';
import { createMemoryStore } from '../backend/memory.ts';
import { toValueBytes } from '../codec/to-value-bytes.ts';
import type { Key } from '../key.ts';
import type { Store, Write } from '../store.ts';
import { withJournal } from './journal.ts';
import type { JournaledStore } from './journal.ts';
import { entriesAfter, findEnd, readHead } from './journal-read.ts';
import type { JournalPoint } from './journal-read.ts';
import { claimKey } from './layout.ts';
import { claimPatienceMs } from './limits.ts';
import { stateAt } from './point-in-time.ts';
import { restoreTo } from './restore.ts';
import { takeSnapshot } from './snapshot.ts';

const put = (key: Key, value: unknown, expectedRevision?: number): Write => ({
  type: 'put',
  key,
  value,
  ...(expectedRevision === undefined ? {} : { expectedRevision }),
});

/** The same store, whose requests are carried out when they are let through. */
function scheduled(inner: Store, scheduler: fc.Scheduler): Store {
  return new Proxy(inner, {
    get(target, property) {
      const member: unknown = Reflect.get(target, property);
      if (typeof member !== 'function') return member;
      const bound = member.bind(target) as (...args: unknown[]) => Promise<unknown>;
      if (!['get', 'list', 'commit', 'commitEach'].includes(String(property))) return bound;
      const through = scheduler.scheduleFunction(async () => undefined);
      return async (...args: unknown[]) => {
        await through();
        const answer = await bound(...args);
        await through();
        return answer;
      };
    },
  });
}

/** The same store with another `list`. */
function withList(
  inner: Store,
  list: (list: Store['list'], ...args: Parameters<Store['list']>) => ReturnType<Store['list']>,
): Store {
  return new Proxy(inner, {
    get(target, property) {
      const member: unknown = Reflect.get(target, property);
      if (typeof member !== 'function') return member;
      if (property !== 'list') return member.bind(target) as unknown;
      return (...args: Parameters<Store['list']>) => list(target.list.bind(target), ...args);
    },
  });
}

/** The same store, one request of which fails: before it is carried out, or after. */
function failedAt(
  inner: Store,
  request: number,
  isCarriedOut: boolean,
): { readonly store: Store; readonly requests: () => number } {
  let count = 0;
  const outcome = isCarriedOut ? 'unknown' : 'not-applied';
  const store = new Proxy(inner, {
    get(target, property) {
      const member: unknown = Reflect.get(target, property);
      if (typeof member !== 'function') return member;
      const bound = member.bind(target) as (...args: unknown[]) => Promise<unknown>;
      if (!['get', 'list', 'commit', 'commitEach'].includes(String(property))) return bound;
      return async (...args: unknown[]) => {
        const isFailing = count++ === request;
        if (!isFailing) return bound(...args);
        if (isCarriedOut) await bound(...args);
        throw new CodedError('state/write-failed', 'the request failed', { fields: { outcome } });
      };
    },
  });
  return { store, requests: () => count };
}

/** How many keys the restore leaves as they are: with many, no commit takes a condition for each of them. */
const maxCommitWrites = 40;

interface World {
  readonly clock: SimulatedClock;
  readonly inner: Store;
  readonly tabs: readonly JournaledStore[];
  readonly scheduler: fc.Scheduler;
  /** Where the journal begins, and the last entry before anybody restores. */
  readonly begun: JournalPoint & { readonly filled: number };
}

async function createWorld(scheduler: fc.Scheduler, same: number): Promise<World> {
  const clock = new SimulatedClock();
  const inner = createMemoryStore({ clock, limits: { maxCommitWrites } });
  const options = { clock, random: seededRandom(1), isCompacting: false };
  const first = await withJournal(inner, options);
  await first.commit([put(['p', 'ruled'], 0), put(['q', 'beside'], 0)]);
  for (let index = 0; index < same; index++) await first.commit([put(['p', 'same', String(index)], 0)]);
  await takeSnapshot(first, 's', { prefixes: [['p']] });
  await first.commit([put(['p', 'ruled'], 1)]);
  const tabs: JournaledStore[] = [];
  const opening = [1, 2, 3].map(() => scheduled(inner, scheduler));
  for (const tab of opening) tabs.push(await opened(tab, options, scheduler));
  const { head } = (await readHead(inner, 'main')) ?? {};
  const position = head?.position ?? 0;
  const begun = { position, atMs: 0, filled: await findEnd(inner, 'main', position) };
  return { clock, inner, tabs, scheduler, begun };
}

function opened(
  store: Store,
  options: Parameters<typeof withJournal>[1],
  scheduler: fc.Scheduler,
): Promise<JournaledStore> {
  return scheduler.waitFor(withJournal(store, options));
}

type Step =
  | { readonly do: 'rely' | 'change'; readonly tab: number; readonly name: number }
  | { readonly do: 'raise' | 'beside' | 'restore'; readonly tab: number };

const tab = fc.integer({ min: 0, max: 2 });
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    do: fc.constantFrom('rely' as const, 'change' as const),
    tab,
    name: fc.integer({ min: 0, max: 3 }),
  }),
  fc.record({ do: fc.constantFrom('raise' as const, 'beside' as const, 'restore' as const), tab }),
);

/** What a writer does, on the condition that the key which restores undo is as it found it. */
async function write(store: JournaledStore, each: Step): Promise<void> {
  const ruled = await store.get<number>(['p', 'ruled']);
  const expectedRevision = ruled?.revision ?? 0;
  const next = Number(ruled?.value) + 1;
  const check: Write = { type: 'check', key: ['p', 'ruled'], expectedRevision };
  const writes: Record<Exclude<Step['do'], 'restore'>, Write[]> = {
    rely: [check, put(['p', 'new', String('name' in each ? each.name : 0)], next)],
    change: [check, put(['p', 'same', String('name' in each ? each.name : 0)], next)],
    raise: [put(['p', 'ruled'], next, expectedRevision)],
    beside: [put(['q', 'beside'], next)],
  };
  if (each.do !== 'restore') await store.commit(writes[each.do]);
}

async function run(world: World, each: Step): Promise<string> {
  const store = world.tabs[each.tab] as JournaledStore;
  const work = each.do === 'restore' ? restoreTo(store, 's', { prefix: ['p'] }) : write(store, each);
  return work.then(
    () => 'done',
    (error: unknown) => {
      if (isCodedError(error, 'state/conflict')) return 'refused';
      throw error;
    },
  );
}

/** Goes through what was committed, in order: where a restore was, everything must be as in the snapshot, which has only zeros. */
async function checkOrder({ inner, begun }: World): Promise<number> {
  const names = (await stateAt(inner, 's', ['p'])).entries.map(({ key }) => key.join('/'));
  const zero = toValueBytes(0).join();
  const state = new Map<string, string>();
  let restores = 0;
  for await (const { number, writes } of entriesAfter(inner, 'main', begun)) {
    const ours = writes.filter(({ key }) => key[0] === 'p');
    for (const { key, bytes } of ours) {
      if (bytes) state.set(key.join('/'), bytes.join());
      else state.delete(key.join('/'));
    }
    // nobody else deletes, or puts back what rules
    const isRestore = ours.some(({ key, bytes }) => !bytes || (key[1] === 'ruled' && bytes.join() === zero));
    if (!isRestore || number <= begun.filled) continue;
    restores++;
    expect([...state.keys()].toSorted(), `after entry ${number}`).toEqual(names);
    expect(new Set(state.values()), `after entry ${number}`).toEqual(new Set([zero]));
  }
  return restores;
}

describe('a restore beside commits of other tabs', () => {
  test.each([4, 60])(
    'has each before it or after it, with %i keys that stay as they are',
    { timeout: 120_000 },
    async (same) => {
      let restores = 0;
      await fc.assert(
        fc.asyncProperty(
          fc.scheduler(),
          fc.array(step, { minLength: 3, maxLength: 14 }),
          async (scheduler, steps) => {
            const world = await createWorld(scheduler, same);
            const outcomes = await scheduler.waitFor(
              Promise.all([{ do: 'restore', tab: 0 } as const, ...steps].map((each) => run(world, each))),
            );
            // a restore is never refused, whatever the others do
            const isRestored = [{ do: 'restore' }, ...steps].every(
              (each, index) => each.do !== 'restore' || outcomes[index] === 'done',
            );
            expect(isRestored).toBe(true);
            restores += await checkOrder(world);
          },
        ),
        { numRuns: same > 20 ? 40 : 200 },
      );
      expect(restores).toBeGreaterThan(10);
    },
  );
});

describe('a claim', () => {
  const opened2 = async (): Promise<{
    clock: SimulatedClock;
    inner: Store;
    tabs: readonly [JournaledStore, JournaledStore];
  }> => {
    const clock = new SimulatedClock();
    const inner = createMemoryStore({ clock });
    const options = { clock, isCompacting: false };
    return { clock, inner, tabs: [await withJournal(inner, options), await withJournal(inner, options)] };
  };
  const isSettled = async (work: Promise<unknown>): Promise<boolean> => {
    const settled = work.then(
      () => true,
      () => true,
    );
    return Promise.race([settled, new Promise<boolean>((resolve) => setTimeout(() => resolve(false), 10))]);
  };

  test('of a tab that died keeps writers of its prefix for their patience, and nobody else', async () => {
    const { clock, inner, tabs } = await opened2();
    const [store] = tabs;
    await inner.commit([put(claimKey('main'), { prefix: ['p'] })]);
    await store.commit([put(['q'], 1)]);
    const waiting = store.commit([put(['p', 'a'], 1)]);
    const behind = store.commit([put(['p', 'a'], 2)]);
    const controller = new AbortController();
    const given = store.commit([put(['p', 'b'], 1)], { signal: controller.signal });
    controller.abort();
    await expect(given).rejects.toMatchObject({ code: 'port/cancelled' });
    expect(await isSettled(waiting)).toBe(false);
    await clock.advance(claimPatienceMs - 100);
    expect(await isSettled(waiting)).toBe(false);
    await clock.advance(200);
    expect((await waiting)[0]?.revision).toBe(1);
    expect((await behind)[0]?.revision).toBe(2);
    expect((await store.get(['p', 'a']))?.value).toBe(2);
    expect(await store.get(['p', 'b'])).toBeUndefined();
  });

  test('of a restore that reads for long is renewed, and not taken away', async () => {
    const { clock, inner, tabs } = await opened2();
    const [store, other] = tabs;
    await store.commit(Array.from({ length: 6 }, (_, index) => put(['p', String(index)], 1)));
    await takeSnapshot(store, 's', { prefixes: [['p']] });
    await store.commit([put(['p', '3'], 2)]);
    let pages = 0;
    const slow = await withJournal(
      withList(inner, async (list, prefix, options) => {
        if (prefix[0] !== 'p') return list(prefix, options);
        pages++;
        await clock.advance(claimPatienceMs * 0.4);
        return list(prefix, { ...options, maxBytes: 1 });
      }),
      { clock, isCompacting: false },
    );
    const restoring = restoreTo(slow, 's', { prefix: ['p'] });
    await expect.poll(() => pages).toBeGreaterThan(0);
    const writing = other.commit([put(['p', 'new'], 3)]);
    expect(await restoring).toMatchObject({ puts: 1, deletes: 0 });
    await writing;
    // it read once, for longer than anybody is patient
    expect(pages).toBe(7);
    expect((await store.list(['p'])).map(({ value }) => value)).toEqual([1, 1, 1, 1, 1, 1, 3]);
  });

  test('that was taken away lets its restore begin again', async () => {
    const { clock, inner, tabs } = await opened2();
    const [store, other] = tabs;
    await store.commit([put(['p', 'a'], 1)]);
    await takeSnapshot(store, 's', { prefixes: [['p']] });
    await store.commit([put(['p', 'a'], 2), put(['p', 'b'], 2)]);
    // a frozen tab: its claim stands, its restore goes on long after
    let goOn!: () => void;
    const frozen = new Promise<void>((resolve) => (goOn = resolve));
    let lists = 0;
    const slow = await withJournal(
      withList(inner, async (list, prefix, options) => {
        const page = await list(prefix, options);
        if (prefix[0] === 'p' && lists++ === 0) await frozen;
        return page;
      }),
      { clock, isCompacting: false },
    );
    const restoring = restoreTo(slow, 's', { prefix: ['p'] });
    await expect.poll(() => lists).toBe(1);
    const writing = other.commit([put(['p', 'c'], 3)]);
    expect(await isSettled(writing)).toBe(false);
    await clock.advance(claimPatienceMs + 100);
    await writing;
    goOn();
    expect(await restoring).toMatchObject({ puts: 1, deletes: 2 });
    expect((await store.list(['p'])).map(({ value }) => value)).toEqual([1]);
    // and it is free: nobody waits
    await other.commit([put(['p', 'c'], 4)]);
    expect(lists).toBeGreaterThan(1);
  });

  test('is taken also by a restore of more than the journal keeps, which heeds what is beside it', async () => {
    const clock = new SimulatedClock();
    const inner = createMemoryStore({ clock });
    const options = { clock, isCompacting: false, prefixes: [['p']] };
    let whileReading: (() => void) | undefined;
    const slow = withList(inner, async (list, prefix, asked) => {
      const page = await list(prefix, asked);
      if (prefix.length === 0) {
        whileReading?.();
        whileReading = undefined;
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      return page;
    });
    const [store, other] = [await withJournal(slow, options), await withJournal(inner, options)];
    await store.commit([put(['p', 'ruled'], 1), put(['p', 'same'], 1), put(['q', 'beside'], 1)]);
    await takeSnapshot(store, 's', { prefixes: [[]] });
    await store.commit([put(['p', 'ruled'], 2)]);
    let relying: Promise<unknown> = Promise.resolve();
    whileReading = () => {
      relying = other
        .commit([{ type: 'check', key: ['p', 'ruled'], expectedRevision: 2 }, put(['p', 'new'], 2)])
        .catch((error: unknown) => error);
    };
    expect(await restoreTo(store, 's')).toMatchObject({ puts: 1, deletes: 0 });
    expect(await relying).toMatchObject({ code: 'state/conflict' });
    // what the journal does not keep is no part of the claim: who writes it meanwhile is noticed
    await store.commit([put(['p', 'ruled'], 3)]);
    whileReading = () => {
      relying = other.commit([
        { type: 'check', key: ['p', 'ruled'], expectedRevision: 4 },
        put(['q', 'beside'], 3),
      ]);
    };
    expect(await restoreTo(store, 's')).toMatchObject({ puts: 2, deletes: 0 });
    await relying;
    expect((await store.list([])).map(({ value }) => value)).toEqual([1, 1, 1]);
    await inner.commit([put(['q', 'beside'], 4)]);
    expect(await restoreTo(store, 's')).toMatchObject({ puts: 1, deletes: 0 });
    await other.commit([put(['p', 'free'], 1)]);
  });

  test('of a restore that is refused is given back; garbage in its place is none', async () => {
    const { inner, tabs } = await opened2();
    const [store, other] = tabs;
    await store.commit([put(['p', 'a'], 1)]);
    await takeSnapshot(store, 's', { prefixes: [['p']] });
    await store.commit([put(['p', 'a'], 2)]);
    const controller = new AbortController();
    controller.abort();
    await expect(restoreTo(store, 's', { prefix: ['p'], signal: controller.signal })).rejects.toMatchObject({
      code: 'port/cancelled',
    });
    await other.commit([put(['p', 'a'], 3)]);
    for (const garbage of [null, 7, { prefix: 'p' }, { prefix: [1] }, ['p'], { patienceMs: 10n ** 9n }]) {
      await inner.commit([put(claimKey('main'), garbage)]);
      await store.commit([put(['p', 'a'], 4)]);
    }
    expect((await store.get(['p', 'a']))?.value).toBe(4);
  });

  test('lets many restores and writers of one realm through', async () => {
    const { tabs } = await opened2();
    const [store, other] = tabs;
    await store.commit([put(['p', 'a'], 0)]);
    await takeSnapshot(store, 's', { prefixes: [['p']] });
    const work = Array.from({ length: 200 }, (_, index) => {
      const from = index % 3 === 0 ? other : store;
      return index % 20 === 7
        ? restoreTo(from, 's', { prefix: ['p'] })
        : from.commit([put(['p', index % 2 === 0 ? 'a' : `n${index}`], index)]);
    });
    await Promise.all(work);
    await restoreTo(other, 's', { prefix: ['p'] });
    expect((await store.list(['p'])).map(({ value }) => value)).toEqual([0]);
  });

  test('keeps the order of the calls of a store that it refused', async () => {
    const { inner, tabs } = await opened2();
    const [store] = tabs;
    // the claim has moved, and the store does not know yet
    await inner.commit([put(claimKey('main'), { prefix: null })]);
    const calls = Array.from({ length: 20 }, (_, index) => store.commit([put(['p'], index)]));
    await Promise.resolve();
    calls.push(store.commit([put(['p'], 'last')]));
    const revisions = (await Promise.all(calls)).map(([committed]) => committed?.revision);
    expect(revisions).toEqual(calls.map((_, index) => index + 1));
    expect((await store.get(['p']))?.value).toBe('last');
  });

  test('of a restore that fails at any request is given back, and the state is the old one or the restored one', async () => {
    let [faults, waits] = [0, 0];
    for (const isCarriedOut of [false, true]) {
      for (let request = 0; request < 100; request++) {
        const { clock, inner, tabs } = await opened2();
        const [store, other] = tabs;
        await store.commit([put(['p', 'a'], 1), put(['p', 'b'], 1)]);
        await takeSnapshot(store, 's', { prefixes: [['p']] });
        await store.commit([put(['p', 'a'], 2), put(['p', 'c'], 2)]);
        const failing = failedAt(inner, request, isCarriedOut);
        const restoring = withJournal(failing.store, { clock, isCompacting: false }).then((journaled) =>
          restoreTo(journaled, 's', { prefix: ['p'] }),
        );
        await expect(restoring.catch((error: unknown) => isCodedError(error))).resolves.toBeTruthy();
        if (failing.requests() <= request) break;
        faults++;
        const names = (await inner.list(['p'])).map(({ key, value }) => `${key[1]}${String(value)}`).join();
        expect(names).toBeOneOf(['a2,b1,c2', 'a1,b1']);
        // who writes now waits for nobody, unless it was the giving back that failed
        const writing = other.commit([put(['p', 'a'], 3)]);
        if (!(await isSettled(writing))) {
          waits++;
          await clock.advance(claimPatienceMs + 100);
        }
        expect((await writing).length).toBe(1);
      }
    }
    expect(faults).toBeGreaterThan(20);
    expect(waits).toBeLessThanOrEqual(2);
  });
});
