/** Dense float64 matrices, row by row, and the one place where a caller's numbers become one. */
import { CodedError } from '../../base/index.ts';
import type { Json } from '../../base/index.ts';
import { maxMatrixEntries } from '../limits.ts';

/** Entry (i, j) is `data[i * columns + j]`. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly data: Float64Array;
}

/** What a caller may hand in as a matrix: rows of numbers, a {@link Matrix}, or a tensor of two dimensions. */
export type MatrixInput =
  | readonly (readonly number[])[]
  | Matrix
  | { readonly shape: readonly number[]; readonly data: Float64Array | Float32Array };

function invalid(reason: string, expected: string, fields: Record<string, Json>): CodedError {
  const seen = Object.entries(fields).map(([name, value]) => `${name} ${JSON.stringify(value)}`);
  return new CodedError(
    'compute/matrix-invalid',
    `matrix is ${reason} (${seen.join(', ')}), expected ${expected}`,
    {
      fields: { field: 'matrix', reason, expected, ...fields },
    },
  );
}

function checkSize(rows: number, columns: number): void {
  if (!Number.isInteger(rows) || !Number.isInteger(columns) || rows < 0 || columns < 0) {
    throw invalid('not a matrix', 'whole numbers of rows and columns', {
      rows: String(rows),
      columns: String(columns),
    });
  }
  if (rows === 0 || columns === 0)
    throw invalid('empty', 'at least one row and one column', { rows, columns });
  if (rows * columns > maxMatrixEntries) {
    throw invalid('too large', `at most ${maxMatrixEntries} entries`, { rows, columns });
  }
}

function fromRows(input: readonly unknown[]): Matrix {
  const first = input[0];
  const rows = input.length;
  const columns = Array.isArray(first) ? first.length : 0;
  if (rows > 0 && !Array.isArray(first)) throw invalid('not a matrix', 'an array of rows', { row: 0 });
  checkSize(rows, columns);
  const data = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++) {
    const row: unknown = input[i];
    const length = Array.isArray(row) ? row.length : -1;
    if (length !== columns) throw invalid('ragged', `${columns} entries in every row`, { row: i, length });
    copyRow(row as readonly unknown[], data, i);
  }
  return { rows, columns, data };
}

function copyRow(row: readonly unknown[], data: Float64Array, i: number): void {
  for (let j = 0; j < row.length; j++) {
    const value = row[j];
    if (typeof value !== 'number') {
      throw invalid('not numeric', 'a number in every place', { row: i, column: j, value: String(value) });
    }
    data[i * row.length + j] = value;
  }
}

function fromTyped(rows: unknown, columns: unknown, data: unknown): Matrix {
  checkSize(rows as number, columns as number);
  if (!(data instanceof Float64Array || data instanceof Float32Array)) {
    throw invalid('not numeric', 'data in a Float64Array or Float32Array', { data: typeof data });
  }
  if (data.length !== (rows as number) * (columns as number)) {
    throw invalid('of another length than its shape says', `${Number(rows) * Number(columns)} entries`, {
      rows: rows as number,
      columns: columns as number,
      length: data.length,
    });
  }
  return { rows: rows as number, columns: columns as number, data: Float64Array.from(data) };
}

function parse(input: unknown): Matrix {
  if (Array.isArray(input)) return fromRows(input);
  if (typeof input !== 'object' || input === null) {
    throw invalid('not a matrix', 'rows of numbers, a Matrix or a tensor', { value: String(input) });
  }
  const { rows, columns, shape, data } = input as Record<string, unknown>;
  if (!Array.isArray(shape)) return fromTyped(rows, columns, data);
  if (shape.length !== 2)
    throw invalid('not a matrix', 'a tensor of two dimensions', { shape: shape.map(String) });
  return fromTyped(shape[0], shape[1], data);
}

/**
 * A float64 copy of the caller's numbers.
 * Errors: `compute/matrix-invalid` for an empty, ragged, too large or non-numeric matrix, for NaN and infinities
 * (fields `row`, `column`, `value`), and for a non-square one where `square` is asked for.
 */
export function toMatrix(input: MatrixInput, options: { readonly square?: boolean } = {}): Matrix {
  const matrix = parse(input);
  const { rows, columns, data } = matrix;
  if (options.square === true && rows !== columns)
    throw invalid('not square', 'as many rows as columns', { rows, columns });
  const bad = data.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) {
    const place = { row: Math.floor(bad / columns), column: bad % columns };
    throw invalid('not finite', 'finite numbers', { ...place, value: String(data[bad]) });
  }
  return matrix;
}

/** The transposed copy. */
export function transposed({ rows, columns, data }: Matrix): Matrix {
  const result = new Float64Array(data.length);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) result[j * rows + i] = data[i * columns + j]!;
  }
  return { rows: columns, columns: rows, data: result };
}
