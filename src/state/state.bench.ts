/** The store beside bare IndexedDB (through idb), in one page, interleaved. */
import { deleteDB, openDB } from 'idb';
import type { IDBPDatabase } from 'idb';
import { createGroupCommitter } from './group-commit.ts';
import { openIndexedDbStore } from './backend/indexeddb.ts';
import { createMemoryStore } from './backend/memory.ts';
import type { Key } from './key.ts';
import { createRecords } from './record/records.ts';
import type { Durability, Store } from './store.ts';

export interface StateBenchRow {
  readonly name: string;
  /** Milliseconds: median over the rounds of each round's median. */
  readonly ours: number;
  readonly beside: number;
  readonly unit: 'ms';
  /** The largest ratio of ours to beside that holds the goal. */
  readonly goal: number;
  /** Smallest and largest ratio of the rounds. */
  readonly spread: readonly [number, number];
}

export interface StateBenchOptions {
  /** Do the work badly on purpose: every row must fall short. */
  readonly sabotage?: boolean;
  /** Default 5. */
  readonly rounds?: number;
  /** Default 60. */
  readonly iterations?: number;
  /** Of the record whose latest is loaded. Default 10,000. */
  readonly versionCount?: number;
}

interface Contest {
  readonly name: string;
  readonly goal: number;
  readonly iterations: number;
  ours(index: number): Promise<unknown>;
  beside(index: number): Promise<unknown>;
}

const kilobyte = { text: 'x'.repeat(1000), n: 1 };
const batchSize = 100;

function quantile(sample: readonly number[], ratio: number): number {
  const sorted = sample.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(ratio * sorted.length))] ?? Number.NaN;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startMs = performance.now();
  await work();
  return performance.now() - startMs;
}

async function runRound(contest: Contest, round: number): Promise<{ ours: number; beside: number }> {
  const [ours, beside]: [number[], number[]] = [[], []];
  for (let index = 0; index < contest.iterations; index++) {
    const id = round * contest.iterations + index;
    const runOurs = async (): Promise<void> => void ours.push(await timed(() => contest.ours(id)));
    const runBeside = async (): Promise<void> => void beside.push(await timed(() => contest.beside(id)));
    // who goes first changes, so that neither pays for the other
    for (const run of index % 2 === 0 ? [runOurs, runBeside] : [runBeside, runOurs]) await run();
  }
  return { ours: quantile(ours, 0.5), beside: quantile(beside, 0.5) };
}

async function runContest(contest: Contest, rounds: number): Promise<StateBenchRow> {
  await runRound({ ...contest, iterations: Math.ceil(contest.iterations / 4) }, -1);
  const results: { ours: number; beside: number }[] = [];
  for (let round = 0; round < rounds; round++) results.push(await runRound(contest, round));
  const ratios = results.map(({ ours, beside }) => ours / beside);
  return {
    name: contest.name,
    ours: quantile(
      results.map(({ ours }) => ours),
      0.5,
    ),
    beside: quantile(
      results.map(({ beside }) => beside),
      0.5,
    ),
    unit: 'ms',
    goal: contest.goal,
    spread: [Math.min(...ratios), Math.max(...ratios)],
  };
}

async function rawPut(
  database: IDBPDatabase,
  keys: readonly string[],
  durability: Durability,
): Promise<void> {
  const transaction = database.transaction('raw', 'readwrite', { durability });
  for (const key of keys) void transaction.store.put({ key, value: kilobyte, revision: 1, atMs: 0 });
  await transaction.done;
}

const rewritten = (index: number): string => `key-${index % 50}`;
const batchKeys = Array.from({ length: batchSize }, (_, index) => `batch-${index}`);

function putContest(store: Store, database: IDBPDatabase, durability: Durability, isBad: boolean): Contest {
  return {
    name: `put 1 KB, ${durability}`,
    goal: 1.5,
    iterations: 60,
    async ours(index) {
      const write = { type: 'put', key: ['bench', rewritten(index)], value: kilobyte } as const;
      await store.commit([write], { durability });
      if (isBad) await store.commit([write], { durability: 'strict' });
    },
    beside: (index) => rawPut(database, [rewritten(index)], durability),
  };
}

