/** Where the parts meet: workers, a supervisor, a store, a model and an executor, and the modules that use them. */
import { ActorSystem, defaultActorLimits, inThreadRealm, Supervisor, workerRealm } from '../actor/index.ts';
import type { Exit, Realm } from '../actor/index.ts';
import { CodedError, Scope, toCodedError } from '../base/index.ts';
import type { Executor } from '../executor/index.ts';
import type { LanguageModel } from '../lm/index.ts';
import { hasLocks, hasWorkers, holdLockIfFree, systemClock, systemRandom } from '../platform/index.ts';
import type { Clock, Random } from '../platform/index.ts';
import type { IncomingMessage } from '../port/index.ts';
import { createGroupCommitter, createMemoryStore } from '../state/index.ts';
import type { GroupCommitter, Store } from '../state/index.ts';
import { createHub } from '../telemetry/index.ts';
import type { Hub } from '../telemetry/index.ts';
import { idTaken, ModuleHandle } from './handle.ts';
import { HostedModuleRecord } from './hosted.ts';
import { inspectRuntime } from './inspect-runtime.ts';
import type { RuntimeSnapshot } from './inspect-runtime.ts';
import { defaultRuntimeLimits } from './limits.ts';
import type { RuntimeLimits } from './limits.ts';
import { ModuleJournal } from './module-journal.ts';
import { checkModuleId, createModuleId } from './module-id.ts';
import { journalService } from './module-protocol.ts';
import type {
  Described,
  ForwardBody,
  ParameterChangeBody,
  ParameterRecord,
  StartArgs,
} from './module-protocol.ts';
import { createExecutorService, executorService } from './page-service/executor-service.ts';
import type { ExecutorService } from './page-service/executor-service.ts';
import { createLmService, lmService } from './page-service/lm-service.ts';
import { createServiceRouter } from './page-service/page-service.ts';
import type { RuntimeOptions, StartOptions } from './runtime-options.ts';
import { toKinds } from './serve.ts';
import type { Modules } from './serve.ts';

type KindOf<M extends Modules> = keyof M & string;

export class Runtime<M extends Modules = Modules> implements AsyncDisposable {
  readonly hub: Hub;
  readonly store: Store;
  readonly #options: RuntimeOptions<M>;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #limits: RuntimeLimits;
  readonly #system: ActorSystem;
  readonly #committer: GroupCommitter;
  readonly #executorService: ExecutorService;
  readonly #modules = new Map<string, HostedModuleRecord>();
  readonly #locks = new Map<HostedModuleRecord, () => void>();
  readonly #starts = new Set<Promise<void>>();
  readonly #scope = new Scope();
  #supervisor: Supervisor;
  #supervisors = 0;
  #lm: LanguageModel | undefined;
  #executor: Executor | undefined;
  #isClosed = false;

  constructor(options: RuntimeOptions<M>) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? systemRandom;
    this.hub = options.hub ?? createHub(this.#clock);
    this.#limits = { ...defaultRuntimeLimits, ...options.limits };
    this.store = options.store ?? this.#scope.use(createMemoryStore());
    this.#lm = options.lm;
    this.#executor = options.executor;
    this.#committer = createGroupCommitter(this.store);
    this.#executorService = createExecutorService(() => this.#executor);
    this.#system = this.#createSystem();
    this.#supervisor = this.#createSupervisor();
    this.#scope.add(() => Promise.allSettled(this.#starts).then(() => undefined));
    this.#scope.add(() => this.#executorService.settled());
    this.#scope.add(() => this.#system.close());
    this.#scope.add(() => this.#committer[Symbol.asyncDispose]());
  }

  /** The model that hosted modules ask. It may be exchanged at any time; calls under way keep theirs. */
  setLm(lm: LanguageModel | undefined): void {
    this.#lm = lm;
  }

  setExecutor(executor: Executor | undefined): void {
    this.#executor = executor;
  }

  /** Starts workers ahead of need. */
  warm(): Promise<void> {
    return this.#system.warm();
  }

