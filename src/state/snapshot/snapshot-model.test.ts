/* oxlint-disable vitest/no-conditional-expect -- what is expected depends on the steps that were drawn */
/** Random histories against a model: whatever writers, clocks, compactions and kills do, the past is what it was. */
import { isDeepStrictEqual } from 'node:util';

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CodedError, isCodedError } from '../../base/index.ts';
import { SimulatedClock, seededRandom } from '../../platform/index.ts';
import { createMemoryStore } from '../backend/memory.ts';
import type { Store, Write } from '../store.ts';
import { withJournal } from './journal.ts';
import type { JournaledStore } from './journal.ts';
import { stateAt } from './point-in-time.ts';
import { restoreTo } from './restore.ts';
import { deleteSnapshot, listSnapshots, takeSnapshot } from './snapshot.ts';

/** A clock that can be set back, as a wall clock can. */
class ShiftedClock extends SimulatedClock {
  offsetMs = 0;
  override now(): number {
    return super.now() + this.offsetMs;
  }
}

type Model = Readonly<Record<string, unknown>>;

const asModel = (entries: readonly { readonly key: readonly string[]; readonly value: unknown }[]): Model =>
  Object.fromEntries(entries.map(({ key, value }) => [key.join('/'), value]));

const stored = async (store: Store): Promise<Model> => asModel(await store.list([]));

const write = fc.oneof(
  fc.record({ type: fc.constant('put' as const), name: fc.integer({ min: 0, max: 4 }) }),
  fc.record({ type: fc.constant('delete' as const), name: fc.integer({ min: 0, max: 4 }) }),
  fc.record({ type: fc.constant('append' as const), name: fc.integer({ min: 0, max: 1 }) }),
);

/** Before which request another tab compacts. */
const overtaken = fc.option(fc.integer({ min: 0, max: 14 }), { nil: Infinity });

const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('commit' as const),
      writer: fc.integer({ min: 0, max: 2 }),
      writes: fc.array(write, { minLength: 1, maxLength: 3 }),
      isRefused: fc.boolean(),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 20 }) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('clock-back' as const), ms: fc.integer({ min: 1, max: 30 }) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('compact' as const), writer: fc.integer({ min: 0, max: 2 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('snapshot' as const),
      writer: fc.integer({ min: 0, max: 2 }),
      overtaken,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom('restore' as const, 'read' as const),
      writer: fc.integer({ min: 0, max: 2 }),
      back: fc.integer({ min: 0, max: 20 }),
      overtaken,
    }),
  },
);

const toWrite = (
  each: { readonly type: 'put' | 'delete' | 'append'; readonly name: number },
  value: number,
): Write =>
  each.type === 'put'
    ? { type: 'put', key: ['k', String(each.name)], value }
    : each.type === 'delete'
      ? { type: 'delete', key: ['k', String(each.name)] }
      : { type: 'append', key: ['log', String(each.name)], value };

/** What was stored after each commit, with the time that the journal gives it. */
class History {
  readonly states: { atMs: number; state: Model }[] = [];
  #latestMs = 0;