function newKeyContest(store: Store, database: IDBPDatabase, isBad: boolean): Contest {
  return {
    name: 'put 1 KB under a new key, strict',
    goal: 1.5,
    iterations: 60,
    async ours(index) {
      await store.commit([{ type: 'put', key: ['new', `${index}`], value: kilobyte }]);
      if (isBad) await store.commit([{ type: 'put', key: ['new', `${index}`], value: kilobyte }]);
    },
    beside: (index) => rawPut(database, [`new-${index}`], 'strict'),
  };
}

function batchContest(store: Store, database: IDBPDatabase, isBad: boolean): Contest {
  const committer = createGroupCommitter(store);
  const put = (key: string) => [{ type: 'put', key: ['batch', key], value: kilobyte }] as const;
  return {
    name: `${batchSize} writers of 1 KB at once, strict`,
    goal: 1.25,
    iterations: 30,
    async ours() {
      if (isBad) for (const key of batchKeys) await store.commit(put(key));
      else await Promise.all(batchKeys.map((key) => committer.commit(put(key), 'strict')));
    },
    beside: () => rawPut(database, batchKeys, 'strict'),
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

/** A record with many versions. They are made in memory and brought over in few commits: a save each would take longer than all rounds. */
async function fillRecord(store: Store, versionCount: number): Promise<void> {
  const memory = createMemoryStore();
  const records = createRecords(memory);
  for (let n = 0; n < versionCount; n++) await records.save('many', { ...kilobyte, n });
  let after: Key | undefined;
  for (;;) {
    const page = await memory.list([], { limit: 2000, ...(after ? { after } : {}) });
    if (page.length === 0) break;
    await store.commit(
      page.map(({ key, value }) => ({ type: 'put', key, value })),
      { durability: 'relaxed' },
    );
    after = page.at(-1)?.key;
  }
  await memory.close();
}

function loadLatestContest(
  store: Store,
  database: IDBPDatabase,
  { versionCount, isBad }: { readonly versionCount: number; readonly isBad: boolean },
): Contest {
  const records = createRecords(store);
  return {
    name: `load the latest of ${versionCount.toLocaleString('en')} versions of 1 KB`,
    goal: 2,
    iterations: 150,
    async ours() {
      await records.load('many');
      if (isBad) await records.versions('many');
    },
    beside: (index) => database.get('raw', rewritten(index)),
  };
}

async function withDatabases(work: (store: Store, database: IDBPDatabase) => Promise<void>): Promise<void> {
  const suffix = crypto.randomUUID();
  const [ourName, rawName] = [`bench-${suffix}`, `bench-raw-${suffix}`];
  const store = await openIndexedDbStore({ name: ourName });
  const database = await openDB(rawName, 1, {
    upgrade: (fresh) => void fresh.createObjectStore('raw', { keyPath: 'key' }),
  });
  try {
    await work(store, database);
  } finally {
    await store.close();
    database.close();
    await Promise.all([deleteDB(ourName), deleteDB(rawName)]);
  }
}

/** Times the IndexedDB store beside bare idb, and reports one row per contest. Runs in a page or a worker. */
export async function benchState(
  report: (row: StateBenchRow) => void,
  options: StateBenchOptions = {},
): Promise<void> {
  const { sabotage = false, rounds = 5, iterations, versionCount = 10_000 } = options;
  await withDatabases(async (store, database) => {
    const contests = [
      putContest(store, database, 'strict', sabotage),
      putContest(store, database, 'relaxed', sabotage),
      newKeyContest(store, database, sabotage),
      batchContest(store, database, sabotage),
      getContest(store, database, sabotage),
      loadLatestContest(store, database, { versionCount, isBad: sabotage }),
    ];
    await fillRecord(store, versionCount);
    for (const contest of contests) {
      const count = Math.min(contest.iterations, iterations ?? Infinity);
      report(await runContest({ ...contest, iterations: count }, rounds));
    }
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
