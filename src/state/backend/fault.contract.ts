/* oxlint-disable vitest/expect-expect, vitest/valid-title, typescript/unbound-method -- laws are run by describeFaults; prototypes are patched and by tests of broken stores */
/**
 * What a store on IndexedDB must do when IndexedDB fails under it: every promise settles, none resolves falsely, a commit
 * that was refused left nothing behind, and the store works again afterwards.
 */
import { describe, expect, test } from 'vitest';
import { isCodedError } from '../../base/index.ts';
import type { Store, Write } from '../store.ts';

/** Opens the store on the database `name`: twice for the same data. */
export type OpenNamedStore = (name: string) => Promise<Store>;

export interface FaultLaw {
  readonly name: string;
  /** Rejects when the store breaks the law. */
  check(open: OpenNamedStore): Promise<void>;
}

type Patched = 'get' | 'put' | 'delete';

interface AbortPlan {
  /** The request, counted over all of read-write transactions, after whose success the transaction is aborted. */
  readonly afterRequest: number;
  /** What the transaction then says; null: nothing, as for an abort by script. */
  readonly error: DOMException | null;
}

interface Injection extends Disposable {
  readonly wasInjected: boolean;
}

function abortWith(transaction: IDBTransaction, error: DOMException | null): void {
  if (error) Object.defineProperty(transaction, 'error', { get: () => error });
  transaction.abort();
}

/** Aborts one transaction from inside, the way that a failed commit does: no request fails, only `abort` is fired. */
export function injectAbort({ afterRequest, error }: AbortPlan): Injection {
  let count = 0;
  let wasInjected = false;
  const restore: (() => void)[] = [];
  const store = IDBObjectStore.prototype;
  for (const method of ['get', 'put', 'delete'] as const satisfies readonly Patched[]) {
    const original = store[method] as (...args: unknown[]) => IDBRequest;
    store[method] = function (this: IDBObjectStore, ...args: unknown[]): IDBRequest {
      const { transaction } = this;
      const request = original.apply(this, args);
      if (transaction.mode !== 'readwrite') return request;
      const index = count++;
      request.addEventListener('success', () => {
        if (index !== afterRequest) return;
        wasInjected = true;
        abortWith(transaction, error);
      });
      return request;
    } as never;
    restore.push(() => void (store[method] = original as never));
  }
  // an explicit commit would make an abort impossible
  const { commit } = IDBTransaction.prototype;
  IDBTransaction.prototype.commit = () => undefined;
  restore.push(() => void (IDBTransaction.prototype.commit = commit));
  return {
    get wasInjected() {
      return wasInjected;
    },
    [Symbol.dispose]: () => restore.forEach((undo) => undo()),
  };
}

/** Settles with how `work` ended, or with `open` when it has not ended in time. */
export async function endOf(work: Promise<unknown>, withinMs: number = 4000): Promise<string> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve('open'), withinMs);
  });
  const end = work.then(
    () => 'resolved',
    (error: unknown) => (isCodedError(error) ? error.code : `untyped: ${String(error)}`),
  );
  const first = await Promise.race([end, late]);
  clearTimeout(timer);
  return first;
}

const writes: readonly Write[] = [
  { type: 'put', key: ['k'], value: 'new' },
  { type: 'delete', key: ['gone'] },
  { type: 'put', key: ['added'], value: 'new' },
];

let count = 0;
const freshName = (): string => `fault-${Date.now()}-${count++}`;

async function seeded(open: OpenNamedStore): Promise<{ readonly store: Store; readonly name: string }> {
  const name = freshName();
  const store = await open(name);
  await store.commit([
    { type: 'put', key: ['k'], value: 'old' },
    { type: 'put', key: ['gone'], value: 'old' },
  ]);
  return { store, name };
}

/** What another connection sees. */
async function stored(open: OpenNamedStore, name: string): Promise<Record<string, unknown>> {
  const store = await open(name);
  const entries = await store.list([]);
  await store.close();
  return Object.fromEntries(entries.map(({ key, value }) => [key.join('/'), value]));
}

const untouched = { k: 'old', gone: 'old' };
const applied = { k: 'new', added: 'new' };

async function checkAbortAtEveryStep(
  open: OpenNamedStore,
  error: DOMException | null,
  code: string,
): Promise<void> {
  let injections = 0;
  for (let afterRequest = 0; afterRequest < 40; afterRequest++) {
    const { store, name } = await seeded(open);
    const injection = injectAbort({ afterRequest, error });
    const end = await endOf(store.commit(writes));
    const { wasInjected } = injection;
    injection[Symbol.dispose]();
    expect(end, `aborted after request ${afterRequest}`).toBe(wasInjected ? code : 'resolved');
    expect(await stored(open, name), `aborted after request ${afterRequest}`).toEqual(
      wasInjected ? untouched : applied,
    );
    if (wasInjected) {
      injections++;
      expect(await endOf(store.commit(writes))).toBe('resolved');
      expect((await store.get(['k']))?.revision).toBe(2);
    }
    await store.close();
    if (!wasInjected) break;
  }
  // the mark and three writes at the least
  expect(injections).toBeGreaterThanOrEqual(3);
}

