/* oxlint-disable typescript/unbound-method -- prototypes are patched and restored */
/**
 * Something goes wrong at each single request of an operation: it ends, with its value or a typed error, and what it says is true. What was
 * refused left nothing, what resolved is there, and only an error that calls its outcome unknown may be either.
 */
import { describe, expect, test } from 'vitest';
import { isCodedError, messageOf } from '../../base/index.ts';
import type { CodedError } from '../../base/index.ts';
import type { Store, Write } from '../store.ts';
import { openIndexedDbStore } from './indexeddb.ts';

const endTimeoutMs = 8000;
/** More requests than any operation here makes. */
const maxRequests = 60;

interface Hit {
  readonly request: IDBRequest;
  readonly transaction: IDBTransaction;
  readonly event: Event;
}

/** Calls `fault` at the success number `at` of all requests that are made from now on, before anybody else hears of it. A cursor succeeds at each step. */
function injectAt(at: number, fault: (hit: Hit) => void): Disposable & { readonly wasHit: boolean } {
  const prototype = IDBObjectStore.prototype;
  const methods = ['get', 'getAll', 'getAllKeys', 'put', 'add', 'delete', 'openCursor', 'count'] as const;
  const originals = methods.map((method) => prototype[method] as (...args: unknown[]) => IDBRequest);
  let [succeeded, wasHit] = [0, false];
  for (const [index, method] of methods.entries()) {
    prototype[method] = function (this: IDBObjectStore, ...args: unknown[]): IDBRequest {
      const request = (originals[index] as (typeof originals)[number]).apply(this, args);
      request.addEventListener('success', (event) => {
        if (succeeded++ !== at) return;
        wasHit = true;
        fault({ request, transaction: this.transaction, event });
      });
      return request;
    } as never;
  }
  // an explicit commit would make an abort impossible
  const { commit } = IDBTransaction.prototype;
  IDBTransaction.prototype.commit = () => undefined;
  return {
    get wasHit() {
      return wasHit;
    },
    [Symbol.dispose]: () => {
      for (const [index, method] of methods.entries()) prototype[method] = originals[index] as never;
      IDBTransaction.prototype.commit = commit;
    },
  };
}

/** The request fails in place of its success, and takes its transaction along. */
function failWith(error: DOMException): (hit: Hit) => void {
  return ({ request, transaction, event }) => {
    event.stopImmediatePropagation();
    Object.defineProperty(request, 'error', { get: () => error });
    request.dispatchEvent(new Event('error', { bubbles: true }));
    Object.defineProperty(transaction, 'error', { get: () => error });
    transaction.abort();
  };
}

/** As the browser does it when the database's process goes away: all transactions abort, then the connection says `close`. */
const loseConnection = ({ transaction }: Hit): void => {
  transaction.abort();
  transaction.db.close();
  transaction.db.dispatchEvent(new Event('close'));
};

const writes: readonly Write[] = [
  { type: 'put', key: ['k'], value: 'new' },
  { type: 'delete', key: ['gone'] },
  { type: 'check', key: ['k'], expectedRevision: 2 },
  { type: 'append', key: ['log'], value: 'new' },
];
const untouched = { k: 'old', gone: 'old' };
const applied = { k: 'new', 'log/000000000000001': 'new' };

type Operation = (store: Store) => Promise<unknown>;
const operations: Readonly<Record<string, Operation>> = {
  commit: (store) => store.commit(writes),
  commitEach: (store) => store.commitEach([writes]),
  get: (store) => store.get(['k']),
  list: (store) => store.list([]),
  'list of some bytes': (store) => store.list([], { maxBytes: 1000 }),
  history: (store) => store.history(['k']),
};
const isWrite = (name: string): boolean => name.startsWith('commit');

async function seeded(): Promise<{ readonly store: Store; readonly name: string }> {
  const name = `fault-at-${crypto.randomUUID()}`;
  const store = await openIndexedDbStore({ name, blockedTimeoutMs: 200, openTimeoutMs: 400 });
  await store.commit(
    Object.entries(untouched).map(([key, value]): Write => ({ type: 'put', key: [key], value })),
  );
  return { store, name };
}