  add(atMs: number, state: Model): void {
    this.#latestMs = Math.max(this.#latestMs, atMs);
    this.states.push({ atMs: this.#latestMs, state });
  }

  at(atMs: number): Model | undefined {
    return this.states.findLast((each) => each.atMs <= atMs)?.state;
  }
}

interface World {
  readonly clock: ShiftedClock;
  readonly inner: Store;
  readonly tabs: readonly OvertakenStore[];
  readonly writers: readonly JournaledStore[];
  readonly history: History;
  readonly names: string[];
}

async function createWorld(): Promise<World> {
  const clock = new ShiftedClock();
  const inner = createMemoryStore({ clock });
  const options = {
    clock,
    random: seededRandom(1),
    maxEntries: 6,
    retentionMs: 25,
    isCompacting: false,
    snapshotLimits: { partBytes: 64 },
  };
  const tabs = Array.from({ length: 3 }, () => new OvertakenStore(inner));
  const writers: JournaledStore[] = [];
  for (const tab of tabs) writers.push(await withJournal(tab.store, options));
  const history = new History();
  history.add(clock.now(), {});
  return { clock, inner, tabs, writers, history, names: [] };
}

interface GoingBack {
  readonly do: 'restore' | 'read';
  readonly writer: number;
  readonly back: number;
  readonly overtaken: number;
}

async function whileOvertaken<T>(
  { tabs, writers }: World,
  { writer, overtaken: request }: Pick<GoingBack, 'writer' | 'overtaken'>,
  work: () => Promise<T>,
): Promise<T> {
  tabs[writer]?.overtake(request, () => (writers[(writer + 1) % 3] as JournaledStore).compactJournal());
  return work().finally(() => tabs[writer]?.overtake(Infinity));
}

async function goBack(world: World, each: GoingBack): Promise<void> {
  const { clock, writers, history } = world;
  const store = writers[each.writer] as JournaledStore;
  const { earliestMs } = await store.journalState();
  const atMs = Math.max(earliestMs, clock.now() - each.back);
  const [wanted, before] = [history.at(atMs), await stored(store)];
  const going = whileOvertaken(world, each, async () =>
    each.do === 'restore' ? restoreTo(store, atMs) : asModel((await stateAt(store, atMs)).entries),
  );
  const found = await going.catch((error: unknown) => {
    if (!isCodedError(error, 'state/not-retained')) throw error;
  });
  const after = await stored(store);
  if (!found) {
    expect((await store.journalState()).earliestMs).toBeGreaterThan(atMs);
    expect(after).toEqual(before);
  } else if (each.do === 'read') expect(found).toEqual(wanted);
  else expect(after).toEqual(wanted);
  // a restore of what is there writes nothing, so the journal has no time of it
  if (!isDeepStrictEqual(before, after)) history.add(clock.now(), after);
}

async function take(
  world: World,
  each: Exclude<typeof step extends fc.Arbitrary<infer S> ? S : never, undefined>,
  value: number,
): Promise<void> {
  const { clock, writers, history, names } = world;
  if (each.do === 'pass') return clock.advance(each.ms);
  if (each.do === 'clock-back') {
    clock.offsetMs -= each.ms;
    return undefined;
  }
  const store = writers[each.writer] as JournaledStore;
  if (each.do === 'commit') {
    const guard: Write[] = each.isRefused ? [{ type: 'check', key: ['never'], expectedRevision: 3 }] : [];
    const writes = each.writes.map((some) => toWrite(some, value));
    await store
      .commit([...writes, ...guard])
      .catch((error: unknown) => expect(isCodedError(error, 'state/conflict')).toBe(true));
    if (!each.isRefused) history.add(clock.now(), await stored(store));
  } else if (each.do === 'compact') await store.compactJournal();
  else if (each.do === 'snapshot') {
    names.push(`s${value}`);
    await whileOvertaken(world, each, () => takeSnapshot(store, `s${value}`));
    expect(asModel((await stateAt(store, `s${value}`)).entries)).toEqual(await stored(store));
  } else await goBack(world, each);
  return undefined;
}

async function checkAllTimes({ clock, writers, history }: World): Promise<void> {
  const store = writers[0] as JournaledStore;
  const { earliestMs } = await store.journalState();
  const last = Math.max(clock.now(), history.states.at(-1)?.atMs ?? 0) + 2;
  for (let atMs = earliestMs; atMs <= last; atMs++) {
    expect(asModel((await stateAt(store, atMs)).entries), `at ${atMs}`).toEqual(history.at(atMs));
  }
  await expect(stateAt(store, earliestMs - 1)).rejects.toMatchObject({ code: 'state/not-retained' });
}

describe('the past', () => {
  test(
    'is at every time what it was, for several writers, with compactions, snapshots and restores, and a clock that goes back',
    { timeout: 120_000 },
    async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 40 }), async (steps) => {
          const world = await createWorld();
          for (const [index, each] of steps.entries()) await take(world, each, index);
          await checkAllTimes(world);
          for (const name of world.names) await deleteSnapshot(world.inner, name);
          await checkAllTimes(world);
        }),
        { numRuns: 150 },
      );
    },
  );
});

/** The same store, with something around each request. */
function aroundRequests(inner: Store, around: <T>(work: () => Promise<T>) => Promise<T>): Store {
  return new Proxy(inner, {
    get(target, property) {
      const member: unknown = Reflect.get(target, property);
      if (typeof member !== 'function') return member;
      if (!['get', 'list', 'commit', 'commitEach'].includes(String(property)))
        return member.bind(target) as unknown;
      return (...args: unknown[]) =>
        around(() => (member as (...all: unknown[]) => Promise<unknown>).apply(target, args));
    },
  });
}

interface Requests {
  readonly store: Store;
  readonly requests: () => number;
}

/** A store that is killed at a request: before it is carried out, or after, but before the answer. */
function killedAt(inner: Store, request: number, isCarriedOut: boolean): Requests {
  let count = 0;
  const dead = (): never => {
    throw new CodedError('state/closed', 'killed');
  };
  const store = aroundRequests(inner, async (work) => {
    const index = count++;
    if (index > request) dead();
    if (index < request) return work();
    if (isCarriedOut) await work();
    return dead();
  });
  return { store, requests: () => count };
}

interface Prepared {
  readonly inner: Store;
  readonly clock: SimulatedClock;
  readonly good: number;
}

