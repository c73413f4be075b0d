/** The way from a general matrix to an upper Hessenberg one with the same eigenvalues. */
import type { Matrix } from './matrix.ts';
import { addScaled, dot, reflect } from './vector.ts';

/** Sums of magnitudes of row i and column i without the diagonal. */
function offDiagonalSums(data: Float64Array, size: number, i: number): { row: number; column: number } {
  let [row, column] = [0, 0];
  for (let j = 0; j < size; j++) {
    if (j === i) continue;
    row += Math.abs(data[i * size + j]!);
    column += Math.abs(data[j * size + i]!);
  }
  return { row, column };
}

/** The power of two f that makes column·f and row/f most alike. */
function balancingFactor(row: number, column: number): number {
  let [factor, c] = [1, column];
  for (; c < row / 2; c *= 4) factor *= 2;
  for (; c >= row * 2; c /= 4) factor /= 2;
  return factor;
}

/**
 * Makes rows and columns alike in size by powers of two, which changes no eigenvalue and no digit.
 * Parlett & Reinsch, Numer. Math. 13 (1969); EISPACK balanc without its permutations.
 */
export function balance({ rows: size, data }: Matrix): void {
  for (let hasChanged = true; hasChanged;) {
    hasChanged = false;
    for (let i = 0; i < size; i++) {
      const { row, column } = offDiagonalSums(data, size, i);
      if (row === 0 || column === 0) continue;
      const factor = balancingFactor(row, column);
      if (column * factor + row / factor >= 0.95 * (row + column)) continue;
      hasChanged = true;
      for (let j = 0; j < size; j++) {
        data[i * size + j] = data[i * size + j]! / factor;
        data[j * size + i] = data[j * size + i]! * factor;
      }
    }
  }
}

/** Householder reduction in place; below the subdiagonal zeros are written. Golub & Van Loan, 4th ed., algorithm 7.4.2. */
export function toHessenberg({ rows: size, data }: Matrix): void {
  const v = new Float64Array(size);
  const sums = new Float64Array(size);
  for (let k = 0; k + 2 < size; k++) {
    for (let i = k + 1; i < size; i++) v[i] = data[i * size + k]!;
    const { beta, tau } = reflect(v, k + 1, size);
    for (let i = k + 2; i < size; i++) data[i * size + k] = 0;
    data[(k + 1) * size + k] = beta;
    if (tau === 0) continue;
    const width = size - k - 1;
    sums.fill(0);
    for (let i = k + 1; i < size; i++) addScaled(sums, k + 1, data, i * size + k + 1, v[i]!, width);
    for (let i = 0; i < size; i++) {
      const start = i * size + k + 1;
      if (i > k) addScaled(data, start, sums, k + 1, -tau * v[i]!, width);
      addScaled(data, start, v, k + 1, -tau * dot(data, start, v, k + 1, width), width);
    }
  }
}
