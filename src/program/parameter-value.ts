/** What a parameter may hold: plain data, copied and frozen on the way in, so that nobody changes it behind the constraints. */
import type { Json } from '../base/index.ts';
import { canonicalJson, deepFreeze, isJson } from '../base/index.ts';
import { isPlainObject } from './kind.ts';
import { programLimits } from './limits.ts';

/** Row-major numbers with a shape. The product of the shape is the length of the data. */
export interface TensorValue {
  readonly shape: readonly number[];
  readonly data: Float64Array | Float32Array;
}

export type ParameterType = 'number' | 'string' | 'boolean' | 'list' | 'map' | 'tensor' | 'predictor-state';

/** The type word of a TypeScript type: `ParameterTypeOf<number>` is `'number'`. */
export type ParameterTypeOf<T> = [unknown] extends [T]
  ? ParameterType
  : [T] extends [number]
    ? 'number'
    : [T] extends [string]
      ? 'string'
      : [T] extends [boolean]
        ? 'boolean'
        : [T] extends [TensorValue]
          ? 'tensor'
          : [T] extends [readonly unknown[]]
            ? 'list'
            : 'map' | 'predictor-state';

export function isTensorValue(value: unknown): value is TensorValue {
  if (typeof value !== 'object' || value === null || !('shape' in value) || !('data' in value)) return false;
  const { shape, data } = value;
  if (!(data instanceof Float64Array || data instanceof Float32Array) || !Array.isArray(shape)) return false;
  const sizes = shape as readonly unknown[];
  if (!sizes.every((size) => typeof size === 'number' && Number.isInteger(size) && size >= 0)) return false;
  return (sizes as readonly number[]).reduce((product, size) => product * size, 1) === data.length;
}

const checks: Record<ParameterType, { readonly expected: string; matches(value: unknown): boolean }> = {
  number: {
    expected: 'a number other than NaN',
    matches: (value) => typeof value === 'number' && !Number.isNaN(value),
  },
  string: { expected: 'a string', matches: (value) => typeof value === 'string' },
  boolean: { expected: 'true or false', matches: (value) => typeof value === 'boolean' },
  list: {
    expected: 'a list of JSON values',
    matches: (value) => Array.isArray(value) && isJson(value, programLimits.valueDepth),
  },
  map: {
    expected: 'a plain object of JSON values',
    matches: (value) => isPlainObject(value) && isJson(value, programLimits.valueDepth),
  },
  tensor: {
    expected:
      'a tensor: { shape, data } with a float array, without NaN, as long as the product of the shape',
    matches: (value) => isTensorValue(value) && !value.data.some(Number.isNaN),
  },
  'predictor-state': {
    expected: 'the state of a predictor as a plain object of JSON values',
    matches: (value) => isPlainObject(value) && isJson(value, programLimits.valueDepth),
  },
};

/** What was expected, in words, when `value` is not of the type or is too large; undefined when it fits. */
export function typeMismatch(type: ParameterType, value: unknown): string | undefined {
  const check = checks[type];
  if (!check.matches(value)) return check.expected;
  return sizeOf(value) > programLimits.valueBytes ? `at most ${programLimits.valueBytes} bytes` : undefined;
}

/** Whether some parameter could hold the value: then it can be copied and saved. */
export function isStorable(value: unknown): boolean {
  const isData = typeof value === 'number' || isTensorValue(value) || isJson(value, programLimits.valueDepth);
  return isData && sizeOf(value) <= programLimits.valueBytes;
}

/** A frozen copy. The numbers of a tensor are copied but cannot be frozen: treat them as read-only. */
export function copyValue<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  if (isTensorValue(value)) {
    return Object.freeze({ shape: Object.freeze([...value.shape]), data: value.data.slice() }) as T;
  }
  return deepFreeze(structuredClone(value));
}

/** Bytes that a value takes, roughly: 8 for a number, 2 for each character; what is shared counts each time and is walked once. */
export function sizeOf(value: unknown): number {
  return sizeWithin(value, new Map());
}

function sizeWithin(value: unknown, known: Map<object, number>): number {
  if (typeof value === 'string') return 2 * value.length;
  if (typeof value !== 'object' || value === null) return 8;
  if (isTensorValue(value)) return value.data.byteLength + 8 * value.shape.length;
  const counted = known.get(value);
  if (counted !== undefined) return counted;
  // met again inside itself, it has no end
  known.set(value, Infinity);
  let bytes = 16;
  for (const [key, item] of Object.entries(value)) {
    bytes += (Array.isArray(value) ? 0 : 2 * key.length) + sizeWithin(item, known);
  }
  known.set(value, bytes);
  return bytes;
}

export function sameValue(left: unknown, right: unknown): boolean {
  if (Object.is(left, right)) return true;
  return isJson(left) && isJson(right) && canonicalJson(left) === canonicalJson(right);
}

const previewCharacters = 200;

/** A value as an error or a log line shows it: small values whole, large ones by kind. */
export function previewOf(value: unknown): Json {
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (typeof value === 'boolean' || value === null) return value;
  if (typeof value === 'object') return previewOfObject(value);
  if (typeof value !== 'string') return typeof value;
  return value.length > previewCharacters ? `${value.slice(0, previewCharacters)}…` : value;
}

function previewOfObject(value: object): Json {
  if (isTensorValue(value)) return `tensor of shape [${value.shape.join(', ')}]`;
  if (isJson(value, programLimits.valueDepth) && sizeOf(value) <= 2 * previewCharacters) return value;
  return Array.isArray(value) ? `list of ${value.length}` : 'a large or unusual object';
}
