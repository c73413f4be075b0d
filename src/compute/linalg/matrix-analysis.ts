/** Everything one asks of a square matrix, in one call. */
import { CodedError } from '../../base/index.ts';
import { eigvals } from './eig.ts';
import { eigvalsh, isSymmetric } from './eigh.ts';
import type { ComplexValues } from './francis.ts';
import { determinantOf, lu, signedLogOf } from './lu.ts';
import type { MatrixInput } from './matrix.ts';
import { toMatrix } from './matrix.ts';
import { frobeniusNorm } from './norm.ts';
import { conditionNumberOf, rankOf, svdvals } from './svd.ts';
import type { RankOptions } from './svd.ts';

export type AnalysisStage = 'determinant' | 'eigenvalues' | 'singular-values' | 'done';

export interface AnalysisProgress {
  /** What begins now. */
  readonly stage: AnalysisStage;
  /** Share of the arithmetic that lies behind, 0 … 1. */
  readonly ratio: number;
}

export interface MatrixAnalysisOptions extends RankOptions {
  /** |aᵢⱼ − aⱼᵢ| ≤ this · max|a| counts as symmetric. Default 1e-12. */
  readonly symmetryTolerance?: number;
  readonly onProgress?: (progress: AnalysisProgress) => void;
}

export interface MatrixAnalysis {
  /** Rows, and columns. */
  readonly size: number;
  /** ±Infinity or 0 where it leaves float64; then see the next two. */
  readonly determinant: number;
  /** Sign of the determinant: 1, −1 or 0. */
  readonly determinantSign: number;
  /** Natural logarithm of |determinant|; −Infinity for an exactly singular matrix. */
  readonly logAbsoluteDeterminant: number;
  /** Ascending by real, then imaginary part. All imaginary parts are 0 for a symmetric matrix. */
  readonly eigenvalues: ComplexValues;
  /** Descending. */
  readonly singularValues: Float64Array;
  /** σmax / σmin, in the 2-norm. */
  readonly conditionNumber: number;
  /** Singular values above the tolerance. */
  readonly rank: number;
  readonly frobeniusNorm: number;
  readonly symmetric: boolean;
  /** Symmetric, and the smallest eigenvalue exceeds size · ε · the largest magnitude: positive beyond rounding. */
  readonly positiveDefinite: boolean;
}

function checkTolerances(options: MatrixAnalysisOptions): void {
  for (const name of ['tolerance', 'relativeTolerance', 'symmetryTolerance'] as const) {
    const value = options[name];
    if (value === undefined || (Number.isFinite(value) && value >= 0)) continue;
    throw new CodedError(
      'compute/option-invalid',
      `${name} is ${String(value)}, expected a finite number ≥ 0`,
      {
        fields: { field: name, value: String(value), expected: 'a finite number ≥ 0' },
      },
    );
  }
}

function isPositiveDefinite(eigenvalues: Float64Array): boolean {
  const smallest = eigenvalues[0] ?? 0;
  const largest = eigenvalues.at(-1) ?? 0;
  return smallest > eigenvalues.length * Number.EPSILON * largest;
}

/**
 * Analyses a square matrix in float64. Eigenvalues by tridiagonal QL or Hessenberg QR, singular values by
 * bidiagonal QR (for a symmetric matrix they are the magnitudes of its eigenvalues), determinant by LU.
 * Errors: `compute/matrix-invalid`, `compute/option-invalid`, `compute/no-convergence`.
 */
export function matrixAnalysis(input: MatrixInput, options: MatrixAnalysisOptions = {}): MatrixAnalysis {
  checkTolerances(options);
  const matrix = toMatrix(input, { square: true });
  const { symmetryTolerance = 1e-12, onProgress } = options;
  onProgress?.({ stage: 'determinant', ratio: 0 });
  const factors = lu(matrix);
  const { sign, logAbsolute } = signedLogOf(factors);
  const symmetric = isSymmetric(matrix, symmetryTolerance);
  onProgress?.({ stage: 'eigenvalues', ratio: symmetric ? 0.3 : 0.05 });
  const eigenvalues = symmetric
    ? { real: eigvalsh(matrix), imaginary: new Float64Array(matrix.rows) }
    : eigvals(matrix);
  onProgress?.({ stage: 'singular-values', ratio: symmetric ? 0.95 : 0.8 });
  const singularValues = symmetric ? eigenvalues.real.map(Math.abs).sort().reverse() : svdvals(matrix);
  onProgress?.({ stage: 'done', ratio: 1 });
  return {
    size: matrix.rows,
    determinant: determinantOf(factors),
    determinantSign: sign,
    logAbsoluteDeterminant: logAbsolute,
    eigenvalues,
    singularValues,
    conditionNumber: conditionNumberOf(singularValues),
    rank: rankOf(singularValues, options),
    frobeniusNorm: frobeniusNorm(matrix),
    symmetric,
    positiveDefinite: symmetric && isPositiveDefinite(eigenvalues.real),
  };
}
