/** Tensors as plain values: a shape, a dtype and the numbers row by row. Nothing to dispose. */
import { CodedError } from '../base/index.ts';
import type { Json } from '../base/index.ts';
import { maxRank } from './limits.ts';
import { sizeOf } from './shape.ts';
import type { Shape } from './shape.ts';

export type Dtype = 'float32' | 'float64';

export interface Tensor {
  /** Sizes of the dimensions, outermost first; empty for a single number. */
  readonly shape: Shape;
  readonly dtype: Dtype;
  /** Row by row: the last dimension varies fastest. */
  readonly data: Float32Array | Float64Array;
}

export const bytesPerEntry: Readonly<Record<Dtype, number>> = { float32: 4, float64: 8 };

function invalid(reason: string, expected: string, fields: Record<string, Json>): CodedError {
  return new CodedError('compute/tensor-invalid', `tensor has ${reason}, expected ${expected}`, {
    fields: { field: 'tensor', reason, expected, ...fields },
  });
}

/** Errors: `compute/tensor-invalid` for dimensions that are not whole and positive, or more of them than 6. */
export function checkShape(shape: unknown): asserts shape is Shape {
  const isShape =
    Array.isArray(shape) &&
    shape.length <= maxRank &&
    shape.every((size) => Number.isSafeInteger(size) && (size as number) > 0);
  if (isShape) return;
  const value = Array.isArray(shape) ? shape.map(String) : String(shape);
  throw invalid('a wrong shape', `at most ${maxRank} whole sizes of at least 1`, { shape: value });
}

/** Errors: `compute/tensor-invalid`. */
export function checkTensor(value: unknown): asserts value is Tensor {
  if (typeof value !== 'object' || value === null) throw invalid('no fields', 'shape, dtype and data', {});
  const { shape, dtype, data } = value as Partial<Tensor>;
  checkShape(shape);
  const isTyped =
    (dtype === 'float32' && data instanceof Float32Array) ||
    (dtype === 'float64' && data instanceof Float64Array);
  if (!isTyped) {
    throw invalid('data of another type', 'a Float32Array for float32 or a Float64Array for float64', {
      dtype: String(dtype),
    });
  }
  if (data.length !== sizeOf(shape)) {
    throw invalid('data of another length', `${sizeOf(shape)} numbers`, {
      shape: [...shape],
      length: data.length,
    });
  }
}

/** Empty storage for `length` numbers. */
export function allocate(dtype: Dtype, length: number): Float32Array | Float64Array {
  return dtype === 'float32' ? new Float32Array(length) : new Float64Array(length);
}

/** A tensor with a copy of `values`; dtype defaults to float32. Errors: `compute/tensor-invalid`. */
export function createTensor(values: ArrayLike<number>, shape: Shape, dtype: Dtype = 'float32'): Tensor {
  const data = dtype === 'float32' ? Float32Array.from(values) : Float64Array.from(values);
  const tensor = { shape, dtype, data };
  checkTensor(tensor);
  return tensor;
}