/** Makes the next call of `method` on any database throw. */
export function throwOnceFromTransaction(error: DOMException): Disposable {
  const original = IDBDatabase.prototype.transaction;
  IDBDatabase.prototype.transaction = function () {
    IDBDatabase.prototype.transaction = original;
    throw error;
  };
  return { [Symbol.dispose]: () => void (IDBDatabase.prototype.transaction = original) };
}

/** Every database that is opened from now on, for pulling it away from under a store. */
export function collectDatabases(): Disposable & { readonly databases: readonly IDBDatabase[] } {
  const databases: IDBDatabase[] = [];
  const original = IDBFactory.prototype.open;
  IDBFactory.prototype.open = function (...args) {
    const request = original.apply(this, args);
    request.addEventListener('success', () => databases.push(request.result));
    return request;
  };
  return { databases, [Symbol.dispose]: () => void (IDBFactory.prototype.open = original) };
}

export const faultLaws: readonly FaultLaw[] = [
  {
    name: 'an abort at any step, the last one included, refuses the commit and leaves nothing',
    check: (open) => checkAbortAtEveryStep(open, null, 'state/write-failed'),
  },
  {
    name: 'a full disk found at any step, the commit included, is state/quota-exceeded',
    check: (open) =>
      checkAbortAtEveryStep(open, new DOMException('no space', 'QuotaExceededError'), 'state/quota-exceeded'),
  },
  {
    name: 'a commit resolves only after its transaction is complete',
    async check(open) {
      const { store } = await seeded(open);
      const order: string[] = [];
      const original = IDBDatabase.prototype.transaction;
      IDBDatabase.prototype.transaction = function (...args) {
        const transaction = original.apply(this, args);
        if (transaction.mode === 'readwrite')
          transaction.addEventListener('complete', () => order.push('complete'));
        return transaction;
      };
      try {
        await store.commit(writes).then(() => order.push('acknowledged'));
      } finally {
        IDBDatabase.prototype.transaction = original;
      }
      expect(order).toEqual(['complete', 'acknowledged']);
      await store.close();
    },
  },
  {
    name: 'a connection closed underneath is opened again, once, without loss',
    async check(open) {
      const collected = collectDatabases();
      const { store, name } = await seeded(open);
      collected[Symbol.dispose]();
      for (const database of collected.databases) database.close();
      expect(await endOf(store.commit(writes))).toBe('resolved');
      for (const database of collected.databases) database.close();
      expect((await store.get(['k']))?.value).toBe('new');
      expect(await stored(open, name)).toEqual(applied);
      await store.close();
    },
  },
  {
    name: 'a database process that went away is met by one new connection, for writes and for reads',
    async check(open) {
      const { store } = await seeded(open);
      const lost = new DOMException(
        'Connection to Indexed Database server lost. Refresh the page to try again',
        'UnknownError',
      );
      const injections: Disposable[] = [throwOnceFromTransaction(lost)];
      expect(await endOf(store.commit(writes))).toBe('resolved');
      injections.push(throwOnceFromTransaction(lost));
      expect((await store.get(['k']))?.value).toBe('new');
      for (const injection of injections) injection[Symbol.dispose]();
      await store.close();
    },
  },
  {
    name: 'a database process that stays away is an error, never an acknowledgement',
    async check(open) {
      const { store, name } = await seeded(open);
      const original = IDBDatabase.prototype.transaction;
      let writeCalls = 0;
      IDBDatabase.prototype.transaction = (_, mode) => {
        if (mode === 'readwrite') writeCalls++;
        throw new DOMException('Connection to Indexed Database server lost', 'UnknownError');
      };
      const ends = [await endOf(store.commit(writes)), await endOf(store.get(['k']))];
      IDBDatabase.prototype.transaction = original;
      expect(ends).toEqual(['state/write-failed', 'state/read-failed']);
      expect(writeCalls).toBe(2);
      expect(await stored(open, name)).toEqual(untouched);
      expect(await endOf(store.commit(writes))).toBe('resolved');
      await store.close();
    },
  },
];

/** One test per law. */
export function describeFaults(name: string, open: OpenNamedStore): void {
  describe(`${name} survives a failing engine`, () => {
    for (const each of faultLaws) test(each.name, () => each.check(open), 60_000);
  });
}
