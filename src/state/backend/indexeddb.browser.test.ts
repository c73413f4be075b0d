/* oxlint-disable typescript/unbound-method -- prototypes are patched and restored */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cdp } from 'vitest/browser';
import { createHub, createMemorySink } from '../../telemetry/index.ts';
import type { MemorySink } from '../../telemetry/index.ts';
import type { CodedError } from '../../base/index.ts';
import type { Change, Store, Write } from '../store.ts';
import { describeFaults, endOf } from './fault.contract.ts';
import { openIndexedDbStore } from './indexeddb.ts';
import { openPageStore, openWithFallback } from './with-fallback.ts';
import { createMemoryStore } from './memory.ts';

const freshName = (): string => `test-${crypto.randomUUID()}`;

describeFaults('indexeddb', (name) => openIndexedDbStore({ name }));

interface Watched {
  readonly store: Store;
  readonly sink: MemorySink;
  readonly name: string;
}

async function openWatched(name: string = freshName()): Promise<Watched> {
  const hub = createHub();
  const sink = createMemorySink(hub);
  return { store: await openIndexedDbStore({ name, hub, blockedTimeoutMs: 200 }), sink, name };
}

function openRaw(name: string, version?: number): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(name, version);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error as Error);
  });
}

interface Cdp {
  send(method: string, params: Record<string, unknown>): Promise<unknown>;
}
const devtools = (): Cdp => cdp() as unknown as Cdp;

describe('the engine, for real', () => {
  test('site data cleared underneath: the browser closes the connection, the next use opens a new one', async () => {
    const { store, sink } = await openWatched();
    await store.commit([{ type: 'put', key: ['k'], value: 1 }]);
    const commits = Array.from({ length: 20 }, (_, index) =>
      endOf(store.commit([{ type: 'put', key: ['n', String(index)], value: index }]), 10_000),
    );
    await devtools().send('Storage.clearDataForOrigin', {
      origin: location.origin,
      storageTypes: 'indexeddb',
    });
    for (const end of await Promise.all(commits)) expect(end).toMatch(/^(resolved|state\/[a-z-]+)$/);
    expect(await endOf(store.commit([{ type: 'put', key: ['k'], value: 2 }]), 10_000)).toBe('resolved');
    expect((await store.get(['k']))?.value).toBe(2);
    expect(sink.ofType('store-reopen').length).toBeGreaterThanOrEqual(1);
    await store.close();
  });

  test('an upgrade by another tab is let through, and newer data is left alone', async () => {
    const { store, name } = await openWatched();
    await store.commit([{ type: 'put', key: ['k'], value: 1 }]);
    const upgraded = await openRaw(name, 99);
    expect(upgraded.version).toBe(99);
    upgraded.close();
    expect(await endOf(store.get(['k']))).toBe('state/version-too-new');
    expect(await endOf(store.commit([{ type: 'put', key: ['k'], value: 2 }]))).toBe('state/version-too-new');
    await store.close();
    expect(await endOf(openIndexedDbStore({ name }))).toBe('state/version-too-new');
    expect(await endOf(openPageStore({ name }))).toBe('state/version-too-new');
  });

  test('a deletion by another tab is let through, and the store begins anew', async () => {
    const { store, name, sink } = await openWatched();
    await store.commit([{ type: 'put', key: ['k'], value: 1 }]);
    await new Promise<void>((resolve, reject) => {
      const request = indexedDB.deleteDatabase(name);
      request.onsuccess = () => resolve();
      request.onerror = () => reject(request.error as Error);
      request.onblocked = () => reject(new Error('blocked'));
    });
    expect(await store.get(['k'])).toBeUndefined();
    expect(sink.ofType('store-reopen')).toMatchObject([{ cause: 'versionchange' }]);
    await store.close();
  });

  test('a tab that will not let go is state/blocked, and opening works once it does', async () => {
    const name = freshName();
    const stubborn = await openRaw(name, 1);
    const deletion = indexedDB.deleteDatabase(name);
    await new Promise((resolve) => (deletion.onblocked = resolve));
    const opening = openIndexedDbStore({ name, blockedTimeoutMs: 200, openTimeoutMs: 400 });
    // a request behind a blocked one gets no event of its own: silence is the other sign
    expect(await endOf(opening)).toMatch(/^state\/(blocked|storage-unavailable)$/);
    stubborn.close();
    const store = await openIndexedDbStore({ name });
    await store.commit([{ type: 'put', key: ['k'], value: 1 }]);
    await store.close();
  });

  test('an upgrade of ours that another tab blocks is state/blocked', async () => {
    const name = freshName();
    const original = IDBFactory.prototype.open;
    // this tab plays an older version of the code: version 0 does not exist, so ours becomes 2
    const stubborn = await openRaw(name, 1);
    IDBFactory.prototype.open = function (which: string) {
      return original.call(this, which, 2);
    };
    const end = await endOf(openIndexedDbStore({ name, blockedTimeoutMs: 200 }));
    IDBFactory.prototype.open = original;
    expect(end).toBe('state/blocked');
    stubborn.close();
  });
});

