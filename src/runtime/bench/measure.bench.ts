/** How the rows of this benchmark are taken and told. */
import type { Runtime } from '../runtime.ts';
import type { benchModules } from './bench-modules.ts';

export interface Row {
  readonly name: string;
  readonly ours: number;
  readonly beside?: number;
  readonly unit: string;
  readonly goal?: number;
  readonly higherIsBetter?: boolean;
  readonly spread?: string;
}

export type Work = () => Promise<unknown>;

export interface Bench {
  readonly report: (row: Row) => void;
  /** Do the work badly on purpose: every judged row must fall short. */
  readonly sabotage: boolean;
  readonly runtime: Runtime<typeof benchModules>;
}

/** One round of one kind of work, both sorted. */
interface Round {
  readonly each: readonly number[];
  /** Of so many in a row: one alone is told in steps of the page's clock, which are an eighth of a bare round trip. */
  readonly means: readonly number[];
}

export interface Pair {
  readonly ours: readonly Round[];
  readonly beside: readonly Round[];
}

const perMean = 8;

export const rounds = 5;

/** Of a sorted sample. */
export const quantile = (sorted: readonly number[], share: number): number =>
  sorted[Math.floor((sorted.length - 1) * share)] ?? NaN;

export const median = (values: readonly number[]): number => quantile(ascending(values), 0.5);

export async function timed(work: Work): Promise<number> {
  const startedMs = performance.now();
  await work();
  return performance.now() - startedMs;
}

const ascending = (values: readonly number[]): readonly number[] => values.toSorted((a, b) => a - b);

/** One outstanding at a time, sorted. */
export async function samples(work: Work, count: number): Promise<readonly number[]> {
  return ascending(await inARow(work, count));
}

async function inARow(work: Work, count: number): Promise<readonly number[]> {
  const all: number[] = [];
  for (let index = 0; index < count; index++) all.push(await timed(work));
  return all;
}

async function sampleRound(work: Work, count: number): Promise<Round> {
  const each = await inARow(work, count);
  const means = each.flatMap((_, index) =>
    index % perMean === 0 && index + perMean <= count ? [meanOf(each.slice(index, index + perMean))] : [],
  );
  return { each: ascending(each), means: ascending(means) };
}

const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** Ours and the peer in turn, round by round: drift of the machine hits both. */
export async function interleave(ours: Work, beside: Work, count: number): Promise<Pair> {
  const result = { ours: [] as Round[], beside: [] as Round[] };
  await samples(ours, Math.min(count, 200));
  await samples(beside, Math.min(count, 200));
  for (let round = 0; round < rounds; round++) {
    result.beside.push(await sampleRound(beside, count));
    result.ours.push(await sampleRound(ours, count));
  }
  return result;
}

const spreadOf = (ratios: readonly number[]): string =>
  `${Math.min(...ratios).toFixed(2)}–${Math.max(...ratios).toFixed(2)}×`;

interface PairRow {
  readonly name: string;
  readonly share: number;
  readonly goal?: number;
  /** The quantile of the means of a few in a row. Default: of each alone. */
  readonly ofMeans?: boolean;
}

/** The medians over the rounds of one quantile of each. */
export function reportPair(
  bench: Bench,
  measured: Pair,
  { name, share, goal, ofMeans = false }: PairRow,
): void {
  const quantileOf = ({ each, means }: Round): number => quantile(ofMeans ? means : each, share);
  const ours = measured.ours.map(quantileOf);
  const beside = measured.beside.map(quantileOf);
  bench.report({
    name,
    ours: median(ours) * 1000,
    beside: median(beside) * 1000,
    unit: 'µs',
    spread: spreadOf(ours.map((value, index) => value / (beside[index] as number))),
    ...(goal === undefined ? {} : { goal }),
  });
}

/** p50, p95 and p99 beside the peer's. The goal of p99 is 1 ms, or what p50 may cost where the bare platform takes longer than that. */
export function reportQuantiles(bench: Bench, measured: Pair, name: string, goal: number): void {
  reportPair(bench, measured, { name: `${name}, p50`, share: 0.5, goal, ofMeans: true });
  reportPair(bench, measured, { name: `${name}, p95`, share: 0.95 });
  const p99 = median(measured.ours.map(({ each }) => quantile(each, 0.99)));
  const isQuick = p99 < 1;
  if (isQuick) bench.report({ name: `${name}, p99`, ours: p99, unit: 'ms', goal: 1 });
  else reportPair(bench, measured, { name: `${name}, p99 beside the bare p99`, share: 0.99, goal });
}

/** How many of `count` a second, ours and the peer's in turn; `goal` bounds the ratio from below. */
export async function reportThroughput(
  bench: Bench,
  { name, count, goal }: { readonly name: string; readonly count: number; readonly goal?: number },
  ours: Work,
  beside: Work,
): Promise<void> {
  await ours();
  await beside();
  const rates: { readonly ours: number; readonly beside: number }[] = [];
  for (let round = 0; round < rounds; round++) {
    const besideMs = await timed(beside);
    const oursMs = await timed(ours);
    rates.push({ ours: (count / oursMs) * 1000, beside: (count / besideMs) * 1000 });
  }
  bench.report({
    name,
    ours: median(rates.map((rate) => rate.ours)),
    beside: median(rates.map((rate) => rate.beside)),
    unit: '/s',
    spread: spreadOf(rates.map((rate) => rate.ours / rate.beside)),
    higherIsBetter: true,
    ...(goal === undefined ? {} : { goal }),
  });
}

/** With sabotage everything is asked for twice. */
export const twice = (bench: Bench, work: Work): Work =>
  bench.sabotage ? async () => (await work(), work()) : work;
