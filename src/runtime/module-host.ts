/** Starts and stops modules under supervision, and keeps the record of each. */
import { Supervisor } from '../actor/index.ts';
import type { ActorSystem, Exit, RestartLimits } from '../actor/index.ts';
import { CodedError, messageOf, toCodedError } from '../base/index.ts';
import { hasLocks, holdLockIfFree } from '../platform/index.ts';
import type { Clock } from '../platform/index.ts';
import { createGroupCommitter } from '../state/index.ts';
import type { GroupCommitter, Store } from '../state/index.ts';
import type { Hub } from '../telemetry/index.ts';
import { idTaken } from './handle.ts';
import { HostedModuleRecord } from './hosted.ts';
import type { CrashReason, StopOutcome } from './hosted.ts';
import { HotSwap } from './hot-swap.ts';
import { inspectRuntime } from './inspect-runtime.ts';
import type { RuntimeLimits } from './limits.ts';
import { stopTimedOut, wasStopped } from './module-error.ts';
import { ModuleJournal } from './module-journal.ts';
import { importedKind } from './module-protocol.ts';
import type {
  CatalogChangeBody,
  Described,
  ModuleSwapBody,
  ParameterChangeBody,
  ParameterRecord,
  StartArgs,
  UpdateFailBody,
} from './module-protocol.ts';
import type { ModuleVersions } from './module-versions.ts';
import type { StartOptions } from './runtime-options.ts';
import { SharedParameters } from './shared-parameters.ts';

/** Another instance of a module has taken over. */
export interface SwapNews {
  readonly fromKind: string;
  readonly toKind: string;
  readonly fromVersion: string;
  readonly toVersion: string;
}

/** Hears of modules that it did not start itself, too. */
export interface HostObserver {
  /** There is a record, and its status is told from here on; it has not begun to start. */
  onCreate(module: HostedModuleRecord): void;
  /** Another instance of it has taken over. */
  onSwap(module: HostedModuleRecord, news: SwapNews): void;
  /** It was stopped, or ended by itself without an error. Its id is free. */
  onStop(module: HostedModuleRecord, how: StopOutcome | { readonly how: 'ended' }): void;
}

export interface ModuleHostOptions {
  readonly observer: HostObserver;
  readonly system: ActorSystem;
  readonly store: Store;
  readonly hub: Hub;
  readonly clock: Clock;
  readonly limits: RuntimeLimits;
  readonly versions: ModuleVersions;
  readonly restartLimits?: RestartLimits | undefined;
}

const endsOfItsOwn: readonly Exit['reason'][] = ['normal', 'shutdown', 'crashed'];

export class ModuleHost implements AsyncDisposable {
  readonly shared: SharedParameters;
  readonly hotSwap: HotSwap;
  readonly #options: ModuleHostOptions;
  readonly #committer: GroupCommitter;
  readonly #modules = new Map<string, HostedModuleRecord>();
  readonly #locks = new Map<HostedModuleRecord, () => void>();
  readonly #starts = new Set<Promise<void>>();
  #supervisor: Supervisor;
  #supervisors = 0;
  #isToldNoLocks = false;

  constructor(options: ModuleHostOptions) {
    this.#options = options;
    this.#committer = createGroupCommitter(options.store);
    this.#supervisor = this.#createSupervisor();
    const { store, hub, clock, limits, versions } = options;
    const onStoreFailure = (error: unknown): void => this.#reportStoreFailure(error);
    this.hotSwap = new HotSwap({ hub, clock, limits, versions, onStoreFailure });
    this.shared = new SharedParameters({
      store,
      clock,
      limits,
      committer: this.#committer,
      onParameterChange: (module, record) => this.onParameterChange(module, record),
      onFailure: (error) => hub.emit({ type: 'note', text: `shared parameter: ${messageOf(error)}` }),
    });
  }

  /** The way of all writes, so that their order is one. */
  get committer(): GroupCommitter {
    return this.#committer;
  }

