/** Sums over one column that keep their digits. */

/** Σ values with the rounding of every addition carried along (Neumaier 1974). */
export function compensatedSum(values: Float64Array): number {
  let [sum, lost] = [0, 0];
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    const next = sum + value;
    lost += Math.abs(sum) >= Math.abs(value) ? sum - next + value : value - next + sum;
    sum = next;
  }
  return sum + lost;
}

/** Mean, also where the sum would overflow. */
export function meanOf(values: Float64Array): number {
  const mean = compensatedSum(values) / values.length;
  if (Number.isFinite(mean)) return mean;
  return compensatedSum(values.map((value) => value / values.length));
}

export interface CentralMoments {
  readonly mean: number;
  /** The largest |value − mean|; the moments below are in powers of this unit, so they cannot overflow. */
  readonly unit: number;
  /** Σ ((value − mean) / unit)^k for k = 2, 3, 4. */
  readonly second: number;
  readonly third: number;
  readonly fourth: number;
}

/**
 * Two passes: the mean, then powers of the deviations, corrected by what the deviations themselves add up to
 * (Chan, Golub & LeVeque, The American Statistician 37, 1983). A column that is constant to rounding has unit 0.
 */
export function centralMoments(values: Float64Array): CentralMoments {
  const mean = meanOf(values);
  let unit = 0;
  for (let i = 0; i < values.length; i++) unit = Math.max(unit, Math.abs(values[i]! - mean));
  if (unit <= Number.EPSILON * Math.abs(mean)) return { mean, unit: 0, second: 0, third: 0, fourth: 0 };
  let [first, second, third, fourth] = [0, 0, 0, 0];
  for (let i = 0; i < values.length; i++) {
    const deviation = (values[i]! - mean) / unit;
    const squared = deviation * deviation;
    first += deviation;
    second += squared;
    third += squared * deviation;
    fourth += squared * squared;
  }
  return { mean, unit, second: second - (first * first) / values.length, third, fourth };
}
