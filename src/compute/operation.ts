/** The operations every device knows, as data, and what each one gives before anything is computed. */
import { CodedError, unreachable } from '../base/index.ts';
import { memoryLimitBytes } from './limits.ts';
import { broadcastShapes, matMulShape, reducedShape, resolveAxis, sizeOf } from './shape.ts';
import type { Shape } from './shape.ts';
import { bytesPerEntry, checkTensor } from './tensor.ts';
import type { Dtype, Tensor } from './tensor.ts';

export type ElementwiseName = 'add' | 'sub' | 'mul' | 'div';
export type MapName = 'exp' | 'tanh' | 'relu';
export type ReduceName = 'sum' | 'mean' | 'max';

export type Operation =
  | { readonly name: 'matMul' | ElementwiseName; readonly a: Tensor; readonly b: Tensor }
  | { readonly name: MapName | 'transpose'; readonly a: Tensor }
  /** Without an axis all numbers are reduced to one. */
  | { readonly name: ReduceName; readonly a: Tensor; readonly axis?: number }
  /** Without an axis along the last one. */
  | { readonly name: 'softmax'; readonly a: Tensor; readonly axis?: number };

export interface Plan {
  readonly shape: Shape;
  readonly dtype: Dtype;
  /** Resolved: never negative; undefined where there is none. */
  readonly axis: number | undefined;
  /** Operands and result together. */
  readonly bytes: number;
}

export const operands = (operation: Operation): readonly Tensor[] =>
  'b' in operation ? [operation.a, operation.b] : [operation.a];

function shapeAndAxis(operation: Operation): { shape: Shape; axis?: number } {
  const { shape } = operation.a;
  switch (operation.name) {
    case 'matMul':
      return { shape: matMulShape(shape, operation.b.shape) };
    case 'add':
    case 'sub':
    case 'mul':
    case 'div':
      return { shape: broadcastShapes(operation.name, shape, operation.b.shape) };
    case 'exp':
    case 'tanh':
    case 'relu':
      return { shape };
    case 'transpose':
      return { shape: shape.toReversed() };
    case 'sum':
    case 'mean':
    case 'max': {
      if (operation.axis === undefined) return { shape: [] };
      const axis = resolveAxis(operation.name, shape, operation.axis);
      return { shape: reducedShape(shape, axis), axis };
    }
    case 'softmax':
      return { shape, axis: resolveAxis('softmax', shape, operation.axis ?? -1) };
    default:
      return unreachable(operation);
  }
}

/**
 * Checks an operation and says what it gives. Every device goes through here, so that bad input fails alike on all.
 * Errors: `compute/tensor-invalid`, `compute/dtype-mismatch`, `compute/shape-mismatch`, `compute/axis-invalid`,
 * `compute/out-of-memory` when operands and result exceed `limitBytes` (default 2,000 MB).
 */
export function planOperation(operation: Operation, limitBytes: number = memoryLimitBytes): Plan {
  const inputs = operands(operation);
  inputs.forEach(checkTensor);
  const { dtype } = operation.a;
  const other = inputs.find((input) => input.dtype !== dtype);
  if (other) {
    throw new CodedError(
      'compute/dtype-mismatch',
      `${operation.name} of ${dtype} and ${other.dtype}: expected one dtype`,
      { fields: { operation: operation.name, a: dtype, b: other.dtype, expected: 'one dtype' } },
    );
  }
  const { shape, axis } = shapeAndAxis(operation);
  const entries = inputs.reduce((sum, input) => sum + input.data.length, sizeOf(shape));
  const bytes = entries * bytesPerEntry[dtype];
  if (bytes > limitBytes) {
    throw new CodedError(
      'compute/out-of-memory',
      `${operation.name} needs ${bytes} bytes for operands and result, expected at most ${limitBytes}`,
      { fields: { operation: operation.name, bytes, limitBytes, shape: [...shape] } },
    );
  }
  return { shape, dtype, axis, bytes };
}
