/** Single writes, writes at once, and reads, beside bare idb. */
import type { IDBPDatabase } from 'idb';
import { createMemoryStore } from '../backend/memory.ts';
import { createGroupCommitter } from '../group-commit.ts';
import type { Durability, Store } from '../store.ts';
import {
  kilobyte,
  quantile,
  rawPut,
  rawRecord,
  reportContest,
  timed,
  withDatabases,
} from './measure.bench.ts';
import type { Bench, Contest } from './measure.bench.ts';

const batchSize = 100;
const rewritten = (index: number): string => `key-${index % 50}`;
const batchKeys = Array.from({ length: batchSize }, (_, index) => `batch-${index}`);
const putKilobyte = (database: IDBPDatabase, keys: readonly string[], level: Durability): Promise<void> =>
  rawPut(
    database,
    keys.map((key) => rawRecord(key, kilobyte)),
    level,
  );

function putContest(store: Store, database: IDBPDatabase, durability: Durability, isBad: boolean): Contest {
  return {
    name: `put 1 KB, ${durability}`,
    goal: durability === 'strict' ? 1.3 : 1.5,
    iterations: 60,
    async ours(index) {
      const write = { type: 'put', key: ['bench', rewritten(index)], value: kilobyte } as const;
      await store.commit([write], { durability });
      if (isBad) await store.commit([write], { durability: 'strict' });
    },
    beside: (index) => putKilobyte(database, [rewritten(index)], durability),
  };
}

/** Whether it was deleted before, and goes on counting, is read while it is added. */
function newKeyContest(store: Store, database: IDBPDatabase, isBad: boolean): Contest {
  return {
    name: 'put 1 KB under a new key, strict',
    goal: 1.3,
    iterations: 60,
    async ours(index) {
      await store.commit([{ type: 'put', key: ['new', `${index}`], value: kilobyte }]);
      if (isBad) await store.commit([{ type: 'put', key: ['new', `${index}`], value: kilobyte }]);
    },
    beside: (index) => putKilobyte(database, [`new-${index}`], 'strict'),
  };
}

function batchContest(store: Store, database: IDBPDatabase, isBad: boolean): Contest {
  const committer = createGroupCommitter(store);
  const put = (key: string) => [{ type: 'put', key: ['batch', key], value: kilobyte }] as const;
  return {
    name: `${batchSize} writers of 1 KB at once, strict`,
    // four fifths of the bare throughput
    goal: 1.25,
    iterations: 30,
    async ours() {
      if (isBad) for (const key of batchKeys) await store.commit(put(key));
      else await Promise.all(batchKeys.map((key) => committer.commit(put(key), 'strict')));
    },
    beside: () => putKilobyte(database, batchKeys, 'strict'),
  };
}

function getContest(store: Store, database: IDBPDatabase, isBad: boolean): Contest {
  return {
    name: 'get 1 KB',
    goal: 1.5,
    iterations: 150,
    async ours(index) {
      await store.get(['bench', rewritten(index)]);
      if (isBad) await store.list(['bench']);
    },
    beside: (index) => database.get('raw', rewritten(index)),
  };
}

export async function benchWrites(bench: Bench): Promise<void> {
  const { sabotage } = bench;
  await withDatabases(async (store, database) => {
    await reportContest(bench, putContest(store, database, 'strict', sabotage));
    await reportContest(bench, putContest(store, database, 'relaxed', sabotage));
    await reportContest(bench, newKeyContest(store, database, sabotage));
    await reportContest(bench, batchContest(store, database, sabotage));
    await reportContest(bench, getContest(store, database, sabotage));
  });
}

export interface AcknowledgementTimes {
  readonly level: 'memory' | Durability;
  readonly p50Ms: number;
  readonly p95Ms: number;
}

/** How long one put of 1 KB takes to be acknowledged at each level, interleaved. */
export async function measureAcknowledgements(
  iterations: number = 400,
): Promise<readonly AcknowledgementTimes[]> {
  const memory = createMemoryStore();
  const samples = { memory: [] as number[], relaxed: [] as number[], strict: [] as number[] };
  await withDatabases(async (store) => {
    for (let index = 0; index < iterations; index++) {
      const writes = [{ type: 'put', key: ['k', rewritten(index)], value: kilobyte }] as const;
      samples.memory.push(await timed(() => memory.commit(writes)));
      samples.relaxed.push(await timed(() => store.commit(writes, { durability: 'relaxed' })));
      samples.strict.push(await timed(() => store.commit(writes, { durability: 'strict' })));
    }
  });
  return (['memory', 'relaxed', 'strict'] as const).map((level) => ({
    level,
    p50Ms: quantile(samples[level], 0.5),
    p95Ms: quantile(samples[level], 0.95),
  }));
}