  /** In order of start. */
  get modules(): readonly HostedModuleRecord[] {
    return [...this.#modules.values()];
  }

  /** @throws what `Runtime.start` does, but for `runtime/closed` and an unknown class */
  async start(id: string, kind: string, options: StartOptions): Promise<HostedModuleRecord> {
    if (this.#modules.has(id)) throw idTaken(id);
    const { store, clock, limits } = this.#options;
    const onFailure = (error: unknown): void => this.#reportStoreFailure(error);
    const committer = this.#committer;
    const journal = new ModuleJournal({ module: id, kind, store, committer, limits, clock, onFailure });
    const module = new HostedModuleRecord(id, kind, journal, { clock, limits });
    module.source = { version: options.version, url: undefined };
    module.hotReload = options.hotReload ?? true;
    this.#options.observer.onCreate(module);
    this.#modules.set(id, module);
    const starting = this.#begin(module, options);
    this.#starts.add(starting);
    try {
      await starting;
    } finally {
      this.#starts.delete(starting);
    }
    return module;
  }

  /** @throws `runtime/module-not-found`, naming what runs */
  find(id: string): HostedModuleRecord {
    const module = this.#modules.get(id);
    if (module && module.status !== 'starting') return module;
    const known = [...this.#modules.keys()].filter((other) => other !== id);
    throw new CodedError(
      'runtime/module-not-found',
      `no module "${id}" runs here; there are: ${known.join(', ') || 'none'}`,
      { fields: { module: id, known: known.slice(0, 100) } },
    );
  }

  /** The supervision tree of this moment, as data. */
  inspect(): ReturnType<typeof inspectRuntime> {
    return inspectRuntime(this.#options.system, this.#supervisor, this.modules);
  }

  /** A module that is being stopped has one end, whoever asks for it. */
  async stop(module: HostedModuleRecord): Promise<StopOutcome> {
    if (this.#modules.get(module.id) !== module) return { how: 'not-running' };
    module.stopping ??= this.#end(module);
    return module.stopping;
  }

  /** Waits until no start is under way. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#starts);
  }

  /** Waits for what is being written, then refuses more. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#committer[Symbol.asyncDispose]();
  }

  /** What a worker tells the journal of its modules. */
  onNews(method: string, body: unknown): void {
    if (method === 'parameter-change') this.#onOwnChange(body as ParameterChangeBody);
    else if (method === 'module-swap') this.#onSwap(body as ModuleSwapBody);
    else if (method === 'catalog-change')
      this.hotSwap.onCatalogChange(this.modules, (body as CatalogChangeBody).kinds);
    else if (method === 'update-fail') {
      const { message, file } = body as UpdateFailBody;
      this.#options.hub.emit({ type: 'hot-update-fail', message, ...(file === undefined ? {} : { file }) });
    }
  }

  #onSwap(body: ModuleSwapBody): void {
    const module = this.#modules.get(body.module);
    if (!module || module.isOver) return;
    const fromVersion = body.taken.from;
    this.hotSwap.onSwap(module, body);
    this.shared.rebind(module);
    const [fromKind, toVersion] = [module.kind, body.state.version];
    this.#options.observer.onSwap(module, { fromKind, toKind: fromKind, fromVersion, toVersion });
  }

  /** A module changed a parameter by itself. */
  #onOwnChange({ module: id, ...record }: ParameterChangeBody): void {
    const module = this.#modules.get(id);
    // what changes before a module was introduced is in its introduction
    if (!module?.journal.parameters.has(record.name)) return;
    this.onParameterChange(module, record);
    // nobody waits for it, so a failure has only this route
    module.journal
      .persist([record.name], 'relaxed')
      .catch((error: unknown) => this.#reportStoreFailure(error));
    this.shared.follow(module, record);
  }

  onParameterChange(module: HostedModuleRecord, record: ParameterRecord): void {
    module.journal.apply(record);
    const { name, cause } = record;
    this.#options.hub.emit({ type: 'parameter-change', module: module.id, name, cause });
  }

  #createSupervisor(): Supervisor {
    const { restartLimits, system, clock, hub } = this.#options;
    return new Supervisor({
      id: `supervisor-${++this.#supervisors}`,
      system,
      clock,
      hub,
      onGiveUp: (error) => this.#onGiveUp(error),
      ...(restartLimits ? { limits: restartLimits } : {}),
    });
  }

  /** Everything under the supervisor is stopped; a fresh one takes what is started from now on. */
  #onGiveUp(error: CodedError): void {
    this.#supervisor = this.#createSupervisor();
    for (const module of this.#modules.values()) {
      if (module.status === 'starting') continue;
      this.#drop(module);
      module.crash = this.#crashOf(error, module.crash?.reason ?? 'crashed');
      module.end('crashed', error);
    }
  }

  async #begin(module: HostedModuleRecord, options: StartOptions): Promise<void> {
    const supervisors: Supervisor[] = [];
    try {
      await this.#acquire(module);
      this.#requireWanted(module);
      await module.journal.load();
      this.#requireWanted(module);
      supervisors.push(this.#supervisor);
      await this.#supervise(module, this.#supervisor, options);
    } catch (thrown) {
      for (const supervisor of supervisors) await supervisor.remove(module.id);
      this.#drop(module);
      const error = toCodedError(thrown, 'runtime/module-load-failed');
      module.crash = this.#crashOf(error, 'start-failed');
      module.end('crashed', error);
      throw error;
    }
  }

  /** A start that was overtaken by a stop must not go on. */
  #requireWanted(module: HostedModuleRecord): void {
    if (module.isOver || this.#modules.get(module.id) !== module) throw wasStopped(module.id);
  }

  async #supervise(module: HostedModuleRecord, supervisor: Supervisor, options: StartOptions): Promise<void> {
    let isFirst = true;
    const { restart, shutdownMs, isolation } = options;
    const ref = await supervisor.add({
      id: module.id,
      ...(restart ? { restart } : {}),
      ...(shutdownMs === undefined ? {} : { shutdown: shutdownMs }),
      spawn: () => ({
        ...this.#spawnOf(module),
        ...(isolation === 'dedicated' ? { isDedicated: true } : {}),
      }),
      onStart: (started) => {
        if (!isFirst) module.attach(started);
        isFirst = false;
      },
      onExit: (exit, willRestart) => this.#onExit(module, exit, willRestart),
    });
    const described = (await ref.call('describe', null)) as Described;
    this.#requireWanted(module);
    supervisor.requireRunning();
    await this.hotSwap.introduce(module, described);
    this.#requireWanted(module);
    supervisor.requireRunning();
    module.attach(ref);
    await this.shared.bind(module, options.shared);
    this.#requireWanted(module);
  }

  /** The version that runs, with the state that the page has of it. */
  #spawnOf({ kind, source, journal }: HostedModuleRecord): {
    readonly kind: string;
    readonly args: StartArgs;
  } {
    const loaded = this.#options.versions.loadedOf(kind);
    const { state, sequence } = journal;
    const args: StartArgs = { state, sequence, version: source.version };
    if (loaded.length === 0) return { kind, args };
    return { kind: importedKind, args: { ...args, kind, loaded } };
  }

