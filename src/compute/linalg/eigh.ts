import type { Matrix, MatrixInput } from './matrix.ts';
import { toMatrix } from './matrix.ts';
import { largestMagnitude, scaled, unscale } from './scale.ts';
import { tridiagonalEigenvalues, tridiagonalize } from './tridiagonal.ts';

/** Whether |aᵢⱼ − aⱼᵢ| ≤ `tolerance` · max|a| everywhere. Takes a square matrix. */
export function isSymmetric({ rows: size, data }: Matrix, tolerance: number): boolean {
  const limit = tolerance * largestMagnitude(data);
  for (let i = 0; i < size; i++) {
    for (let j = i + 1; j < size; j++) {
      // halves, because the difference of two large entries may overflow
      if (Math.abs(data[i * size + j]! / 2 - data[j * size + i]! / 2) > limit / 2) return false;
    }
  }
  return true;
}

/**
 * Eigenvalues of a symmetric matrix, ascending; only its upper triangle is read. The absolute error is a small
 * multiple of machine precision times the largest eigenvalue. Errors: `compute/matrix-invalid`, `compute/no-convergence`.
 */
export function eigvalsh(input: MatrixInput): Float64Array {
  const { matrix, exponent } = scaled(toMatrix(input, { square: true }));
  return unscale(tridiagonalEigenvalues(tridiagonalize(matrix)), exponent);
}
