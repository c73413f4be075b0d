/**
 * tfjs behind an engine. Loaded by dynamic import only, when a device is opened; its types do not leave this file.
 * Reads are always asynchronous: a synchronous read from a GPU can answer zeros and lose the device.
 */
import {
  add,
  div,
  engine as tfjsEngine,
  env,
  exp,
  findBackend,
  findBackendFactory,
  getBackend,
  matMul,
  max,
  mean,
  mul,
  registerBackend,
  relu,
  removeBackend,
  setBackend,
  softmax,
  sub,
  sum,
  tanh,
  tensor,
  tidy,
  transpose,
} from '@tensorflow/tfjs-core';
import type { Tensor as TfTensor } from '@tensorflow/tfjs-core';
import { CodedError, toCodedError, unreachable } from '../../base/index.ts';
import type { DeviceMemory, Engine } from '../device.ts';
import type { Operation, Plan } from '../operation.ts';
import type { Tensor } from '../tensor.ts';
import type { WasmUrls } from './wasm-urls.ts';

export type TfjsKind = 'cpu' | 'wasm' | 'webgpu';

export interface TfjsEngine extends Engine {
  readonly kind: TfjsKind;
  /** Resolves with the cause when the GPU is gone; never for the others. */
  readonly lost: Promise<string>;
}

export interface TfjsOptions {
  readonly kind: TfjsKind;
  readonly reason: string;
  readonly wasmUrls?: WasmUrls | undefined;
}

/** tfjs keeps one registry per realm, so engines of one kind share a backend; the last one to go removes it. */
const users = new Map<TfjsKind, number>();
const removed = new Map<TfjsKind, ReturnType<typeof findBackendFactory>>();

async function loadWasm(urls: WasmUrls | undefined): Promise<void> {
  const { setWasmPaths } = await import('@tensorflow/tfjs-backend-wasm');
  const { plain, simd } = urls ?? (await import('./wasm-urls.ts')).bundledWasmUrls;
  env().set('WASM_HAS_MULTITHREAD_SUPPORT', false);
  setWasmPaths({
    'tfjs-backend-wasm.wasm': plain,
    'tfjs-backend-wasm-simd.wasm': simd,
    // tfjs wants all three names; with the flag above it never asks for this one
    'tfjs-backend-wasm-threaded-simd.wasm': simd,
  });
}

async function load(kind: TfjsKind, urls: WasmUrls | undefined): Promise<void> {
  const factory = removed.get(kind);
  if (factory) {
    removed.delete(kind);
    registerBackend(kind, factory);
  } else if (!users.get(kind)) {
    if (kind === 'cpu') await import('@tensorflow/tfjs-backend-cpu');
    if (kind === 'wasm') await loadWasm(urls);
    if (kind === 'webgpu') await import('@tensorflow/tfjs-backend-webgpu');
  }
}

/** Another engine of this realm may have switched while this one waited. */
async function activate(kind: TfjsKind): Promise<void> {
  while (getBackend() !== kind) {
    if (!(await setBackend(kind))) {
      throw new CodedError('compute/device-unavailable', `tfjs could not start its ${kind} backend`, {
        fields: { kind },
      });
    }
  }
}

function leave(kind: TfjsKind): void {
  const left = (users.get(kind) ?? 1) - 1;
  users.set(kind, left);
  if (left > 0) return;
  removed.set(kind, findBackendFactory(kind));
  removeBackend(kind);
}

function apply(operation: Operation, plan: Plan): TfTensor {
  const enter = ({ data, shape }: Tensor): TfTensor => tensor(data as Float32Array, [...shape], 'float32');
  const a = enter(operation.a);
  switch (operation.name) {
    case 'matMul':
      return matMul(a as never, enter(operation.b) as never);
    case 'add':
      return add(a, enter(operation.b));
    case 'sub':
      return sub(a, enter(operation.b));
    case 'mul':
      return mul(a, enter(operation.b));
    case 'div':
      return div(a, enter(operation.b));
    case 'exp':
      return exp(a);
    case 'tanh':
      return tanh(a);
    case 'relu':
      return relu(a);
    case 'transpose':
      return transpose(a);
    case 'sum':
      return sum(a, plan.axis);
    case 'mean':
      return mean(a, plan.axis);
    case 'max':
      return max(a, plan.axis);
    case 'softmax':
      return alongLast(a, plan.axis ?? 0, (last) => softmax(last));
    default:
      return unreachable(operation);
  }
}

/** tfjs' softmax knows the last dimension only. */
function alongLast(a: TfTensor, axis: number, work: (a: TfTensor) => TfTensor): TfTensor {
  const last = a.rank - 1;
  if (axis === last) return work(a);
  const swap = a.shape.map((_, i) => (i === axis ? last : i === last ? axis : i));
  return transpose(work(transpose(a, swap)), swap);
}

async function execute(kind: TfjsKind, operation: Operation, plan: Plan): Promise<Float32Array> {
  await activate(kind);
  const result = tidy(() => apply(operation, plan));
  try {
    // a copy: the cpu backend would hand out memory that it still holds
    return Float32Array.from(await result.data<'float32'>());
  } finally {
    result.dispose();
  }
}

/** Read from the registry itself: asking tfjs' `memory()` would start a backend where none is active. */
function held(): DeviceMemory {
  const { numTensors, numBytes } = tfjsEngine().state;
  return { tensors: numTensors, bytes: numBytes };
}

function lostDevice(kind: TfjsKind): Promise<string> {
  if (kind !== 'webgpu') return new Promise(() => undefined);
  const { device } = findBackend('webgpu') as unknown as { readonly device: GPUDevice };
  return device.lost.then(({ reason, message }) => message || reason);
}

/** Starts a backend. Errors: `compute/device-unavailable`. */
export async function openTfjsEngine({ kind, reason, wasmUrls }: TfjsOptions): Promise<TfjsEngine> {
  try {
    await load(kind, wasmUrls);
    users.set(kind, (users.get(kind) ?? 0) + 1);
    await activate(kind);
  } catch (error) {
    throw toCodedError(error, 'compute/device-unavailable', { fields: { kind } });
  }
  let isOpen = true;
  return {
    kind,
    reason,
    dtypes: ['float32'],
    lost: lostDevice(kind),
    execute: (operation, plan) => execute(kind, operation, plan),
    memory: async () => held(),
    async dispose() {
      if (isOpen) leave(kind);
      isOpen = false;
    },
  };
}
