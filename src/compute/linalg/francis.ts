/**
 * Eigenvalues of an upper Hessenberg matrix by Francis' double-shift QR steps.
 * Golub & Van Loan, 4th ed., algorithms 7.5.1 and 7.5.2; start row and exceptional shifts as in EISPACK hqr.
 */
import { CodedError } from '../../base/index.ts';
import type { Matrix } from './matrix.ts';
import { largestMagnitude } from './scale.ts';

/** Eigenvalue k is real[k] + imaginary[k]·i. Complex ones come in conjugate pairs. */
export interface ComplexValues {
  readonly real: Float64Array;
  readonly imaginary: Float64Array;
}

/** Steps per eigenvalue; two or three are usual. Every tenth takes an exceptional shift. */
const maxSteps = 60;

type Triple = readonly [number, number, number];

/** Rows of the unreduced block that is worked on, both included. */
interface Block {
  readonly start: number;
  readonly end: number;
}

interface Shifts {
  readonly sum: number;
  readonly product: number;
}

/** The first row of the unreduced block that ends at `end`; the coupling above it is set to 0. */
function blockStart(h: Float64Array, size: number, end: number, floor: number): number {
  for (let start = end; start > 0; start--) {
    const beside = Math.abs(h[(start - 1) * size + start - 1]!) + Math.abs(h[start * size + start]!);
    const coupling = Math.abs(h[start * size + start - 1]!);
    if (coupling <= Number.EPSILON * beside + floor) {
      h[start * size + start - 1] = 0;
      return start;
    }
  }
  return 0;
}

/** Both eigenvalues of the block in rows end − 1 and end. */
function solvePair(h: Float64Array, size: number, end: number, values: ComplexValues): void {
  const a = h[(end - 1) * size + end - 1]!;
  const d = h[end * size + end]!;
  const product = h[(end - 1) * size + end]! * h[end * size + end - 1]!;
  const half = (a - d) / 2;
  const discriminant = half * half + product;
  const root = Math.sqrt(Math.abs(discriminant));
  const { real, imaginary } = values;
  if (discriminant >= 0) {
    const z = half + (half >= 0 ? root : -root);
    real[end - 1] = d + z;
    real[end] = z === 0 ? d : d - product / z;
    return;
  }
  real[end - 1] = real[end] = d + half;
  imaginary[end - 1] = root;
  imaginary[end] = -root;
}

/**
 * Sum and product of two shifts that break a cycle, from the top of the block and from its bottom in turn.
 * The constants are those of EISPACK and LAPACK (dlahqr).
 */
function exceptionalShifts(h: Float64Array, size: number, block: Block, step: number): Shifts {
  const isAtTop = step % 20 === 10;
  const first = isAtTop ? block.start : block.end - 2;
  const couplings = Math.abs(h[(first + 1) * size + first]!) + Math.abs(h[(first + 2) * size + first + 1]!);
  const corner = isAtTop ? block.start : block.end;
  const centre = 0.75 * couplings + h[corner * size + corner]!;
  return { sum: 2 * centre, product: centre * centre + 0.4375 * couplings * couplings };
}

/** Sum and product of the two shifts: the eigenvalues of the last 2×2 block, and exceptional ones at every tenth step. */
function shifts(h: Float64Array, size: number, block: Block, step: number): Shifts {
  if (step % 10 === 0) return exceptionalShifts(h, size, block, step);
  const { end } = block;
  const [a, d] = [h[(end - 1) * size + end - 1]!, h[end * size + end]!];
  const [b, c] = [h[(end - 1) * size + end]!, h[end * size + end - 1]!];
  return { sum: a + d, product: a * d - b * c };
}

/** The first column of (H − σ₁)(H − σ₂) from row m on, divided by its size. */
function firstColumn(h: Float64Array, size: number, m: number, shift: Shifts): Triple {
  const [a, b] = [h[m * size + m]!, h[m * size + m + 1]!];
  const [c, d] = [h[(m + 1) * size + m]!, h[(m + 1) * size + m + 1]!];
  const x = (a * (a - shift.sum) + shift.product) / c + b;
  const y = a + d - shift.sum;
  const z = h[(m + 2) * size + m + 1]!;
  const length = Math.abs(x) + Math.abs(y) + Math.abs(z);
  return length === 0 ? [0, 0, 0] : [x / length, y / length, z / length];
}

/** Two small couplings in a row let a step begin below the block's first row. */
function stepStart(
  h: Float64Array,
  size: number,
  block: Block,
  shift: Shifts,
): { row: number; column: Triple } {
  for (let m = block.end - 2; ; m--) {
    const column = firstColumn(h, size, m, shift);
    if (m === block.start) return { row: m, column };
    const [x, y, z] = column;
    const beside =
      Math.abs(h[(m - 1) * size + m - 1]!) +
      Math.abs(h[m * size + m]!) +
      Math.abs(h[(m + 1) * size + m + 1]!);
    const small = Math.abs(h[m * size + m - 1]!) * (Math.abs(y) + Math.abs(z));
    if (small <= Number.EPSILON * Math.abs(x) * beside) return { row: m, column };
  }
}

