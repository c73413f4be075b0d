/** Savers and holders of a lease in several realms: the page and workers, each with a connection of its own. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { openIndexedDbStore } from '../backend/indexeddb.ts';
import { acquireWriterLease } from '../lease.ts';
import type { RealmOrder } from './realm-test.worker.ts';
import { createRecords } from './records.ts';
import { isLinearizable, runSavers, saverOf } from './save-history.contract.ts';
import type { Operation, Saver, SaverStep } from './save-history.contract.ts';

interface Realm {
  ask(order: RealmOrder): Promise<unknown>;
  end(): void;
}

async function openRealm(database: string): Promise<Realm> {
  const worker = new Worker(new URL('./realm-test.worker.ts', import.meta.url), { type: 'module' });
  const realm: Realm = {
    ask: (order) =>
      new Promise((resolve, reject) => {
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = ({ data }: MessageEvent<{ answer?: unknown; error?: string }>) => {
          port1.close();
          if (data.error === undefined) resolve(data.answer);
          else reject(new Error(data.error));
        };
        worker.postMessage(order, [port2]);
      }),
    end: () => worker.terminate(),
  };
  await realm.ask({ type: 'open', database });
  return realm;
}

const scripts = fc.array(
  fc.array(fc.constantFrom<SaverStep>('load', 'save-expected', 'save-expected', 'save-anyway'), {
    minLength: 1,
    maxLength: 5,
  }),
  { minLength: 3, maxLength: 3 },
);

test('savers in a page and two workers: what they see has one order, and every save is kept', async () => {
  const database = `realms-${crypto.randomUUID()}`;
  const store = await openIndexedDbStore({ name: database });
  const realms = await Promise.all([openRealm(database), openRealm(database)]);
  const records = createRecords(store);
  let round = 0;
  await fc.assert(
    fc.asyncProperty(scripts, async (script) => {
      const id = `r-${round++}`;
      const savers: Saver[] = [
        saverOf(records, id),
        ...realms.map(
          (realm): Saver =>
            async (step, seen, state) =>
              (await realm.ask({ type: 'step', id, step, seen, state })) as Operation['did'] | 'starved',
        ),
      ];
      const history = await runSavers(savers.map((saver, index) => ({ saver, script: script[index] ?? [] })));
      expect(isLinearizable(history)).toBe(true);
      const saved = history.flatMap(({ did }) => (did.type === 'save' ? [did.version] : []));
      const kept = await records.versions(id);
      expect(kept.map(({ version }) => version)).toEqual(saved.toSorted((a, b) => Number(a) - Number(b)));
      expect((await records.verify(id)).damaged).toEqual([]);
    }),
    { numRuns: 25 },
  );
  for (const realm of realms) realm.end();
  await store.close();
}, 60_000);

test('a realm that sleeps while its lease is stolen cannot overwrite when it wakes', async () => {
  const database = `lease-${crypto.randomUUID()}`;
  const store = await openIndexedDbStore({ name: database });
  const sleeper = await openRealm(database);
  expect(await sleeper.ask({ type: 'acquire', name: 'w' })).toBe(1);
  // it holds the lock: who waits a little is told that it is busy
  const busy = acquireWriterLease(store, 'w', { waitTimeoutMs: 50 });
  await expect(busy).rejects.toMatchObject({ code: 'state/lease-busy' });
  const bell = new SharedArrayBuffer(4);
  const woken = sleeper.ask({ type: 'sleep-commit', bell, value: 'overwritten' });
  const thief = await acquireWriterLease(store, 'w', { waitTimeoutMs: 50, whenBusy: 'steal' });
  expect(thief.token).toBe(2);
  await thief.commit([{ type: 'put', key: ['k'], value: 'after' }]);
  Atomics.store(new Int32Array(bell), 0, 1);
  Atomics.notify(new Int32Array(bell), 0);
  await expect(woken).rejects.toThrow('state/fenced');
  expect(await store.get(['k'])).toMatchObject({ value: 'after', revision: 1 });
  await thief.commit([{ type: 'put', key: ['k'], value: 'mine' }]);
  sleeper.end();
  await store.close();
}, 30_000);

test('a realm that dies frees its lease; the next token is higher', async () => {
  const database = `lease-${crypto.randomUUID()}`;
  const store = await openIndexedDbStore({ name: database });
  const dying = await openRealm(database);
  expect(await dying.ask({ type: 'acquire', name: 'w' })).toBe(1);
  const waiting = acquireWriterLease(store, 'w');
  dying.end();
  const lease = await waiting;
  expect(lease.token).toBe(2);
  await lease.commit([{ type: 'put', key: ['k'], value: 1 }]);
  await store.close();
}, 30_000);
