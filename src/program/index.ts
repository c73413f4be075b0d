export { acceptsDescribed } from './accepts-described.ts';
export { ChatAdapter } from './adapter/chat.ts';
export type { Adapter, Demo } from './adapter/adapter.ts';
export type { BatchItem, BatchOptions, BatchProgress, BatchResult } from './batch.ts';
export { branch } from './compose/branch.ts';
export type {
  AnyOutput,
  Branch,
  Branches,
  BranchOptions,
  Choice,
  Chooser,
  SharedInput,
} from './compose/branch.ts';
export { map } from './compose/map.ts';
export type { MapEach, MapOutput } from './compose/map.ts';
export type { ComposeOptions, FailureMode, PartFailure, PartOutcome } from './compose/options.ts';
export { parallel } from './compose/parallel.ts';
export type { ParallelModules, ParallelOutput } from './compose/parallel.ts';
export { race } from './compose/race.ts';
export type { Race, RaceFailureMode } from './compose/race.ts';
export { sequence } from './compose/sequence.ts';
export type { Fitting, Sequence } from './compose/sequence.ts';
export type { ConstraintName, Constraints, ItemType } from './constraint.ts';
export { continueCall, continueCallCounted } from './call-module.ts';
export type { CountedOutput } from './call-module.ts';
export { continueRun } from './continue-run.ts';
export type { ContinueSettings } from './continue-run.ts';
export { describe } from './describe.ts';
export type {
  FieldDescription,
  ModuleDescription,
  ParameterDescription,
  PredictorDescription,
  SubModuleDescription,
} from './describe.ts';
export { allPredictorsOf } from './discover.ts';
export type { Named, SubModuleOptions } from './discover.ts';
export { loadDspyState, toDspyState } from './dspy-state.ts';
export type { DspyLoadOptions } from './dspy-state.ts';
export type { DspyVersions } from './dspy-versions.ts';
export { Example, isExample } from './example.ts';
export type { ExampleRecord } from './example.ts';
export { isFieldRecord, plainOf } from './field-record.ts';
export type { DemoLike, FieldRecord, Fields } from './field-record.ts';
export type { Field, FieldChanges, FieldKind, FieldSpec } from './field.ts';
export type { ProgramLimits } from './limits.ts';
export { isModule, Module, requireRun } from './module.ts';
export type { SubModuleType } from './find-named.ts';
export type { InputOf, Mode, ModuleClass, ModuleMetadata, OutputOf } from './module.ts';
export type { ModuleChanges, ModuleState, ParameterStates } from './module-state.ts';
export type { ParameterUpdate } from './parameter-history.ts';
export { sameValue } from './parameter-value.ts';
export type { ParameterType, ParameterTypeOf, TensorValue } from './parameter-value.ts';
export { Parameter } from './parameter.ts';
export type { ParameterChange, ParameterOptions, ParameterState } from './parameter.ts';
export type { PythonTypeOptions } from './parse-python-type.ts';
export { parseSignature } from './parse-signature.ts';
export type { SignatureOptions } from './parse-signature.ts';
export { ChainOfThought } from './predict/chain-of-thought.ts';
export type { WithReasoning } from './predict/chain-of-thought.ts';
export { Predict } from './predict/predict.ts';
export type { InputsOfSignature, OutputsOfSignature, SignatureLike } from './predict/predict.ts';
export type { PredictorState } from './predict/predictor-state.ts';
export type { Predictor } from './predict/predictor.ts';
export { isPrediction, Prediction } from './prediction.ts';
export type { CompletionsInput, PredictionRecord, UsageByModel } from './prediction.ts';
export type { PythonType } from './python-type.ts';
export type { PythonFloat } from './python-value.ts';
export type {
  LoadSource,
  ProgramFormat,
  SaveBytesOptions,
  SaveTarget,
  SaveTextOptions,
} from './program-file.ts';
export { parseRunWire } from './run-wire.ts';
export type { RunWire } from './run-wire.ts';
export { context, withRun } from './run.ts';
export type { LeaveListener, Run, RunDeadline, RunRequest, StopSource } from './run.ts';
export { configure } from './settings.ts';
export type { CallOptions, CallSettings, Defaults, PredictDelta, Settings } from './settings.ts';
export type { InputsOf, OutputsOf, ValueOf } from './signature-types.ts';
export { Signature } from './signature.ts';
export type { SignatureParts, SignatureState } from './signature.ts';
export { Trace } from './trace.ts';
export type { TraceEntry } from './trace.ts';
export type { Usage } from './usage.ts';