  /**
   * Starts a module under supervision, from its stored state when it has one.
   * @throws `runtime/module-already-running`, `runtime/module-running-elsewhere` (another tab has it),
   *   `runtime/module-not-found` for an unknown class, `actor/kind-not-found`, `runtime/module-load-failed`,
   *   `program/state-invalid` and `program/constraint-violated` when the stored state does not fit the class,
   *   `runtime/closed`, and what ended its worker, its supervisor or itself while it started: `actor/peer-died`,
   *   `actor/supervisor-gave-up`, `runtime/module-stopped`
   */
  start<K extends KindOf<M>>(kind: K, options?: StartOptions): Promise<ModuleHandle<InstanceType<M[K]>>>;
  start<C extends M[KindOf<M>]>(Class: C, options?: StartOptions): Promise<ModuleHandle<InstanceType<C>>>;
  async start(kind: KindOf<M> | M[KindOf<M>], options: StartOptions = {}): Promise<unknown> {
    if (this.#isClosed) throw new CodedError('runtime/closed', 'this runtime was closed');
    const name = typeof kind === 'string' ? kind : this.#kindOf(kind);
    const id = checkModuleId(options.id ?? createModuleId(this.#random));
    if (this.#modules.has(id)) throw idTaken(id);
    const { clock, limits } = { clock: this.#clock, limits: this.#limits };
    const journal = new ModuleJournal({
      module: id,
      kind: name,
      store: this.store,
      committer: this.#committer,
      limits,
      clock,
      onFailure: (error) => this.#reportStoreFailure(error),
    });
    const module = new HostedModuleRecord(id, name, journal, { clock, limits });
    this.#modules.set(id, module);
    const starting = this.#begin(module, options);
    this.#starts.add(starting);
    try {
      await starting;
    } finally {
      this.#starts.delete(starting);
    }
    this.hub.emit({ type: 'module-start', module: id, kind: name });
    return this.#handle(module);
  }

  /** A running module by id. @throws `runtime/module-not-found`, naming what runs */
  module(id: string): ModuleHandle {
    const module = this.#modules.get(id);
    if (module && module.status !== 'starting') return this.#handle(module);
    const known = [...this.#modules.keys()].filter((other) => other !== id);
    throw new CodedError(
      'runtime/module-not-found',
      `no module "${id}" runs here; there are: ${known.join(', ') || 'none'}`,
      {
        fields: { module: id, known: known.slice(0, 100) },
      },
    );
  }

  /** The supervision tree of this moment, as data. */
  inspect(): RuntimeSnapshot {
    return inspectRuntime(this.#system, this.#supervisor, [...this.#modules.values()]);
  }

  /** Kills the worker that a module runs in, with everything in it. */
  killWorkerOf(id: string): void {
    this.#system.killWorkerOf(id);
  }

  /** Stops every module in reverse order of start, then the workers. What was acknowledged is in the store. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const module of [...this.#modules.values()].toReversed()) await this.#stop(module);
    await this.#scope.dispose();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #createSystem(): ActorSystem {
    const { worker, poolSize, portLimits, actorLimits } = this.#options;
    const canKill = worker !== undefined && hasWorkers;
    if (!canKill) this.#reportInThread(worker !== undefined);
    const system = new ActorSystem({
      createRealm: (name) => (canKill ? workerRealm(() => worker(name)) : this.#inThread()),
      isWatched: canKill,
      clock: this.#clock,
      hub: this.hub,
      limits: { ...defaultActorLimits, ...actorLimits },
      onCall: createServiceRouter({
        [lmService]: createLmService(() => this.#lm),
        [executorService]: this.#executorService.service,
      }),
      onMessage: (message) => this.#onMessage(message),
      ...(poolSize === undefined ? {} : { poolSize }),
      ...(portLimits ? { portLimits } : {}),
    });
    system.onExits((exits) => exits.forEach((exit) => this.#executorService.releaseOwner(exit.actor)));
    return system;
  }

  #inThread(): Realm {
    const { modules, portLimits, actorLimits } = this.#options;
    if (!modules) {
      throw new CodedError(
        'runtime/no-realm',
        'this platform has no workers; pass `modules` to createRuntime to host them on the page',
      );
    }
    return inThreadRealm(toKinds(modules), {
      limits: { ...defaultActorLimits, ...actorLimits },
      ...(portLimits ? { portLimits } : {}),
    });
  }

  #reportInThread(wanted: boolean): void {
    const reason = wanted ? 'the platform has no Worker' : 'no worker was given to createRuntime';
    this.hub.emit({ type: 'platform-degrade', what: 'host', from: 'worker', to: 'page', reason });
  }

  #createSupervisor(): Supervisor {
    const { restartLimits } = this.#options;
    return new Supervisor({
      id: `supervisor-${++this.#supervisors}`,
      system: this.#system,
      clock: this.#clock,
      hub: this.hub,
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
      module.end('crashed', error);
    }
  }

  #kindOf(Class: M[keyof M]): string {
    const found = Object.entries(this.#options.modules ?? {}).find(([, served]) => served === Class);
    if (found) return found[0];
    throw new CodedError(
      'runtime/module-not-found',
      `class "${Class.name}" is not among the modules given to createRuntime`,
      {
        fields: { class: Class.name },
      },
    );
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
      spawn: () => {
        const args: StartArgs = { state: module.journal.state };
        return { kind: module.kind, args, ...(isolation === 'dedicated' ? { isDedicated: true } : {}) };
      },
      onStart: (started) => {
        if (!isFirst) module.attach(started);
        isFirst = false;
      },
      onExit: (exit, willRestart) => this.#onExit(module, exit, willRestart),
    });
    const described = (await ref.call('describe', null)) as Described;
    this.#requireWanted(module);
    supervisor.requireRunning();
    module.description = described.description;
    module.journal.begin(described.state, described.description.parameters);
    module.attach(ref);
  }

  #onExit(module: HostedModuleRecord, exit: Exit, willRestart: boolean): void {
    if (willRestart) return module.detach();
    const error = new CodedError(
      'actor/peer-died',
      `module "${module.id}" ended: ${exit.error?.message ?? exit.reason}`,
      {
        fields: { module: module.id, reason: exit.reason },
      },
    );
    if (this.#modules.get(module.id) !== module) return;
    // a child that rests keeps its place with its supervisor; nobody would use it
    void this.#supervisor.remove(module.id);
    this.#drop(module);
    module.end(exit.reason === 'normal' || exit.reason === 'shutdown' ? 'stopped' : 'crashed', error);
  }

  #onMessage(message: IncomingMessage): void {
    if (message.to !== journalService || message.method !== 'parameter-change') return;
    const { module: id, ...record } = message.body as ParameterChangeBody;
    const module = this.#modules.get(id);
    // what changes before a module was introduced is in its introduction
    if (!module?.journal.parameters.has(record.name)) return;
    this.#onParameterChange(module, record);
    // nobody waits for it, so a failure has only this route
    module.journal
      .persist([record.name], 'relaxed')
      .catch((error: unknown) => this.#reportStoreFailure(error));
  }

  #reportStoreFailure(thrown: unknown): void {
    const { code, message } = toCodedError(thrown, 'state/write-failed');
    this.hub.emit({ type: 'store-fail', store: this.store.name, error: { code, message } });
  }

  #onParameterChange(module: HostedModuleRecord, record: ParameterRecord): void {
    module.journal.apply(record);
    this.hub.emit({ type: 'parameter-change', module: module.id, name: record.name, cause: record.cause });
  }

  #forwardContext(): Pick<ForwardBody, 'lm' | 'hasExecutor'> {
    const lm = this.#lm;
    return {
      lm: lm && { model: lm.model, isScripted: lm.isScripted },
      hasExecutor: this.#executor !== undefined,
    };
  }

  #handle(module: HostedModuleRecord): ModuleHandle {
    return new ModuleHandle(module, {
      clock: this.#clock,
      hub: this.hub,
      store: this.store,
      limits: this.#limits,
      forwardContext: () => this.#forwardContext(),
      onParameterChange: (changed, record) => this.#onParameterChange(changed, record),
      stop: (stopped) => this.#stop(stopped),
    });
  }

  async #stop(module: HostedModuleRecord): Promise<void> {
    if (this.#modules.get(module.id) !== module) return;
    module.stopping ??= this.#end(module);
    await module.stopping;
  }

  /** Its id and its lock are free when its actor is gone, not before: a second one would write beside it. */
  async #end(module: HostedModuleRecord): Promise<void> {
    module.end('stopped', wasStopped(module.id));
    await this.#supervisor.remove(module.id);
    await module.journal.settle();
    this.#drop(module);
    this.hub.emit({ type: 'module-stop', module: module.id });
  }

  #drop(module: HostedModuleRecord): void {
    void module.journal.settle();
    if (this.#modules.get(module.id) === module) this.#modules.delete(module.id);
    this.#locks.get(module)?.();
    this.#locks.delete(module);
  }

  /** Two tabs must not both own a module whose state they share. */
  async #acquire(module: HostedModuleRecord): Promise<void> {
    const { id } = module;
    if (!hasLocks || !this.store.capabilities.sharedAcrossRealms) return;
    const lock = await holdLockIfFree(`vivarium-module-${this.store.name}-${id}`);
    if (!lock) {
      throw new CodedError(
        'runtime/module-running-elsewhere',
        `module "${id}" already runs in another tab of this origin`,
        {
          fields: { module: id, store: this.store.name },
          isRetryable: true,
        },
      );
    }
    this.#locks.set(module, () => lock.release());
  }
}

function wasStopped(module: string): CodedError {
  return new CodedError('runtime/module-stopped', `module "${module}" was stopped`, { fields: { module } });
}

/** Creates a runtime. The caller closes it. */
export function createRuntime<M extends Modules>(options: RuntimeOptions<M>): Runtime<M> {
  return new Runtime(options);
}
