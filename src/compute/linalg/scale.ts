/** Powers of two that bring a matrix into the range where squares neither overflow nor vanish. */
import type { Matrix } from './matrix.ts';

/** Squares, and sums of millions of squares, stay inside float64 between these. */
const [smallest, largest] = [2 ** -400, 2 ** 400];

export function largestMagnitude(data: Float64Array): number {
  let largestSeen = 0;
  for (let i = 0; i < data.length; i++) {
    const magnitude = Math.abs(data[i]!);
    if (magnitude > largestSeen) largestSeen = magnitude;
  }
  return largestSeen;
}

/** The exponent of the power of two just above `value`, also for subnormal numbers. */
export function exponentOf(value: number): number {
  if (value === 0) return 0;
  const exponent = Math.floor(Math.log2(value));
  return Math.min(Math.max(exponent, -1074), 1023);
}

/** value · 2^exponent in steps that do not overflow on the way. */
export function scaleByPower(value: number, exponent: number): number {
  let [result, left] = [value, exponent];
  for (; left > 1000; left -= 1000) result *= 2 ** 1000;
  // one step into the subnormal range rounds once; two would round twice
  for (; left < -1000 && Math.abs(result) > 2 ** -20; left += 1000) result *= 2 ** -1000;
  return left >= -1022 ? result * 2 ** left : result * 2 ** (left + 1000) * 2 ** -1000;
}

/**
 * A copy of the matrix times 2^−exponent. Inside the safe range the exponent is 0; a power of two changes no
 * digit, except of entries some 300 decimal places below the largest, which no spectrum can see.
 */
export function scaled(matrix: Matrix): { matrix: Matrix; exponent: number } {
  const magnitude = largestMagnitude(matrix.data);
  const isSafe = magnitude === 0 || (magnitude >= smallest && magnitude <= largest);
  const exponent = isSafe ? 0 : exponentOf(magnitude);
  const data =
    exponent === 0 ? matrix.data.slice() : matrix.data.map((value) => scaleByPower(value, -exponent));
  return { matrix: { ...matrix, data }, exponent };
}

/** Undoes {@link scaled} on a vector of results. */
export function unscale(values: Float64Array, exponent: number): Float64Array {
  return exponent === 0 ? values : values.map((value) => scaleByPower(value, exponent));
}
