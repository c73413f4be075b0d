import { largestMagnitude } from './scale.ts';
import type { MatrixInput } from './matrix.ts';
import { toMatrix } from './matrix.ts';

/** √Σ aᵢⱼ², summed in units of the largest entry so that 1e±200 neither overflows nor vanishes. Errors: `compute/matrix-invalid`. */
export function frobeniusNorm(input: MatrixInput): number {
  const { data } = toMatrix(input);
  const unit = largestMagnitude(data);
  if (unit === 0) return 0;
  let sum = 0;
  for (let i = 0; i < data.length; i++) {
    const share = data[i]! / unit;
    sum += share * share;
  }
  return unit * Math.sqrt(sum);
}