/** Rows k, k + 1 and k + 2 of H ← P·H, then the same columns of H ← H·P, inside the block. */
// oxlint-disable-next-line max-params -- P is v and τ; an object per reflection would be garbage in the inner loop
function applyTriple(h: Float64Array, size: number, k: number, block: Block, [v1, v2, tau]: Triple): void {
  const first = k * size;
  const second = first + size;
  const third = second + size;
  for (let j = k; j <= block.end; j++) {
    const sum = tau * (h[first + j]! + v1 * h[second + j]! + v2 * h[third + j]!);
    h[first + j] = h[first + j]! - sum;
    h[second + j] = h[second + j]! - sum * v1;
    h[third + j] = h[third + j]! - sum * v2;
  }
  const last = Math.min(k + 3, block.end);
  for (let i = block.start; i <= last; i++) {
    const at = i * size + k;
    const sum = tau * (h[at]! + v1 * h[at + 1]! + v2 * h[at + 2]!);
    h[at] = h[at]! - sum;
    h[at + 1] = h[at + 1]! - sum * v1;
    h[at + 2] = h[at + 2]! - sum * v2;
  }
}

/** As {@link applyTriple}, for the two last rows of the block. */
// oxlint-disable-next-line max-params -- as applyTriple
function applyPair(h: Float64Array, size: number, k: number, block: Block, [v1, , tau]: Triple): void {
  const first = k * size;
  const second = first + size;
  for (let j = k; j <= block.end; j++) {
    const sum = tau * (h[first + j]! + v1 * h[second + j]!);
    h[first + j] = h[first + j]! - sum;
    h[second + j] = h[second + j]! - sum * v1;
  }
  for (let i = block.start; i <= block.end; i++) {
    const at = i * size + k;
    const sum = tau * (h[at]! + v1 * h[at + 1]!);
    h[at] = h[at]! - sum;
    h[at + 1] = h[at + 1]! - sum * v1;
  }
}

/** β and (v₁, v₂, τ) of the reflection that sends (x, y, z) to (β, 0, 0). */
function reflectTriple([x, y, z]: Triple): { beta: number; reflection: Triple } {
  const unit = Math.abs(x) + Math.abs(y) + Math.abs(z);
  if (unit === 0) return { beta: 0, reflection: [0, 0, 0] };
  const [p, q, r] = [x / unit, y / unit, z / unit];
  const length = Math.sqrt(p * p + q * q + r * r);
  const beta = p > 0 ? -length : length;
  return { beta: beta * unit, reflection: [q / (p - beta), r / (p - beta), (beta - p) / beta] };
}

function francisStep(h: Float64Array, size: number, block: Block, step: number): void {
  const { row, column } = stepStart(h, size, block, shifts(h, size, block, step));
  let triple = column;
  for (let k = row; k < block.end; k++) {
    const isLast = k === block.end - 1;
    const at = k * size + k - 1;
    if (k > row) triple = [h[at]!, h[at + size]!, isLast ? 0 : h[at + 2 * size]!];
    const { beta, reflection } = reflectTriple(triple);
    if (reflection[2] === 0) continue;
    if (k > row) {
      h[at] = beta;
      h[at + size] = 0;
      if (!isLast) h[at + 2 * size] = 0;
    } else if (row > block.start) {
      h[at] = h[at]! * (1 - reflection[2]);
    }
    (isLast ? applyPair : applyTriple)(h, size, k, block, reflection);
  }
}

/** Overwrites `matrix`. Errors: `compute/no-convergence`. */
export function hessenbergEigenvalues({ rows: size, data }: Matrix): ComplexValues {
  const values = { real: new Float64Array(size), imaginary: new Float64Array(size) };
  // far below rounding of the reduction, so nothing that carries information is dropped
  const floor = largestMagnitude(data) * 2 ** -70;
  let step = 0;
  for (let end = size - 1; end >= 0;) {
    const start = blockStart(data, size, end, floor);
    if (end - start < 2) {
      if (start === end) values.real[end] = data[end * size + end]!;
      else solvePair(data, size, end, values);
      end = start - 1;
      step = 0;
      continue;
    }
    if (++step > maxSteps) {
      throw new CodedError(
        'compute/no-convergence',
        `eigenvalue ${end} did not converge in ${maxSteps} steps`,
        {
          fields: { algorithm: 'Francis QR', index: end, steps: maxSteps },
        },
      );
    }
    francisStep(data, size, { start, end }, step);
  }
  return values;
}
