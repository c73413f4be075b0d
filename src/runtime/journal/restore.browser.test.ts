/* oxlint-disable typescript/unbound-method -- prototypes are patched and restored */
import { expect, test } from 'vitest';
import { openIndexedDbStore } from '../../state/index.ts';
import type { Durability } from '../../state/index.ts';
import type { testModules } from '../runtime-test-modules.ts';
import { createRuntime } from '../runtime.ts';

/** One record that was put while somebody watched. */
interface SeenPut {
  readonly record: string;
  readonly transaction: IDBTransaction;
}

/** What had been put, in transactions of this durability that were complete. */
type Kept = (durability: Durability) => string;

/** Sees what the page really asks IndexedDB for until `call` resolves. */
async function watchPuts(call: () => Promise<void>): Promise<Kept> {
  const puts: SeenPut[] = [];
  const complete = new Set<IDBTransaction>();
  const { transaction } = IDBDatabase.prototype;
  const { put } = IDBObjectStore.prototype;
  IDBDatabase.prototype.transaction = function (...args) {
    const begun = transaction.apply(this, args);
    // heard before the store hears it
    begun.addEventListener('complete', () => complete.add(begun));
    return begun;
  };
  IDBObjectStore.prototype.put = function (...args) {
    puts.push({ record: JSON.stringify(args[0]), transaction: this.transaction });
    return put.apply(this, args);
  };
  try {
    await call();
    const kept = puts.filter((each) => complete.has(each.transaction));
    return (durability) =>
      kept
        .filter((each) => each.transaction.durability === durability)
        .map(({ record }) => record)
        .join('\n');
  } finally {
    IDBDatabase.prototype.transaction = transaction;
    IDBObjectStore.prototype.put = put;
  }
}

test('a restore is acknowledged when a strict transaction that holds all of it is complete', async () => {
  await using store = await openIndexedDbStore({ name: `restore-${crypto.randomUUID()}` });
  await using runtime = createRuntime<typeof testModules>({
    worker: (name) =>
      new Worker(new URL('../runtime-test.worker.ts', import.meta.url), { type: 'module', name }),
    store,
  });
  const counter = await runtime.start('counter', { id: 'c' });
  await counter.parameters.total.set(7);
  await counter.parameters.label.set('kept');
  const checkpoint = await counter.checkpoint();

  // the watching tells the levels apart: else a strict one below would mean nothing
  const set = await watchPuts(() => counter.parameters.total.set(8, { level: 'relaxed' }));
  expect(set('relaxed')).toContain('"value":8');
  expect(set('strict')).not.toContain('"value":8');
  await counter.parameters.label.set('changed', { level: 'relaxed' });

  const restored = await watchPuts(() => counter.restore(checkpoint));
  expect(restored('strict')).toContain('"value":7');
  expect(restored('strict')).toContain('"value":"kept"');
});
