/** Strict writes beside bare IndexedDB, in the same browser profile. */
import type { ModuleHandle } from '../handle/handle.ts';
import type { BenchCounter } from './bench-modules.ts';
import { interleave, reportPair, reportThroughput, twice } from './measure.bench.ts';
import type { Bench } from './measure.bench.ts';

type Counter = ModuleHandle<BenchCounter>;

const writesPerRound = 60;
const together = 100;

function openRaw(name: string): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(name, 1);
    request.onupgradeneeded = () => void request.result.createObjectStore('values');
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error as Error);
  });
}

/** One strict transaction. */
function rawPut(database: IDBDatabase, values: readonly unknown[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const transaction = database.transaction('values', 'readwrite', { durability: 'strict' });
    const store = transaction.objectStore('values');
    for (const [index, value] of values.entries()) store.put(value, `total-${index}`);
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error as Error);
  });
}

/** What is stored of a parameter: its state and its newest change. */
const storedOf = ({ parameters: { total } }: Counter): unknown => ({
  state: total.state,
  newest: total.history.at(-1),
});

export async function benchStore(bench: Bench, handles: readonly Counter[]): Promise<void> {
  const counters = handles.slice(0, together);
  const counter = counters[0] as Counter;
  const database = await openRaw(`bench-raw-${crypto.randomUUID()}`);
  let value = 0;
  await Promise.all(counters.map((each) => each.parameters.total.set(1)));
  const set = twice(bench, () => counter.parameters.total.set(value++ % 1000));
  const measured = await interleave(set, () => rawPut(database, [storedOf(counter)]), writesPerRound);
  const name = 'strict set beside a bare strict IndexedDB put of the same record';
  reportPair(bench, measured, { name: `${name}, p50`, share: 0.5, goal: 1.3 });
  reportPair(bench, measured, { name: `${name}, p95`, share: 0.95 });
  await reportThroughput(
    bench,
    {
      name: `${together} strict sets at once, in ${together} modules, beside one bare strict transaction of the same ${together} puts`,
      count: together,
      goal: 0.8,
    },
    () => setAll(bench, counters, ++value),
    () => rawPut(database, counters.map(storedOf)),
  );
  database.close();
}

/** Sabotaged, one after the other: nothing to commit in groups. */
async function setAll(bench: Bench, counters: readonly Counter[], value: number): Promise<void> {
  const set = (counter: Counter): Promise<void> => counter.parameters.total.set(value % 1000);
  if (!bench.sabotage) return void (await Promise.all(counters.map(set)));
  for (const counter of counters) await set(counter);
}
