/** The float64 kernels beside ml-matrix, the best plain-JavaScript library, on the same matrices in the same process. */
import {
  EigenvalueDecomposition,
  Matrix as Peer,
  SingularValueDecomposition,
  determinant as peerDeterminant,
} from 'ml-matrix';
import { seededRandom } from '../platform/index.ts';
import { eigvals } from './linalg/eig.ts';
import { eigvalsh } from './linalg/eigh.ts';
import { determinant } from './linalg/lu.ts';
import { matmul } from './linalg/matmul.ts';
import { matrixAnalysis } from './linalg/matrix-analysis.ts';
import type { Matrix } from './linalg/matrix.ts';
import { svdvals } from './linalg/svd.ts';

export interface BenchRow {
  readonly name: string;
  /** Median of five rounds, in `unit`. */
  readonly ours: number;
  readonly beside: number;
  readonly unit: string;
  /** The row holds when ours / beside is at most this. */
  readonly goal: number;
  readonly higherIsBetter?: boolean;
}

type Work = () => unknown;

const rounds = 5;

function timed(work: Work): number {
  const start = performance.now();
  work();
  return performance.now() - start;
}

function spreadOf(times: readonly number[]): { median: number; spread: string } {
  const sorted = times.toSorted((a, b) => a - b);
  return {
    median: sorted[rounds >> 1]!,
    spread: `${sorted[0]!.toFixed(2)}–${sorted[rounds - 1]!.toFixed(2)}`,
  };
}

/** The best of `tries` in turn: what a busy machine takes from one reading, it seldom takes from all. */
function bestOf(tries: number, ours: Work, beside: Work): { mine: number; theirs: number } {
  let [mine, theirs] = [Infinity, Infinity];
  for (let i = 0; i < tries; i++) {
    mine = Math.min(mine, timed(ours));
    theirs = Math.min(theirs, timed(beside));
  }
  return { mine, theirs };
}

/** One warm-up, then the median of five rounds; in each round both run in turn. */
function interleaved(
  ours: Work,
  beside: Work,
  tries: number,
): { ours: number; beside: number; spread: string } {
  bestOf(tries, ours, beside);
  const readings = Array.from({ length: rounds }, () => bestOf(tries, ours, beside));
  const a = spreadOf(readings.map(({ mine }) => mine));
  const b = spreadOf(readings.map(({ theirs }) => theirs));
  return { ours: a.median, beside: b.median, spread: `${a.spread} beside ${b.spread}` };
}

function randomMatrix(size: number): Matrix {
  const random = seededRandom(size);
  return {
    rows: size,
    columns: size,
    data: Float64Array.from({ length: size * size }, () => random.next() * 2 - 1),
  };
}

function symmetric({ rows, data }: Matrix): Matrix {
  const half = data.map((value, i) => (value + data[(i % rows) * rows + Math.floor(i / rows)]!) / 2);
  return { rows, columns: rows, data: half };
}

const peerOf = ({ rows, data }: Matrix): Peer => Peer.from1DArray(rows, rows, data);

/** The same decomposition the obvious way: one-sided Jacobi down the columns, many sweeps of whole-matrix work. */
function naiveSingularValues({ rows: n, data }: Matrix): number {
  const a = data.slice();
  for (let sweep = 0; sweep < 12; sweep++) {
    for (let p = 0; p < n; p++) {
      for (let q = p + 1; q < n; q++) rotateColumns(a, n, p, q);
    }
  }
  return a[0]!;
}

function rotateColumns(a: Float64Array, n: number, p: number, q: number): void {
  let [pp, qq, pq] = [0, 0, 0];
  for (let i = 0; i < n; i++) {
    pp += a[i * n + p]! ** 2;
    qq += a[i * n + q]! ** 2;
    pq += a[i * n + p]! * a[i * n + q]!;
  }
  if (pq === 0) return;
  const ratio = (qq - pp) / (2 * pq);
  const t = (ratio < 0 ? -1 : 1) / (Math.abs(ratio) + Math.sqrt(1 + ratio * ratio));
  const c = 1 / Math.sqrt(1 + t * t);
  for (let i = 0; i < n; i++) {
    const [x, y] = [a[i * n + p]!, a[i * n + q]!];
    a[i * n + p] = c * (x - t * y);
    a[i * n + q] = c * (t * x + y);
  }
}

