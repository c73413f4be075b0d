/** Commits that were refused because a restore's claim had moved, or that wait for one: sent again as if nothing had been. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SimulatedClock } from '../../platform/index.ts';
import { createMemoryStore } from '../backend/memory.ts';
import { createGroupCommitter } from '../group-commit.ts';
import type { Key } from '../key.ts';
import type { Put, Store } from '../store.ts';
import { withJournal } from './journal.ts';
import type { JournaledStore } from './journal.ts';
import { claimKey } from './layout.ts';
import { claimPatienceMs, claimPollMs, maxClaimPatienceMs } from './limits.ts';
import { stateAt } from './point-in-time.ts';
import { restoreTo } from './restore.ts';
import { takeSnapshot } from './snapshot.ts';

const put = (key: Key, value: unknown, expectedRevision?: number): Put => ({
  type: 'put',
  key,
  value,
  ...(expectedRevision === undefined ? {} : { expectedRevision }),
});

interface Scene {
  readonly clock: SimulatedClock;
  readonly inner: Store;
  readonly store: JournaledStore;
  /** Another tab's claim, of which the store does not know yet. */
  readonly claim: (prefix: Key | null) => Promise<unknown>;
}

async function opened(): Promise<Scene> {
  const clock = new SimulatedClock(1000);
  const inner = createMemoryStore({ clock });
  const store = await withJournal(inner, { clock, isCompacting: false });
  const claim = (prefix: Key | null): Promise<unknown> => inner.commit([put(claimKey('main'), { prefix })]);
  return { clock, inner, store, claim };
}

const codeOf = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'done',
    (error: unknown) => String((error as { readonly code?: string }).code),
  );

/** Lets all that can go on go on; time stands still. */
const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 10));

/** The same store, whose requests are carried out in their order, each when it is let through, and answered in any order. */
function scheduled(inner: Store, scheduler: fc.Scheduler): Store {
  const through = scheduler.scheduleFunction(async () => undefined);
  let last: Promise<unknown> = Promise.resolve();
  return new Proxy(inner, {
    get(target, property) {
      const member: unknown = Reflect.get(target, property);
      if (typeof member !== 'function') return member;
      const bound = member.bind(target) as (...args: unknown[]) => Promise<unknown>;
      if (!['get', 'list', 'commit', 'commitEach'].includes(String(property))) return bound;
      return async (...args: unknown[]) => {
        const answer = last.then(through).then(() => bound(...args));
        last = answer.catch(() => undefined);
        await answer;
        await through();
        return answer;
      };
    },
  });
}

describe('when the claim has moved', () => {
  test('at any moment, calls that rely on each other fare as if it had not', async () => {
    const prefix = fc.constantFrom<Key | null>(null, ['p'], ['q'], ['elsewhere']);
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.array(fc.constantFrom('p', 'q'), { minLength: 2, maxLength: 10 }),
        fc.array(prefix, { maxLength: 6 }),
        async (scheduler, segments, claims) => {
          const { inner, clock, claim } = await opened();
          const store = await scheduler.waitFor(
            withJournal(scheduled(inner, scheduler), { clock, isCompacting: false }),
          );
          const claiming = scheduler.scheduleSequence(
            [...claims, null].map((each) => ({
              builder: async () => void (await claim(each)),
              label: 'claim',
            })),
          ).task;
          // each relies on the one before, whatever it writes beside
          const codes = segments.map((segment, index) =>
            codeOf(store.commit([put(['n'], index, index), put([segment], index)])),
          );
          let isOver = false;
          const ended = Promise.all([...codes, claiming]).finally(() => (isOver = true));
          // a claim that moves before it is watched is found by looking again
          while (!isOver) {
            await scheduler.waitIdle();
            await clock.advance(claimPollMs);
          }
          expect((await ended).slice(0, -1)).toEqual(segments.map(() => 'done'));
          expect((await inner.get(['n']))?.value).toBe(segments.length - 1);
        },
      ),
      { numRuns: 300 },
    );
  });

  test.each([null, ['k'], ['elsewhere']])('groups fare as if it had not, claimed %j', async (prefix) => {
    const { store, clock, claim } = await opened();
    await store.commit([put(['k'], 0)]);
    await claim(prefix);
    const committing = store.commitEach([
      [put(['k'], 1, 1)],
      [put(['x'], 'torn'), put(['k'], 2, 1)],
      [put(['k'], 3, 2), put(['y'], 1)],
      [put(['x'], 'whole', 0)],
    ]);
    await pause();
    await clock.advance(claimPatienceMs + 100);
    expect((await committing).map(({ ok }) => ok)).toEqual([true, false, true, true]);
    expect((await store.list([])).map(({ key, value }) => [...key, value])).toEqual([
      ['k', 3],
      ['x', 'whole'],
      ['y', 1],
    ]);
  });

  test.each([null, ['k']])(
    'calls that rely on those before them fare as if it had not, claimed %j',
    async (prefix) => {
      const { store, clock, claim } = await opened();
      await claim(prefix);
      const codes = Array.from({ length: 20 }, (_, index) =>
        codeOf(store.commit([put(['k'], index, index)])),
      );
      codes.push(codeOf(store.commit([put(['k'], 'late', 19)])));
      await pause();
      await clock.advance(claimPatienceMs + 100);
      expect(await Promise.all(codes)).toEqual([
        ...Array.from({ length: 20 }, () => 'done'),
        'state/conflict',
      ]);
      expect((await store.get(['k']))?.value).toBe(19);
    },
  );

  test('a conflict that has nothing to do with it stays one', async () => {
    const { store, claim } = await opened();
    await store.commit([put(['k'], 0)]);
    expect(await codeOf(store.commit([put(['k'], 1, 7)]))).toBe('state/conflict');
    await claim(null);
    expect(await codeOf(store.commit([put(['k'], 1, 7)]))).toBe('state/conflict');
    const outcomes = await store.commitEach([[put(['k'], 1, 7)], [put(['k'], 1, 8)]]);
    expect(outcomes.map(({ ok }) => ok)).toEqual([false, false]);
  });
});

