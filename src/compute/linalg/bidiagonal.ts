/**
 * A matrix made bidiagonal by Householder reflections from both sides, and the singular values of the result by
 * implicit QR steps. Golub & Van Loan, 4th ed., algorithms 5.4.2 and 8.6.2; shift as in LINPACK dsvdc.
 */
import { CodedError } from '../../base/index.ts';
import type { Matrix } from './matrix.ts';
import { addScaled, hypotenuse, reflect } from './vector.ts';

export interface Bidiagonal {
  readonly diagonal: Float64Array;
  /** Entry i stands right of diagonal entry i; the last one is 0. */
  readonly superDiagonal: Float64Array;
}

/** row ← row − factor·sums, and answers row · right, in one pass. */
// oxlint-disable-next-line max-params -- inner loop over one row
function subtractAndDot(
  data: Float64Array,
  start: number,
  sums: Float64Array,
  right: Float64Array,
  factor: number,
  first: number,
): number {
  let sum = 0;
  const offset = start - first;
  for (let j = first; j < sums.length; j++) {
    const entry = data[offset + j]! - factor * sums[j]!;
    data[offset + j] = entry;
    sum += entry * right[j]!;
  }
  return sum;
}

/** Overwrites `matrix`, which must have at least as many rows as columns. Two sweeps over the rest per column. */
export function bidiagonalize({ rows, columns, data }: Matrix): Bidiagonal {
  const diagonal = new Float64Array(columns);
  const superDiagonal = new Float64Array(columns);
  const left = new Float64Array(rows);
  const right = new Float64Array(columns);
  const sums = new Float64Array(columns);
  for (let k = 0; k < columns; k++) {
    for (let i = k; i < rows; i++) left[i] = data[i * columns + k]!;
    const onLeft = reflect(left, k, rows);
    diagonal[k] = onLeft.beta;
    const first = k + 1;
    const width = columns - first;
    if (width === 0) break;
    sums.fill(0);
    for (let i = k; i < rows; i++) addScaled(sums, first, data, i * columns + first, left[i]!, width);
    addScaled(data, k * columns + first, sums, first, -onLeft.tau, width);
    right.set(data.subarray(k * columns + first, (k + 1) * columns), first);
    const onRight = reflect(right, first, columns);
    superDiagonal[k] = onRight.beta;
    for (let i = first; i < rows; i++) {
      const start = i * columns + first;
      const product = subtractAndDot(data, start, sums, right, onLeft.tau * left[i]!, first);
      addScaled(data, start, right, first, -onRight.tau * product, width);
    }
  }
  return { diagonal, superDiagonal };
}

/** Row `row` has a zero on the diagonal: rotations with the rows below clear what stands right of it. */
function clearRow(d: Float64Array, e: Float64Array, row: number, end: number): void {
  let bulge = e[row]!;
  e[row] = 0;
  for (let j = row + 1; j <= end && bulge !== 0; j++) {
    const r = hypotenuse(d[j]!, bulge);
    const [cosine, sine] = [d[j]! / r, bulge / r];
    d[j] = r;
    bulge = -sine * e[j]!;
    e[j] = cosine * e[j]!;
  }
}

/** The last diagonal entry is zero: rotations with the columns before clear what stands above it. */
function clearColumn(d: Float64Array, e: Float64Array, start: number, end: number): void {
  let bulge = e[end - 1]!;
  e[end - 1] = 0;
  for (let j = end - 1; j >= start && bulge !== 0; j--) {
    const r = hypotenuse(d[j]!, bulge);
    const [cosine, sine] = [d[j]! / r, bulge / r];
    d[j] = r;
    if (j === start) return;
    bulge = -sine * e[j - 1]!;
    e[j - 1] = cosine * e[j - 1]!;
  }
}

