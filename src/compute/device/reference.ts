/** The truth that other devices are held against: plain loops, nothing clever, both dtypes. */
import { unreachable } from '../../base/index.ts';
import { createDevice } from '../device.ts';
import type { Device, Engine } from '../device.ts';
import type { ElementwiseName, MapName, Operation, Plan, ReduceName } from '../operation.ts';
import { broadcastStrides, sizeOf } from '../shape.ts';
import type { Shape } from '../shape.ts';
import { allocate } from '../tensor.ts';
import type { Tensor } from '../tensor.ts';

type Data = Float32Array | Float64Array;

const elementwise: Readonly<Record<ElementwiseName, (x: number, y: number) => number>> = {
  add: (x, y) => x + y,
  sub: (x, y) => x - y,
  mul: (x, y) => x * y,
  div: (x, y) => x / y,
};

const maps: Readonly<Record<MapName, (x: number) => number>> = {
  exp: Math.exp,
  tanh: Math.tanh,
  relu: (x) => Math.max(x, 0),
};

/** Where entry `index` of `shape` lies in data with these strides. */
function offsetOf(index: number, shape: Shape, strides: readonly number[]): number {
  let [rest, offset] = [index, 0];
  for (let i = shape.length - 1; i >= 0; i--) {
    offset += (rest % shape[i]!) * strides[i]!;
    rest = Math.floor(rest / shape[i]!);
  }
  return offset;
}

function combine(name: ElementwiseName, a: Tensor, b: Tensor, plan: Plan): Data {
  const apply = elementwise[name];
  const result = allocate(plan.dtype, sizeOf(plan.shape));
  const onA = broadcastStrides(a.shape, plan.shape);
  const onB = broadcastStrides(b.shape, plan.shape);
  for (let i = 0; i < result.length; i++) {
    result[i] = apply(a.data[offsetOf(i, plan.shape, onA)]!, b.data[offsetOf(i, plan.shape, onB)]!);
  }
  return result;
}

function matMul(a: Tensor, b: Tensor, plan: Plan): Data {
  const [rows, columns] = plan.shape as readonly [number, number];
  const inner = a.shape[1]!;
  const result = allocate(plan.dtype, rows * columns);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      let sum = 0;
      for (let k = 0; k < inner; k++) sum += a.data[i * inner + k]! * b.data[k * columns + j]!;
      result[i * columns + j] = sum;
    }
  }
  return result;
}

function transpose(a: Tensor, plan: Plan): Data {
  const result = allocate(plan.dtype, a.data.length);
  const strides = broadcastStridesOf(a.shape).toReversed();
  for (let i = 0; i < result.length; i++) result[i] = a.data[offsetOf(i, plan.shape, strides)]!;
  return result;
}

/** Steps through the data per dimension, also for dimensions of 1. */
function broadcastStridesOf(shape: Shape): readonly number[] {
  return shape.map((_, i) => sizeOf(shape.slice(i + 1)));
}

/** Calls `visit` with each line of numbers along `axis`; without an axis the whole tensor is one line. */
function eachLine(
  a: Tensor,
  axis: number | undefined,
  visit: (line: number[], places: number[]) => void,
): void {
  const length = axis === undefined ? a.data.length : a.shape[axis]!;
  const step = axis === undefined ? 1 : sizeOf(a.shape.slice(axis + 1));
  for (let outer = 0; outer < a.data.length; outer += length * step) {
    for (let inner = 0; inner < step; inner++) {
      const places = Array.from({ length }, (_, i) => outer + i * step + inner);
      visit(
        places.map((place) => a.data[place]!),
        places,
      );
    }
  }
}

const sum = (line: readonly number[]): number => line.reduce((total, x) => total + x, 0);
const largest = (line: readonly number[]): number => line.reduce((seen, x) => Math.max(seen, x), -Infinity);

const reductions: Readonly<Record<ReduceName, (line: readonly number[]) => number>> = {
  sum,
  mean: (line) => sum(line) / line.length,
  max: largest,
};

function reduce(name: ReduceName, a: Tensor, plan: Plan): Data {
  const result = allocate(plan.dtype, sizeOf(plan.shape));
  let next = 0;
  eachLine(a, plan.axis, (line) => (result[next++] = reductions[name](line)));
  return result;
}

function softmax(a: Tensor, plan: Plan): Data {
  const result = allocate(plan.dtype, a.data.length);
  eachLine(a, plan.axis, (line, places) => {
    const top = largest(line);
    const powers = line.map((x) => Math.exp(x - top));
    const total = sum(powers);
    places.forEach((place, i) => (result[place] = powers[i]! / total));
  });
  return result;
}

function execute(operation: Operation, plan: Plan): Data {
  switch (operation.name) {
    case 'matMul':
      return matMul(operation.a, operation.b, plan);
    case 'add':
    case 'sub':
    case 'mul':
    case 'div':
      return combine(operation.name, operation.a, operation.b, plan);
    case 'exp':
    case 'tanh':
    case 'relu':
      return operation.a.data.map(maps[operation.name]);
    case 'transpose':
      return transpose(operation.a, plan);
    case 'sum':
    case 'mean':
    case 'max':
      return reduce(operation.name, operation.a, plan);
    case 'softmax':
      return softmax(operation.a, plan);
    default:
      return unreachable(operation);
  }
}

/** Why the reference device was taken where no better one is. */
export function createReferenceEngine(reason: string): Engine {
  return {
    kind: 'reference',
    reason,
    dtypes: ['float32', 'float64'],
    execute: async (operation, plan) => execute(operation, plan),
    memory: async () => ({ tensors: 0, bytes: 0 }),
    dispose: async () => undefined,
  };
}

/** Plain loops in this realm, for tests and for float64 tensors. `limitBytes` as in {@link createDevice}. */
export function createReferenceDevice(limitBytes?: number): Device {
  return createDevice(createReferenceEngine('asked for'), limitBytes);
}
