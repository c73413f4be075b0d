/** How columns vary together. */
import { eigvalsh } from '../linalg/eigh.ts';
import type { Matrix } from '../linalg/matrix.ts';
import { dot } from '../linalg/vector.ts';
import { columnInvalid, toColumn, toTable } from './column.ts';
import type { ColumnInput, MissingValues, TableInput } from './column.ts';
import { centralMoments } from './moments.ts';

export interface CorrelationOptions {
  /** Covariance divides by count − ddof: 1 (default) for a sample, 0 for a population. */
  readonly ddof?: 0 | 1;
  /** 'error' (default), or 'omit': rows with any missing value are left out. */
  readonly missing?: MissingValues;
}

export interface Correlation {
  /** Column names, in the order of rows and columns of the matrices. */
  readonly names: readonly string[];
  /** Rows without a missing value. */
  readonly count: number;
  readonly ddof: 0 | 1;
  /** NaN when count ≤ ddof. */
  readonly covariance: Matrix;
  /** Pearson's r within [−1, 1], ones on the diagonal. Row and column of a constant column are NaN. */
  readonly correlation: Matrix;
  /** Of the correlation matrix, ascending; all NaN when a column is constant. */
  readonly eigenvalues: Float64Array;
}

interface Deviations {
  /** (value − mean) / unit. */
  readonly values: Float64Array;
  readonly unit: number;
  /** √Σ values². */
  readonly length: number;
}

function deviations(column: Float64Array): Deviations {
  const { mean, unit } = centralMoments(column);
  const values = column.map((value) => (unit === 0 ? 0 : (value - mean) / unit));
  // what rounding of the mean left over goes out here
  const rest = values.reduce((sum, value) => sum + value, 0) / values.length;
  for (let i = 0; i < values.length; i++) values[i] = values[i]! - rest;
  return { values, unit, length: unit === 0 ? 0 : Math.sqrt(dot(values, 0, values, 0, values.length)) };
}

function coefficient(a: Deviations, b: Deviations): number {
  if (a.length === 0 || b.length === 0) return NaN;
  if (a === b) return 1;
  const r = dot(a.values, 0, b.values, 0, a.values.length) / a.length / b.length;
  return Math.min(Math.max(r, -1), 1);
}

function covarianceOf(a: Deviations, b: Deviations, divisor: number): number {
  if (divisor <= 0) return NaN;
  return (dot(a.values, 0, b.values, 0, a.values.length) / divisor) * a.unit * b.unit;
}

/** A symmetric matrix of `entry(i, j)`, each pair computed once. */
function pairs(columns: readonly Deviations[], entry: (a: Deviations, b: Deviations) => number): Matrix {
  const size = columns.length;
  const data = new Float64Array(size * size);
  columns.forEach((a, i) => {
    for (let j = i; j < size; j++) data[i * size + j] = data[j * size + i] = entry(a, columns[j]!);
  });
  return { rows: size, columns: size, data };
}

/** Columns of equal length in which every row is complete. */
function completeRows(
  names: readonly string[],
  columns: readonly Float64Array[],
  missing: MissingValues,
): readonly Float64Array[] {
  const length = columns[0]!.length;
  const keep = new Uint8Array(length).fill(1);
  columns.forEach((column, i) => {
    const name = names[i]!;
    if (column.length !== length) {
      throw columnInvalid(name, 'of another length', `${length} values as in "${names[0]}"`, {
        length: column.length,
      });
    }
    column.forEach((value, row) => {
      if (!Number.isNaN(value)) return;
      if (missing === 'error') {
        throw columnInvalid(name, 'missing a value', 'a number in every row, or missing: "omit"', { row });
      }
      keep[row] = 0;
    });
  });
  if (!keep.includes(0)) return columns;
  if (!keep.includes(1)) throw columnInvalid(names[0]!, 'empty', 'at least one row without a missing value');
  return columns.map((column) => column.filter((_, row) => keep[row] === 1));
}

/**
 * Covariance and correlation matrix of a table's columns, with the eigenvalues of the latter.
 * Errors: `compute/column-invalid`, `compute/table-invalid`.
 */
export function correlation(input: TableInput, options: CorrelationOptions = {}): Correlation {
  const { ddof = 1, missing = 'error' } = options;
  const { names, columns } = toTable(input);
  const complete = completeRows(names, columns, missing);
  const centred = complete.map(deviations);
  const count = complete[0]!.length;
  const matrix = pairs(centred, coefficient);
  return {
    names,
    count,
    ddof,
    covariance: pairs(centred, (a, b) => covarianceOf(a, b, count - ddof)),
    correlation: matrix,
    eigenvalues: matrix.data.some(Number.isNaN) ? new Float64Array(names.length).fill(NaN) : eigvalsh(matrix),
  };
}

/** Pearson's r of two columns of equal length; NaN when one is constant. Errors: `compute/column-invalid`. */
export function pearson(x: ColumnInput, y: ColumnInput, options: CorrelationOptions = {}): number {
  const columns = completeRows(['x', 'y'], [toColumn('x', x), toColumn('y', y)], options.missing ?? 'error');
  return coefficient(deviations(columns[0]!), deviations(columns[1]!));
}
