import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { eigvals } from './eig.ts';
import { eigvalsh } from './eigh.ts';
import { determinant, slogdet } from './lu.ts';
import { matmul } from './matmul.ts';
import { matrixAnalysis } from './matrix-analysis.ts';
import type { Matrix } from './matrix.ts';
import { transposed } from './matrix.ts';
import { frobeniusNorm } from './norm.ts';
import { svdvals } from './svd.ts';

const entry = fc
  .double({ min: -1, max: 1, noNaN: true, noDefaultInfinity: true })
  .map((x) => (Math.abs(x) < 1e-6 ? 0 : x));

const matrix = (rows: number, columns: number): fc.Arbitrary<Matrix> =>
  fc
    .array(entry, { minLength: rows * columns, maxLength: rows * columns })
    .map((values) => ({ rows, columns, data: Float64Array.from(values) }));

const square = fc.integer({ min: 1, max: 9 }).chain((size) => matrix(size, size));
const pair = fc.integer({ min: 1, max: 7 }).chain((size) => fc.tuple(matrix(size, size), matrix(size, size)));
const anyMatrix = fc
  .tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 }))
  .chain(([rows, columns]) => matrix(rows, columns));

function trace({ rows, data }: Matrix): number {
  let sum = 0;
  for (let i = 0; i < rows; i++) sum += data[i * rows + i]!;
  return sum;
}

function symmetrized(a: Matrix): Matrix {
  const other = transposed(a);
  return { ...a, data: a.data.map((value, i) => (value + other.data[i]!) / 2) };
}

/** I − 2·v·vᵀ/vᵀv, multiplied over several v. */
const orthogonal = fc.integer({ min: 2, max: 8 }).chain((size) =>
  fc
    .array(fc.array(fc.integer({ min: -9, max: 9 }), { minLength: size, maxLength: size }), {
      minLength: 1,
      maxLength: 4,
    })
    .map((vectors) => vectors.filter((v) => v.some((x) => x !== 0)).map((v) => mirror(v)))
    .filter((mirrors) => mirrors.length > 0)
    .map((mirrors) => mirrors.reduce((product, next) => matmul(product, next))),
);

function mirror(v: number[]): Matrix {
  const size = v.length;
  const square1 = v.reduce((sum, x) => sum + x * x, 0);
  const data = Float64Array.from({ length: size * size }, (_, at) => {
    const [i, j] = [Math.floor(at / size), at % size];
    return (i === j ? 1 : 0) - (2 * v[i]! * v[j]!) / square1;
  });
  return { rows: size, columns: size, data };
}

const sum = (values: Float64Array): number => values.reduce((a, b) => a + b, 0);
const expectNear = (actual: number, expected: number, tolerance: number): void =>
  expect(Math.abs(actual - expected)).toBeLessThanOrEqual(tolerance);