/** The error that `work` ends with, undefined when it resolves; fails when it stays open or ends without a type. */
async function errorOf(work: Promise<unknown>): Promise<CodedError | undefined> {
  const open = Symbol('open');
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<typeof open>((resolve) => (timer = setTimeout(() => resolve(open), endTimeoutMs)));
  const ended = work.then(
    () => undefined,
    (error: unknown) => error,
  );
  const end = await Promise.race([ended, late]);
  clearTimeout(timer);
  expect(end, 'the operation is still open').not.toBe(open);
  if (end === undefined || isCodedError(end)) return end;
  throw new Error(`ended without a type: ${messageOf(end)}`);
}

function openRaw(name: string): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(name);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error as Error);
  });
}

/** Past every version check: what lies in the database. */
async function storedIn(name: string): Promise<Record<string, unknown>> {
  const database = await openRaw(name);
  const entries = database.transaction('entry').objectStore('entry');
  const keys = entries.getAllKeys() as IDBRequest<string[]>;
  const all = entries.getAll();
  await new Promise((resolve) => (all.onsuccess = resolve));
  database.close();
  const values = all.result as { readonly value: unknown }[];
  return Object.fromEntries(
    keys.result.map((key, index) => [key.split('\u0000').filter(Boolean).join('/'), values[index]?.value]),
  );
}

/** What may be stored after such an end of the operation. */
function allowedAfter(operation: string, error: CodedError | undefined): readonly object[] {
  if (!isWrite(operation)) return [untouched];
  if (error === undefined) return [applied];
  return error.fields['outcome'] === 'unknown' ? [untouched, applied] : [untouched];
}

async function expectTruth({ name, operation, error }: Scene): Promise<void> {
  expect(allowedAfter(operation, error)).toContainEqual(await storedIn(name));
}

interface Scene {
  readonly store: Store;
  readonly name: string;
  readonly operation: string;
  readonly error: CodedError | undefined;
}

/** One operation after another, each with the fault at each of its requests. */
async function atEachRequest(
  faultOf: (name: string) => (hit: Hit) => void,
  expectAfter: (scene: Scene) => Promise<void>,
): Promise<void> {
  for (const [operation, run] of Object.entries(operations)) {
    let hits = 0;
    for (let at = 0; at < maxRequests; at++) {
      const { store, name } = await seeded();
      const injection = injectAt(at, faultOf(name));
      const error = await errorOf(run(store));
      injection[Symbol.dispose]();
      if (injection.wasHit) {
        hits++;
        await expectAfter({ store, name, operation, error });
      }
      await store.close();
      if (!injection.wasHit) break;
    }
    // a commit reads the mark, a state for each key, and writes
    expect({ operation, isHit: hits >= (isWrite(operation) ? 6 : 1) }).toEqual({ operation, isHit: true });
  }
}

/** The store goes on as if nothing had been. */
async function expectWorking(store: Store): Promise<void> {
  expect(await errorOf(store.commit([{ type: 'put', key: ['after'], value: 1 }]))).toBeUndefined();
  expect((await store.get(['after']))?.value).toBe(1);
}

const settings = { timeout: 120_000 };