describe('a database that the browser threw away', () => {
  /** Upgrades say that the browser had found the database damaged, as Chromium does; see `npm run prove -- durability`. */
  function pretendLoss(): Disposable {
    const original = IDBFactory.prototype.open;
    IDBFactory.prototype.open = function (...args) {
      const request = original.apply(this, args);
      request.addEventListener('upgradeneeded', (event) => {
        Object.defineProperty(event, 'dataLoss', { value: 'total' });
        Object.defineProperty(event, 'dataLossMessage', { value: 'Corruption: checksum mismatch' });
      });
      return request;
    };
    return { [Symbol.dispose]: () => void (IDBFactory.prototype.open = original) };
  }

  test('is told as store-lost, and the store works anew; one that is only new is not', async () => {
    const { store, sink, name } = await openWatched();
    expect(sink.ofType('store-lost')).toEqual([]);
    await store.close();
    indexedDB.deleteDatabase(name);
    const pretended = pretendLoss();
    const { store: again, sink: events } = await openWatched(name);
    pretended[Symbol.dispose]();
    expect(events.ofType('store-lost')).toMatchObject([
      { store: name, reason: 'Corruption: checksum mismatch' },
    ]);
    expect((await again.commit([{ type: 'put', key: ['k'], value: 1 }]))[0]?.revision).toBe(1);
    await again.close();
  });
});

describe('IndexedDB refused', () => {
  const refusals: readonly [string, () => IDBOpenDBRequest][] = [
    [
      'throws',
      () => {
        throw new DOMException('The operation is insecure.', 'SecurityError');
      },
    ],
    ['never answers', () => new EventTarget() as IDBOpenDBRequest],
  ];
  test.each(refusals)('an engine that %s gives memory, visibly', async (_, open) => {
    const original = IDBFactory.prototype.open;
    IDBFactory.prototype.open = open;
    const hub = createHub();
    const sink = createMemorySink(hub);
    try {
      expect(await endOf(openIndexedDbStore({ name: freshName(), openTimeoutMs: 200 }))).toBe(
        'state/storage-unavailable',
      );
      const store = await openPageStore({ name: freshName(), hub, openTimeoutMs: 200 });
      expect(store.capabilities).toMatchObject({ durable: false, strict: false });
      expect(sink.ofType('platform-degrade')).toMatchObject([
        { what: 'store', from: 'indexeddb', to: 'memory' },
      ]);
      await store.commit([{ type: 'put', key: ['k'], value: 1 }]);
      expect((await store.get(['k']))?.value).toBe(1);
      await store.close();
    } finally {
      IDBFactory.prototype.open = original;
    }
  });

  test('an engine that works is used, and says so', async () => {
    const hub = createHub();
    const sink = createMemorySink(hub);
    const store = await openWithFallback({
      candidates: [
        { kind: 'indexeddb', open: () => openIndexedDbStore({ name: freshName() }) },
        { kind: 'memory', open: createMemoryStore },
      ],
      hub,
    });
    expect(store.capabilities).toMatchObject({ durable: true, strict: true });
    expect(sink.events).toEqual([]);
    await store.close();
  });
});