describe('while a commit waits for a claim', () => {
  test('those behind it of the same store wait with it, other stores and keys without a journal do not', async () => {
    const { clock, inner, claim } = await opened();
    const options = { clock, isCompacting: false, name: 'two', prefixes: [['p'], ['q']] };
    const [store, other] = [await withJournal(inner, options), await withJournal(inner, options)];
    const claimTwo = (prefix: Key | null): Promise<unknown> =>
      inner.commit([put(claimKey('two'), { prefix })]);
    await claim(null);
    await claimTwo(['p']);
    const order: string[] = [];
    const asked = ['p', 'q', 'p', 'q'].map(async (segment, index) => {
      await store.commit([put([segment], index)]);
      order.push(`${segment}${index}`);
    });
    await pause();
    expect(order).toEqual([]);
    await other.commit([put(['q'], 'of another tab')]);
    await store.commit([put(['unjournaled'], 1)]);
    // it knows of the claim by now, and begins with nothing under way
    const late = store.commit([put(['q'], 'late')]).then(() => order.push('late'));
    await pause();
    expect(order).toEqual([]);
    await claimTwo(null);
    await Promise.all([...asked, late]);
    expect(order).toEqual(['p0', 'q1', 'p2', 'q3', 'late']);
    expect((await store.get(['q']))?.value).toBe('late');
  });

  test('a group committer waits whole, whatever is behind', async () => {
    const { inner, store, claim } = await opened();
    await claim(['p']);
    const committer = createGroupCommitter(store);
    const order: string[] = [];
    const first = committer.commit([put(['p'], 1)]).then(() => order.push('p'));
    await pause();
    const behind = committer.commit([put(['q'], 1)]).then(() => order.push('q'));
    await pause();
    expect(order).toEqual([]);
    expect(await inner.list(['q'])).toEqual([]);
    await claim(null);
    await Promise.all([first, behind]);
    expect(order).toEqual(['p', 'q']);
    await committer.close();
  });

  test('one that is given up is not begun, wherever it waits, and holds up nobody', async () => {
    const { store, claim } = await opened();
    await claim(['p']);
    const first = new AbortController();
    const second = new AbortController();
    const waiting = codeOf(store.commit([put(['p', 'a'], 1)], { signal: first.signal }));
    await pause();
    const behind = codeOf(store.commit([put(['q', 'b'], 1)], { signal: second.signal }));
    const last = store.commit([put(['q'], 1)]);
    await pause();
    second.abort();
    expect(await behind).toBe('port/cancelled');
    first.abort();
    expect(await waiting).toBe('port/cancelled');
    await last;
    await claim(null);
    await store.commit([put(['q'], 2)]);
    expect((await store.list([])).map(({ key }) => key.join('/'))).toEqual(['q']);
  });

  test.each([
    ['the claim is kept', 7000, 1],
    ['it is taken away from one that never comes', maxClaimPatienceMs, 2],
  ])('of a restore whose large values take long to write: %s', async (_, byMs, restores) => {
    const { clock, inner, store } = await opened();
    await store.commit([put(['p', 'big'], new Uint8Array(8 * 2 ** 20))]);
    await takeSnapshot(store, 's');
    await store.commit([put(['p', 'big'], 'small')]);
    // as a store does that puts large values into files first
    let goOn!: () => void;
    const written = new Promise<void>((resolve) => (goOn = resolve));
    let commits = 0;
    const commitEach: Store['commitEach'] = async (groups, options) => {
      if (groups.flat().some(({ type, key }) => type === 'put' && key[1] === 'big')) {
        commits++;
        await written;
      }
      return inner.commitEach(groups, options);
    };
    const slow = Object.assign(Object.create(inner) as Store, {
      name: inner.name,
      capabilities: inner.capabilities,
      get: inner.get.bind(inner),
      list: inner.list.bind(inner),
      commit: inner.commit.bind(inner),
      watch: inner.watch.bind(inner),
      commitEach,
    });
    const restoring = restoreTo(await withJournal(slow, { clock, isCompacting: false }), 's');
    await expect.poll(() => commits).toBe(1);
    const writing = store.commit([put(['p', 'new'], 1)]);
    await pause();
    await clock.advance(byMs + 100);
    await pause();
    await clock.advance(100);
    goOn();
    expect(await restoring).toMatchObject({ puts: 1 });
    await clock.advance(100);
    await writing;
    expect(commits).toBe(restores);
  });

  test('its time is the one at which it is written', async () => {
    const { store, clock, claim } = await opened();
    await store.commit([put(['p'], 'before')]);
    await claim(['p']);
    const waiting = store.commit([put(['p'], 'after')]);
    await pause();
    await clock.advance(1000);
    const toldMs = clock.now();
    expect((await stateAt(store, toldMs)).entries[0]?.value).toBe('before');
    await clock.advance(1000);
    await claim(null);
    await clock.advance(100);
    await waiting;
    expect((await stateAt(store, toldMs)).entries[0]?.value).toBe('before');
    expect(await stateAt(store, clock.now())).toMatchObject({ entries: [{ value: 'after' }] });
  });
});
