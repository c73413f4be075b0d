import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createSimulatedLocks, SimulatedClock } from '../platform/index.ts';
import type { Locks } from '../platform/index.ts';
import { createMemoryStore } from './backend/memory.ts';
import { createGroupCommitter } from './group-commit.ts';
import { acquireWriterLease } from './lease.ts';
import type { WriterLease, WriterLeaseOptions } from './lease.ts';
import { createRecords } from './record/records.ts';
import type { Store, Write } from './store.ts';

const put = (value: unknown): Write[] => [{ type: 'put', key: ['k'], value }];
const valueIn = async (store: Store): Promise<unknown> => (await store.get(['k']))?.value;
const refused = { code: 'state/fenced' };

/** A frozen tab: locks of its own are taken away, and nobody tells it. */
const deaf = (locks: Locks): Locks => ({
  async request(name, options) {
    const lock = await locks.request(name, options);
    return { release: () => lock.release(), ended: new Promise(() => undefined) };
  },
});

/** No notices either. */
const silent = (store: Store): Store =>
  new Proxy(store, {
    get(target, property) {
      if (property === 'watch') return () => () => undefined;
      const member: unknown = Reflect.get(target, property);
      return typeof member === 'function' ? (member.bind(target) as unknown) : member;
    },
  });

/** Commits that were sent are applied only when they are let through. */
function held(store: Store): { readonly store: Store; letThrough: () => void } {
  let letThrough = (): void => undefined;
  const gate = new Promise<void>((resolve) => (letThrough = resolve));
  const proxy = new Proxy(silent(store), {
    get(target, property) {
      const member: unknown = Reflect.get(target, property);
      if (property !== 'commitEach') return member;
      return (...args: Parameters<Store['commitEach']>) => gate.then(() => target.commitEach(...args));
    },
  });
  return { store: proxy, letThrough };
}

/** What the lease would be without its fence: commits lose their conditions. */
const unguarded = (store: Store): Store =>
  new Proxy(silent(store), {
    get(target, property) {
      const member: unknown = Reflect.get(target, property);
      if (property !== 'commitEach') return member;
      return async (groups: readonly (readonly Write[])[]) => {
        const outcomes = await target.commitEach(
          groups.map((writes) => writes.filter(({ type }) => type !== 'check')),
        );
        return outcomes.map((outcome) =>
          outcome.ok ? { ok: true, value: [...outcome.value, {}] } : outcome,
        );
      };
    },
  });

/** The law: a holder that slept while its lease was taken cannot overwrite what came after it. */
async function checkSleeper(sleeperStore: Store, store: Store): Promise<void> {
  const locks = createSimulatedLocks();
  const sleeper = await acquireWriterLease(sleeperStore, 'w', { locks: deaf(locks) });
  await sleeper.commit(put('before'));
  const thief = await acquireWriterLease(store, 'w', { locks, waitTimeoutMs: 1, whenBusy: 'steal' });
  await thief.commit(put('after'));
  expect(sleeper.signal.aborted).toBe(false);
  await expect(sleeper.commit(put('overwritten'))).rejects.toMatchObject(refused);
  expect(await valueIn(store)).toBe('after');
  expect(await sleeper.ended).toBe('fenced');
  await thief.commit(put('still mine'));
}