  #onExit(module: HostedModuleRecord, exit: Exit, willRestart: boolean): void {
    const { reason } = exit;
    const message = `module "${module.id}" ended: ${exit.error?.message ?? exit.cause ?? reason}`;
    const error = new CodedError('actor/peer-died', message, { fields: { module: module.id, reason } });
    const isNormal = reason === 'normal' || reason === 'shutdown';
    module.crash = isNormal ? undefined : this.#crashOf(exit.error ?? error, reason);
    if (willRestart) return module.detach();
    if (this.#modules.get(module.id) !== module) return;
    // a child that rests keeps its place with its supervisor; nobody would use it
    void this.#supervisor.remove(module.id);
    this.#drop(module);
    module.end(isNormal ? 'stopped' : 'crashed', error);
    if (isNormal) this.#options.observer.onStop(module, { how: 'ended' });
  }

  #crashOf(
    { code, message }: Pick<CodedError, 'code' | 'message'>,
    reason: CrashReason['reason'],
  ): CrashReason {
    return { code, message, reason, atMs: this.#options.clock.now() };
  }

  /** Its id and its lock are free when its actor is gone, not before: a second one would write beside it. */
  async #end(module: HostedModuleRecord): Promise<StopOutcome> {
    const { system, observer } = this.#options;
    let exit: Exit | undefined;
    const leave = system.monitor(module.id, (told) => (exit = told));
    module.end('stopped', wasStopped(module.id));
    await this.#supervisor.remove(module.id);
    leave();
    await module.journal.settle();
    this.#drop(module);
    const wasKilled = exit !== undefined && !endsOfItsOwn.includes(exit.reason);
    const outcome: StopOutcome = wasKilled
      ? { how: 'killed', error: stopTimedOut(module.id) }
      : { how: 'graceful' };
    observer.onStop(module, outcome);
    return outcome;
  }

  #drop(module: HostedModuleRecord): void {
    void module.journal.settle();
    if (this.#modules.get(module.id) === module) this.#modules.delete(module.id);
    this.#locks.get(module)?.();
    this.#locks.delete(module);
  }

  #reportStoreFailure(thrown: unknown): void {
    const { code, message } = toCodedError(thrown, 'state/write-failed');
    const { hub, store } = this.#options;
    hub.emit({ type: 'store-fail', store: store.name, error: { code, message } });
  }

  #reportNoLocks(): void {
    if (this.#isToldNoLocks) return;
    this.#isToldNoLocks = true;
    this.#options.hub.emit({
      type: 'platform-degrade',
      what: 'locks',
      from: 'web-locks',
      to: 'none',
      reason: 'the platform has no Web Locks: nothing keeps two tabs from running one module',
    });
  }

  /** Two tabs must not both own a module whose state they share. */
  async #acquire(module: HostedModuleRecord): Promise<void> {
    const { id } = module;
    const { store } = this.#options;
    if (!store.capabilities.sharedAcrossRealms) return;
    if (!hasLocks) return this.#reportNoLocks();
    const lock = await holdLockIfFree(`vivarium-module-${store.name}-${id}`);
    if (!lock) {
      throw new CodedError(
        'runtime/module-running-elsewhere',
        `module "${id}" already runs in another tab of this origin`,
        { fields: { module: id, store: store.name }, isRetryable: true },
      );
    }
    this.#locks.set(module, () => lock.release());
  }
}
