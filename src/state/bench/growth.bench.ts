/** A journal that grows: what an append and a look into the past cost while it does. */
import type { IDBPDatabase } from 'idb';
import { withJournal } from '../snapshot/journal.ts';
import { stateAt } from '../snapshot/point-in-time.ts';
import { deleteSnapshot, takeSnapshot } from '../snapshot/snapshot.ts';
import type { Store, Write } from '../store.ts';
import { median, rawPut, rawRecord, timed, withDatabases } from './measure.bench.ts';
import type { Bench, StateBenchPlot } from './measure.bench.ts';

/** Commits that go to the store in one transaction. */
const perTransaction = 500;
const keysTogether = 20;
/** Up to here the bare database grows beside the journal; what lies beyond is a matter of the journal alone. */
const maxBareEntries = 100_000;
const keys = 1000;
const prefix = ['grown'];
/** In the last decade a tenfold journal may take 10 to the power of this as long; 1 is linear. */
const maxExponent = 1.15;

interface Grown {
  readonly entries: number;
  /** Of all appends up to here. */
  readonly appendMs: number;
  readonly bareMs: number;
  /** One strict commit. */
  readonly commitMs: number;
  /** From the beginning of the journal. */
  readonly pastMs: number;
  /** With a snapshot right before it. */
  readonly nearMs: number;
  /** A snapshot of the keys, none taken before. */
  readonly snapshotMs: number;
}

/** As parameters change in training: commits that share a transaction change the same few keys. */
const keyOf = (entry: number): string =>
  `key-${(Math.floor(entry / perTransaction) * keysTogether + (entry % keysTogether)) % keys}`;
const valueOf = (entry: number): object => ({ text: `${entry} `.padEnd(60, 'x'), entry });
const groupOf = (entry: number): readonly Write[] => [
  { type: 'put', key: [...prefix, keyOf(entry)], value: valueOf(entry) },
];
const range = (from: number, length: number): readonly number[] =>
  Array.from({ length }, (_, index) => from + index);

/** The same records: each entry in the order of writing, and each key once. */
function rawRecords(entries: readonly number[]): readonly object[] {
  const name = (entry: number): string => `entry/${String(entry).padStart(15, '0')}`;
  return [
    ...entries.map((entry) => rawRecord(name(entry), valueOf(entry))),
    ...entries.slice(-keysTogether).map((entry) => rawRecord(keyOf(entry), valueOf(entry))),
  ];
}

class Growth {
  readonly #bench: Bench;
  readonly #store: Store;
  readonly #database: IDBPDatabase;
  #entries = 0;
  #appendMs = 0;
  #bareMs = 0;

  constructor(bench: Bench, store: Store, database: IDBPDatabase) {
    this.#bench = bench;
    this.#store = store;
    this.#database = database;
  }

