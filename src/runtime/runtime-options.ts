/** What a runtime and a hosted module can be given. */
import type { ActorLimits, RestartLimits, RestartType } from '../actor/index.ts';
import type { JsonObject } from '../base/index.ts';
import type { Executor } from '../executor/index.ts';
import type { LanguageModel } from '../lm/index.ts';
import type { Clock, Random } from '../platform/index.ts';
import type { PortLimits } from '../port/index.ts';
import type { Module } from '../program/index.ts';
import type { Store } from '../state/index.ts';
import type { Hub } from '../telemetry/index.ts';
import type { WhenDown } from './registry/dependency.ts';
import type { ModuleImportOptions } from './version/import-module.ts';
import type { RuntimeLimits } from './limits.ts';
import type { Modules } from './version/module-catalog.ts';
import type { Metrics, Optimizers } from './compile/served-optimizers.ts';
import type { SubModuleActors } from './sub-module/sub-module-actors.ts';

export interface RuntimeOptions<M extends Modules> {
  /** Starts a worker whose entry calls `serve`. Give the name to the Worker: it is shown by browsers' tools. */
  readonly worker?: (name: string) => Worker;
  /** The classes themselves: needed where there are no workers, and to `start` by class. */
  readonly modules?: M;
  /** Optimizers and metrics by name for modules that run on the page; a worker entry gives its own to `serve`. */
  readonly optimizers?: Optimizers;
  readonly metrics?: Metrics;
  /** How module files are imported by address where modules are hosted on the page; a worker's entry gives its own to `serve`. */
  readonly moduleImport?: ModuleImportOptions;
  /** Default: a store in memory, which says so. The runtime does not close a store it was given. */
  readonly store?: Store;
  readonly lm?: LanguageModel;
  readonly executor?: Executor;
  /** Workers that share modules. Default 2. */
  readonly poolSize?: number;
  /** How often modules may restart, all of them together. Default 3 times in 5 s; one more, and all of them end with `actor/supervisor-gave-up`. */
  readonly restartLimits?: RestartLimits;
  readonly hub?: Hub;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly limits?: Partial<RuntimeLimits>;
  readonly actorLimits?: Partial<ActorLimits>;
  readonly portLimits?: PortLimits;
}

export interface StartOptions<C = Module, Kind extends string = string> {
  /** Which version of the class. Default the newest release, or the newest pre-release where there is no release. */
  readonly version?: string;
  /** Whether another version may take over while the module runs, or an actor inside it. Default true. */
  readonly hotReload?: boolean;
  /** Default: `module_` and 16 hex digits. With an id of its own a module finds its stored state again. */
  readonly id?: string;
  /** Default permanent. */
  readonly restart?: RestartType;
  /**
   * How often the module may restart, apart from all others: it gets a supervisor of its own, whose giving up ends it alone. Default: its
   * restarts count with those of all others.
   */
  readonly restartLimits?: RestartLimits;
  /** `dedicated` gives the module a worker of its own. Default shared. */
  readonly isolation?: 'shared' | 'dedicated';
  /** Time to stop in, before its actor is dropped. Default 5,000 ms. */
  readonly shutdownMs?: number;
  /** Modules that must run before this one, which it starts when they do not. They need not be registered yet. */
  readonly dependencies?: readonly DependencySpec[];
  /** What people and tools want to know of it; plain JSON. */
  readonly metadata?: JsonObject;
  /** Parameters that are bound to shared ones: the module's name to the name given to `runtime.shared`. */
  readonly shared?: Readonly<Record<string, string>>;
  /**
   * Sub-modules that are actors of their own, by their place in the program. Their parameters are theirs, a crash of one leaves the others and
   * the program around it running, and `whenDown` says what happens to calls of it meanwhile. Default none.
   */
  readonly actors?: SubModuleActors<C, Kind>;
}

export interface DependencySpec {
  readonly id: string;
  /**
   * What calls do while the dependency is down: `wait` for it within their limit, `fail` at once with `runtime/dependency-down`, or go
   * on while the module is `degraded`. Default wait. A module also starts without a dependency that it declares `degrade`.
   */
  readonly whenDown?: WhenDown;
}

/** What the registry keeps of a module. */
export interface ModuleSpec<K extends string = string> extends StartOptions {
  /** The key under which its class is served. */
  readonly kind: K;
}