describe('a holder that was frozen and wakes', () => {
  test('cannot overwrite', async () => {
    const store = createMemoryStore();
    await checkSleeper(silent(store), store);
    expect(await valueIn(store)).toBe('still mine');
  });

  test('overwrites when the fence is left out: the lock alone does not hold', async () => {
    const store = createMemoryStore();
    await expect(checkSleeper(unguarded(store), store)).rejects.toThrow('promise resolved');
    expect(await valueIn(store)).toBe('overwritten');
  });

  test('cannot overwrite through records, a group committer or several groups either', async () => {
    const store = createMemoryStore();
    const locks = createSimulatedLocks();
    const sleeper = await acquireWriterLease(silent(store), 'w', { locks: deaf(locks) });
    const records = createRecords(sleeper.store);
    const { version } = await records.save('r', 'sleeper');
    const committer = createGroupCommitter(sleeper.store);
    await committer.commit(put('sleeper'));
    const thief = await acquireWriterLease(store, 'w', { locks, waitTimeoutMs: 1, whenBusy: 'steal' });
    await createRecords(thief.store).save('r', 'thief', { expectedVersion: version });
    const groups = sleeper.store.commitEach([put(1), [{ type: 'delete', key: ['k'] }], []]);
    expect(await groups).toMatchObject([1, 2, 3].map(() => ({ ok: false, error: refused })));
    await expect(committer.commit(put('late'))).rejects.toMatchObject(refused);
    await expect(records.save('r', 'late')).rejects.toMatchObject(refused);
    expect(await valueIn(store)).toBe('sleeper');
    expect(await createRecords(store).load('r')).toMatchObject({ state: 'thief' });
  });

  test('hears that it was fenced, whatever else of its commit failed', async () => {
    const store = createMemoryStore();
    const locks = createSimulatedLocks();
    const sleeper = await acquireWriterLease(silent(store), 'w', { locks: deaf(locks) });
    const insert: Write = { type: 'put', key: ['k'], value: 1, expectedRevision: 0 };
    await sleeper.commit([insert]);
    // while it is held a conflict is a conflict
    await expect(sleeper.commit([insert])).rejects.toMatchObject({ code: 'state/conflict' });
    await acquireWriterLease(store, 'w', { locks, waitTimeoutMs: 1, whenBusy: 'steal' });
    await expect(sleeper.commit([insert])).rejects.toMatchObject({
      ...refused,
      fields: { lease: 'w', token: 1, actual: 2 },
    });
  });
});

