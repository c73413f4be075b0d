/** Something that computes with tensors: plain loops, or tfjs on the CPU, in WebAssembly or on a GPU. */
import { CodedError, toCodedError } from '../base/index.ts';
import type { ErrorCode } from '../base/index.ts';
import { planOperation } from './operation.ts';
import type { Operation, Plan } from './operation.ts';
import type { Dtype, Tensor } from './tensor.ts';

export type DeviceKind = 'reference' | 'cpu' | 'wasm' | 'webgpu';

export interface DeviceMemory {
  readonly tensors: number;
  readonly bytes: number;
}

/**
 * Tensors go in and come out as plain values; what a device holds while it works, it frees before it answers.
 * Every operation may fail with `compute/tensor-invalid`, `compute/dtype-mismatch`, `compute/dtype-unsupported`,
 * `compute/out-of-memory`, `compute/device-failed` and, after disposal, `compute/device-disposed`.
 */
export interface Device extends AsyncDisposable {
  /** May change once: a lost GPU is followed by 'wasm'. */
  readonly kind: DeviceKind;
  /** Why this kind. */
  readonly reason: string;
  /** What it computes in. tfjs knows float32 only. */
  readonly dtypes: readonly Dtype[];
  /** Product of two matrices. Errors: `compute/shape-mismatch`. */
  matMul(a: Tensor, b: Tensor): Promise<Tensor>;
  /** Element by element, shapes broadcast as in NumPy. Errors: `compute/shape-mismatch`. */
  add(a: Tensor, b: Tensor): Promise<Tensor>;
  sub(a: Tensor, b: Tensor): Promise<Tensor>;
  mul(a: Tensor, b: Tensor): Promise<Tensor>;
  div(a: Tensor, b: Tensor): Promise<Tensor>;
  exp(a: Tensor): Promise<Tensor>;
  tanh(a: Tensor): Promise<Tensor>;
  /** max(x, 0). */
  relu(a: Tensor): Promise<Tensor>;
  /** All dimensions in reverse order. */
  transpose(a: Tensor): Promise<Tensor>;
  /** Along one axis (negative counts from the last), or over everything. Errors: `compute/axis-invalid`. */
  sum(a: Tensor, axis?: number): Promise<Tensor>;
  mean(a: Tensor, axis?: number): Promise<Tensor>;
  max(a: Tensor, axis?: number): Promise<Tensor>;
  /** Along one axis, by default the last. Errors: `compute/axis-invalid`. */
  softmax(a: Tensor, axis?: number): Promise<Tensor>;
  /** What is held right now: nothing, when no operation runs. */
  memory(): Promise<DeviceMemory>;
}

/** What differs between devices: how one checked operation is carried out. */
export interface Engine {
  readonly kind: DeviceKind;
  readonly reason: string;
  readonly dtypes: readonly Dtype[];
  /** Answers fresh data of the planned shape and dtype. */
  execute(operation: Operation, plan: Plan): Promise<Float32Array | Float64Array>;
  memory(): Promise<DeviceMemory>;
  dispose(): Promise<void>;
}

const failed: ErrorCode = 'compute/device-failed';

class EngineDevice implements Device {
  readonly #engine: Engine;
  readonly #limitBytes: number | undefined;
  #disposing: Promise<void> | undefined;

  constructor(engine: Engine, limitBytes: number | undefined) {
    this.#engine = engine;
    this.#limitBytes = limitBytes;
  }

  get kind(): DeviceKind {
    return this.#engine.kind;
  }

  get reason(): string {
    return this.#engine.reason;
  }

  get dtypes(): readonly Dtype[] {
    return this.#engine.dtypes;
  }

  matMul(a: Tensor, b: Tensor): Promise<Tensor> {
    return this.#run({ name: 'matMul', a, b });
  }

  add(a: Tensor, b: Tensor): Promise<Tensor> {
    return this.#run({ name: 'add', a, b });
  }

  sub(a: Tensor, b: Tensor): Promise<Tensor> {
    return this.#run({ name: 'sub', a, b });
  }

  mul(a: Tensor, b: Tensor): Promise<Tensor> {
    return this.#run({ name: 'mul', a, b });
  }

  div(a: Tensor, b: Tensor): Promise<Tensor> {
    return this.#run({ name: 'div', a, b });
  }

  exp(a: Tensor): Promise<Tensor> {
    return this.#run({ name: 'exp', a });
  }

  tanh(a: Tensor): Promise<Tensor> {
    return this.#run({ name: 'tanh', a });
  }

  relu(a: Tensor): Promise<Tensor> {
    return this.#run({ name: 'relu', a });
  }

  transpose(a: Tensor): Promise<Tensor> {
    return this.#run({ name: 'transpose', a });
  }

  sum(a: Tensor, axis?: number): Promise<Tensor> {
    return this.#run({ name: 'sum', a, ...(axis === undefined ? {} : { axis }) });
  }

  mean(a: Tensor, axis?: number): Promise<Tensor> {
    return this.#run({ name: 'mean', a, ...(axis === undefined ? {} : { axis }) });
  }

  max(a: Tensor, axis?: number): Promise<Tensor> {
    return this.#run({ name: 'max', a, ...(axis === undefined ? {} : { axis }) });
  }

  softmax(a: Tensor, axis?: number): Promise<Tensor> {
    return this.#run({ name: 'softmax', a, ...(axis === undefined ? {} : { axis }) });
  }

  async memory(): Promise<DeviceMemory> {
    return this.#disposing ? { tensors: 0, bytes: 0 } : this.#engine.memory();
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#disposing ??= this.#engine.dispose();
    return this.#disposing;
  }

  async #run(operation: Operation): Promise<Tensor> {
    if (this.#disposing) {
      throw new CodedError(
        'compute/device-disposed',
        `${operation.name} after the ${this.kind} device was disposed`,
        {
          fields: { operation: operation.name, kind: this.kind },
        },
      );
    }
    const plan = planOperation(operation, this.#limitBytes);
    this.#checkDtype(operation.name, plan.dtype);
    try {
      const data = await this.#engine.execute(operation, plan);
      return { shape: plan.shape, dtype: plan.dtype, data };
    } catch (error) {
      throw toCodedError(error, failed, { fields: { operation: operation.name, kind: this.kind } });
    }
  }

  #checkDtype(operation: string, dtype: Dtype): void {
    if (this.dtypes.includes(dtype)) return;
    const expected = this.dtypes.join(' or ');
    throw new CodedError(
      'compute/dtype-unsupported',
      `${operation} of ${dtype} on ${this.kind}: expected ${expected}`,
      {
        fields: { operation, dtype, kind: this.kind, expected },
      },
    );
  }
}

/** A device on top of an engine. `limitBytes` bounds operands and result of one operation; default 2,000 MB. */
export function createDevice(engine: Engine, limitBytes?: number): Device {
  return new EngineDevice(engine, limitBytes);
}