describe('several realms', () => {
  test('another connection hears of commits and sees them; its writes are never overwritten unseen', async () => {
    const { store: ours, name } = await openWatched();
    const { store: theirs } = await openWatched(name);
    const heard: Change[] = [];
    const notice = new Promise<void>((resolve) => {
      theirs.watch(['a'], (change) => {
        heard.push(change);
        if (heard.length === 2) resolve();
      });
    });
    await ours.commit([{ type: 'put', key: ['a', '1'], value: 1 }]);
    await ours.commit([{ type: 'delete', key: ['a', '1'] }]);
    await notice;
    expect(heard).toMatchObject([
      { type: 'put', key: ['a', '1'], revision: 1, isLocal: false },
      { type: 'delete', key: ['a', '1'], revision: 2, isLocal: false },
    ]);
    // each remembers revisions; neither may trust them once the other has written
    for (let turn = 0; turn < 4; turn++) {
      for (const store of [ours, theirs]) await store.commit([{ type: 'put', key: ['k'], value: turn }]);
      await ours.commit([{ type: 'put', key: ['unrelated', String(turn)], value: 0 }]);
    }
    expect(await ours.get(['k'])).toMatchObject({ revision: 8 });
    await ours.commit([{ type: 'put', key: ['k'], value: 'x', expectedRevision: 8 }]);
    expect(await endOf(theirs.commit([{ type: 'put', key: ['k'], value: 'y', expectedRevision: 8 }]))).toBe(
      'state/conflict',
    );
    await Promise.all([ours.close(), theirs.close()]);
  });

  test('what a connection remembers is never wrong: several of them do what one store in memory does', async () => {
    const step = fc.record({
      store: fc.nat(2),
      keys: fc.uniqueArray(fc.nat(3), { minLength: 1, maxLength: 3 }),
      type: fc.constantFrom('put' as const, 'put' as const, 'delete' as const),
      expectedRevision: fc.option(fc.nat(4), { nil: undefined }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 30 }), async (steps) => {
        const name = freshName();
        const model = createMemoryStore();
        const stores = await Promise.all([0, 1, 2].map(() => openIndexedDbStore({ name })));
        for (const { store, keys, type, expectedRevision } of steps) {
          const writes = keys.map(
            (key) =>
              ({
                type,
                key: [`${key}`],
                value: 1,
                ...(expectedRevision === undefined ? {} : { expectedRevision }),
              }) as Write,
          );
          const outcomes = await Promise.all(
            [model, stores[store] as Store].map((each) =>
              each.commit(writes).then(
                (committed) => committed.map(({ revision }) => revision),
                (error: unknown) => (error as CodedError).fields,
              ),
            ),
          );
          expect(outcomes[1]).toEqual(outcomes[0]);
        }
        await Promise.all(stores.map((store) => store.close()));
      }),
      { numRuns: 25 },
    );
  });

  test('what is not a notice is not heard', async () => {
    const { store, name } = await openWatched();
    const heard: Change[] = [];
    store.watch([], (change) => heard.push(change));
    const channel = new BroadcastChannel(`vivarium.store.${name}`);
    const change = ['put', 1, 0, ['k']];
    const rows = [
      null,
      ['put', 1, 0, ['']],
      ['put', -1, 0, ['k']],
      ['x', 1, 0, ['k']],
      ['put', 1, 'now', ['k']],
    ];
    const notices: unknown[] = [
      undefined,
      [change],
      'null',
      '[',
      '['.repeat(100_000),
      ' '.repeat(2 ** 24 + 1),
      JSON.stringify(rows),
      JSON.stringify(Array(10_001).fill(change)),
      JSON.stringify([['put', 1, 0, ['end']]]),
    ];
    const messages = [null, 'text', ...notices.map((changes) => ({ type: 'store-change', changes }))];
    for (const message of messages) channel.postMessage(message);
    await expect.poll(() => heard.length).toBe(1);
    expect(heard[0]).toEqual({ type: 'put', key: ['end'], revision: 1, atMs: 0, isLocal: false });
    channel.close();
    await store.close();
  });

  test('racing connections lose no update', async () => {
    const name = freshName();
    const stores = await Promise.all([1, 2, 3].map(() => openIndexedDbStore({ name })));
    const increment = async (store: Store): Promise<void> => {
      for (;;) {
        const entry = await store.get<number>(['n']);
        const end = await endOf(
          store.commit([
            {
              type: 'put',
              key: ['n'],
              value: (entry?.value ?? 0) + 1,
              expectedRevision: entry?.revision ?? 0,
            },
          ]),
        );
        if (end === 'resolved') return;
        expect(end).toBe('state/conflict');
      }
    };
    await Promise.all(stores.flatMap((store) => Array.from({ length: 10 }, () => increment(store))));
    expect(await stores[0]?.get(['n'])).toMatchObject({ value: 30, revision: 30 });
    await Promise.all(stores.map((store) => store.close()));
  });

  test('data outlives the store', async () => {
    const { store, name } = await openWatched();
    await store.commit([{ type: 'put', key: ['k'], value: new Map([['a', 1n]]) }]);
    await store.close();
    const { store: again } = await openWatched(name);
    expect(await again.get(['k'])).toMatchObject({ value: new Map([['a', 1n]]), revision: 1 });
    await again.close();
  });
});

