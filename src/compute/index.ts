export { createCompute } from './compute.ts';
export type { Compute, ComputeOptions } from './compute.ts';
export type { CallOptions as ComputeCallOptions } from './compute-client.ts';
export type { QueueLimits } from './call-queue.ts';
export type { Device, DeviceKind, DeviceMemory } from './device.ts';
export type { DevicePreference } from './device/select-device.ts';
export type { WasmUrls } from './device/wasm-urls.ts';
export type { ComplexValues } from './linalg/francis.ts';
export { matrixAnalysis } from './linalg/matrix-analysis.ts';
export type {
  AnalysisProgress,
  AnalysisStage,
  MatrixAnalysis,
  MatrixAnalysisOptions,
} from './linalg/matrix-analysis.ts';
export type { Matrix, MatrixInput } from './linalg/matrix.ts';
export type { RankOptions } from './linalg/svd.ts';
export type { Shape } from './shape.ts';
export type { ColumnInput, MissingValues, TableInput } from './statistics/column.ts';
export { correlation } from './statistics/correlation.ts';
export type { Correlation, CorrelationOptions } from './statistics/correlation.ts';
export { statistics } from './statistics/describe.ts';
export type { ColumnStatistics, StatisticsOptions } from './statistics/describe.ts';
export { createTensor } from './tensor.ts';
export type { Dtype, Tensor } from './tensor.ts';