  async growTo(entries: number): Promise<Grown> {
    while (this.#entries < entries) {
      const some = range(this.#entries, Math.min(perTransaction, entries - this.#entries));
      this.#appendMs += await timed(() => this.#append(some));
      if (this.#entries < maxBareEntries) {
        const records = rawRecords(some);
        this.#bareMs += await timed(() => rawPut(this.#database, records, 'relaxed'));
      }
      this.#entries += some.length;
    }
    const measured = await this.#measure();
    return { entries, appendMs: this.#appendMs, bareMs: this.#bareMs, ...measured };
  }

  async #append(entries: readonly number[]): Promise<void> {
    await this.#store.commitEach(entries.map(groupOf), { durability: 'relaxed' });
    // what it costs to look at all that is there whenever something is written
    if (this.#bench.sabotage) await stateAt(this.#store, Date.now(), prefix);
  }

  async #measure(): Promise<Omit<Grown, 'entries' | 'appendMs' | 'bareMs'>> {
    const store = this.#store;
    const commits: number[] = [];
    for (const entry of range(0, 15))
      commits.push(await timed(() => store.commit([...groupOf(entry)], { durability: 'strict' })));
    // sabotaged, asked for once for every so many entries
    const looks = this.#bench.sabotage ? Math.ceil(this.#entries / perTransaction) : 1;
    const pastMs = await timed(async () => {
      for (let look = 0; look < looks; look++) await stateAt(store, Date.now(), prefix);
    });
    const snapshotMs = await timed(() => takeSnapshot(store, 'near'));
    const near: number[] = [];
    for (let look = 0; look < 5; look++) near.push(await timed(() => stateAt(store, Date.now(), prefix)));
    await deleteSnapshot(store, 'near');
    return { commitMs: median(commits), pastMs, snapshotMs, nearMs: median(near) };
  }
}

/** 1,000, 3,000, 10,000, … up to the last; a bench of itself begins lower. */
function sizesOf({ isSmall, sabotage, growth }: Bench): readonly number[] {
  const sizes = [1000, 3000, 10_000, 30_000, 100_000, 300_000, 1_000_000];
  if (isSmall) return [250, 750, 2500];
  return sizes.slice(0, sabotage ? 4 : growth ? 7 : 5);
}

/** The power of the size with which a time grew over the last decade. */
function exponentOf(grown: readonly Grown[], msOf: (grown: Grown) => number): number {
  const [first, last] = [grown.at(-3), grown.at(-1)];
  if (!first || !last) return NaN;
  return Math.log(msOf(last) / msOf(first)) / Math.log(last.entries / first.entries);
}

const bareMsOf = ({ bareMs, entries }: Grown): number => bareMs / entries;

function plotOf(grown: readonly Grown[]): StateBenchPlot {
  const series: readonly (readonly [string, (at: Grown) => number])[] = [
    ['append, of 500 in a transaction', ({ appendMs, entries }) => appendMs / entries],
    ['bare idb, the same', bareMsOf],
    ['one strict commit', ({ commitMs }) => commitMs],
    ['stateAt from the beginning', ({ pastMs }) => pastMs],
    ['stateAt after a snapshot', ({ nearMs }) => nearMs],
    ['first snapshot', ({ snapshotMs }) => snapshotMs],
  ];
  return {
    name: 'journal-growth',
    title: 'A journal that grows',
    x: 'entries',
    y: 'ms',
    points: series.flatMap(([name, msOf]) =>
      grown
        .filter((at) => msOf !== bareMsOf || at.entries <= maxBareEntries)
        .map((at) => ({ series: name, x: at.entries, y: msOf(at) })),
    ),
  };
}

function reportGrowth(bench: Bench, grown: readonly Grown[]): void {
  const last = grown.at(-1);
  if (!last) return;
  const { entries, appendMs, bareMs, commitMs, pastMs, nearMs, snapshotMs } = last;
  const perEntry = (ms: number): number => (ms / entries) * 1000;
  const exponent = (name: string, msOf: (at: Grown) => number, goal?: number): void =>
    bench.report({
      name: `${name}: power of its growth over the last decade to ${entries} entries`,
      ours: exponentOf(grown, msOf),
      unit: '',
      ...(goal === undefined ? {} : { goal }),
    });
  bench.report({
    name: `append to a journal of ${entries} entries, ${perTransaction} in a transaction`,
    ours: perEntry(appendMs),
    beside: (bareMs / Math.min(entries, maxBareEntries)) * 1000,
    unit: 'µs',
  });
  exponent('appends', (at) => at.appendMs, maxExponent);
  const bare = grown.filter((at) => at.entries <= maxBareEntries);
  bench.report({
    name: `the same puts, bare idb: power of their growth over the last decade to ${bare.at(-1)?.entries} entries`,
    ours: exponentOf(bare, (at) => at.bareMs),
    unit: '',
  });
  bench.report({ name: `one strict commit into ${entries} entries`, ours: commitMs, unit: 'ms' });
  bench.report({ name: `stateAt over ${entries} entries, per entry`, ours: perEntry(pastMs), unit: 'µs' });
  exponent('stateAt over all', (at) => at.pastMs, maxExponent);
  bench.report({
    name: `first snapshot of ${keys} keys at ${entries} entries`,
    ours: snapshotMs,
    unit: 'ms',
  });
  bench.report({ name: `stateAt after a snapshot at ${entries} entries`, ours: nearMs, unit: 'ms' });
}

export async function benchGrowth(bench: Bench): Promise<void> {
  await withDatabases(async (inner, database) => {
    const store = await withJournal(inner, {
      prefixes: [prefix],
      maxEntries: 10_000_000,
      maxBytes: 2 ** 40,
      isCompacting: false,
    });
    const growth = new Growth(bench, store, database);
    const grown: Grown[] = [];
    for (const entries of sizesOf(bench)) grown.push(await growth.growTo(entries));
    reportGrowth(bench, grown);
    bench.plot(plotOf(grown));
  });
}
