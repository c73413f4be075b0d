import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { isCodedError } from '../../base/index.ts';
import { maxMatrixEntries } from '../limits.ts';
import { matrixAnalysis } from './matrix-analysis.ts';
import type { AnalysisProgress, MatrixAnalysis } from './matrix-analysis.ts';
import type { Matrix } from './matrix.ts';
import { svdvals } from './svd.ts';

type Stored = number | 'NaN' | 'Infinity' | '-Infinity';
interface Case {
  readonly name: string;
  readonly size: number;
  readonly matrix: number[];
  readonly determinant: Stored;
  readonly sign: number;
  readonly logAbsolute: Stored;
  readonly eigenReal: number[];
  readonly eigenImaginary: number[];
  readonly eigenTolerance: number | null;
  readonly singularValues: number[];
  readonly condition: Stored;
  readonly rank: number;
  readonly rankRelative: number;
  readonly frobenius: number;
  readonly symmetric: boolean;
  readonly positiveDefinite: boolean;
}

const { cases } = JSON.parse(
  readFileSync(new URL('../../../fixtures/numerics/matrix.json', import.meta.url), 'utf8'),
) as { cases: Case[] };

const matrixOf = ({ size, matrix }: Case): Matrix => ({
  rows: size,
  columns: size,
  data: Float64Array.from(matrix),
});

/** NumPy's own determinant carries size · ε · condition; nothing can be compared closer than that. */
const conditionTolerance = ({ size, condition }: Case): number =>
  Math.max(1e-10, 10 * size * Number.EPSILON * Number(condition));

function expectClose(actual: number, expected: number, tolerance: number): void {
  expect(Math.abs(actual - expected), `${actual} is not ${expected}`).toBeLessThanOrEqual(tolerance);
}

/** Every expected eigenvalue has its own computed one within `tolerance`. */
function expectSameSpectrum(actual: MatrixAnalysis['eigenvalues'], expected: Case, tolerance: number): void {
  const left = Array.from(actual.real, (real, i) => [real, actual.imaginary[i]!] as const);
  expected.eigenReal.forEach((real, i) => {
    const distances = left.map(([x, y]) => Math.hypot(x - real, y - expected.eigenImaginary[i]!));
    const nearest = distances.indexOf(Math.min(...distances));
    expectClose(distances[nearest]!, 0, tolerance);
    left.splice(nearest, 1);
  });
}

/** σmin of A − λI, as a real matrix of twice the size: the backward error of the eigenvalue λ. */
function backwardError(matrix: Matrix, real: number, imaginary: number): number {
  const size = matrix.rows;
  const data = new Float64Array(4 * size * size);
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < size; j++) {
      const entry = matrix.data[i * size + j]! - (i === j ? real : 0);
      data[i * 2 * size + j] = entry;
      data[(i + size) * 2 * size + j + size] = entry;
    }
    data[i * 2 * size + i + size] = imaginary;
    data[(i + size) * 2 * size + i] = -imaginary;
  }
  return svdvals({ rows: 2 * size, columns: 2 * size, data }).at(-1)!;
}

describe.each(cases)('matrixAnalysis agrees with NumPy: $name', (expected) => {
  const matrix = matrixOf(expected);
  const actual = matrixAnalysis(matrix);
  const unit = expected.singularValues[0]!;

  const tolerance = conditionTolerance(expected);

  it('singular values, to 1e-13 of the largest', () => {
    expect(actual.singularValues).toHaveLength(expected.size);
    expected.singularValues.forEach((value, i) =>
      expectClose(actual.singularValues[i]!, value, 1e-13 * unit),
    );
  });

  it('condition number; above 1e14 only that it is above', () => {
    const condition = Number.isNaN(Number(expected.condition)) ? Infinity : Number(expected.condition);
    const ratio = condition > 1e14 && actual.conditionNumber > 1e14 ? 1 : actual.conditionNumber / condition;
    expectClose(ratio, 1, condition > 1e14 ? 0 : tolerance);
  });

  it('rank, norm and kind', () => {
    expect(actual.rank).toBe(expected.rank);
    expect(matrixAnalysis(matrix, { relativeTolerance: 1e-10 }).rank).toBe(expected.rankRelative);
    expectClose(actual.frobeniusNorm, expected.frobenius, 1e-14 * expected.frobenius);
    expect(actual.symmetric).toBe(expected.symmetric);
    expect(actual.positiveDefinite).toBe(expected.positiveDefinite);
  });
});

/** Each case that a comparison can be made for; the others have a comparison of their own, or none is possible. */
const regular = cases.filter((one) => conditionTolerance(one) < 1);
const singular = cases.filter((one) => conditionTolerance(one) >= 1);
const comparable = cases.filter(({ eigenTolerance }) => eigenTolerance !== null);
/** Where the squares inside the judge itself neither overflow nor vanish. */
const judgeable = cases.filter(
  ({ singularValues: [unit] }) => unit === 0 || (unit! >= 1e-100 && unit! <= 1e100),
);

