import { describe, expect, it } from 'vitest';
import { SimulatedClock } from '../../platform/index.ts';
import type { StorageEstimate } from '../../platform/index.ts';
import { createHub, createMemorySink } from '../../telemetry/index.ts';
import type { MemorySink } from '../../telemetry/index.ts';
import { createMemoryStore } from '../backend/memory.ts';
import { codeOf, put } from '../contract/store-law.contract.ts';
import { describeStore } from '../contract/store.contract.ts';
import { createRecords } from '../record/records.ts';
import type { Store } from '../store.ts';
import { watchQuota } from './watch-quota.ts';
import type { QuotaOptions, QuotaWatch } from './watch-quota.ts';

describeStore('a store whose room is watched', () =>
  Promise.resolve(watchQuota(createMemoryStore({ quotaBytes: 2 ** 30 })).store),
);

interface Watched {
  readonly inner: Store;
  readonly watch: QuotaWatch;
  readonly store: Store;
  readonly sink: MemorySink;
  readonly clock: SimulatedClock;
}

/** A store of 10,000 bytes; what it says of its room is the truth unless a platform is given. */
async function watched(options: QuotaOptions = {}): Promise<Watched> {
  const clock = new SimulatedClock();
  const hub = createHub();
  const sink = createMemorySink(hub);
  const inner = createMemoryStore({ quotaBytes: 10_000, clock });
  const watch = watchQuota(inner, { clock, hub, intervalMs: 1000, ...options });
  await watch.check();
  return { inner, watch, store: watch.store, sink, clock };
}

const levelsOf = (sink: MemorySink): string[] => sink.ofType('store-quota').map(({ level }) => level);
const filler = (bytes: number): string => 'x'.repeat(bytes / 2);

describe('the level', () => {
  it('follows what the store says, with a wide edge, and is told once for each change', async () => {
    const { watch, store, sink, clock } = await watched();
    expect(watch.state).toMatchObject({ level: 'ample', quotaBytes: 10_000 });
    for (const bytes of [7000, 8200, 7800, 7400, 7800]) {
      await store.commit([put(['k'], filler(bytes))]);
      await clock.advance(1000);
      await watch.check();
    }
    expect(levelsOf(sink)).toEqual(['ample', 'low', 'ample']);
    expect(sink.ofType('store-quota')[1]).toMatchObject({
      store: 'memory',
      quotaBytes: 10_000,
      isPersisted: false,
    });
    expect(watch.state.usedFraction).toBeCloseTo(0.78, 1);
    watch.stop();
  });

  it('is looked at after commits, at most once in the interval, and not at all while nobody writes', async () => {
    let looks = 0;
    const estimate = (): Promise<StorageEstimate> => {
      looks++;
      return Promise.resolve({ usageBytes: 1, quotaBytes: 100, isPersisted: false });
    };
    const { store, clock } = await watched({ estimate });
    expect(looks).toBe(1);
    await clock.advance(60_000);
    expect(looks).toBe(1);
    for (let at = 0; at < 20; at++) await store.commit([put(['k'], at)]);
    expect(looks).toBe(2);
    // what frees room is no reason to look
    await clock.advance(60_000);
    await store.commit([{ type: 'delete', key: ['k'] }]);
    expect(looks).toBe(2);
  });

  it('of a platform that says nothing, or fails, is unknown, and no error', async () => {
    const silent = { usageBytes: undefined, quotaBytes: undefined, isPersisted: false };
    for (const estimate of [
      () => Promise.resolve(silent),
      () => Promise.reject(new Error('refused')),
      () => Promise.resolve({ ...silent, usageBytes: 5, quotaBytes: 0 }),
    ]) {
      const { watch } = await watched({ estimate });
      expect(watch.state).toMatchObject({ level: 'unknown', usedFraction: undefined });
    }
  });
});

describe('a write that does not fit', () => {
  it('is refused with state/quota-exceeded and told as full; reads and what fits go on; when one fits it is over', async () => {
    const { watch, store, sink } = await watched();
    await store.commit([put(['kept'], filler(9000))]);
    expect(await codeOf(store.commit([put(['k'], filler(4000))]))).toBe('state/quota-exceeded');
    expect(watch.state.level).toBe('full');
    await watch.check();
    expect(watch.state.level).toBe('full');
    expect((await store.get(['kept']))?.revision).toBe(1);
    expect(await store.list([])).toHaveLength(1);
    expect(await store.get(['k'])).toBeUndefined();
    await store.commit([put(['small'], 1)]);
    await watch.check();
    expect(watch.state.level).toBe('low');
    expect(levelsOf(sink)).toEqual(['ample', 'full', 'low']);
    watch.stop();
  });

  it('is over too when room comes back from elsewhere', async () => {
    let quotaBytes = 100;
    const { watch, store, clock } = await watched({
      estimate: () => Promise.resolve({ usageBytes: 95, quotaBytes, isPersisted: false }),
    });
    expect(await codeOf(store.commit([put(['k'], filler(20_000))]))).toBe('state/quota-exceeded');
    await clock.advance(5000);
    expect(watch.state.level).toBe('full');
    quotaBytes = 1000;
    await clock.advance(2000);
    expect(watch.state.level).toBe('ample');
    watch.stop();
  });
});

