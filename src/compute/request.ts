/** What the compute worker is asked and what it answers: one union, read by both sides. */
import { unreachable } from '../base/index.ts';
import type { Device, DeviceKind, DeviceMemory } from './device.ts';
import type { DevicePreference } from './device/select-device.ts';
import type { WasmUrls } from './device/wasm-urls.ts';
import { matrixAnalysis } from './linalg/matrix-analysis.ts';
import type { AnalysisProgress, MatrixAnalysis, MatrixAnalysisOptions } from './linalg/matrix-analysis.ts';
import type { Matrix } from './linalg/matrix.ts';
import type { Operation } from './operation.ts';
import { correlation } from './statistics/correlation.ts';
import type { Correlation, CorrelationOptions } from './statistics/correlation.ts';
import { statistics } from './statistics/describe.ts';
import type { ColumnStatistics, StatisticsOptions } from './statistics/describe.ts';
import type { Tensor } from './tensor.ts';

/** Options of {@link matrixAnalysis} that can cross to a worker. */
export type AnalysisOptions = Omit<MatrixAnalysisOptions, 'onProgress'>;

export interface DeviceState {
  readonly kind: DeviceKind;
  readonly reason: string;
}

export type ComputeRequest =
  | { readonly type: 'matrix-analyse'; readonly matrix: Matrix; readonly options: AnalysisOptions }
  | {
      readonly type: 'statistics-compute';
      readonly columns: Readonly<Record<string, Float64Array>>;
      readonly options: StatisticsOptions;
    }
  | {
      readonly type: 'correlation-compute';
      readonly columns: Readonly<Record<string, Float64Array>>;
      readonly options: CorrelationOptions;
    }
  | { readonly type: 'device-open' }
  | { readonly type: 'operation-run'; readonly operation: Operation }
  | { readonly type: 'memory-read' };

export type RequestType = ComputeRequest['type'];

export interface Answers {
  readonly 'matrix-analyse': MatrixAnalysis;
  readonly 'statistics-compute': Record<string, ColumnStatistics>;
  readonly 'correlation-compute': Correlation;
  readonly 'device-open': DeviceState & Pick<Device, 'dtypes'>;
  readonly 'operation-run': { readonly result: Tensor; readonly device: DeviceState };
  readonly 'memory-read': DeviceMemory;
}

export type RequestOf<T extends RequestType> = Extract<ComputeRequest, { readonly type: T }>;

export interface WorkerSettings {
  readonly prefer: DevicePreference;
  readonly wasmUrls?: WasmUrls | undefined;
  readonly memoryLimitBytes?: number | undefined;
}

export interface RequestContext {
  /** Opened at the first call, then the same one. */
  device(): Promise<Device>;
  readonly onProgress?: ((progress: AnalysisProgress) => void) | undefined;
}

/** One operation by its name; the checks are the device's own. */
export function runOperation(device: Device, operation: Operation): Promise<Tensor> {
  switch (operation.name) {
    case 'matMul':
    case 'add':
    case 'sub':
    case 'mul':
    case 'div':
      return device[operation.name](operation.a, operation.b);
    case 'exp':
    case 'tanh':
    case 'relu':
    case 'transpose':
      return device[operation.name](operation.a);
    case 'sum':
    case 'mean':
    case 'max':
    case 'softmax':
      return device[operation.name](operation.a, operation.axis);
    default:
      return unreachable(operation);
  }
}

/** Carries out one request, in the worker or, where there are no workers, in the caller's realm. */
export async function answerRequest(
  request: ComputeRequest,
  context: RequestContext,
): Promise<Answers[RequestType]> {
  switch (request.type) {
    case 'matrix-analyse': {
      const { onProgress } = context;
      return matrixAnalysis(request.matrix, { ...request.options, ...(onProgress ? { onProgress } : {}) });
    }
    case 'statistics-compute':
      return statistics(request.columns, request.options);
    case 'correlation-compute':
      return correlation(request.columns, request.options);
    case 'device-open': {
      const { kind, reason, dtypes } = await context.device();
      return { kind, reason, dtypes };
    }
    case 'operation-run': {
      const device = await context.device();
      const result = await runOperation(device, request.operation);
      return { result, device: { kind: device.kind, reason: device.reason } };
    }
    case 'memory-read':
      return (await context.device()).memory();
    default:
      return unreachable(request);
  }
}