/** The first two entries of BᵀB − σ², with σ² the eigenvalue of its last 2×2 block nearest to the corner. */
function startOfStep(d: Float64Array, e: Float64Array, start: number, end: number): [number, number] {
  const unit = Math.max(
    Math.abs(d[end]!),
    Math.abs(d[end - 1]!),
    Math.abs(e[end - 1]!),
    Math.abs(d[start]!),
    Math.abs(e[start]!),
  );
  const [last, before, coupling] = [d[end]! / unit, d[end - 1]! / unit, e[end - 1]! / unit];
  const [head, headCoupling] = [d[start]! / unit, e[start]! / unit];
  const b = ((before + last) * (before - last) + coupling * coupling) / 2;
  const c = last * coupling * (last * coupling);
  const root = Math.sqrt(b * b + c);
  const shift = b === 0 && c === 0 ? 0 : c / (b + (b < 0 ? -root : root));
  return [(head + last) * (head - last) + shift, head * headCoupling];
}

/** One implicit QR step: a bulge is made at the top and chased to the bottom. */
function qrStep(d: Float64Array, e: Float64Array, start: number, end: number): void {
  let [f, g] = startOfStep(d, e, start, end);
  for (let j = start; j < end; j++) {
    let r = hypotenuse(f, g);
    let [cosine, sine] = r === 0 ? [1, 0] : [f / r, g / r];
    if (j > start) e[j - 1] = r;
    f = cosine * d[j]! + sine * e[j]!;
    e[j] = cosine * e[j]! - sine * d[j]!;
    g = sine * d[j + 1]!;
    d[j + 1] = cosine * d[j + 1]!;
    r = hypotenuse(f, g);
    [cosine, sine] = r === 0 ? [1, 0] : [f / r, g / r];
    d[j] = r;
    f = cosine * e[j]! + sine * d[j + 1]!;
    d[j + 1] = cosine * d[j + 1]! - sine * e[j]!;
    g = sine * e[j + 1]!;
    e[j + 1] = cosine * e[j + 1]!;
  }
  e[end - 1] = f;
}

/** The unreduced block that ends at `end`; negligible couplings are set to 0. */
function blockStart(d: Float64Array, e: Float64Array, end: number, floor: number): number {
  let start = end;
  for (; start > 0; start--) {
    const beside = Math.abs(d[start - 1]!) + Math.abs(d[start]!);
    if (Math.abs(e[start - 1]!) <= Number.EPSILON * beside + floor) {
      e[start - 1] = 0;
      break;
    }
  }
  return start;
}

/** Clears a row or column of the block whose diagonal entry is negligible; answers whether there was one. */
function splitAtZero(
  d: Float64Array,
  e: Float64Array,
  block: { start: number; end: number },
  floor: number,
): boolean {
  for (let i = block.end; i >= block.start; i--) {
    if (Math.abs(d[i]!) > floor) continue;
    d[i] = 0;
    if (i === block.end) clearColumn(d, e, block.start, block.end);
    else clearRow(d, e, i, block.end);
    return true;
  }
  return false;
}

/** Steps per singular value; two are usual. */
const maxSteps = 60;

/** Descending singular values; overwrites its input. Errors: `compute/no-convergence`. */
export function bidiagonalSingularValues({ diagonal: d, superDiagonal: e }: Bidiagonal): Float64Array {
  let largest = 0;
  for (let i = 0; i < d.length; i++) largest = Math.max(largest, Math.abs(d[i]!), Math.abs(e[i]!));
  // far below rounding of the reduction, so nothing that carries information is dropped
  const floor = largest * 2 ** -70;
  let step = 0;
  for (let end = d.length - 1; end > 0;) {
    const start = blockStart(d, e, end, floor);
    if (start === end) {
      end--;
      step = 0;
      continue;
    }
    if (++step > maxSteps) {
      throw new CodedError(
        'compute/no-convergence',
        `singular value ${end} did not converge in ${maxSteps} steps`,
        {
          fields: { algorithm: 'Golub–Kahan QR', index: end, steps: maxSteps },
        },
      );
    }
    if (!splitAtZero(d, e, { start, end }, floor)) qrStep(d, e, start, end);
  }
  return d.map(Math.abs).sort().reverse();
}
