/** The supervision tree as data, for people and tools to look at. */
import type { ActorSystem, RestartRecord, Supervisor } from '../actor/index.ts';
import type { Degradation } from '../telemetry/index.ts';
import type { HostedModuleRecord, ModuleStatus } from './hosted.ts';
import type { RegisteredModule } from './registry-entry.ts';

export interface InspectedModule {
  readonly id: string;
  readonly kind: string;
  readonly status: ModuleStatus;
  readonly worker: string | undefined;
  readonly restarts: number;
  /** Calls of `forward` that have not ended: those that run, those in its mailbox, and those that wait for a restart. */
  readonly openCalls: number;
  readonly startedAtMs: number;
}

export interface RuntimeSnapshot {
  readonly supervisor: {
    readonly id: string;
    readonly maxRestarts: number;
    readonly maxSeconds: number;
    readonly restartsLeft: number;
    /** Newest last, at most 100. */
    readonly restarts: readonly RestartRecord[];
  };
  readonly workers: readonly {
    readonly id: string;
    readonly isDedicated: boolean;
    readonly actors: readonly string[];
  }[];
  /** Those that run, start or stop. */
  readonly modules: readonly InspectedModule[];
  /** All that are registered, with what ended them, what they depend on and their metadata. */
  readonly registered: readonly RegisteredModule[];
  /** Where the platform forced a lesser way, in order; at most 100. */
  readonly degradations: readonly Degradation[];
}

export function inspectRuntime(
  system: ActorSystem,
  supervisor: Supervisor,
  modules: readonly HostedModuleRecord[],
): Omit<RuntimeSnapshot, 'registered' | 'degradations'> {
  return {
    supervisor: {
      id: supervisor.id,
      ...supervisor.limits,
      restartsLeft: supervisor.restartsLeft,
      restarts: [...supervisor.restarts],
    },
    workers: system.workers,
    modules: modules.map(({ id, kind, status, worker, restarts, openCalls, startedAtMs }) => ({
      id,
      kind,
      status,
      worker,
      restarts,
      openCalls,
      startedAtMs,
    })),
  };
}