describe('laws of linear algebra', () => {
  it('det(AB) = det A · det B', () => {
    fc.assert(
      fc.property(pair, ([a, b]) => {
        const scale = frobeniusNorm(a) ** a.rows * frobeniusNorm(b) ** a.rows;
        expectNear(
          determinant(matmul(a, b)),
          determinant(a) * determinant(b),
          1e-12 * Math.max(scale, 1e-300),
        );
      }),
    );
  });

  it('det = sign · exp(logAbsolute)', () => {
    fc.assert(
      fc.property(square, (a) => {
        const { sign, logAbsolute } = slogdet(a);
        const value = determinant(a);
        expectNear(sign * Math.exp(logAbsolute), value, 1e-12 * Math.abs(value));
      }),
    );
  });

  it('the singular values of an orthogonal matrix are 1 and its determinant is ±1', () => {
    fc.assert(
      fc.property(orthogonal, (q) => {
        for (const value of svdvals(q)) expectNear(value, 1, 1e-13);
        expectNear(Math.abs(determinant(q)), 1, 1e-12);
      }),
    );
  });

  it('an orthogonal factor changes no singular value', () => {
    fc.assert(
      fc.property(orthogonal, (q) => {
        const a = {
          rows: q.rows,
          columns: q.rows,
          data: Float64Array.from(q.data, (_, i) => Math.sin(i + 1)),
        };
        const rotated = svdvals(matmul(q, a));
        svdvals(a).forEach((value, i) => expectNear(rotated[i]!, value, 1e-13 * q.rows));
      }),
    );
  });

  it('singular values: descending, the same for the transpose, squares add up to the squared norm', () => {
    fc.assert(
      fc.property(anyMatrix, (a) => {
        const values = svdvals(a);
        const other = svdvals(transposed(a));
        const norm = frobeniusNorm(a);
        expect(values).toHaveLength(Math.min(a.rows, a.columns));
        expect(Array.from(values)).toEqual(Array.from(values).toSorted((x, y) => y - x));
        values.forEach((value, i) => expectNear(value, other[i]!, 1e-13 * (1 + norm)));
        expectNear(Math.sqrt(sum(values.map((value) => value * value))), norm, 1e-13 * (1 + norm));
      }),
    );
  });

  it('eigenvalues add up to the trace and multiply to the determinant', () => {
    fc.assert(
      fc.property(square, (a) => {
        const { real, imaginary } = eigvals(a);
        const norm = frobeniusNorm(a);
        expectNear(sum(real), trace(a), 1e-12 * (1 + norm));
        expectNear(sum(imaginary), 0, 1e-12 * (1 + norm));
        let [x, y] = [1, 0];
        real.forEach((re, i) => ([x, y] = [x * re - y * imaginary[i]!, x * imaginary[i]! + y * re]));
        expectNear(x, determinant(a), 1e-12 * Math.max(1, norm) ** a.rows);
        expectNear(y, 0, 1e-12 * Math.max(1, norm) ** a.rows);
      }),
    );
  });

  it('a symmetric matrix: both algorithms agree, and |λ| are the singular values', () => {
    fc.assert(
      fc.property(square, (a) => {
        const symmetric = symmetrized(a);
        const values = eigvalsh(symmetric);
        const general = eigvals(symmetric);
        const singular = svdvals(symmetric);
        const magnitudes = values.map(Math.abs).sort().reverse();
        const tolerance = 1e-13 * (1 + frobeniusNorm(symmetric));
        values.forEach((value, i) => expectNear(general.real[i]!, value, 100 * tolerance));
        magnitudes.forEach((value, i) => expectNear(singular[i]!, value, 10 * tolerance));
      }),
    );
  });

  it('matmul equals plain loops and is refused for wrong shapes', () => {
    const shapes = fc.tuple(
      fc.integer({ min: 1, max: 9 }),
      fc.integer({ min: 1, max: 70 }),
      fc.integer({ min: 1, max: 9 }),
    );
    const factors = shapes.chain(([m, k, n]) => fc.tuple(matrix(m, k), matrix(k, n)));
    fc.assert(
      fc.property(factors, ([a, b]) => {
        const product = matmul(a, b);
        for (let i = 0; i < a.rows; i++) {
          for (let j = 0; j < b.columns; j++) {
            let expected = 0;
            for (let p = 0; p < a.columns; p++)
              expected += a.data[i * a.columns + p]! * b.data[p * b.columns + j]!;
            expectNear(product.data[i * b.columns + j]!, expected, 1e-13);
          }
        }
      }),
      { numRuns: 30 },
    );
    expect(() => matmul([[1, 2]], [[1, 2]])).toThrow(
      expect.objectContaining({ code: 'compute/shape-mismatch' }),
    );
  });

  it('holds for entries of every magnitude side by side, 1e-300 to 1e300', () => {
    const wild = fc
      .tuple(fc.double({ min: -1, max: 1, noNaN: true }), fc.integer({ min: -300, max: 300 }))
      .map(([digits, power]) => (Math.abs(digits) < 1e-6 ? 0 : digits * 10 ** power));
    const matrices = fc
      .integer({ min: 1, max: 8 })
      .chain((size) =>
        fc
          .array(wild, { minLength: size * size, maxLength: size * size })
          .map((values) => ({ rows: size, columns: size, data: Float64Array.from(values) })),
      );
    fc.assert(
      fc.property(matrices, fc.boolean(), (a, makeSymmetric) => {
        const subject = makeSymmetric ? symmetrized(a) : a;
        const { eigenvalues, singularValues, frobeniusNorm: norm } = matrixAnalysis(subject);
        const unit = singularValues[0]! || 1;
        const relative = { ...subject, data: subject.data.map((value) => value / unit) };
        expectNear(sum(eigenvalues.real.map((value) => value / unit)), trace(relative), 1e-13 * a.rows);
        expectNear(
          Math.sqrt(sum(singularValues.map((value) => (value / unit) ** 2))),
          norm / unit || 0,
          1e-13,
        );
      }),
      { numRuns: 500 },
    );
  });

  it('keeps its accuracy at 200 × 200', () => {
    const size = 200;
    const data = Float64Array.from({ length: size * size }, (_, i) => Math.sin(i * 1.7 + (i % 13)));
    const a = { rows: size, columns: size, data };
    const norm = frobeniusNorm(a);
    expectNear(sum(eigvals(a).real), trace(a), 1e-12 * norm);
    expectNear(Math.sqrt(sum(svdvals(a).map((value) => value * value))), norm, 1e-13 * norm);
    expectNear(sum(eigvalsh(symmetrized(a))), trace(a), 1e-12 * norm);
  });
});