async function prepare(): Promise<Prepared> {
  const clock = new SimulatedClock();
  const inner = createMemoryStore({ clock });
  const store = await withJournal(inner, { clock, isCompacting: false });
  for (let index = 0; index < 6; index++) {
    await clock.advance(10);
    await store.commit([{ type: 'put', key: ['k', String(index % 3)], value: 'x'.repeat(100) + index }]);
  }
  await takeSnapshot(store, 'kept', { limits: { partBytes: 64 } });
  return { inner, clock, good: clock.now() };
}

/** Kills `work` at every request, both ways, and looks at what is left each time. */
async function killEverywhere(
  work: (store: JournaledStore, prepared: Prepared) => Promise<unknown>,
  check: (store: JournaledStore, prepared: Prepared) => Promise<void>,
  options: Parameters<typeof withJournal>[1] = {},
): Promise<number> {
  let kills = 0;
  for (const isCarriedOut of [false, true]) {
    for (let request = 0; request < 300; request++) {
      const prepared = await prepare();
      const settings = {
        clock: prepared.clock,
        isCompacting: false,
        snapshotLimits: { partBytes: 64 },
        ...options,
      };
      const { store, requests } = killedAt(prepared.inner, request, isCarriedOut);
      await withJournal(store, settings)
        .then((journaled) => work(journaled, prepared))
        .catch((error: unknown) => expect(error).toMatchObject({ message: 'killed' }));
      if (requests() <= request) break;
      kills++;
      // another tab, long after
      await prepared.clock.advance(3_600_000);
      await check(await withJournal(prepared.inner, settings), prepared);
    }
  }
  return kills;
}

const ownKeys = async (inner: Store): Promise<readonly string[]> =>
  (await inner.list([], { limit: 10_000 }))
    .map(({ key }) => key.join('/'))
    .filter((key) => key.startsWith('\uffff'));

describe('killed at any request', () => {
  test(
    'a snapshot is there and whole, or not there, and leaves nothing behind that is not swept',
    { timeout: 60_000 },
    async () => {
      const kills = await killEverywhere(
        (store) => takeSnapshot(store, 'new'),
        async (store, { inner, good }) => {
          const names = (await listSnapshots(store)).map(({ name }) => name);
          for (const name of names)
            expect(asModel((await stateAt(store, name)).entries)).toEqual(
              asModel((await stateAt(store, good)).entries),
            );
          expect([['kept'], ['kept', 'new']]).toContainEqual(names);
          await takeSnapshot(store, 'next');
          for (const name of [...names, 'next']) await deleteSnapshot(store, name);
          expect((await ownKeys(inner)).filter((key) => key.includes('marker'))).toEqual([]);
          expect((await ownKeys(inner)).filter((key) => key.includes('/part/')).length).toBeLessThanOrEqual(
            8,
          );
        },
      );
      expect(kills).toBeGreaterThan(10);
    },
  );

  test('a compaction loses nothing, and the next one finishes it', { timeout: 60_000 }, async () => {
    const kills = await killEverywhere(
      (store) => store.compactJournal(),
      async (store, { inner, good }) => {
        const { earliestMs } = await store.journalState();
        for (let atMs = earliestMs; atMs <= good; atMs += 10) {
          const index = atMs / 10 - 1;
          expect(
            Object.values(asModel((await stateAt(store, atMs)).entries))
              .map((value) => Number(String(value).slice(100)))
              .toSorted((a, b) => (a < b ? -1 : 1)),
          ).toEqual(
            [index - 2, index - 1, index].filter((each) => each >= 0).toSorted((a, b) => (a < b ? -1 : 1)),
          );
        }
        await store.compactJournal();
        const own = await ownKeys(inner);
        expect(own.filter((key) => key.includes('marker'))).toEqual([]);
        expect(own.filter((key) => key.includes('/entry/'))).toEqual([]);
        expect(Object.keys(asModel((await stateAt(store, good)).entries)).length).toBe(3);
      },
      { maxEntries: 4, retentionMs: 1000 },
    );
    expect(kills).toBeGreaterThan(10);
  });

  test('a restore is whole, or was not begun', { timeout: 60_000 }, async () => {
    const kills = await killEverywhere(
      (store, { good }) => restoreTo(store, good - 30),
      async (store, { good, clock }) => {
        const now = await stored(store);
        const states = [await stateAt(store, good - 30), await stateAt(store, good)].map(({ entries }) =>
          asModel(entries),
        );
        expect(states).toContainEqual(now);
        expect(asModel((await stateAt(store, clock.now())).entries)).toEqual(now);
      },
    );
    expect(kills).toBeGreaterThan(10);
  });

  test('a journal that was never begun, or begun, begins', { timeout: 60_000 }, async () => {
    for (let request = 0; request < 30; request++) {
      const clock = new SimulatedClock();
      const inner = createMemoryStore({ clock });
      await inner.commit([{ type: 'put', key: ['k'], value: 1 }]);
      const { store } = killedAt(inner, request, request % 2 === 1);
      await withJournal(store, { clock }).catch(() => undefined);
      const journaled = await withJournal(inner, { clock });
      expect(asModel((await stateAt(journaled, clock.now())).entries)).toEqual({ k: 1 });
    }
  });
});

