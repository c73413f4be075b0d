/**
 * A symmetric matrix made tridiagonal by Householder reflections (Golub & Van Loan, 4th ed., 8.3.1; EISPACK
 * tred1), reading the upper triangle only, and the eigenvalues of the result by implicit QL (EISPACK imtql1).
 */
import { CodedError } from '../../base/index.ts';
import type { Matrix } from './matrix.ts';
import { largestMagnitude } from './scale.ts';
import { hypotenuse, reflect } from './vector.ts';

export interface Tridiagonal {
  readonly diagonal: Float64Array;
  /** Entry i couples i and i + 1; the last one is 0. */
  readonly offDiagonal: Float64Array;
}

/** product[i..] += (A·v)[i..], for row i of the symmetric matrix whose upper triangle is in `data`. */
// oxlint-disable-next-line max-params -- called once per row; the four arrays are one state
function accumulateProduct(
  data: Float64Array,
  size: number,
  i: number,
  v: Float64Array,
  product: Float64Array,
): void {
  const row = i * size;
  const head = v[i]!;
  let sum = data[row + i]! * head;
  for (let j = i + 1; j < size; j++) {
    const entry = data[row + j]!;
    sum += entry * v[j]!;
    product[j] = product[j]! + entry * head;
  }
  product[i] = product[i]! + sum;
}

/** Row i of A ← A − v·wᵀ − w·vᵀ, from the diagonal on. */
// oxlint-disable-next-line max-params -- as accumulateProduct
function updateRow(data: Float64Array, size: number, i: number, v: Float64Array, w: Float64Array): void {
  const row = i * size;
  const [vi, wi] = [v[i]!, w[i]!];
  for (let j = i; j < size; j++) data[row + j] = data[row + j]! - vi * w[j]! - wi * v[j]!;
}

/** w = τ·p − (τ²/2)·(pᵀv)·v, in the place of p = A·v. */
function finishUpdateVector(p: Float64Array, v: Float64Array, tau: number, start: number): void {
  let product = 0;
  for (let j = start; j < p.length; j++) product += p[j]! * v[j]!;
  const half = (tau * tau * product) / 2;
  for (let j = start; j < p.length; j++) p[j] = tau * p[j]! - half * v[j]!;
}

/** Overwrites the upper triangle of `matrix`. Update and next product share one sweep over the rows. */
export function tridiagonalize({ rows: size, data }: Matrix): Tridiagonal {
  const diagonal = new Float64Array(size);
  const offDiagonal = new Float64Array(size);
  let [v, w, nextV, nextW] = Array.from({ length: 4 }, () => new Float64Array(size)) as [
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  for (let k = 0; k < size; k++) {
    updateRow(data, size, k, v, w);
    diagonal[k] = data[k * size + k]!;
    if (k + 1 === size) break;
    nextV.set(data.subarray(k * size + k + 1, (k + 1) * size), k + 1);
    const { beta, tau } = reflect(nextV, k + 1, size);
    offDiagonal[k] = beta;
    nextW.fill(0);
    for (let i = k + 1; i < size; i++) {
      updateRow(data, size, i, v, w);
      accumulateProduct(data, size, i, nextV, nextW);
    }
    finishUpdateVector(nextW, nextV, tau, k + 1);
    [v, w, nextV, nextW] = [nextV, nextW, v, w];
  }
  return { diagonal, offDiagonal };
}

/** The end of the unreduced block that starts at `start`: the first negligible coupling. */
function blockEnd({ diagonal: d, offDiagonal: e }: Tridiagonal, start: number, floor: number): number {
  let end = start;
  for (; end + 1 < d.length; end++) {
    const beside = Math.abs(d[end]!) + Math.abs(d[end + 1]!);
    if (Math.abs(e[end]!) <= Number.EPSILON * beside + floor) break;
  }
  return end;
}

/** One implicit QL sweep with Wilkinson's shift over rows start … end. */
function qlSweep(d: Float64Array, e: Float64Array, start: number, end: number): void {
  const ratio = (d[start + 1]! - d[start]!) / (2 * e[start]!);
  const length = hypotenuse(ratio, 1);
  let g = d[end]! - d[start]! + e[start]! / (ratio + (ratio >= 0 ? length : -length));
  let [sine, cosine, shift] = [1, 1, 0];
  for (let i = end - 1; i >= start; i--) {
    const f = sine * e[i]!;
    const b = cosine * e[i]!;
    const r = hypotenuse(f, g);
    e[i + 1] = r;
    if (r === 0) {
      // the rotation fell apart: the block splits here and the next sweep goes on
      d[i + 1] = d[i + 1]! - shift;
      e[end] = 0;
      return;
    }
    sine = f / r;
    cosine = g / r;
    const rest = d[i + 1]! - shift;
    const t = (d[i]! - rest) * sine + 2 * cosine * b;
    shift = sine * t;
    d[i + 1] = rest + shift;
    g = cosine * t - b;
  }
  d[start] = d[start]! - shift;
  e[start] = g;
  e[end] = 0;
}

/** Sweeps per eigenvalue; two are usual. */
const maxSweeps = 60;

/** Ascending eigenvalues; overwrites its input. Errors: `compute/no-convergence`. */
export function tridiagonalEigenvalues(matrix: Tridiagonal): Float64Array {
  const { diagonal, offDiagonal } = matrix;
  // far below rounding of the reduction, so nothing that carries information is dropped
  const floor = Math.max(largestMagnitude(diagonal), largestMagnitude(offDiagonal)) * 2 ** -70;
  for (let start = 0; start < diagonal.length; start++) {
    for (let sweep = 0; ; sweep++) {
      const end = blockEnd(matrix, start, floor);
      if (end === start) break;
      if (sweep === maxSweeps) {
        throw new CodedError(
          'compute/no-convergence',
          `eigenvalue ${start} did not converge in ${maxSweeps} sweeps`,
          {
            fields: { algorithm: 'implicit QL', index: start, sweeps: maxSweeps },
          },
        );
      }
      qlSweep(diagonal, offDiagonal, start, end);
    }
  }
  return diagonal.sort();
}
