import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { maxColumnEntries, maxColumns, maxQuantiles } from '../limits.ts';
import { correlation, pearson } from './correlation.ts';
import { columnStatistics, statistics } from './describe.ts';

type Stored = number | 'NaN';
interface ColumnCase {
  readonly name: string;
  readonly values: number[];
  readonly count: number;
  readonly mean: number;
  readonly min: number;
  readonly max: number;
  readonly sampleVariance: Stored;
  readonly populationVariance: number;
  readonly sampleStd: Stored;
  readonly skewnessBiased: Stored;
  readonly skewnessUnbiased: Stored;
  readonly kurtosisBiased: Stored;
  readonly kurtosisUnbiased: Stored;
  readonly levels: number[];
  readonly quantiles: number[];
}
interface TableCase {
  readonly name: string;
  readonly columns: number[][];
  readonly covariance: number[];
  readonly correlation: number[];
  readonly eigenvalues: number[];
}

const stored = JSON.parse(
  readFileSync(new URL('../../../fixtures/numerics/statistics.json', import.meta.url), 'utf8'),
) as { columns: ColumnCase[]; tables: TableCase[] };

/** |actual − expected| ≤ relative · |expected| + absolute; NaN equals NaN. */
function expectClose(actual: number, expected: Stored, relative: number, absolute = 0): void {
  const value = Number(expected);
  const isClose = Number.isNaN(value)
    ? Number.isNaN(actual)
    : Math.abs(actual - value) <= relative * Math.abs(value) + absolute;
  expect(isClose, `${actual} is not ${value}`).toBe(true);
}

const tableOf = (columns: readonly number[][]): Record<string, number[]> =>
  Object.fromEntries(columns.map((column, i) => [`column ${i}`, column]));

describe.each(stored.columns)('statistics agree with NumPy and SciPy: $name', (expected) => {
  const sample = columnStatistics(expected.values, { quantiles: expected.levels });
  const population = columnStatistics(expected.values, { ddof: 0, bias: false });
  // NumPy's mean is exact to ε of the largest value only, and its spread inherits that
  const unit = Math.max(Math.abs(expected.min), Math.abs(expected.max));
  const spread = Number(expected.populationVariance);

  it('count, extremes and mean', () => {
    expect(sample).toMatchObject({ count: expected.count, missing: 0, min: expected.min, max: expected.max });
    expectClose(sample.mean, expected.mean, 1e-12, 1e-15 * unit);
  });

  it('variance and standard deviation with both divisors', () => {
    const noise = (1e-15 * unit) ** 2;
    expectClose(sample.variance, expected.sampleVariance, 1e-12, noise);
    expectClose(population.variance, expected.populationVariance, 1e-12, noise);
    expectClose(sample.std, expected.sampleStd, 1e-12, 1e-15 * unit);
  });

  it('skewness and kurtosis with both bias conventions', () => {
    // digits that the offset takes from every deviation: 1e12 with a spread of 50 leaves 1e-5 … of them
    const lost = spread > 0 ? (2 ** -52 * unit) / Math.sqrt(spread) : 0;
    const tolerance = 1e-11 + 10 * lost;
    expectClose(sample.skewness, expected.skewnessBiased, tolerance, tolerance);
    expectClose(population.skewness, expected.skewnessUnbiased, tolerance, tolerance);
    expectClose(sample.excessKurtosis, expected.kurtosisBiased, tolerance, tolerance);
    expectClose(population.excessKurtosis, expected.kurtosisUnbiased, tolerance, 10 * tolerance);
  });

  it('quantiles', () => {
    sample.quantiles.forEach(({ level, value }, i) => {
      expect(level).toBe(expected.levels[i]);
      expectClose(value, expected.quantiles[i]!, 1e-14, 1e-15 * unit);
    });
  });
});

