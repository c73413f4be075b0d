/** One module in the registry, whether or not it runs. */
import type { JsonObject } from '../../base/index.ts';
import type { Dependency } from './dependency.ts';
import type { CrashReason, HostedModuleRecord, ModuleStatus } from '../host/hosted.ts';
import type { CheckedSpec } from './module-spec.ts';

/** A module as the registry knows it at one moment. Times are wall clock, milliseconds since 1970. */
export interface RegisteredModule {
  readonly id: string;
  readonly kind: string;
  /** A module that was never started is `stopped`. */
  readonly status: ModuleStatus;
  /** What ended it last; kept until it is started again by hand. */
  readonly crash?: CrashReason;
  /** The version that its class says, once it ran. */
  readonly version?: string;
  readonly metadata: JsonObject;
  readonly dependencies: readonly Dependency[];
  /** Those of its dependencies that do not serve now. */
  readonly downDependencies: readonly string[];
  /** Who depends on it. */
  readonly dependents: readonly string[];
  /** Restarts by its supervisor since it was last started by hand. */
  readonly restarts: number;
  /** Where it runs now. */
  readonly worker?: string;
  readonly registeredAtMs: number;
  readonly startedAtMs?: number;
  readonly restartedAtMs?: number;
  readonly swappedAtMs?: number;
  /** When it stopped or crashed, until it starts again. */
  readonly endedAtMs?: number;
}

type Time = 'startedAtMs' | 'restartedAtMs' | 'swappedAtMs' | 'endedAtMs';

/** A start that waits for dependencies: there is no record of a running module yet. */
export interface WaitingStart {
  /** Nobody has stopped it. */
  isWanted: boolean;
  /** Ends it with `runtime/module-stopped`. */
  cancel(): void;
}

export class RegistryEntry {
  readonly id: string;
  /** Somebody registered it by itself: it stays until somebody unregisters it. */
  readonly isExplicit: boolean;
  readonly registeredAtMs: number;
  spec: CheckedSpec;
  /** Its place among what is hosted, from its start to its end. */
  record: HostedModuleRecord | undefined;
  /** The start under way. It settles when the module runs or has failed. */
  starting: Promise<HostedModuleRecord> | undefined;
  waiting: WaitingStart | undefined;
  /** Its start got as far as a record. */
  wasHosted = false;
  /** The record has run. */
  hasRun = false;
  restarts = 0;
  crash: CrashReason | undefined;
  version: string | undefined;
  readonly times: { [T in Time]?: number } = {};
  /** What it is when nothing of it runs or starts. */
  rest: 'stopped' | 'crashed' = 'stopped';

  constructor(spec: CheckedSpec, options: { readonly isExplicit: boolean; readonly registeredAtMs: number }) {
    this.id = spec.id;
    this.spec = spec;
    this.isExplicit = options.isExplicit;
    this.registeredAtMs = options.registeredAtMs;
  }

  /** It runs, starts or stops: it cannot be started now. */
  get isBusy(): boolean {
    return this.record !== undefined || this.waiting !== undefined;
  }

  get status(): ModuleStatus {
    if (this.record) return this.record.status;
    return this.waiting ? 'starting' : this.rest;
  }

  /** It ends, at this time. */
  end(rest: 'stopped' | 'crashed', atMs: number): void {
    this.restarts = this.record?.restarts ?? this.restarts;
    this.record = undefined;
    this.waiting = undefined;
    this.rest = rest;
    this.times.endedAtMs = atMs;
  }

  toModule(links: Pick<RegisteredModule, 'downDependencies' | 'dependents'>): RegisteredModule {
    const { id, spec, status, crash, version, times, record } = this;
    return Object.freeze({
      id,
      kind: spec.kind,
      status,
      metadata: spec.metadata,
      dependencies: spec.dependencies,
      ...links,
      restarts: record?.restarts ?? this.restarts,
      registeredAtMs: this.registeredAtMs,
      ...times,
      ...(crash ? { crash } : {}),
      ...(version === undefined ? {} : { version }),
      ...(record?.worker === undefined ? {} : { worker: record.worker }),
    });
  }
}
