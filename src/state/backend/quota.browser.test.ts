import { expect, test } from 'vitest';
import { cdp } from 'vitest/browser';
import type { StorageEstimate } from '../../platform/index.ts';
import { createHub, createMemorySink } from '../../telemetry/index.ts';
import { createGroupCommitter } from '../group-commit.ts';
import { watchQuota } from '../quota/watch-quota.ts';
import { endOf } from './fault.contract.ts';
import { openIndexedDbStore } from './indexeddb.ts';

const devtools = cdp() as unknown as {
  send(method: string, params: Record<string, unknown>): Promise<unknown>;
};

/** Leaves the origin `roomBytes` beyond what it uses now. */
async function withRoom<T>(roomBytes: number, work: () => Promise<T>): Promise<T> {
  const { origin } = location;
  const { usage = 0 } = await navigator.storage.estimate();
  const quotaSize = usage + roomBytes;
  await devtools.send('Storage.overrideQuotaForOrigin', { origin, quotaSize });
  try {
    return await work();
  } finally {
    await devtools.send('Storage.overrideQuotaForOrigin', { origin });
  }
}

function noise(bytes: number): Uint8Array {
  const block = crypto.getRandomValues(new Uint8Array(50_000));
  return Uint8Array.from({ length: bytes }, (_, index) => (block[index % block.length] ?? 0) ^ (index >> 16));
}

interface Buckets {
  open(name: string): Promise<{ readonly indexedDB: IDBFactory }>;
  delete(name: string): Promise<void>;
}

/** Databases opened from now on lie in a new bucket: the engine remembers for 30 s how much room one had. */
async function useNewBucket(): Promise<AsyncDisposable> {
  const { storageBuckets } = navigator as unknown as { readonly storageBuckets: Buckets };
  const name = `bucket-${crypto.randomUUID()}`;
  const bucket = await storageBuckets.open(name);
  const factory = bucket.indexedDB;
  const original = IDBFactory.prototype.open.bind(factory);
  const { open } = Object.getOwnPropertyDescriptors(IDBFactory.prototype);
  IDBFactory.prototype.open = (...args) => original(...args);
  return {
    async [Symbol.asyncDispose]() {
      Object.defineProperty(IDBFactory.prototype, 'open', open);
      await storageBuckets.delete(name);
    },
  };
}

test(
  'a disk that is full for real is state/quota-exceeded; what was stored stays, and room helps',
  { timeout: 90_000 },
  async () => {
    await using _ = await useNewBucket();
    const hub = createHub();
    const sink = createMemorySink(hub);
    const name = `quota-${crypto.randomUUID()}`;
    const store = await withRoom(100_000, async () => {
      const store = await openIndexedDbStore({ name, hub });
      const committer = createGroupCommitter(store);
      await store.commit([{ type: 'put', key: ['k'], value: 'old' }]);
      const untilMs = performance.now() + 60_000;
      let end = 'resolved';
      let acknowledged = 'old';
      while (end === 'resolved' && performance.now() < untilMs) {
        const value = `filled at ${performance.now()}`;
        end = await endOf(
          store.commit([
            { type: 'put', key: ['k'], value },
            { type: 'put', key: ['filler'], value: noise(60_000) },
          ]),
          20_000,
        );
        if (end === 'resolved') acknowledged = value;
      }
      expect(end).toBe('state/quota-exceeded');
      expect((await store.get(['k']))?.value).toBe(acknowledged);
      // one that does not fit takes nobody with it
      const ends = await Promise.all([
        endOf(committer.commit([{ type: 'put', key: ['small', '1'], value: 1 }]), 20_000),
        endOf(committer.commit([{ type: 'put', key: ['large'], value: noise(1_000_000) }]), 20_000),
        endOf(committer.commit([{ type: 'put', key: ['small', '2'], value: 2 }]), 20_000),
      ]);
      expect(ends[1]).toBe('state/quota-exceeded');
      for (const [index, end] of [ends[0], ends[2]].entries()) {
        expect((await store.get(['small', String(index + 1)])) !== undefined).toBe(end === 'resolved');
      }
      return store;
    });
    expect(sink.ofType('store-fail')[0]).toMatchObject({ error: { code: 'state/quota-exceeded' } });
    expect(await endOf(store.commit([{ type: 'put', key: ['k'], value: 'new' }]), 20_000)).toBe('resolved');
    expect((await store.get(['k']))?.value).toBe('new');
    await store.close();
  },
);

test(
  'room that runs out for real is low, and room is asked for, before it is full; full ends when room comes',
  { timeout: 120_000 },
  async () => {
    await using _ = await useNewBucket();
    const hub = createHub();
    const sink = createMemorySink(hub);
    const levels = (): string[] => sink.ofType('store-quota').map(({ level }) => level);
    const inner = await openIndexedDbStore({ name: `watched-${crypto.randomUUID()}`, hub });
    const { usage: usedBefore = 0 } = await navigator.storage.estimate();
    // what pages are told of the quota is the same everywhere in this engine, so that it tells nobody apart;
    // what other tests left in this origin does not count
    const estimate = async (): Promise<StorageEstimate> => {
      const { origin } = location;
      const { usage, quota } = (await devtools.send('Storage.getUsageAndQuota', { origin })) as {
        readonly usage: number;
        readonly quota: number;
      };
      return { usageBytes: usage - usedBefore, quotaBytes: quota - usedBefore, isPersisted: false };
    };
    const levelsWhenAsked: string[][] = [];
    const watch = watchQuota(inner, {
      hub,
      intervalMs: 1,
      warnAtFraction: 0.5,
      estimate,
      persist: () => Promise.resolve(false),
      makeRoom: () => levelsWhenAsked.push(levels()),
    });
    const { store } = watch;
    let count = 0;
    const fill = (): Promise<string> =>
      endOf(store.commit([{ type: 'put', key: ['filler', String(count++)], value: noise(40_000) }]), 20_000);
    await withRoom(1_500_000, async () => {
      await watch.check();
      expect(levels()).toEqual(['ample']);
      const untilMs = performance.now() + 60_000;
      let end = 'resolved';
      while (end === 'resolved' && performance.now() < untilMs) {
        end = await fill();
        await watch.check();
      }
      expect(end).toBe('state/quota-exceeded');
      expect(levels()).toEqual(['ample', 'low', 'full']);
      expect(levelsWhenAsked[0]).toEqual(['ample', 'low']);
      expect(await store.get(['filler', '0'])).toBeDefined();
    });
    expect(await fill()).toBe('resolved');
    await expect.poll(() => watch.state.level).toBe('ample');
    expect(levels()).toEqual(['ample', 'low', 'full', 'ample']);
    await store.close();
  },
);
