/** One step of gradient descent with momentum, on a number, a list of numbers or a tensor. */
import { CodedError } from '../base/index.ts';
import type { TensorValue } from './parameter-value.ts';
import { isTensorValue, previewOf, sameValue } from './parameter-value.ts';

export interface GradientStep {
  readonly value: unknown;
  readonly velocity: unknown;
}

export interface GradientOptions {
  readonly parameter: string;
  readonly learningRate: number;
  readonly momentum: number;
}

/**
 * `velocity' = momentum · velocity + (1 − momentum) · gradient`; `value' = value − learningRate · velocity'`.
 * A velocity of undefined counts as zero.
 * @throws `program/gradient-invalid` when the gradient has not the shape of the value, or holds no finite numbers.
 */
export function stepGradient(
  value: unknown,
  gradient: unknown,
  velocity: unknown,
  options: GradientOptions,
): GradientStep {
  const flat = numbersOf(value);
  const slope = numbersOf(gradient);
  if (!flat || !slope || !sameValue(shapeOf(value), shapeOf(gradient)) || !slope.every(Number.isFinite)) {
    throw new CodedError(
      'program/gradient-invalid',
      `parameter ${options.parameter}: the gradient must be finite numbers in the shape of the value`,
      { fields: { parameter: options.parameter, gradient: previewOf(gradient), value: previewOf(value) } },
    );
  }
  const { momentum, learningRate } = options;
  const before = numbersOf(velocity) ?? new Float64Array(flat.length);
  const after = slope.map((slopeItem, index) => momentum * (before[index] ?? 0) + (1 - momentum) * slopeItem);
  const next = flat.map((item, index) => item - learningRate * (after[index] as number));
  return { value: inFormOf(value, next), velocity: inFormOf(asFloat64(value), after) };
}

function numbersOf(value: unknown): Float64Array | undefined {
  if (typeof value === 'number') return Float64Array.of(value);
  if (isTensorValue(value)) return Float64Array.from(value.data);
  if (Array.isArray(value) && value.every((item) => typeof item === 'number'))
    return Float64Array.from(value);
  return undefined;
}

function shapeOf(value: unknown): readonly number[] {
  if (isTensorValue(value)) return value.shape;
  return Array.isArray(value) ? [value.length] : [];
}

/** The velocity keeps full precision even where the value is float32. */
function asFloat64(value: unknown): unknown {
  return isTensorValue(value) ? { shape: value.shape, data: new Float64Array(0) } : value;
}

function inFormOf(value: unknown, numbers: Float64Array): unknown {
  if (typeof value === 'number') return numbers[0];
  if (Array.isArray(value)) return [...numbers];
  const { shape, data } = value as TensorValue;
  return { shape, data: data instanceof Float32Array ? Float32Array.from(numbers) : numbers };
}
