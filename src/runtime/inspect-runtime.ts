/** The supervision tree as data, for people and tools to look at. */
import type { ActorSystem, Supervisor, SupervisorSnapshot } from '../actor/index.ts';
import type { Degradation } from '../telemetry/index.ts';
import type { HostedModuleRecord, ModuleStatus } from './host/hosted.ts';
import type { HostedPart } from './sub-module/hosted-part.ts';
import type { SubModuleWhenDown } from './module-protocol.ts';
import type { GiveUp } from './host/module-supervisors.ts';
import type { RegisteredModule } from './registry/registry-entry.ts';

/** A sub-module that is an actor of its own. */
export interface InspectedPart {
  /** Where it is in the module around it. */
  readonly path: string;
  /** Its id among the modules. */
  readonly id: string;
  readonly whenDown: SubModuleWhenDown;
}

export interface InspectedModule {
  readonly id: string;
  readonly kind: string;
  readonly status: ModuleStatus;
  readonly worker: string | undefined;
  readonly restarts: number;
  /** Calls of `forward` that have not ended: those that run, those in its mailbox, and those that wait for a restart. */
  readonly openCalls: number;
  readonly startedAtMs: number;
  /** The id of the module that it is a sub-module of. */
  readonly around?: string;
  /** Sub-modules that are actors of their own, in order of start. */
  readonly parts?: readonly InspectedPart[];
}

/** The supervision tree of one moment. Plain data: it can be cloned, stored and sent to another realm. */
export interface RuntimeSnapshot {
  /** The top of the tree with every supervisor below it: strategy, budget, restarts and children of each. */
  readonly supervisor: SupervisorSnapshot;
  /** Supervisors that gave up, newest last, at most 10: what they had restarted before is found here only. */
  readonly gaveUp: readonly GiveUp[];
  /** Where actors run; no part of the tree, since a worker may hold actors of several supervisors. */
  readonly workers: readonly {
    readonly id: string;
    readonly isDedicated: boolean;
    readonly actors: readonly string[];
  }[];
  /** Those that run, start or stop. Sub-modules that are actors of their own are among them; `around` and `parts` make it a tree. */
  readonly modules: readonly InspectedModule[];
  /** All that are registered, with what ended them, what they depend on and their metadata. */
  readonly registered: readonly RegisteredModule[];
  /** Where the platform forced a lesser way, in order; at most 100. */
  readonly degradations: readonly Degradation[];
}

function inspectPart({ path, whenDown, module }: HostedPart): InspectedPart {
  return { path, id: module.id, whenDown };
}

function inspectModule(module: HostedModuleRecord): InspectedModule {
  const { id, kind, status, worker, restarts, openCalls, startedAtMs, around, parts } = module;
  return {
    id,
    kind,
    status,
    worker,
    restarts,
    openCalls,
    startedAtMs,
    ...(around ? { around: around.module.id } : {}),
    ...(parts.size > 0 ? { parts: [...parts.values()].map(inspectPart) } : {}),
  };
}

export function inspectRuntime(
  system: ActorSystem,
  supervisors: { readonly top: Supervisor; readonly gaveUp: readonly GiveUp[] },
  modules: readonly HostedModuleRecord[],
): Omit<RuntimeSnapshot, 'registered' | 'degradations'> {
  return {
    supervisor: supervisors.top.inspect(),
    gaveUp: [...supervisors.gaveUp],
    workers: system.workers,
    modules: modules.map(inspectModule),
  };
}
