/** All that is known of a hosted module, as data. */
import type {
  Mode,
  ModuleState,
  ParameterState,
  PredictorState,
  SubModuleDescription,
} from '../../program/index.ts';
import type { Checkpoint } from '../journal/checkpoint.ts';
import type { CompilationRecord } from '../compile/compilation.ts';
import { estimateBytes } from './estimate-bytes.ts';
import type { ExecutionRecord, ModuleMetrics } from './execution-history.ts';
import type { CrashReason, HostedModuleRecord, ModuleStatus, PendingCall } from '../host/hosted.ts';
import type { CachedParameter, ParameterUpdateRecord } from '../parameter/parameter-record.ts';

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
  /** Of the whole program, those of sub-modules that are actors included. */
  readonly parameters: Readonly<Record<string, ParameterState>>;
  readonly predictors: Readonly<Record<string, PredictorState>>;
  readonly subModules: readonly SubModuleDescription[];
  /** Sub-modules that are actors of their own; each has a record of its own. */
  readonly actors: readonly RecordedActor[];
  /** What ended its actor last. */
  readonly crash: CrashReason | undefined;
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

/** A sub-module that is an actor of its own. */
export interface RecordedActor {
  /** Where it is in the module around it. */
  readonly path: string;
  readonly id: string;
  readonly status: ModuleStatus;
  readonly address: ModuleRecord['address'];
}

/** What a restart of the module's own actor would start from at this moment. */
export interface RecoveryData {
  /** Undefined before the module has ever run. Predictors that nobody changed follow their class, and are absent. */
  readonly state: ModuleState | undefined;
  /** Estimated. */
  readonly sizeBytes: number;
  /** Whether the store holds the module, so that it outlives the page too. */
  readonly isStored: boolean;
}

export function createModuleRecord(module: HostedModuleRecord): ModuleRecord {
  const { id, kind, status, journal, description, history, restarts, startedAtMs } = module;
  const { memory, state } = journal;
  const parameters = module.parameterNames.map((name) => [name, parameterOf(module, name)] as const);
  const histories = parameters.filter(([, { history: updates }]) => updates.length > 0);
  return {
    id,
    kind,
    status,
    restarts,
    startedAtMs,
    address: addressOf(module),
    className: description?.className ?? '',
    version: module.source.version ?? description?.version ?? '',
    mode: journal.mode,
    parameters: Object.fromEntries(parameters.map(([name, parameter]) => [name, parameter.state])),
    predictors: predictorsOf(module),
    subModules: description?.subModules ?? [],
    actors: [...module.parts.values()].map(({ path, module: actor }) => {
      return { path, id: actor.id, status: actor.status, address: addressOf(actor) };
    }),
    crash: module.crash,
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

function addressOf({ worker }: HostedModuleRecord): ModuleRecord['address'] {
  return worker === undefined ? undefined : { worker };
}

function parameterOf(module: HostedModuleRecord, name: string): CachedParameter {
  const owner = module.ownerOf(name);
  return owner.module.journal.parameter(owner.name);
}

function predictorsOf(module: HostedModuleRecord): Record<string, PredictorState> {
  const predictors: Record<string, PredictorState> = { ...module.journal.predictors };
  for (const { module: actor, names } of module.parts.values()) {
    for (const [name, state] of Object.entries(predictorsOf(actor))) {
      const outer = names.predictors[name];
      if (outer !== undefined) predictors[outer] = state;
    }
  }
  return predictors;
}
