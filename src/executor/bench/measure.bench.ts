/** How the executor's bench takes its figures. */
import type { Executor } from '../executor.ts';
import type { Outcome } from '../outcome.ts';
import { createPythonExecutor } from '../language/python/python-executor.ts';
import type { PythonExecutorOptions } from '../language/python/python-executor.ts';

export interface Row {
  readonly name: string;
  readonly ours: number;
  readonly beside?: number;
  readonly unit: string;
  readonly goal?: number;
  readonly spread?: readonly [number, number];
  readonly isMeasured?: boolean;
}
export type Report = (row: Row) => void;
export type Work = () => Promise<unknown>;

export const assets = { baseUrl: '/sandbox/' };
export const frame = { url: '/sandbox/frame.html' };

export const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

export async function timed(work: Work): Promise<number> {
  const startedMs = performance.now();
  await work();
  return performance.now() - startedMs;
}

export function openPython(options: Partial<PythonExecutorOptions> = {}): Executor {
  return createPythonExecutor({ assets, frame, ...options } as PythonExecutorOptions);
}

export function expectValue(outcome: Outcome, expected: unknown): void {
  const value = outcome.type === 'returned' ? outcome.value : undefined;
  if (outcome.type === 'returned' && JSON.stringify(value) === JSON.stringify(expected)) return;
  const found = JSON.stringify(outcome).slice(0, 1000);
  throw new Error(`the guest ended with ${found}, expected the value ${JSON.stringify(expected)}`);
}

export function expectPrinted(outcome: Outcome, expected: string): void {
  if (outcome.type === 'returned' && outcome.stdout.trim() === expected) return;
  throw new Error(
    `the guest ended with ${JSON.stringify(outcome).slice(0, 1000)}, expected ${expected.slice(0, 100)}`,
  );
}

interface Pair {
  readonly name: string;
  /** Bounds `ours / beside`; without one the row only says how it is. */
  readonly goal?: number | undefined;
  readonly rounds: number;
  /** Answers milliseconds. */
  readonly ours: () => Promise<number>;
  /** Absent: the row is not measured. */
  readonly beside: (() => Promise<number>) | undefined;
}

/** In turn, round by round; the figures are medians, the spread is of the rounds' ratios. */
export async function compare({ name, goal, rounds, ours, beside }: Pair): Promise<Row> {
  const figures = { ours: [] as number[], beside: [] as number[] };
  for (let round = 0; round < rounds; round++) {
    if (beside) figures.beside.push(await beside());
    figures.ours.push(await ours());
  }
  return toRow({ name, goal }, figures.ours, figures.beside);
}

/** @param beside times of the same rounds; none: the row is not measured */
export function toRow(
  { name, goal }: Pick<Pair, 'name' | 'goal'>,
  ours: readonly number[],
  beside: readonly number[],
): Row {
  const row = { name, ours: median(ours), unit: 'ms', ...(goal === undefined ? {} : { goal }) };
  if (beside.length === 0) return { ...row, isMeasured: false };
  const ratios = ours.map((value, index) => value / (beside[index] as number));
  return { ...row, beside: median(beside), spread: [Math.min(...ratios), Math.max(...ratios)] };
}

/** The median of so many, each by itself. */
export async function medianOf(count: number, work: Work): Promise<number> {
  const times: number[] = [];
  for (let index = 0; index < count; index++) times.push(await timed(work));
  return median(times);
}
