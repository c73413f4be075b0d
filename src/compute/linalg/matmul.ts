import { CodedError } from '../../base/index.ts';
import type { Matrix, MatrixInput } from './matrix.ts';
import { toMatrix } from './matrix.ts';

/** Rows of B that are read together; 64 rows of a 256-column matrix fit the first cache. */
const depth = 64;

/** Four rows of C at once, so that each entry of B is loaded once for four products. */
// oxlint-disable-next-line max-params -- inner kernel on one block
function multiplyRows(a: Matrix, b: Matrix, c: Float64Array, row: number, from: number, to: number): void {
  const n = b.columns;
  const k = a.columns;
  for (let p = from; p < to; p++) {
    const a0 = a.data[row * k + p]!;
    const a1 = a.data[(row + 1) * k + p]!;
    const a2 = a.data[(row + 2) * k + p]!;
    const a3 = a.data[(row + 3) * k + p]!;
    const source = p * n;
    const c0 = row * n;
    const c1 = c0 + n;
    const c2 = c1 + n;
    const c3 = c2 + n;
    for (let j = 0; j < n; j++) {
      const entry = b.data[source + j]!;
      c[c0 + j] = c[c0 + j]! + a0 * entry;
      c[c1 + j] = c[c1 + j]! + a1 * entry;
      c[c2 + j] = c[c2 + j]! + a2 * entry;
      c[c3 + j] = c[c3 + j]! + a3 * entry;
    }
  }
}

// oxlint-disable-next-line max-params -- as multiplyRows
function multiplyRow(a: Matrix, b: Matrix, c: Float64Array, row: number, from: number, to: number): void {
  const n = b.columns;
  for (let p = from; p < to; p++) {
    const factor = a.data[row * a.columns + p]!;
    for (let j = 0; j < n; j++) c[row * n + j] = c[row * n + j]! + factor * b.data[p * n + j]!;
  }
}

/** The float64 product A·B. Errors: `compute/matrix-invalid`, `compute/shape-mismatch`. */
export function matmul(left: MatrixInput, right: MatrixInput): Matrix {
  const [a, b] = [toMatrix(left), toMatrix(right)];
  if (a.columns !== b.rows) {
    const [first, second] = [
      [a.rows, a.columns],
      [b.rows, b.columns],
    ];
    throw new CodedError(
      'compute/shape-mismatch',
      `matmul of [${first.join(', ')}] and [${second.join(', ')}]: inner sizes differ`,
      {
        fields: { operation: 'matMul', a: first, b: second, expected: `b with ${a.columns} rows` },
      },
    );
  }
  const data = new Float64Array(a.rows * b.columns);
  for (let from = 0; from < a.columns; from += depth) {
    const to = Math.min(from + depth, a.columns);
    let row = 0;
    for (; row + 4 <= a.rows; row += 4) multiplyRows(a, b, data, row, from, to);
    for (; row < a.rows; row++) multiplyRow(a, b, data, row, from, to);
  }
  return { rows: a.rows, columns: b.columns, data };
}