describe('a lease', () => {
  test('is held by one after the other; tokens rise', async () => {
    const store = createMemoryStore();
    const locks = createSimulatedLocks();
    const order: number[] = [];
    const run = async (): Promise<void> => {
      await using lease = await acquireWriterLease(store, 'w', { locks });
      const before = Number((await valueIn(store)) ?? 0);
      await lease.commit(put(before + 1));
      order.push(lease.token);
    };
    await Promise.all(Array.from({ length: 8 }, run));
    expect(order).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(await valueIn(store)).toBe(8);
    const other = await acquireWriterLease(store, 'another', { locks });
    expect(other.token).toBe(1);
  });

  test("gives what a store gives: outcomes in order, reads, and its own end instead of the store's", async () => {
    const store = createMemoryStore();
    const lease = await acquireWriterLease(store, 'w', { locks: createSimulatedLocks() });
    const committed = await lease.commit([
      ...put(1),
      { type: 'append', key: ['log'], value: 2, withOutcomes: true },
    ]);
    expect(committed.map(({ key }) => key[0])).toEqual(['k', 'log']);
    // the condition is not among what a journal keeps
    expect((await lease.store.list(['log']))[0]?.value).toMatchObject({ outcomes: [{ key: ['k'] }] });
    expect(await lease.store.get(['k'])).toEqual(await store.get(['k']));
    expect(await lease.commit([])).toEqual([]);
    await lease.store.close();
    expect(await lease.ended).toBe('released');
    await expect(lease.commit(put(2))).rejects.toMatchObject(refused);
    await store.commit(put(3));
  });

  test('that was given back writes no more, and what it sent is applied before the next holder comes', async () => {
    const store = createMemoryStore();
    const locks = createSimulatedLocks();
    const slow = held(store);
    const first = await acquireWriterLease(slow.store, 'w', { locks });
    const sent = first.commit(put('first'));
    const released = first.release();
    let hasSecond = false;
    const next = acquireWriterLease(store, 'w', { locks }).then((lease) => ((hasSecond = true), lease));
    for (let turn = 0; turn < 50; turn++) await Promise.resolve();
    expect(hasSecond).toBe(false);
    slow.letThrough();
    const [second] = await Promise.all([next, sent, released]);
    expect(await valueIn(store)).toBe('first');
    await expect(first.commit(put('late'))).rejects.toMatchObject(refused);
    await first.release();
    await second.commit(put('second'));
    expect(first.signal.reason).toMatchObject(refused);
  });

  test('that is stolen says so at once, and so does one that another realm fenced', async () => {
    const store = createMemoryStore();
    const locks = createSimulatedLocks();
    const first = await acquireWriterLease(store, 'w', { locks });
    const steal: WriterLeaseOptions = { locks, waitTimeoutMs: 1, whenBusy: 'steal' };
    const second = await acquireWriterLease(store, 'w', steal);
    expect(await first.ended).toBe('stolen');
    await expect(first.commit(put(1))).rejects.toMatchObject(refused);
    const third = await acquireWriterLease(store, 'w', { locks: null });
    expect(await second.ended).toBe('fenced');
    expect(third.token).toBe(3);
    await third.commit(put(3));
  });

  test('without locks belongs to whoever came last', async () => {
    const store = createMemoryStore();
    const leases: WriterLease[] = [];
    for (let n = 0; n < 3; n++) leases.push(await acquireWriterLease(store, 'w', { locks: null }));
    const outcomes = await Promise.allSettled(leases.map((lease) => lease.commit(put(lease.token))));
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'fulfilled']);
    expect(await valueIn(store)).toBe(3);
  });

  test('is waited for as long as asked for, and its place is left then', async () => {
    const store = createMemoryStore();
    const locks = createSimulatedLocks();
    const clock = new SimulatedClock();
    const first = await acquireWriterLease(store, 'w', { locks });
    const codes: string[] = [];
    const attempt = (options: WriterLeaseOptions): Promise<unknown> =>
      acquireWriterLease(store, 'w', { locks, clock, ...options }).catch((error: { code: string }) =>
        codes.push(error.code),
      );
    const waiting = attempt({});
    await clock.advance(29_999);
    expect(codes).toEqual([]);
    await clock.advance(1);
    await waiting;
    const controller = new AbortController();
    const cancelled = attempt({ signal: controller.signal });
    await clock.advance(1);
    controller.abort();
    await cancelled;
    await attempt({ signal: controller.signal, whenBusy: 'steal' });
    expect(codes).toEqual(['state/lease-busy', 'port/cancelled', 'port/cancelled']);
    expect(first.signal.aborted).toBe(false);
    await first.release();
    expect((await acquireWriterLease(store, 'w', { locks })).token).toBe(2);
  });

  test('that comes in the moment when its wait is given up is given back', async () => {
    const store = createMemoryStore();
    const clock = new SimulatedClock();
    const granted: { free: () => void; isFree: boolean }[] = [];
    const late: Locks = {
      request: () =>
        new Promise((resolve) => {
          const lock = { free: () => undefined as void, isFree: false };
          lock.free = () =>
            resolve({ release: () => (lock.isFree = true), ended: new Promise(() => undefined) });
          granted.push(lock);
        }),
    };
    const waiting = acquireWriterLease(store, 'w', { locks: late, clock, waitTimeoutMs: 10 });
    const outcome = waiting.catch((error: { code: string }) => error.code);
    await expect.poll(() => granted).toHaveLength(1);
    await clock.advance(10);
    expect(await outcome).toBe('state/lease-busy');
    granted[0]?.free();
    await expect.poll(() => granted[0]?.isFree).toBe(true);
  });

  test('is not held when the fence cannot be raised, and nobody waits for it', async () => {
    const locks = createSimulatedLocks();
    const store = createMemoryStore();
    const closed = createMemoryStore();
    await closed.close();
    await expect(acquireWriterLease(closed, 'w', { locks })).rejects.toMatchObject({ code: 'state/closed' });
    await expect(acquireWriterLease(store, '', { locks })).rejects.toMatchObject({
      code: 'state/key-invalid',
    });
    expect((await acquireWriterLease(store, 'w', { locks })).token).toBe(1);
    const torn = Object.create(store, {
      capabilities: { value: { ...store.capabilities, atomicCommits: false } },
    }) as Store;
    await expect(acquireWriterLease(torn, 'x', { locks })).rejects.toMatchObject({
      code: 'state/write-invalid',
    });
  });

  test('whatever holders come, steal, sleep and wake: only the last token writes', async () => {
    const step = fc.record({ type: fc.constantFrom('acquire', 'commit', 'commit'), who: fc.nat(3) });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 24 }), async (steps) => {
        const store = createMemoryStore();
        const held = new Map<number, WriterLease>();
        const tokens: number[] = [];
        const commits: Promise<string>[] = [];
        const expected: string[] = [];
        for (const { type, who } of steps) {
          const lease = held.get(who);
          if (type === 'acquire') {
            const taken = await acquireWriterLease(silent(store), 'w', { locks: null });
            tokens.push(taken.token);
            held.set(who, taken);
          } else if (lease) {
            expected.push(lease.token === tokens.length ? 'written' : 'state/fenced');
            const written = lease.commit(put(lease.token)).then(() => 'written');
            commits.push(written.catch((error: { code: string }) => error.code));
          }
        }
        expect(tokens).toEqual(tokens.map((_, index) => index + 1));
        expect(await Promise.all(commits)).toEqual(expected);
      }),
      { numRuns: 200 },
    );
  });
});
