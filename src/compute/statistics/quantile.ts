import { CodedError } from '../../base/index.ts';
import { maxQuantiles } from '../limits.ts';

/** a + (b − a)·t, from the nearer end, so that it is exact at both and never leaves [a, b]. */
function between(a: number, b: number, t: number): number {
  if (a === b) return a;
  const value = t < 0.5 ? a + (b - a) * t : b - (b - a) * (1 - t);
  return Math.min(Math.max(value, a), b);
}

/** Errors: `compute/option-invalid` for a level outside 0 … 1 or too many levels. */
export function checkLevels(levels: readonly number[]): void {
  const bad = levels.find((level) => !(level >= 0 && level <= 1));
  if (bad === undefined && levels.length <= maxQuantiles) return;
  const value = bad === undefined ? `${levels.length} levels` : String(bad);
  throw new CodedError(
    'compute/option-invalid',
    `quantiles has ${value}, expected up to ${maxQuantiles} levels in 0 … 1`,
    {
      fields: { field: 'quantiles', value, expected: `up to ${maxQuantiles} levels in 0 … 1` },
    },
  );
}

/**
 * Quantiles with linear interpolation between the closest ranks: NumPy's default, type 7 of Hyndman & Fan,
 * The American Statistician 50 (1996). `sorted` is ascending and not empty. Errors: `compute/option-invalid`.
 */
export function quantilesOf(sorted: Float64Array, levels: readonly number[]): Float64Array {
  checkLevels(levels);
  const last = sorted.length - 1;
  return Float64Array.from(levels, (level) => {
    const position = level * last;
    const below = Math.floor(position);
    return between(sorted[below]!, sorted[Math.min(below + 1, last)]!, position - below);
  });
}