/** A tab whose next requests can be overtaken: before the one of that number another tab does something. */
class OvertakenStore {
  readonly store: Store;
  requests = 0;
  #request = Infinity;
  #other: () => Promise<unknown> = () => Promise.resolve();

  constructor(inner: Store) {
    this.store = aroundRequests(inner, async (work) => {
      if (this.requests++ === this.#request) await this.#other();
      return work();
    });
  }

  overtake(request: number, other: () => Promise<unknown> = () => Promise.resolve()): void {
    this.requests = 0;
    this.#request = request;
    this.#other = other;
  }
}

interface Overtaken {
  readonly tab: OvertakenStore;
  readonly inner: Store;
  readonly store: JournaledStore;
  readonly clock: SimulatedClock;
}

/** Ten entries beyond retention, which another tab compacts before the request of that number, with what it wrote meanwhile. */
async function overtakenAt(request: number, written: number): Promise<Overtaken> {
  const clock = new SimulatedClock();
  const inner = createMemoryStore({ clock });
  const tab = new OvertakenStore(inner);
  const options = { clock, isCompacting: false, retentionMs: 1000, snapshotLimits: { partBytes: 64 } };
  const store = await withJournal(tab.store, options);
  const other = await withJournal(inner, options);
  for (let index = 0; index < 10; index++) {
    await clock.advance(1);
    await store.commit([{ type: 'put', key: ['k', String(index)], value: index }]);
  }
  await clock.advance(100_000);
  tab.overtake(request, async () => {
    for (let value = 0; value < written; value++) {
      await other.commit(['a', 'z'].map((key): Write => ({ type: 'put', key: [key], value })));
    }
    await clock.advance(100_000);
    await other.compactJournal();
  });
  return { tab, inner, store, clock };
}

async function overtakeEverywhere(work: (overtaken: Overtaken) => Promise<void>): Promise<void> {
  for (const written of [0, 3]) {
    for (let request = 0; ; request++) {
      const overtaken = await overtakenAt(request, written);
      await work(overtaken);
      if (overtaken.tab.requests > request) continue;
      expect(request).toBeGreaterThan(3);
      break;
    }
  }
}

const ten: Model = Object.fromEntries(Array.from({ length: 10 }, (_, index) => [`k/${index}`, index]));

describe('overtaken by the compaction of another tab at any request', () => {
  test('a state is what it was', async () => {
    await overtakeEverywhere(async ({ store, clock }) => {
      expect(asModel((await stateAt(store, clock.now(), ['k'])).entries)).toEqual(ten);
    });
  });

  test('a restore of the present changes nothing', async () => {
    await overtakeEverywhere(async ({ store, inner, clock }) => {
      const restored = await restoreTo(store, clock.now(), { prefix: ['k'] });
      expect(restored).toMatchObject({ puts: 0, deletes: 0 });
      expect(asModel(await inner.list(['k']))).toEqual(ten);
    });
  });

  test('a restore of the past is whole, or was not begun because the past is gone', async () => {
    const outcomes = new Set<string>();
    await overtakeEverywhere(async ({ store, inner, clock }) => {
      const past = clock.now();
      await store.commit([{ type: 'put', key: ['k', '3'], value: 'new' }]);
      await clock.advance(1);
      await store.commit([{ type: 'delete', key: ['k', '4'] }]);
      const now = asModel(await inner.list(['k']));
      const code = await restoreTo(store, past - 1, { prefix: ['k'] }).then(
        () => 'restored',
        (error: unknown) => (isCodedError(error, 'state/not-retained') ? 'not retained' : String(error)),
      );
      outcomes.add(code);
      expect(asModel(await inner.list(['k']))).toEqual(code === 'restored' ? ten : now);
    });
    expect([...outcomes].toSorted()).toEqual(['not retained', 'restored']);
  });

  test('a snapshot has everything, at one moment', async () => {
    await overtakeEverywhere(async ({ store }) => {
      await takeSnapshot(store, 's');
      const { a, z, ...state } = asModel((await stateAt(store, 's')).entries);
      expect(a).toEqual(z);
      expect(state).toEqual(ten);
    });
  });

  test('another compaction, and the opening of a journal, find nothing damaged', async () => {
    await overtakeEverywhere(async ({ store, tab, clock }) => {
      await store.compactJournal();
      const opened = await withJournal(tab.store, { clock });
      expect(asModel((await stateAt(opened, clock.now(), ['k'])).entries)).toEqual(ten);
    });
  });
});
