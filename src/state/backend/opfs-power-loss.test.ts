/* oxlint-disable typescript/unbound-method -- a prototype is patched, and put right again */
import 'fake-indexeddb/auto';
import * as fc from 'fast-check';
import { openDB } from 'idb';
import { afterEach, describe, expect, test } from 'vitest';
import { SimulatedClock } from '../../platform/index.ts';
import type { Durability, Store, Write } from '../store.ts';
import { createMemoryFolder } from './body-folder.contract.ts';
import type { FaultyFolder } from './body-folder.contract.ts';
import { openIndexedDbStore } from './indexeddb.ts';
import { openOpfsStore } from './opfs.ts';

type Records = ReadonlyMap<string, readonly (readonly [IDBValidKey, unknown])[]>;

const large = (fill: number): Uint8Array<ArrayBuffer> => new Uint8Array(70_000).fill(fill);
let count = 0;
const undoes: (() => void)[] = [];

afterEach(() => {
  for (const undo of undoes.splice(0)) undo();
});

async function recordsOf(name: string): Promise<Records> {
  const database = await openDB(name);
  const names = [...database.objectStoreNames];
  const transaction = database.transaction(names);
  const all = await Promise.all(
    names.map(async (each) => {
      const store = transaction.objectStore(each);
      const [keys, values] = await Promise.all([store.getAllKeys(), store.getAll()]);
      return [each, keys.map((key, index) => [key, values[index]] as const)] as const;
    }),
  );
  database.close();
  return new Map(all);
}

/** A new database with these records. */
async function restored(records: Records): Promise<string> {
  const name = `power-loss-${count++}`;
  await (await openIndexedDbStore({ name })).close();
  const database = await openDB(name);
  for (const [each, entries] of records)
    for (const [key, value] of entries) await database.put(each, value, key);
  database.close();
  return name;
}

/** A store whose operating system keeps what is not flushed for as long as it likes. */
class Machine {
  readonly name: string = `power-loss-${count++}`;
  readonly folder: FaultyFolder = createMemoryFolder();
  readonly clock: SimulatedClock = new SimulatedClock();
  readonly keepHistory: number;
  readonly #states: { readonly transactions: number; readonly records: Records }[] = [];
  #transactions = 0;
  /** Transactions that are on the disk. */
  #flushed = 0;

  constructor(keepHistory: number) {
    this.keepHistory = keepHistory;
    const { name } = this;
    const onComplete = (isStrict: boolean): void => {
      this.#transactions++;
      if (isStrict) this.#flushed = this.#transactions;
    };
    const begin = IDBDatabase.prototype.transaction as (...given: unknown[]) => IDBTransaction;
    IDBDatabase.prototype.transaction = function (this: IDBDatabase, ...given: unknown[]): IDBTransaction {
      const transaction = begin.apply(this, given);
      const [, mode, options] = given as [unknown, string?, { durability?: string }?];
      if (this.name === name && mode === 'readwrite')
        transaction.addEventListener('complete', () => onComplete(options?.durability === 'strict'));
      return transaction;
    } as IDBDatabase['transaction'];
    undoes.push(() => void (IDBDatabase.prototype.transaction = begin as IDBDatabase['transaction']));
  }

  open(): Promise<Store> {
    const { name, folder, clock, keepHistory } = this;
    return openOpfsStore({ name, clock, keepHistory, openFolder: async () => folder });
  }

  async remember(): Promise<void> {
    const records = await recordsOf(this.name);
    this.#states.push({ transactions: this.#transactions, records });
  }

  /** What was behind the commits has had its time. */
  async rest(store: Store): Promise<void> {
    await this.clock.advance(5000);
    for (let turn = 0; turn < 6; turn++) await store.get(['nothing']);
  }

