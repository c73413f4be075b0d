export type { Checkpoint } from './checkpoint.ts';
export type { Dependency, WhenDown } from './dependency.ts';
export type { CompilationRecord, CompilationStatus, CompileReport } from './compilation.ts';
export type { CompileRequest } from './compile-hosted.ts';
export type { ExecutionRecord, ModuleMetrics } from './execution-history.ts';
export { ModuleHandle } from './handle.ts';
export type { ForwardOptions, ModuleParameterChange, ParameterHandles } from './handle.ts';
export type {
  CallInput,
  ParameterNames,
  ParameterPath,
  ParameterValue,
  ReplyOf,
  SubModuleAt,
  SubModulePath,
  SubModulePathOf,
} from './handle-types.ts';
export type { CrashReason, ModuleStatus, PendingCall, StopOutcome } from './hosted.ts';
export type { SwapOptions, SwapOutcome, SwapTarget } from './hot-swap.ts';
export { acceptUpdates } from './hot-update.ts';
export type { HotContext, HotPayload } from './hot-update.ts';
export type { ModuleImportOptions } from './import-module.ts';
export type { InspectedModule, InspectedPart, RuntimeSnapshot } from './inspect-runtime.ts';
export { defaultRuntimeLimits } from './limits.ts';
export type { RuntimeLimits } from './limits.ts';
export type { ClassOf, Modules } from './module-catalog.ts';
export type { ModuleClass } from './module-class.ts';
export type { SubModuleWhenDown } from './module-protocol.ts';
export type { ModuleRecord, RecordedActor, RecoveryData } from './module-record.ts';
export type { AcknowledgementLevel, ParameterHandle, SetOptions } from './parameter-handle.ts';
export type { ParameterUpdateRecord } from './parameter-record.ts';
export type { RegisteredModule } from './registry-entry.ts';
export type { ModuleEvent, ModuleEventType } from './registry-event.ts';
export type { Registry } from './registry-face.ts';
export type { ModuleEventListener } from './registry-watch.ts';
export { createRuntime, Runtime } from './runtime.ts';
export type { DependencySpec, ModuleSpec, RuntimeOptions, StartOptions } from './runtime-options.ts';
export { serve } from './serve.ts';
export type { Served, ServeOptions } from './serve.ts';
export type { Metrics, OptimizerFactory, Optimizers } from './served-optimizers.ts';
export type { ValuesOfModule } from './set-parameters.ts';
export type { SharedDefinition, SharedParameter } from './shared-parameter.ts';
export type { SubModuleActor, SubModuleActors } from './sub-module-actors.ts';
