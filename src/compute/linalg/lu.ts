/** Gaussian elimination with partial pivoting. Golub & Van Loan, 4th ed., algorithm 3.4.1. */
import type { Matrix, MatrixInput } from './matrix.ts';
import { toMatrix } from './matrix.ts';
import { exponentOf, scaleByPower } from './scale.ts';
import { addScaled } from './vector.ts';

/** P·A = L·U, packed: U on and above the diagonal, L below it with ones left out. */
export interface Lu {
  readonly packed: Matrix;
  /** Row i of P·A is row `order[i]` of A. */
  readonly order: Int32Array;
  /** Determinant of P: 1 or −1. */
  readonly parity: 1 | -1;
}

export interface SignedLogDeterminant {
  /** 1, −1, or 0 for a singular matrix. */
  readonly sign: number;
  /** Natural logarithm of |det|; −Infinity for a singular matrix. */
  readonly logAbsolute: number;
}

function pivotRow(data: Float64Array, size: number, k: number): number {
  let [best, magnitude] = [k, Math.abs(data[k * size + k]!)];
  for (let i = k + 1; i < size; i++) {
    const candidate = Math.abs(data[i * size + k]!);
    if (candidate > magnitude) [best, magnitude] = [i, candidate];
  }
  return best;
}

function swapRows(data: Float64Array, size: number, a: number, b: number): void {
  const row = data.slice(a * size, (a + 1) * size);
  data.copyWithin(a * size, b * size, (b + 1) * size);
  data.set(row, b * size);
}

/** Factors a square matrix; a zero pivot column is left as it is. Errors: `compute/matrix-invalid`. */
export function lu(input: MatrixInput): Lu {
  const packed = toMatrix(input, { square: true });
  const { rows: size, data } = packed;
  const order = Int32Array.from({ length: size }, (_, i) => i);
  let parity: 1 | -1 = 1;
  for (let k = 0; k < size; k++) {
    const best = pivotRow(data, size, k);
    if (best !== k) {
      swapRows(data, size, k, best);
      [order[k], order[best]] = [order[best]!, order[k]!];
      parity = parity === 1 ? -1 : 1;
    }
    const pivot = data[k * size + k]!;
    if (pivot === 0) continue;
    for (let i = k + 1; i < size; i++) {
      const factor = data[i * size + k]! / pivot;
      data[i * size + k] = factor;
      addScaled(data, i * size + k + 1, data, k * size + k + 1, -factor, size - k - 1);
    }
  }
  return { packed, order, parity };
}

/**
 * The determinant as its factors' product, kept as mantissa and exponent so that it overflows only when the
 * determinant itself does (then it is ±Infinity; see {@link slogdet}).
 */
export function determinantOf({ packed, parity }: Lu): number {
  let mantissa: number = parity;
  let exponent = 0;
  for (let k = 0; k < packed.rows; k++) {
    const pivot = packed.data[k * packed.rows + k]!;
    if (pivot === 0) return 0;
    const power = exponentOf(Math.abs(pivot));
    mantissa *= scaleByPower(pivot, -power);
    const shift = exponentOf(Math.abs(mantissa));
    mantissa = scaleByPower(mantissa, -shift);
    exponent += power + shift;
  }
  return scaleByPower(mantissa, exponent);
}

export function signedLogOf({ packed, parity }: Lu): SignedLogDeterminant {
  let sign: number = parity;
  let logAbsolute = 0;
  for (let k = 0; k < packed.rows; k++) {
    const pivot = packed.data[k * packed.rows + k]!;
    if (pivot === 0) return { sign: 0, logAbsolute: -Infinity };
    if (pivot < 0) sign = -sign;
    logAbsolute += Math.log(Math.abs(pivot));
  }
  return { sign, logAbsolute };
}

/** Determinant of a square matrix. Errors: `compute/matrix-invalid`. */
export function determinant(input: MatrixInput): number {
  return determinantOf(lu(input));
}

/** Sign and logarithm of the determinant, for matrices whose determinant leaves float64. Errors: `compute/matrix-invalid`. */
export function slogdet(input: MatrixInput): SignedLogDeterminant {
  return signedLogOf(lu(input));
}