describe.each(stored.tables)('covariance and correlation agree with NumPy: $name', (expected) => {
  const actual = correlation(tableOf(expected.columns));
  const each = expected.columns.length;

  it('matrices', () => {
    actual.correlation.data.forEach((value, i) => expectClose(value, expected.correlation[i]!, 0, 1e-12));
    actual.covariance.data.forEach((value, i) => {
      const [row, column] = [Math.floor(i / each), i % each];
      const scale =
        Math.sqrt(expected.covariance[row * each + row]!) *
        Math.sqrt(expected.covariance[column * each + column]!);
      expectClose(value, expected.covariance[i]!, 0, 1e-12 * scale);
    });
  });

  it('eigenvalues', () => {
    actual.eigenvalues.forEach((value, i) => expectClose(value, expected.eigenvalues[i]!, 1e-12, 1e-12));
  });

  it('pearson is the entry of the matrix', () => {
    const last = expected.columns.length - 1;
    const r = pearson(expected.columns[0]!, expected.columns[last]!);
    expectClose(r, expected.correlation[last]!, 0, 1e-12);
  });
});

describe('missing, empty and constant columns', () => {
  it('refuses missing values unless told to omit them', () => {
    expect(() => statistics({ mass: [1, null, 3] })).toThrow(
      expect.objectContaining({
        code: 'compute/column-invalid',
        fields: expect.objectContaining({ field: 'mass', row: 1 }),
      }),
    );
    expect(statistics({ mass: [1, null, 3, NaN] }, { missing: 'omit' })['mass']).toMatchObject({
      count: 2,
      missing: 2,
      mean: 2,
    });
  });

  it('omits whole rows from a correlation', () => {
    const table = { x: [1, 2, 3, null, 5], y: [2, 4, null, 1, 10] };
    const result = correlation(table, { missing: 'omit' });
    expect(result.count).toBe(3);
    expect(result.correlation.data[1]).toBeCloseTo(1, 14);
    expect(() => correlation(table)).toThrow(expect.objectContaining({ code: 'compute/column-invalid' }));
  });

  it('answers NaN for what a constant column does not have', () => {
    const { std, skewness, excessKurtosis } = columnStatistics(Array.from({ length: 10 }, () => 0.1));
    expect(std).toBe(0);
    expect(skewness).toBeNaN();
    expect(excessKurtosis).toBeNaN();
    const constant = correlation({ a: [1, 1, 1], b: [1, 2, 3] });
    expect(Array.from(constant.correlation.data)).toEqual([NaN, NaN, NaN, 1]);
    expect(Array.from(constant.eigenvalues)).toEqual([NaN, NaN]);
    expect(constant.covariance.data[0]).toBe(0);
  });

  it('answers NaN for the sample variance of one value', () => {
    expect(columnStatistics([7])).toMatchObject({ count: 1, mean: 7, variance: NaN, std: NaN });
    expect(columnStatistics([7], { ddof: 0 }).variance).toBe(0);
  });

  it('does not overflow at the end of float64', () => {
    const { mean, std } = columnStatistics([1.7e308, 1.7e308, 1.6e308]);
    expect(mean / 1e308).toBeCloseTo(5 / 3, 12);
    expect(std / 1e308).toBeCloseTo(0.1 / Math.sqrt(3), 10);
  });

  it('keeps a column called __proto__ as data', () => {
    const table = JSON.parse('{"__proto__": [1, 2, 3]}') as Record<string, number[]>;
    const result = statistics(table);
    expect(Object.keys(result)).toEqual(['__proto__']);
    expect(Object.getPrototypeOf(result)).toBe(Object.prototype);
  });

  it.each([
    ['empty', {}, 'compute/table-invalid'],
    ['an array', [1, 2], 'compute/table-invalid'],
    ['null', null, 'compute/table-invalid'],
    [
      'too wide',
      Object.fromEntries(Array.from({ length: maxColumns + 1 }, (_, i) => [i, [1]])),
      'compute/table-invalid',
    ],
    ['an empty column', { a: [] }, 'compute/column-invalid'],
    ['a text column', { a: 'text' }, 'compute/column-invalid'],
    ['text in a column', { a: [1, 'x'] }, 'compute/column-invalid'],
    ['an infinite value', { a: [1, Infinity] }, 'compute/column-invalid'],
    ['a column of holes', { a: Array(3) }, 'compute/column-invalid'],
    ['too long a column', { a: new Float32Array(maxColumnEntries + 1) }, 'compute/column-invalid'],
  ])('refuses %s', (_, table, code) => {
    expect(() => statistics(table as never)).toThrow(expect.objectContaining({ code }));
    expect(() => correlation(table as never)).toThrow(expect.objectContaining({ code }));
  });

  it.each([
    { ddof: 2 },
    { quantiles: [1.5] },
    { quantiles: [NaN] },
    { missing: 'drop' },
    { quantiles: Array(maxQuantiles + 1).fill(0.5) },
  ])('refuses the option %o', (options) => {
    expect(() => columnStatistics([1, 2], options as never)).toThrow(
      expect.objectContaining({ code: 'compute/option-invalid' }),
    );
  });

  it('refuses columns of different length where rows matter', () => {
    expect(() => correlation({ a: [1, 2], b: [1, 2, 3] })).toThrow(/column "b" is of another length/);
  });
});

