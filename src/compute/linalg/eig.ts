import { hessenbergEigenvalues } from './francis.ts';
import type { ComplexValues } from './francis.ts';
import { balance, toHessenberg } from './hessenberg.ts';
import type { MatrixInput } from './matrix.ts';
import { toMatrix } from './matrix.ts';
import { scaled, unscale } from './scale.ts';

function sorted({ real, imaginary }: ComplexValues): ComplexValues {
  const order = Array.from(real, (_, i) => i).sort(
    (a, b) => real[a]! - real[b]! || imaginary[a]! - imaginary[b]!,
  );
  return {
    real: Float64Array.from(order, (i) => real[i]!),
    imaginary: Float64Array.from(order, (i) => imaginary[i]!),
  };
}

/**
 * Eigenvalues of a general square matrix, ascending by real part, then by imaginary part. The computed values are
 * those of a matrix within a small multiple of machine precision of the given one; how far they are from the true
 * ones depends on the matrix (a Jordan block of size k loses all but 1/k of the digits).
 * Errors: `compute/matrix-invalid`, `compute/no-convergence`.
 */
export function eigvals(input: MatrixInput): ComplexValues {
  const first = scaled(toMatrix(input, { square: true }));
  balance(first.matrix);
  // balanced, the largest entry may have become tiny
  const { matrix, exponent: second } = scaled(first.matrix);
  const exponent = first.exponent + second;
  toHessenberg(matrix);
  const { real, imaginary } = sorted(hessenbergEigenvalues(matrix));
  return { real: unscale(real, exponent), imaginary: unscale(imaginary, exponent) };
}