  /**
   * Another machine with the same disk, as the power left it.
   * @param share of the transactions that were not flushed, those that the disk has all the same
   */
  async lose(share: number): Promise<{ readonly store: Store; readonly kept: number }> {
    const kept = this.#flushed + Math.round(share * (this.#transactions - this.#flushed));
    const index = this.#states.findLastIndex(({ transactions }) => transactions <= kept);
    const folder = createMemoryFolder();
    for (const [file, bytes] of this.folder.files) folder.files.set(file, bytes);
    const name = await restored(this.#states[index]?.records ?? new Map());
    const { keepHistory } = this;
    return {
      store: await openOpfsStore({ name, keepHistory, openFolder: async () => folder }),
      kept: index,
    };
  }
}

const put = (key: string, value: unknown): Write => ({ type: 'put', key: [key], value });

describe('a loss of power', () => {
  test.each([
    ['overwritten', put('k', large(2))],
    ['overwritten by what needs no file', put('k', 2)],
    ['deleted', { type: 'delete', key: ['k'] }],
    ['forgotten', { type: 'delete', key: ['k'], forget: true }],
  ] as const)('undoes a relaxed commit: what was strict and is %s is there', async (_, write) => {
    const machine = new Machine(1);
    const store = await machine.open();
    await store.commit([put('k', large(1))]);
    await machine.remember();
    await store.commit([write], { durability: 'relaxed' });
    for (let turn = 0; turn < 6; turn++) await store.get(['nothing']);
    const after = await machine.lose(0);
    expect((await after.store.get(['k']))?.value).toEqual(large(1));
    await Promise.all([store.close(), after.store.close()]);
  });

  test('a file that a relaxed commit replaced goes with the next strict one, or a second later, or many together', async () => {
    const machine = new Machine(1);
    const store = await machine.open();
    const relaxed = (key: string, fill: number): Promise<unknown> =>
      store.commit([put(key, large(fill))], { durability: 'relaxed' });
    await relaxed('k', 1);
    await relaxed('k', 2);
    for (let turn = 0; turn < 6; turn++) await store.get(['nothing']);
    expect(machine.folder.files.size).toBe(2);
    await store.commit([put('other', 1)]);
    await expect.poll(() => machine.folder.files.size).toBe(1);
    await relaxed('k', 3);
    await machine.clock.advance(1000);
    await expect.poll(() => machine.folder.files.size).toBe(1);
    for (let fill = 0; fill < 100; fill++) await relaxed('k', fill);
    await expect.poll(() => machine.folder.files.size).toBeLessThan(20);
    await store.close();
    expect(machine.folder.files.size).toBe(1);
  });

  const writes = fc.array(
    fc.oneof(
      fc.record({
        type: fc.constant('put' as const),
        key: fc.constantFrom('a', 'b'),
        isLarge: fc.boolean(),
      }),
      fc.record({
        type: fc.constant('delete' as const),
        key: fc.constantFrom('a', 'b'),
        forget: fc.boolean(),
      }),
    ),
    { minLength: 1, maxLength: 3 },
  );
  const step = fc.record({
    writes,
    durability: fc.constantFrom<Durability>('relaxed', 'relaxed', 'strict'),
    isResting: fc.boolean(),
  });

  test('at any moment leaves each value and kept revision of some moment since the last strict commit, whole', async () => {
    let fill = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 1, maxLength: 8 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.constantFrom(1, 3),
        async (steps, share, keepHistory) => {
          const machine = new Machine(keepHistory);
          const store = await machine.open();
          await machine.remember();
          const seen = [await contentOf(store)];
          for (const { writes: wanted, durability, isResting } of steps) {
            const commit = wanted.map((write): Write => {
              if (write.type === 'delete') return { ...write, key: [write.key] };
              return put(write.key, write.isLarge ? large(++fill) : ++fill);
            });
            await store.commit(commit, { durability });
            await machine.remember();
            seen.push(await contentOf(store));
            if (isResting) await machine.rest(store);
          }
          const after = await machine.lose(share);
          expect(await contentOf(after.store)).toEqual(seen[after.kept]);
          await Promise.all([store.close(), after.store.close()]);
          for (const undo of undoes.splice(0)) undo();
        },
      ),
      { numRuns: 60 },
    );
  }, 60_000);
});

async function contentOf(store: Store): Promise<unknown> {
  const revisions = await Promise.all(['a', 'b'].map((key) => store.history([key])));
  return [await store.list([]), revisions].map((each) => JSON.stringify(each, firstByte));
}

const firstByte = (_: string, value: unknown): unknown =>
  value instanceof Uint8Array ? `${value.length} of ${value[0]}` : value;
