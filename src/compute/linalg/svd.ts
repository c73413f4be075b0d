import { bidiagonalSingularValues, bidiagonalize } from './bidiagonal.ts';
import type { MatrixInput } from './matrix.ts';
import { toMatrix, transposed } from './matrix.ts';
import { scaled, unscale } from './scale.ts';

/**
 * Singular values of any matrix, descending, min(rows, columns) of them. The absolute error is a small multiple of
 * machine precision times the largest one. Errors: `compute/matrix-invalid`, `compute/no-convergence`.
 */
export function svdvals(input: MatrixInput): Float64Array {
  const { matrix, exponent } = scaled(toMatrix(input));
  const tall = matrix.rows < matrix.columns ? transposed(matrix) : matrix;
  return unscale(bidiagonalSingularValues(bidiagonalize(tall)), exponent);
}

/** How a singular value is told from zero: by an absolute `tolerance`, or by `relativeTolerance` times the largest. */
export interface RankOptions {
  /** Absolute; default 1e-10. */
  readonly tolerance?: number;
  /** Relative to the largest singular value; wins over `tolerance` where given. */
  readonly relativeTolerance?: number;
}

export const rankToleranceDefault: number = 1e-10;

/** The number of singular values above the tolerance; they must be in descending order. */
export function rankOf(singularValues: Float64Array, options: RankOptions = {}): number {
  const { tolerance = rankToleranceDefault, relativeTolerance } = options;
  const limit = relativeTolerance === undefined ? tolerance : relativeTolerance * (singularValues[0] ?? 0);
  const rank = singularValues.findIndex((value) => value <= limit);
  return rank < 0 ? singularValues.length : rank;
}

/** σmax / σmin; Infinity for an exactly singular matrix. Rounding shows as numbers above 1e15. */
export function conditionNumberOf(singularValues: Float64Array): number {
  const [largest, smallest] = [singularValues[0] ?? 0, singularValues.at(-1) ?? 0];
  return smallest === 0 ? Infinity : largest / smallest;
}
