/** All that is known of a hosted module, as data. */
import type {
  Mode,
  ModuleState,
  ParameterState,
  PredictorState,
  SubModuleDescription,
} from '../program/index.ts';
import type { Checkpoint } from './checkpoint.ts';
import type { CompilationRecord } from './compilation.ts';
import { estimateBytes } from './estimate-bytes.ts';
import type { ExecutionRecord, ModuleMetrics } from './execution-history.ts';
import type { HostedModuleRecord, ModuleStatus, PendingCall } from './hosted.ts';
import type { ParameterUpdateRecord } from './parameter-record.ts';

/** Structured-cloneable, and made for whoever asked: it does not change afterwards. Times are wall-clock milliseconds since 1970. */
export interface ModuleRecord {
  readonly id: string;
  /** Where it runs; undefined while it does not. */
  readonly address: { readonly worker: string } | undefined;
  readonly kind: string;
  readonly className: string;
  readonly version: string;
  readonly status: ModuleStatus;
  readonly mode: Mode;
  readonly parameters: Readonly<Record<string, ParameterState>>;
  readonly predictors: Readonly<Record<string, PredictorState>>;
  readonly subModules: readonly SubModuleDescription[];
  /** The status of compiling, and what the last compilation said and installed. */
  readonly compilation: CompilationRecord;
  /** Calls of `forward` that have not ended, in order of start. */
  readonly pendingCalls: readonly PendingCall[];
  /** Oldest first. */
  readonly executions: readonly ExecutionRecord[];
  /** By parameter, oldest first; those that never changed are absent. */
  readonly parameterHistories: Readonly<Record<string, readonly ParameterUpdateRecord[]>>;
  readonly metrics: ModuleMetrics;
  readonly lastCheckpoint: Checkpoint | undefined;
  readonly recovery: RecoveryData;
  readonly restarts: number;
  readonly createdAtMs: number;
  readonly startedAtMs: number;
  readonly updatedAtMs: number;
}

/** What a restart would start from at this moment. */
export interface RecoveryData {
  /** Undefined before the module has ever run. Predictors that nobody changed follow their class, and are absent. */
  readonly state: ModuleState | undefined;
  /** Estimated. */
  readonly sizeBytes: number;
  /** Whether the store holds the module, so that it outlives the page too. */
  readonly isStored: boolean;
}

export function createModuleRecord(module: HostedModuleRecord): ModuleRecord {
  const { id, kind, status, worker, journal, description, history, restarts, startedAtMs } = module;
  const { memory, state } = journal;
  const parameters = [...journal.parameters];
  const histories = parameters.filter(([, { history: updates }]) => updates.length > 0);
  return {
    id,
    kind,
    status,
    restarts,
    startedAtMs,
    address: worker === undefined ? undefined : { worker },
    className: description?.className ?? '',
    version: description?.version ?? '',
    mode: journal.mode,
    parameters: Object.fromEntries(parameters.map(([name, parameter]) => [name, parameter.state])),
    predictors: journal.predictors,
    subModules: description?.subModules ?? [],
    compilation: memory.compilation,
    pendingCalls: [...module.pending],
    executions: history.records,
    parameterHistories: Object.fromEntries(
      histories.map(([name, parameter]) => [name, [...parameter.history]]),
    ),
    metrics: module.metrics,
    lastCheckpoint: memory.lastCheckpoint,
    recovery: { state, sizeBytes: estimateBytes(state), isStored: journal.isStored },
    createdAtMs: memory.createdAtMs,
    updatedAtMs: journal.updatedAtMs,
  };
}