describe('laws of statistics', () => {
  const value = fc.double({ min: -1e6, max: 1e6, noNaN: true });
  const column = fc.array(value, { minLength: 2, maxLength: 40 });

  it('quantiles rise with their level and stay between the extremes', () => {
    fc.assert(
      fc.property(
        column,
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1 }),
        (values, levels) => {
          const { quantiles, min, max } = columnStatistics(values, {
            quantiles: levels.toSorted((a, b) => a - b),
          });
          let before = min;
          for (const { value: current } of quantiles) {
            expect(current).toBeGreaterThanOrEqual(before);
            expect(current).toBeLessThanOrEqual(max);
            before = current;
          }
        },
      ),
    );
  });

  it('the order of the values changes nothing beyond rounding', () => {
    fc.assert(
      fc.property(column, (values) => {
        const [a, b] = [columnStatistics(values), columnStatistics(values.toReversed())];
        expectClose(a.mean, b.mean, 1e-12, 1e-9);
        expectClose(a.std, b.std, 1e-12, 1e-9);
        expect(a.quantiles).toEqual(b.quantiles);
      }),
    );
  });

  it('correlations lie within [−1, 1], the matrix is positive semidefinite with its size as trace', () => {
    const table = fc
      .tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 2, max: 20 }))
      .chain(([columns, rows]) =>
        fc.array(fc.array(value, { minLength: rows, maxLength: rows }), {
          minLength: columns,
          maxLength: columns,
        }),
      );
    fc.assert(
      fc.property(table, (columns) => {
        const result = correlation(tableOf(columns));
        if (Number.isNaN(result.eigenvalues[0])) return;
        for (const r of result.correlation.data) expect(Math.abs(r)).toBeLessThanOrEqual(1);
        expect(result.eigenvalues[0]).toBeGreaterThan(-1e-12);
        expectClose(
          result.eigenvalues.reduce((a, b) => a + b, 0),
          columns.length,
          1e-12,
        );
      }),
    );
  });

  it('r is 1 for a line that rises, −1 for one that falls', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: -1000, max: 1000 }), { minLength: 3, maxLength: 30 }),
        (values) => {
          if (new Set(values).size === 1) return;
          expectClose(
            pearson(
              values,
              values.map((x) => 3 * x + 7),
            ),
            1,
            1e-13,
          );
          expectClose(
            pearson(
              values,
              values.map((x) => 7 - 3 * x),
            ),
            -1,
            1e-13,
          );
        },
      ),
    );
  });
});
