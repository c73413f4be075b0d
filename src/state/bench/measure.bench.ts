/** How the rows of this benchmark are taken and told. */
import { deleteDB, openDB } from 'idb';
import type { IDBPDatabase } from 'idb';
import { openIndexedDbStore } from '../backend/indexeddb.ts';
import type { Durability, Store } from '../store.ts';

export interface StateBenchRow {
  readonly name: string;
  /** Median over the rounds of each round's median. */
  readonly ours: number;
  readonly beside?: number;
  readonly unit: string;
  /** The largest ratio of ours to beside that holds the goal; the largest ours where nothing stands beside it. */
  readonly goal?: number;
  /** Smallest and largest of the rounds: ratios, or ours where nothing stands beside it. */
  readonly spread?: readonly [number, number];
}

/** A curve per series. */
export interface StateBenchPlot {
  /** Part of a file's name. */
  readonly name: string;
  readonly title: string;
  readonly x: string;
  readonly y: string;
  readonly points: readonly { readonly series: string; readonly x: number; readonly y: number }[];
}

export interface StateBenchOptions {
  /** Do the work badly on purpose: every row with a goal must fall short. */
  readonly sabotage?: boolean;
  /** A journal of a million entries instead of a hundred thousand: takes minutes. */
  readonly growth?: boolean;
  /** Little of everything, for a test of the bench itself: its figures say nothing. */
  readonly isSmall?: boolean;
  readonly plot?: (plot: StateBenchPlot) => void;
}

export interface Bench {
  readonly report: (row: StateBenchRow) => void;
  readonly plot: (plot: StateBenchPlot) => void;
  readonly sabotage: boolean;
  readonly growth: boolean;
  readonly isSmall: boolean;
  readonly rounds: number;
}

export type Work = (index: number) => Promise<unknown>;

/** Two that do the same work, and what one may cost of the other. */
export interface Contest {
  readonly name: string;
  readonly goal?: number;
  readonly iterations: number;
  readonly ours: Work;
  readonly beside: Work;
  /** Before each turn of ours, untimed. */
  readonly prepare?: Work;
}

/** The value that most rows write and read. */
export const kilobyte: { readonly text: string; readonly n: number } = { text: 'x'.repeat(1000), n: 1 };

/** Of an unsorted sample. */
export function quantile(sample: readonly number[], ratio: number): number {
  const sorted = sample.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(ratio * sorted.length))] ?? Number.NaN;
}

export const median = (sample: readonly number[]): number => quantile(sample, 0.5);

/** In milliseconds. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const startMs = performance.now();
  await work();
  return performance.now() - startMs;
}

async function runRound(contest: Contest, round: number): Promise<{ ours: number; beside: number }> {
  const [ours, beside]: [number[], number[]] = [[], []];
  for (let index = 0; index < contest.iterations; index++) {
    const id = round * contest.iterations + index;
    await contest.prepare?.(id);
    const runOurs = async (): Promise<void> => void ours.push(await timed(() => contest.ours(id)));
    const runBeside = async (): Promise<void> => void beside.push(await timed(() => contest.beside(id)));
    // who goes first changes, so that neither pays for the other
    for (const run of index % 2 === 0 ? [runOurs, runBeside] : [runBeside, runOurs]) await run();
  }
  return { ours: median(ours), beside: median(beside) };
}

const spreadOf = (values: readonly number[]): readonly [number, number] => [
  Math.min(...values),
  Math.max(...values),
];

/** Times both, interleaved, after a short round that does not count. */
export async function reportContest(bench: Bench, contest: Contest): Promise<void> {
  const { name, goal } = contest;
  const iterations = bench.isSmall ? Math.min(4, contest.iterations) : contest.iterations;
  await runRound({ ...contest, iterations: Math.ceil(iterations / 4) }, -1);
  const results: { ours: number; beside: number }[] = [];
  for (let round = 0; round < bench.rounds; round++)
    results.push(await runRound({ ...contest, iterations }, round));
  bench.report({
    name,
    ours: median(results.map(({ ours }) => ours)),
    beside: median(results.map(({ beside }) => beside)),
    unit: 'ms',
    ...(goal === undefined ? {} : { goal }),
    spread: spreadOf(results.map(({ ours, beside }) => ours / beside)),
  });
}

/** The median of some times in milliseconds, bounded by itself. */
export function reportTimes(
  bench: Bench,
  { name, goalMs }: { readonly name: string; readonly goalMs?: number },
  timesMs: readonly number[],
): void {
  const goal = goalMs === undefined ? {} : { goal: goalMs };
  bench.report({ name, ours: median(timesMs), unit: 'ms', ...goal, spread: spreadOf(timesMs) });
}

/** A record of bare idb with the fields of one of ours. */
export function rawRecord(key: string, value: unknown): object {
  return { key, value, revision: 1, atMs: 0 };
}

/** Puts in one transaction of bare idb. */
export async function rawPut(
  database: IDBPDatabase,
  records: readonly object[],
  durability: Durability,
): Promise<void> {
  const transaction = database.transaction('raw', 'readwrite', { durability });
  for (const record of records) void transaction.store.put(record);
  await transaction.done;
}

/** A new store and a new bare database, both of which are gone afterwards. */
export async function withDatabases(
  work: (store: Store, database: IDBPDatabase) => Promise<void>,
): Promise<void> {
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
