export type { Checkpoint } from './journal/checkpoint.ts';
export type { Dependency, WhenDown } from './registry/dependency.ts';
export type { CompilationRecord, CompilationStatus, CompileReport } from './compile/compilation.ts';
export type { CompileRequest } from './compile/compile-hosted.ts';
export type { ExecutionRecord, ModuleMetrics } from './history/execution-history.ts';
export { ModuleHandle } from './handle/handle.ts';
export type { ForwardOptions, ModuleParameterChange, ParameterHandles } from './handle/handle.ts';
export type {
  CallInput,
  ParameterNames,
  ParameterPath,
  ParameterValue,
  ReplyOf,
  SubModuleAt,
  SubModulePath,
  SubModulePathOf,
} from './handle/handle-types.ts';
export type { CrashReason, ModuleStatus, PendingCall, StopOutcome } from './host/hosted.ts';
export type { SwapOptions, SwapOutcome, SwapTarget } from './swap/hot-swap.ts';
export { acceptUpdates } from './swap/hot-update.ts';
export type { HotContext, HotPayload } from './swap/hot-update.ts';
export type { ModuleImportOptions } from './version/import-module.ts';
export type { InspectedModule, InspectedPart, RuntimeSnapshot } from './inspect-runtime.ts';
export type { RuntimeLimits } from './limits.ts';
export type { ClassOf, Modules } from './version/module-catalog.ts';
export type { ModuleClass } from './version/module-class.ts';
export type { SubModuleWhenDown } from './module-protocol.ts';
export type { ModuleRecord, RecordedActor, RecoveryData } from './history/module-record.ts';
export type { AcknowledgementLevel, ParameterHandle, SetOptions } from './parameter/parameter-handle.ts';
export type { ParameterUpdateRecord } from './parameter/parameter-record.ts';
export type { RegisteredModule } from './registry/registry-entry.ts';
export type { ModuleEvent, ModuleEventType } from './registry/registry-event.ts';
export type { Registry } from './registry/registry-face.ts';
export type { ModuleEventListener } from './registry/registry-watch.ts';
export { createRuntime, Runtime } from './runtime.ts';
export type { DependencySpec, ModuleSpec, RuntimeOptions, StartOptions } from './runtime-options.ts';
export type { RuntimeChange, RuntimeDiff, RuntimeDiffOptions } from './snapshot/diff-runtime.ts';
export type { ForkFrom } from './snapshot/fork-module.ts';
export type { RuntimeRestored } from './snapshot/restore-runtime.ts';
export type { RuntimeImportOptions, RuntimeSnapshotOptions } from './snapshot/runtime-snapshots.ts';
export { serve } from './worker/serve.ts';
export type { Served, ServeOptions } from './worker/serve.ts';
export type { Metrics, OptimizerFactory, Optimizers } from './compile/served-optimizers.ts';
export type { ValuesOfModule } from './parameter/set-parameters.ts';
export type { SharedDefinition, SharedParameter } from './parameter/shared-parameter.ts';
export type { SubModuleActor, SubModuleActors } from './sub-module/sub-module-actors.ts';