/** Textbook loops with rows of numbers, each entry its own walk down a column. */
function naiveProduct({ rows: n, data }: Matrix): number[][] {
  const rows = Array.from({ length: n }, (_, i) => Array.from(data.subarray(i * n, (i + 1) * n)));
  return rows.map((row) => rows.map((_, j) => row.reduce((sum, x, k) => sum + x * rows[k]![j]!, 0)));
}

function peerAnalysis(a: Peer): Work {
  return () => {
    peerDeterminant(a);
    new EigenvalueDecomposition(a);
    return peerSingularValues(a);
  };
}

const peerSingularValues = (a: Peer): number[] =>
  new SingularValueDecomposition(a, { computeLeftSingularVectors: false, computeRightSingularVectors: false })
    .diagonal;

interface Pair {
  readonly name: string;
  readonly ours: Work;
  readonly beside: Work;
  readonly goal: number;
  /** What runs instead of ours when the benchmark is to prove that it can fall short. */
  readonly naive: Work;
}

function pairs(size: number): readonly Pair[] {
  const [a, s] = [randomMatrix(size), symmetric(randomMatrix(size))];
  const [peer, symmetricPeer] = [peerOf(a), peerOf(s)];
  const jacobi: Work = () => naiveSingularValues(a);
  const product: Work = () => naiveProduct(a);
  return [
    {
      name: 'matrixAnalysis',
      ours: () => matrixAnalysis(a),
      beside: peerAnalysis(peer),
      goal: 0.7,
      naive: both(peerAnalysis(peer), jacobi),
    },
    {
      name: 'singular values',
      ours: () => svdvals(a),
      beside: () => peerSingularValues(peer),
      goal: 1,
      naive: jacobi,
    },
    {
      name: 'eigenvalues, symmetric (peer: with vectors)',
      ours: () => eigvalsh(s),
      beside: () => new EigenvalueDecomposition(symmetricPeer, { assumeSymmetric: true }),
      goal: 0.4,
      naive: jacobi,
    },
    {
      name: 'eigenvalues, general (peer: with vectors)',
      ours: () => eigvals(a),
      beside: () => new EigenvalueDecomposition(peer),
      goal: 0.8,
      naive: both(() => new EigenvalueDecomposition(peer), jacobi),
    },
    {
      name: 'determinant',
      ours: () => determinant(a),
      beside: () => peerDeterminant(peer),
      goal: 1,
      naive: both(() => peerDeterminant(peer), product),
    },
    {
      name: 'matmul',
      ours: () => matmul(a, a),
      beside: () => peer.mmul(peer),
      goal: 0.9,
      naive: both(() => peer.mmul(peer), product),
    },
  ];
}

/** The peer's work and a naive version on top of it: what no kernel of ours may cost. */
function both(peer: Work, naive: Work): Work {
  return () => [peer(), naive()];
}

/** Rows for 64, 128 and 256. With `sabotage` naive loops run in the place of our kernels, and the rows must fall short. */
export async function benchCompute(
  report: (row: BenchRow) => void,
  options: { sabotage: boolean },
): Promise<void> {
  for (const [size, tries] of [
    [64, 10],
    [128, 4],
    [256, 2],
  ] as const) {
    for (const pair of pairs(size)) {
      const { ours, beside, spread } = interleaved(
        options.sabotage ? pair.naive : pair.ours,
        pair.beside,
        tries,
      );
      const name = `${pair.name}, n = ${size} (${spread})`;
      report({ name, ours, beside, unit: 'ms', goal: pair.goal });
    }
  }
}