describe('making room', () => {
  it('is asked for before the quota is hit; retention makes it', async () => {
    const { watch, store, clock, sink } = await watched({
      makeRoom: async () => {
        const records = createRecords(store, { retention: { maxVersions: 2 } });
        for (const id of await records.ids()) await records.prune(id);
      },
    });
    const records = createRecords(store);
    for (let version = 0; version < 40; version++) {
      await records.save('prompt', { version, text: filler(400) });
      await clock.advance(1000);
      await watch.check();
    }
    expect(levelsOf(sink)).toContain('low');
    expect(levelsOf(sink)).not.toContain('full');
    expect(sink.ofType('store-fail')).toEqual([]);
    expect(await records.load<{ version: number }>('prompt')).toMatchObject({
      sequence: 40,
      state: { version: 39 },
    });
    watch.stop();
  });

  it('that helps nothing, or throws, is asked for once in the interval, never twice at once', async () => {
    const ends: (() => void)[] = [];
    let calls = 0;
    const { watch, sink, clock } = await watched({
      estimate: () => Promise.resolve({ usageBytes: 90, quotaBytes: 100, isPersisted: false }),
      makeRoom: () => {
        calls++;
        if (calls === 2) throw new Error('nothing to spare');
        return new Promise<void>((resolve) => ends.push(resolve));
      },
    });
    for (let at = 0; at < 5; at++) await clock.advance(1000);
    expect(calls).toBe(1);
    ends[0]?.();
    await clock.advance(1000);
    expect(calls).toBe(2);
    expect(sink.ofType('store-fail')).toMatchObject([
      { error: { code: 'state/make-room-failed', message: 'nothing to spare' } },
    ]);
    await clock.advance(1000);
    expect(calls).toBe(3);
    watch.stop();
    await clock.advance(10_000);
    expect(calls).toBe(3);
  });
});

describe('keeping what is stored', () => {
  const durable = (inner: Store): Store => ({
    ...forward(inner),
    capabilities: { ...inner.capabilities, durable: true },
  });
  const forward = (inner: Store): Store => watchQuota(inner).store;

  it('is asked for once, after the first commit, and the answer is shown', async () => {
    let asked = 0;
    const watch = watchQuota(durable(createMemoryStore()), {
      persist: () => Promise.resolve(++asked > 0),
      estimate: () => Promise.resolve({ usageBytes: 1, quotaBytes: 100, isPersisted: asked > 0 }),
    });
    expect((await watch.check()).isPersisted).toBe(false);
    expect(asked).toBe(0);
    for (let at = 0; at < 3; at++) await watch.store.commit([put(['k'], at)]);
    expect(await watch.check()).toMatchObject({ isPersisted: true });
    expect(asked).toBe(1);
    await watch.store.close();
  });

  it('of a platform that throws at once is refused, and one that never answers holds nobody up', async () => {
    const persists = [
      () => {
        throw new TypeError('no storage manager');
      },
      () => new Promise<never>(() => undefined),
    ];
    for (const persist of persists) {
      const watch = watchQuota(durable(createMemoryStore()), { persist });
      expect(await watch.store.commit([put(['k'], 1)])).toMatchObject([{ revision: 1 }]);
      expect(await watch.check()).toMatchObject({ level: 'ample' });
      await watch.store.close();
    }
  });

  it('is not asked for what dies with the page; a platform that refuses is no error', async () => {
    let asked = 0;
    const persist = (): Promise<boolean> => Promise.reject(new Error(`refused ${++asked}`));
    const { store, watch } = await watched({ persist });
    await store.commit([put(['k'], 1)]);
    expect(asked).toBe(0);
    watch.stop();
    const kept = watchQuota(durable(createMemoryStore()), { persist });
    await kept.store.commit([put(['k'], 1)]);
    expect(asked).toBe(1);
    expect((await kept.check()).isPersisted).toBe(false);
    await kept.store.close();
  });
});

describe('options', () => {
  it.each([
    { warnAtFraction: 0 },
    { warnAtFraction: 1.1 },
    { warnAtFraction: Number.NaN },
    { intervalMs: 0 },
    { intervalMs: Number.NaN },
  ])('out of range are refused: %o', (options) => {
    const [option] = Object.keys(options);
    expect(() => watchQuota(createMemoryStore(), options)).toThrow(
      expect.objectContaining({ code: 'state/option-invalid', fields: { option } }) as Error,
    );
  });

  it('a closed store is watched no more', async () => {
    const { store, watch } = await watched();
    await store.close();
    expect(await codeOf(store.get(['k']))).toBe('state/closed');
    expect((await watch.check()).level).toBe('ample');
  });
});