describe('at each request of an operation', () => {
  test('a request that fails refuses the operation, which leaves nothing', settings, async () => {
    const failure = new DOMException('the medium has an error', 'DataError');
    await atEachRequest(
      () => failWith(failure),
      async (scene) => {
        const { store, operation, error } = scene;
        expect(error?.code).toBe(isWrite(operation) ? 'state/write-failed' : 'state/read-failed');
        await expectTruth(scene);
        await expectWorking(store);
      },
    );
  });

  test('a quota that is hit is state/quota-exceeded, and leaves nothing', settings, async () => {
    await atEachRequest(
      () => failWith(new DOMException('no space', 'QuotaExceededError')),
      async (scene) => {
        const { store, operation, error } = scene;
        const codes = isWrite(operation)
          ? ['state/quota-exceeded']
          : ['state/quota-exceeded', 'state/read-failed'];
        expect(codes).toContain(error?.code);
        await expectTruth(scene);
        await expectWorking(store);
      },
    );
  });

  test('the control: a store that takes every end for a success is caught', settings, async () => {
    const { onabort } = Object.getOwnPropertyDescriptors(IDBTransaction.prototype);
    Object.defineProperty(IDBTransaction.prototype, 'onabort', {
      configurable: true,
      set(this: IDBTransaction) {
        this.addEventListener('abort', (event) => this.oncomplete?.(event));
      },
    });
    const fault = ({ transaction }: Hit): void => transaction.abort();
    try {
      await expect(atEachRequest(() => fault, expectTruth)).rejects.toThrow(/equal/i);
    } finally {
      Object.defineProperty(IDBTransaction.prototype, 'onabort', onabort);
    }
  });

  test(
    'a connection that is lost ends the operation, and the next one has a new connection',
    settings,
    async () => {
      await atEachRequest(
        () => loseConnection,
        async (scene) => {
          const { store, error } = scene;
          expect([undefined, 'state/read-failed', 'state/write-failed']).toContain(error?.code);
          await expectTruth(scene);
          await expectWorking(store);
        },
      );
    },
  );

  test(
    'another tab that needs a newer version gets it; the operation ends, later ones are refused',
    settings,
    async () => {
      const upgrades: Promise<IDBDatabase>[] = [];
      const upgrade = (name: string) => (): void => {
        const request = indexedDB.open(name, 99);
        upgrades.push(
          new Promise((resolve, reject) => {
            request.onsuccess = () => resolve(request.result);
            request.onerror = () => reject(request.error as Error);
          }),
        );
      };
      await atEachRequest(upgrade, async (scene) => {
        const { store } = scene;
        const upgraded = await (upgrades.pop() as Promise<IDBDatabase>);
        expect(upgraded.version).toBe(99);
        upgraded.close();
        await expectTruth(scene);
        expect((await errorOf(store.get(['k'])))?.code).toBe('state/version-too-new');
        expect((await errorOf(store.commit(writes)))?.code).toBe('state/version-too-new');
      });
    },
  );

  test(
    'another tab that deletes the database can; the operation ends, later ones begin anew',
    settings,
    async () => {
      const deletions: Promise<unknown>[] = [];
      const remove = (name: string) => (): void => {
        const request = indexedDB.deleteDatabase(name);
        deletions.push(
          new Promise((resolve, reject) => {
            request.onsuccess = resolve;
            request.onerror = () => reject(request.error as Error);
          }),
        );
      };
      await atEachRequest(remove, async ({ store }) => {
        await deletions.pop();
        expect(await store.get(['k'])).toBeUndefined();
        await expectWorking(store);
      });
    },
  );

  test(
    'a connection that is lost while another tab blocks every new one ends in time, and nothing is left',
    settings,
    async () => {
      const holders: IDBDatabase[] = [];
      for (const operation of Object.keys(operations)) {
        const { store, name } = await seeded();
        // it hears that the database is to go, and stays
        holders.push(await openRaw(name));
        const lost = new DOMException('Connection to Indexed Database server lost', 'UnknownError');
        const injection = injectAt(0, (hit) => {
          hit.transaction.db.close();
          indexedDB.deleteDatabase(name);
          failWith(lost)(hit);
        });
        const error = await errorOf((operations[operation] as Operation)(store));
        injection[Symbol.dispose]();
        expect(injection.wasHit).toBe(true);
        expect(error?.code).toMatch(/^state\/(blocked|storage-unavailable)$/);
        holders.pop()?.close();
        await expect.poll(async () => await errorOf(store.get(['k'])), { timeout: 20_000 }).toBeUndefined();
        await expectWorking(store);
        await store.close();
      }
    },
  );
});
