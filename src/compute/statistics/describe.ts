/** What a column of numbers looks like. */
import { CodedError } from '../../base/index.ts';
import { presentValues, toColumn, toTable } from './column.ts';
import type { ColumnInput, MissingValues, TableInput } from './column.ts';
import { centralMoments } from './moments.ts';
import { checkLevels, quantilesOf } from './quantile.ts';

export interface StatisticsOptions {
  /** Variance divides by count − ddof: 1 (default) for a sample, 0 for a whole population. */
  readonly ddof?: 0 | 1;
  /** true (default, as SciPy): moments of the sample, g₁ and g₂. false: corrected for bias, G₁ and G₂. */
  readonly bias?: boolean;
  /** Levels in 0 … 1. Default 0, 0.25, 0.5, 0.75, 1. */
  readonly quantiles?: readonly number[];
  /** Default 'error'. */
  readonly missing?: MissingValues;
}

export interface ColumnStatistics {
  /** Values that are present. */
  readonly count: number;
  /** Values that were left out. */
  readonly missing: number;
  readonly mean: number;
  /** NaN when count ≤ ddof. */
  readonly variance: number;
  /** Square root of the variance. */
  readonly std: number;
  readonly ddof: 0 | 1;
  readonly min: number;
  readonly max: number;
  /** Third standardised moment. NaN for a constant column, and uncorrected below 3 values. */
  readonly skewness: number;
  /** Fourth standardised moment minus 3. NaN for a constant column, and uncorrected below 4 values. */
  readonly excessKurtosis: number;
  /** Whether skewness and kurtosis are the biased moments. */
  readonly bias: boolean;
  /** One value per level asked for. */
  readonly quantiles: readonly { readonly level: number; readonly value: number }[];
}

const quantilesDefault: readonly number[] = [0, 0.25, 0.5, 0.75, 1];

function checkOptions({ ddof, missing, quantiles }: StatisticsOptions): void {
  if (quantiles) checkLevels(quantiles);
  const bad =
    ddof !== undefined && ddof !== 0 && ddof !== 1
      ? { field: 'ddof', value: String(ddof), expected: '0 or 1' }
      : missing !== undefined && missing !== 'error' && missing !== 'omit'
        ? { field: 'missing', value: String(missing), expected: '"error" or "omit"' }
        : undefined;
  if (!bad) return;
  throw new CodedError('compute/option-invalid', `${bad.field} is ${bad.value}, expected ${bad.expected}`, {
    fields: bad,
  });
}

/** G₁ from g₁ and G₂ from g₂. Joanes & Gill, The Statistician 47 (1998). */
function corrected(
  count: number,
  skewness: number,
  kurtosis: number,
): { skewness: number; kurtosis: number } {
  return {
    skewness: count < 3 ? NaN : (skewness * Math.sqrt(count * (count - 1))) / (count - 2),
    kurtosis: count < 4 ? NaN : ((count - 1) / ((count - 2) * (count - 3))) * ((count + 1) * kurtosis + 6),
  };
}

function describe(present: Float64Array, missing: number, options: StatisticsOptions): ColumnStatistics {
  const { ddof = 1, bias = true, quantiles = quantilesDefault } = options;
  const count = present.length;
  const { mean, unit, second, third, fourth } = centralMoments(present);
  const spread = second / count;
  const biased = { skewness: third / count / spread ** 1.5, kurtosis: fourth / count / spread ** 2 - 3 };
  const shape = bias ? biased : corrected(count, biased.skewness, biased.kurtosis);
  const std = count > ddof ? unit * Math.sqrt(second / (count - ddof)) : NaN;
  const sorted = present.slice().sort();
  const values = quantilesOf(sorted, quantiles);
  return {
    count,
    missing,
    mean,
    variance: count > ddof ? (second / (count - ddof)) * unit * unit : NaN,
    std,
    ddof,
    min: sorted[0]!,
    max: sorted[count - 1]!,
    skewness: shape.skewness,
    excessKurtosis: shape.kurtosis,
    bias,
    quantiles: quantiles.map((level, i) => ({ level, value: values[i]! })),
  };
}

/** One column. Errors: `compute/column-invalid` (empty, not numeric, infinite, missing values), `compute/option-invalid`. */
export function columnStatistics(input: ColumnInput, options: StatisticsOptions = {}): ColumnStatistics {
  checkOptions(options);
  const all = toColumn('values', input);
  const present = presentValues('values', all, options.missing ?? 'error');
  return describe(present, all.length - present.length, options);
}

/** Each column of a table by its name; columns may differ in length. Errors: as {@link columnStatistics}, and `compute/table-invalid`. */
export function statistics(
  input: TableInput,
  options: StatisticsOptions = {},
): Record<string, ColumnStatistics> {
  checkOptions(options);
  const { names, columns } = toTable(input);
  return Object.fromEntries(
    columns.map((all, i) => {
      const present = presentValues(names[i]!, all, options.missing ?? 'error');
      return [names[i]!, describe(present, all.length - present.length, options)];
    }),
  );
}
