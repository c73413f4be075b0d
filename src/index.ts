/** `vivarium`: the public face. What a worker entry needs is in `vivarium/worker`, what tests need in `vivarium/testing`. */
export { CodedError, isCodedError } from './base/index.ts';
export type { ErrorCode, Json, JsonObject } from './base/index.ts';
export { correlation, createCompute, createTensor, matrixAnalysis, statistics } from './compute/index.ts';
export type {
  ColumnStatistics,
  Compute,
  ComputeOptions,
  Correlation,
  Device,
  DeviceKind,
  DeviceMemory,
  Dtype,
  MatrixAnalysis,
  MatrixInput,
  Tensor,
} from './compute/index.ts';
export { createPythonExecutor, denyByDefault, narrowPolicy, sandboxHeaders } from './executor/index.ts';
export type {
  ExecutionContext,
  ExecutionOptions,
  Executor,
  ExecutorLimits,
  GuestValue,
  Outcome,
  Policy,
  PythonExecutorOptions,
  Session,
} from './executor/index.ts';
export {
  createHistory,
  inspectHistory,
  openAiCompatible,
  scriptedLm,
  testEndpoint,
  withHistory,
} from './lm/index.ts';
export type {
  EndpointReport,
  LanguageModel,
  LmMessage,
  LmRequest,
  LmResponse,
  LmStreamPart,
  OpenAiCompatibleOptions,
  ScriptedLmOptions,
} from './lm/index.ts';
export type { Metric } from './evaluate/index.ts';
export { LabeledFewShot } from './optimize/index.ts';
export type {
  CompileFrame,
  CompileOptions,
  CompileProgress,
  LabeledFewShotCompileOptions,
  LabeledFewShotOptions,
  Optimizer,
} from './optimize/index.ts';
export type { Clock, Random } from './platform/index.ts';
export {
  branch,
  ChainOfThought,
  ChatAdapter,
  configure,
  context,
  Example,
  loadDspyState,
  map,
  Module,
  parallel,
  Parameter,
  parseSignature,
  Predict,
  Prediction,
  race,
  sequence,
  Signature,
  toDspyState,
} from './program/index.ts';
export type {
  Adapter,
  BatchOptions,
  BatchProgress,
  BatchResult,
  Branch,
  BranchOptions,
  CallSettings,
  Chooser,
  ComposeOptions,
  Constraints,
  Demo,
  FailureMode,
  InputOf,
  InputsOf,
  LoadSource,
  MapEach,
  ModuleDescription,
  ModuleState,
  OutputOf,
  OutputsOf,
  ParameterOptions,
  ParallelModules,
  PartFailure,
  PartOutcome,
  PredictDelta,
  Race,
  Run,
  SaveTarget,
  Sequence,
  Settings,
} from './program/index.ts';
export { createRuntime, ModuleHandle, Runtime } from './runtime/index.ts';
export type {
  AcknowledgementLevel,
  Checkpoint,
  CrashReason,
  Dependency,
  DependencySpec,
  ExecutionRecord,
  ForwardOptions,
  ModuleEvent,
  ModuleEventListener,
  ModuleEventType,
  ModuleMetrics,
  Modules,
  ModuleSpec,
  ModuleStatus,
  ParameterHandle,
  RegisteredModule,
  Registry,
  RuntimeOptions,
  RuntimeSnapshot,
  SetOptions,
  StartOptions,
  StopOutcome,
  WhenDown,
} from './runtime/index.ts';
export { createMemoryStore, openIndexedDbStore, openPageStore } from './state/index.ts';
export type { Durability, Entry, Key, Store, Write } from './state/index.ts';
export { attachConsoleSink, createHub, createMemorySink } from './telemetry/index.ts';
export type { Degradation, Hub, MemorySink, StampedEvent, TelemetryEvent } from './telemetry/index.ts';