describe('what an acknowledgement means', () => {
  test.each(['strict', 'relaxed'] as const)(
    '%s: the transaction asked for it and was complete',
    async (durability) => {
      const { store } = await openWatched();
      const seen: { readonly durability: string; isComplete: boolean }[] = [];
      const original = IDBDatabase.prototype.transaction;
      IDBDatabase.prototype.transaction = function (...args) {
        const transaction = original.apply(this, args);
        if (transaction.mode !== 'readwrite') return transaction;
        const one = { durability: transaction.durability, isComplete: false };
        seen.push(one);
        transaction.addEventListener('complete', () => (one.isComplete = true));
        return transaction;
      };
      try {
        for (const value of [1, 2, 3])
          await store.commit([{ type: 'put', key: ['k'], value }], { durability });
        await store.commit([{ type: 'delete', key: ['k'] }], { durability });
      } finally {
        IDBDatabase.prototype.transaction = original;
      }
      expect(seen).toEqual(Array(4).fill({ durability, isComplete: true }));
      await store.close();
    },
  );

  test('an engine that goes away while committing leaves the outcome unknown, and says so', async () => {
    const { store } = await openWatched();
    await store.commit([{ type: 'put', key: ['k'], value: 1 }]);
    const original = IDBTransaction.prototype.commit;
    let commits = 0;
    IDBTransaction.prototype.commit = function () {
      commits++;
      const error = new DOMException('Connection to Indexed Database server lost', 'UnknownError');
      Object.defineProperty(this, 'error', { get: () => error });
      this.abort();
    };
    const failed = store.commit([{ type: 'put', key: ['k'], value: 2 }]);
    await expect(failed).rejects.toMatchObject({
      code: 'state/write-failed',
      fields: { outcome: 'unknown' },
      isRetryable: false,
    });
    IDBTransaction.prototype.commit = original;
    // trying again could write twice
    expect(commits).toBe(1);
    expect((await store.commit([{ type: 'put', key: ['k'], value: 3 }]))[0]?.revision).toBe(2);
    await store.close();
  });

  /** Another writer keeps the database locked until it is released. */
  async function holdLock(name: string): Promise<() => void> {
    const holder = await openRaw(name);
    const entries = holder.transaction(['entry', 'tombstone', 'mark'], 'readwrite').objectStore('entry');
    let isHeld = true;
    await new Promise<void>((resolve) => {
      const hold = (): void => {
        resolve();
        if (isHeld) entries.count().onsuccess = hold;
      };
      entries.count().onsuccess = hold;
    });
    return () => {
      isHeld = false;
      holder.close();
    };
  }

  test('a transaction that does not end in time is rolled back, and the connection replaced', async () => {
    const name = freshName();
    const store = await openIndexedDbStore({ name, transactionTimeoutMs: 300 });
    const release = await holdLock(name);
    const failed = store.commit([{ type: 'put', key: ['k'], value: 1 }]);
    await expect(failed).rejects.toMatchObject({
      code: 'state/write-failed',
      fields: { outcome: 'not-applied' },
    });
    release();
    expect(await store.get(['k'])).toBeUndefined();
    expect(await endOf(store.commit([{ type: 'put', key: ['k'], value: 2 }]))).toBe('resolved');
    await store.close();
  });

  test('a transaction that cannot even be rolled back has an unknown outcome; what it does later is seen', async () => {
    const name = freshName();
    const store = await openIndexedDbStore({ name, transactionTimeoutMs: 300 });
    await store.commit([{ type: 'put', key: ['k'], value: 1 }]);
    const release = await holdLock(name);
    const original = IDBTransaction.prototype.abort;
    IDBTransaction.prototype.abort = () => undefined;
    const failed = store.commit([{ type: 'put', key: ['k'], value: 2 }]);
    await expect(failed).rejects.toMatchObject({
      code: 'state/write-failed',
      fields: { outcome: 'unknown' },
    });
    IDBTransaction.prototype.abort = original;
    release();
    // it was applied after all: the next revision follows it
    expect((await store.commit([{ type: 'put', key: ['k'], value: 3 }]))[0]?.revision).toBe(3);
    await store.close();
  });
});