describe('matrixAnalysis agrees with NumPy, case by case', () => {
  it('leaves none out silently', () => {
    expect(regular.length + singular.length).toBe(cases.length);
    expect(Math.min(comparable.length, judgeable.length)).toBeGreaterThanOrEqual(40);
  });

  it.each(regular)('determinant of $name, to the tolerance its condition allows', (expected) => {
    const tolerance = conditionTolerance(expected);
    const actual = matrixAnalysis(matrixOf(expected));
    const [value, log] = [Number(expected.determinant), Number(expected.logAbsolute)];
    expect(actual.determinantSign).toBe(expected.sign);
    expectClose(actual.logAbsoluteDeterminant, log, tolerance * Math.max(1, Math.abs(log)));
    // where NumPy's determinant overflows or vanishes, sign and logarithm have said it
    const ratio = value !== 0 && Number.isFinite(value) ? actual.determinant / value : 1;
    expectClose(ratio, 1, tolerance);
  });

  it.each(singular)('determinant of $name, singular to rounding, against Hadamard’s bound', (expected) => {
    const matrix = matrixOf(expected);
    let hadamard = 1;
    for (let i = 0; i < matrix.rows; i++) {
      hadamard *= Math.hypot(...matrix.data.subarray(i * matrix.rows, (i + 1) * matrix.rows));
    }
    expect(Math.abs(matrixAnalysis(matrix).determinant)).toBeLessThanOrEqual(1e-13 * hadamard);
  });

  it.each(comparable)('eigenvalues of $name, to the tolerance their condition allows', (expected) => {
    const { eigenvalues } = matrixAnalysis(matrixOf(expected));
    expectSameSpectrum(eigenvalues, expected, (expected.eigenTolerance ?? 0) * expected.singularValues[0]!);
  });

  it.each(judgeable)('eigenvalues of $name have a backward error of a few ε', (expected) => {
    const matrix = matrixOf(expected);
    const { eigenvalues } = matrixAnalysis(matrix);
    eigenvalues.real.forEach((real, i) => {
      const error = backwardError(matrix, real, eigenvalues.imaginary[i]!);
      expect(error).toBeLessThanOrEqual(20 * expected.size * Number.EPSILON * expected.singularValues[0]!);
    });
  });
});

describe('matrixAnalysis', () => {
  it('has at least 40 published cases', () => expect(cases.length).toBeGreaterThanOrEqual(40));

  it('finds the rank-5 product of 64 × 64 to have rank 5', () => {
    const product = cases.find(({ name }) => name === 'rank-5-of-64')!;
    expect(matrixAnalysis(matrixOf(product)).rank).toBe(5);
  });

  it('keeps sign and logarithm where the determinant leaves float64', () => {
    const size = 400;
    const data = new Float64Array(size * size);
    for (let i = 0; i < size; i++) data[i * size + i] = i === 0 ? -10 : 10;
    const analysis = matrixAnalysis({ rows: size, columns: size, data });
    expect(analysis.determinant).toBe(-Infinity);
    expect(analysis.determinantSign).toBe(-1);
    expect(analysis.logAbsoluteDeterminant).toBeCloseTo(400 * Math.log(10), 9);
  });

  it('does not overflow on the way to a determinant that fits', () => {
    const values = [1e200, 1e200, 1e-200, 1e-200, 3];
    const rows = values.map((value, i) => values.map((_, j) => (i === j ? value : 0)));
    expect(matrixAnalysis(rows).determinant).toBeCloseTo(3, 12);
  });

  it('survives subnormal and largest numbers', () => {
    for (const entry of [5e-324, 1e-310, 1.7e308]) {
      const { singularValues, frobeniusNorm } = matrixAnalysis([
        [entry, 0],
        [0, entry],
      ]);
      expect(Array.from(singularValues)).toEqual([entry, entry]);
      expect(frobeniusNorm / Math.SQRT2 / entry).toBeGreaterThan(0.5);
    }
  });

  it('does not touch its input and reports progress in order', () => {
    const data = Float64Array.from([1, 2, 3, 4]);
    const seen: AnalysisProgress[] = [];
    matrixAnalysis({ rows: 2, columns: 2, data }, { onProgress: (progress) => seen.push(progress) });
    expect(Array.from(data)).toEqual([1, 2, 3, 4]);
    expect(seen.map(({ stage }) => stage)).toEqual(['determinant', 'eigenvalues', 'singular-values', 'done']);
    expect(seen.map(({ ratio }) => ratio)).toEqual(seen.map(({ ratio }) => ratio).toSorted((a, b) => a - b));
  });
});

describe('matrixAnalysis refuses with compute/matrix-invalid', () => {
  const huge = { rows: 2049, columns: 2049, data: new Float64Array(1) };
  it.each([
    ['empty', [], { rows: 0 }],
    ['empty', [[]], { columns: 0 }],
    ['ragged', [[1, 2], [3]], { row: 1, length: 1 }],
    ['not square', [[1, 2]], { rows: 1, columns: 2 }],
    [
      'not finite',
      [
        [1, NaN],
        [0, 1],
      ],
      { row: 0, column: 1, value: 'NaN' },
    ],
    [
      'not finite',
      [
        [1, 0],
        [-Infinity, 1],
      ],
      { row: 1, column: 0, value: '-Infinity' },
    ],
    [
      'not numeric',
      [
        [1, '2'],
        [0, 1],
      ],
      { row: 0, column: 1, value: '2' },
    ],
    ['not a matrix', null, {}],
    ['not a matrix', [1, 2], {}],
    ['not a matrix', { shape: [2], data: new Float64Array(2) }, {}],
    [
      'of another length than its shape says',
      { rows: 2, columns: 2, data: new Float64Array(3) },
      { length: 3 },
    ],
    ['too large', huge, { rows: 2049 }],
  ])('%s', (reason, input, fields) => {
    let thrown: unknown;
    try {
      matrixAnalysis(input as number[][]);
    } catch (error) {
      thrown = error;
    }
    expect(isCodedError(thrown, 'compute/matrix-invalid')).toBe(true);
    expect(thrown).toMatchObject({ fields: { field: 'matrix', reason, ...fields } });
    expect(maxMatrixEntries).toBeLessThan(2049 * 2049);
  });

  it.each([{ tolerance: -1 }, { tolerance: NaN }, { relativeTolerance: Infinity }])(
    'option %o',
    (options) => {
      expect(() => matrixAnalysis([[1]], options)).toThrow(
        expect.objectContaining({ code: 'compute/option-invalid' }),
      );
    },
  );
});
