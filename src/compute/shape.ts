/** Shapes and how they combine: the rules of NumPy. */
import { CodedError } from '../base/index.ts';

export type Shape = readonly number[];

/** Numbers in a tensor of this shape. */
export const sizeOf = (shape: Shape): number => shape.reduce((size, dimension) => size * dimension, 1);

const text = (shape: Shape): string => `[${shape.join(', ')}]`;

/** `compute/shape-mismatch`, naming both shapes. */
export function shapeMismatch(operation: string, a: Shape, b: Shape, expected: string): CodedError {
  return new CodedError(
    'compute/shape-mismatch',
    `${operation} of shapes ${text(a)} and ${text(b)}: expected ${expected}`,
    { fields: { operation, a: [...a], b: [...b], expected } },
  );
}

/**
 * The shape of an element-wise operation: dimensions are matched from the last, and a dimension of 1, or one that is
 * not there, is repeated. Errors: `compute/shape-mismatch`.
 */
export function broadcastShapes(operation: string, a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const x = a[a.length - rank + i] ?? 1;
    const y = b[b.length - rank + i] ?? 1;
    if (x !== y && x !== 1 && y !== 1) {
      throw shapeMismatch(operation, a, b, 'equal sizes, or 1, counted from the last dimension');
    }
    return Math.max(x, y);
  });
}

/** Steps through the data per dimension; 0 where a dimension is repeated to fill `target`. */
export function broadcastStrides(shape: Shape, target: Shape): readonly number[] {
  const strides = Array.from({ length: target.length }, () => 0);
  let step = 1;
  for (let i = 1; i <= shape.length; i++) {
    const size = shape[shape.length - i]!;
    if (size > 1) strides[target.length - i] = step;
    step *= size;
  }
  return strides;
}

/** The shape of a product of two matrices. Errors: `compute/shape-mismatch`. */
export function matMulShape(a: Shape, b: Shape): Shape {
  const [rows, inner] = a;
  const [depth, columns] = b;
  if (a.length !== 2 || b.length !== 2 || inner !== depth) {
    throw shapeMismatch(
      'matMul',
      a,
      b,
      'two matrices, the second with as many rows as the first has columns',
    );
  }
  return [rows!, columns!];
}

/** A non-negative axis; −1 is the last one. Errors: `compute/axis-invalid`. */
export function resolveAxis(operation: string, shape: Shape, axis: number): number {
  const resolved = axis < 0 ? axis + shape.length : axis;
  if (Number.isInteger(axis) && resolved >= 0 && resolved < shape.length) return resolved;
  throw new CodedError(
    'compute/axis-invalid',
    `${operation} along axis ${axis} of shape ${text(shape)}: expected a dimension of it`,
    {
      fields: {
        operation,
        axis: String(axis),
        shape: [...shape],
        expected: `−${shape.length} … ${shape.length - 1}`,
      },
    },
  );
}

/** The shape without dimension `axis`, or of a single number when no axis is given. */
export function reducedShape(shape: Shape, axis: number | undefined): Shape {
  return axis === undefined ? [] : shape.filter((_, i) => i !== axis);
}
