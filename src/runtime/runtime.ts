/** Where the parts meet: workers, a supervisor, a store, a model and an executor, and the modules that use them. */
import { ActorSystem, checkActorLimits, defaultActorLimits } from '../actor/index.ts';
import type { MessageSource } from '../actor/index.ts';
import { messageOf, Scope } from '../base/index.ts';
import type { Executor } from '../executor/index.ts';
import type { LanguageModel } from '../lm/index.ts';
import { systemClock, systemRandom } from '../platform/index.ts';
import type { Clock, Random } from '../platform/index.ts';
import type { IncomingMessage } from '../port/index.ts';
import { createMemoryStore } from '../state/index.ts';
import type { SnapshotInfo, StateSource, Store } from '../state/index.ts';
import { createHub } from '../telemetry/index.ts';
import type { Hub } from '../telemetry/index.ts';
import { chooseRealm } from './choose-realm.ts';
import type { ForwardHost } from './handle/forward-call.ts';
import { ModuleHandle } from './handle/handle.ts';
import type { HandleHost } from './handle/handle.ts';
import { createHandleHost } from './handle/handle-host.ts';
import type { HostedModuleRecord } from './host/hosted.ts';
import type { RuntimeSnapshot } from './inspect-runtime.ts';
import { kindOfClass } from './version/kind-of-class.ts';
import { checkObject, optionInvalid, toRuntimeLimits } from './check-option.ts';
import type { RuntimeLimits } from './limits.ts';
import { ModuleHost } from './host/module-host.ts';
import type { HostObserver } from './host/module-host.ts';
import { ModuleCatalog } from './version/module-catalog.ts';
import type { ClassOf, Modules } from './version/module-catalog.ts';
import { createModuleId } from './host/module-id.ts';
import { journalService, subModuleService } from './module-protocol.ts';
import type { PageContext } from './module-protocol.ts';
import { ModuleVersions } from './version/module-versions.ts';
import { createExecutorService, executorService } from './page-service/executor-service.ts';
import type { ExecutorService } from './page-service/executor-service.ts';
import { createLmService, lmService } from './page-service/lm-service.ts';
import { createServiceRouter } from './page-service/page-service.ts';
import { createSubModuleService } from './page-service/sub-module-service.ts';
import type { SetOptions } from './parameter/parameter-handle.ts';
import type { RegisteredModule } from './registry/registry-entry.ts';
import { toRegistry } from './registry/registry-face.ts';
import type { Registry } from './registry/registry-face.ts';
import { Watchers } from './registry/registry-watch.ts';
import { ModuleRegistry } from './registry/registry.ts';
import { reportStore } from './journal/report-store.ts';
import type { ModuleSpec, RuntimeOptions, StartOptions } from './runtime-options.ts';
import { findEach, setParameters } from './parameter/set-parameters.ts';
import type { ValuesOfModule } from './parameter/set-parameters.ts';
import type { SharedDefinition, SharedParameter } from './parameter/shared-parameter.ts';
import type { RuntimeDiff, RuntimeDiffOptions } from './snapshot/diff-runtime.ts';
import type { ForkFrom } from './snapshot/fork-module.ts';
import type { PastHost } from './snapshot/past-host.ts';
import type * as Past from './snapshot/past.ts';
import type { RuntimeRestored } from './snapshot/restore-runtime.ts';
import type { RuntimeImportOptions, RuntimeSnapshotOptions } from './snapshot/runtime-snapshots.ts';

type KindOf<M extends Modules> = keyof M & string;
type AnyClassOf<M extends Modules> = { [K in keyof M]: ClassOf<M, K> }[keyof M];

export class Runtime<M extends Modules = Modules> implements AsyncDisposable {
  readonly hub: Hub;
  readonly store: Store;
  /** All modules, whether or not they run: looked up, found, started, stopped and watched by id. */
  readonly registry: Registry;
  readonly #options: RuntimeOptions<M>;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #limits: RuntimeLimits;
  readonly #system: ActorSystem;
  readonly #executorService: ExecutorService;
  readonly #host: ModuleHost;
  readonly #versions: ModuleVersions;
  readonly #registry: ModuleRegistry;
  readonly #handleHost: HandleHost;
  readonly #scope = new Scope();
  #lm: LanguageModel | undefined;
  #executor: Executor | undefined;

  constructor(options: RuntimeOptions<M>) {
    checkObject('options', options);
    this.#options = options;
    // what is wrong with the classes is said here, not at the first start
    new ModuleCatalog(options.modules ?? {}, options.moduleImport);
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? systemRandom;
    this.hub = options.hub ?? createHub(this.#clock);
    this.#limits = toRuntimeLimits(options.limits);
    this.store = options.store ?? this.#scope.use(createMemoryStore());
    this.#lm = options.lm;
    this.#executor = options.executor;
    this.#executorService = createExecutorService(() => this.#executor);
    this.#system = this.#createSystem();
    const { store, hub } = this;
    const [clock, limits, system] = [this.#clock, this.#limits, this.#system];
    const { restartLimits } = options;
    const observer: HostObserver = {
      onCreate: (module) => this.#registry.onCreate(module),
      onSwap: (module, news) => this.#registry.onSwap(module, news),
      onStop: (module, outcome) => this.#registry.onStop(module, outcome),
    };
    this.#versions = new ModuleVersions({ system, limits, random: this.#random });
    const versions = this.#versions;
    this.#host = new ModuleHost({ system, store, hub, clock, limits, versions, restartLimits, observer });
    this.#handleHost = createHandleHost({
      host: this.#host,
      forward: this.#forwardHost(),
      store,
      limits,
      versions,
      handleOf: (part) => this.#handle(part),
    });
    this.#registry = this.#createRegistry();
    this.registry = toRegistry(this.#registry, (module) => this.#handle(module));
    reportStore(store, hub);
    // released in reverse order
    this.#scope.add(() => this.#host.settled());
    this.#scope.add(() => this.#executorService.settled());
    this.#scope.add(() => this.#system.close());
    this.#scope.add(() => this.#host[Symbol.asyncDispose]());
    this.#scope.add(() => this.#registry.close());
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
   * Starts a module under supervision, from its stored state when it has one, after what it depends on. It is registered when it was not;
   * when it was, what is given here goes before what was registered.
   * @throws `runtime/module-spec-invalid`, `runtime/module-id-invalid`, `runtime/dependency-cycle`, `runtime/dependency-failed`,
   *   `runtime/module-already-registered` as another kind, `runtime/registry-full`, `runtime/module-already-running`, `runtime/module-running-elsewhere` (another tab has it),
   *   `runtime/module-not-found` for an unknown class, `actor/kind-not-found`, `runtime/version-not-found`,
   *   `runtime/module-load-failed`, `runtime/state-migration-failed` when what an older version stored cannot be taken over,
   *   `program/state-invalid` and `program/constraint-violated` when the stored state does not fit the class,
   *   `runtime/sub-module-invalid`, `program/sub-module-not-found`, `runtime/sub-module-cycle` and `runtime/sub-module-mismatch` for what is wrong
   *   with `actors`, `runtime/sub-module-down` for one that ended meanwhile, `runtime/closed`, and what ended its worker, its supervisor or itself while it started: `actor/peer-died`, `actor/worker-start-failed`,
   *   `actor/start-failed`, `actor/start-timeout`, `actor/supervisor-gave-up`, `runtime/module-stopped`, `port/timeout` for one that waited too long for a restore of the whole runtime
   */
  start<K extends KindOf<M>>(
    kind: K,
    options?: StartOptions<InstanceType<ClassOf<M, K>>, KindOf<M>>,
  ): Promise<ModuleHandle<InstanceType<ClassOf<M, K>>>>;
  start<C extends AnyClassOf<M>>(
    Class: C,
    options?: StartOptions<InstanceType<C>, KindOf<M>>,
  ): Promise<ModuleHandle<InstanceType<C>>>;
  async start(kind: string | AnyClassOf<M>, given: object = {}): Promise<unknown> {
    // the overloads know the class, and with it the names in `actors`
    const options = checkObject('options', given) as StartOptions;
    if (typeof kind === 'string') return this.#handle(await this.#registry.launch(kind, options));
    const { name, version } = kindOfClass(this.#options.modules ?? {}, kind);
    return this.#handle(await this.#registry.launch(name, { version, ...options }));
  }

  /**
   * Imports a module file by its address, in a worker, and adds the classes that it exports to a kind, which may be new. Relative
   * addresses are the page's. Resolves with the versions of the kind.
   * @throws `runtime/module-url-refused` for a scheme or an origin that is not allowed, `runtime/module-load-failed`,
   *   `runtime/module-class-invalid`, `runtime/version-invalid`, `runtime/too-many-versions`, `runtime/closed`
   */
  async load(kind: string, url: string | URL): Promise<readonly string[]> {
    this.#registry.requireOpen();
    return this.#versions.load(kind, url);
  }

  /** The versions of a kind that can be started, in semantic order. @throws `runtime/module-not-found`, `runtime/closed` */
  async versions(kind: KindOf<M> | (string & {})): Promise<readonly string[]> {
    this.#registry.requireOpen();
    return this.#versions.list(kind);
  }

  /**
   * Registers a module without starting it. It stays registered until it is unregistered.
   * @throws `runtime/module-spec-invalid`, `runtime/module-id-invalid`, `actor/kind-not-found` where the page knows the kinds,
   *   `runtime/module-already-registered`, `runtime/dependency-cycle`, `runtime/registry-full`, `runtime/closed`
   */
  register(spec: ModuleSpec<KindOf<M>>): RegisteredModule {
    return this.#registry.register(spec);
  }

  /** A running module by id. @throws `runtime/module-not-found`, naming what runs */
  module(id: string): ModuleHandle {
    return this.#handle(this.#host.find(id));
  }

  /**
   * Sets parameters of several modules, all or none, in one transaction of the store. The owners are asked first: when one refuses, or
   * its worker dies before it has answered for good, nothing has changed. Then everything is committed, then the page's journals have it,
   * and last the owners are told, each in one turn; until its own turn a module still works with what it had. A worker that dies
   * between the commit and its turn starts its modules again from the journal, which is with the new values. What resolves means: all is
   * committed at the level asked for, and every owner has it.
   * @throws `runtime/module-not-found` for an unknown id, `runtime/values-invalid`, and as `ModuleHandle.setParameters`
   */
  async setParameters(values: readonly ValuesOfModule[], options: SetOptions = {}): Promise<void> {
    if (!Array.isArray(values)) throw optionInvalid('values', values, 'a list of modules with their values');
    await setParameters(this.#handleHost, findEach(values, this.#host), options);
  }

  /**
   * A parameter that modules have in common, stored under its own name. The first call opens it and says what it is; a module is bound
   * to it by `start(kind, { shared: { itsParameter: name } })`. Another tab on the same store sees a change when it opens the parameter.
   * @throws `runtime/shared-not-found` when it is not open and no definition is given, `runtime/shared-invalid` for a bad name or
   *   another type, `program/constraint-violated` when the stored value does not satisfy the definition, `state/…`
   */
  async shared<T = unknown>(name: string, definition?: SharedDefinition<T>): Promise<SharedParameter<T>> {
    // the definition says what the values are
    const opened: unknown = await this.#host.shared.open(name, definition as SharedDefinition | undefined);
    return opened as SharedParameter<T>;
  }

  /**
   * Takes a named snapshot of everything that is stored of modules and shared parameters, at one moment, while they run.
   * @throws `runtime/closed`, and as `takeSnapshot`
   */
  async snapshot(name: string, options?: RuntimeSnapshotOptions): Promise<SnapshotInfo> {
    const [past, host] = await this.#past();
    return past.takeRuntimeSnapshot(host, name, options);
  }

  /** The snapshots that {@link restoreTo} takes, newest first; `deleteSnapshot` of `vivarium/state` deletes one. @throws `runtime/closed`, `state/…` */
  async snapshots(): Promise<readonly SnapshotInfo[]> {
    const [past, host] = await this.#past();
    return past.listRuntimeSnapshots(host);
  }

  /**
   * Makes every module and every shared parameter what it was at a time, or in a snapshot: all of it or nothing, in one transaction. Modules
   * that run go on running, with the state of then; what was never changed by then, and who was not there, is as the class declares it. Of
   * modules that do not run the store has what it had then, or nothing. Calls and sets come before it or after it, for each module.
   * A time needs a store made with `withJournal`, and the restore itself can be undone there.
   * @param source a snapshot's name, or milliseconds since 1970
   * @throws as `stateAt`, `program/state-invalid`, what the first module throws that refuses its state (as `ModuleHandle.restore`), what ended one
   *   meanwhile, `runtime/module-running-elsewhere` when another tab has one that would change, `state/restore-too-large`,
   *   `state/snapshot-contended`, `port/timeout`, `runtime/closed`: nothing has changed
   */
  async restoreTo(source: StateSource): Promise<RuntimeRestored> {
    const [past, host] = await this.#past();
    return past.restoreRuntime(host, source);
  }

  /**
   * What differs between two states, each a snapshot or a time; without `after`: between the one and what is stored now.
   * @throws as `stateAt`, `program/state-invalid`, `runtime/closed`
   */
  async diff(before: StateSource, after?: StateSource, options?: RuntimeDiffOptions): Promise<RuntimeDiff> {
    const [past, host] = await this.#past();
    return past.diffRuntime(host, before, after, options);
  }

  /**
   * Stores what is, or was, stored of a module under another id too, with the actors inside it: a module started with that id begins there.
   * @throws `runtime/module-id-invalid`, `runtime/module-not-found` when nothing is stored of it, `runtime/module-already-running`,
   *   `runtime/module-running-elsewhere`, `state/prefix-occupied`, as `stateAt`, `runtime/closed`
   */
  async fork(id: string, newId: string, from?: ForkFrom): Promise<void> {
    const [past, host] = await this.#past();
    return past.forkModule(host, id, newId, from);
  }

  /**
   * A snapshot as one file, with a checksum; without a name: of everything as it is now. @throws as `exportSnapshot` and `takeSnapshot`, `runtime/closed`
   */
  async export(name?: string): Promise<Blob> {
    const [past, host] = await this.#past();
    return past.exportRuntime(host, name);
  }

  /**
   * Keeps the snapshot of a file, which is checked whole first; {@link restoreTo} puts it to use.
   * @throws as `importSnapshot`, `state/prefix-not-covered` for a snapshot of something else than a runtime, `program/state-invalid`,
   *   `runtime/closed`: nothing is kept then
   */
  async import(file: Blob | Uint8Array, options?: RuntimeImportOptions): Promise<SnapshotInfo> {
    const [past, host] = await this.#past();
    return past.importRuntime(host, file, options);
  }

  /** The supervision tree of this moment, as data. */
  inspect(): RuntimeSnapshot {
    const { degradations } = this.hub;
    return { ...this.#host.inspect(), registered: this.#registry.list(), degradations };
  }

  /** Kills the worker that a module runs in, with everything in it. */
  killWorkerOf(id: string): void {
    this.#system.killWorkerOf(id);
  }

  /**
   * Stops every module, in reverse order of start and before what it depends on, then the workers. What was acknowledged is in the store.
   */
  async close(): Promise<void> {
    await this.#scope.dispose();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #past(): Promise<readonly [typeof Past, PastHost]> {
    this.#registry.requireOpen();
    // few go back in time: what it takes is loaded by those who do
    const past = await import('./snapshot/past.ts');
    return [past, { ...this.#handleHost, host: this.#host, random: this.#random }];
  }

  #createRegistry(): ModuleRegistry {
    const { hub } = this;
    const [clock, limits, { modules }] = [this.#clock, this.#limits, this.#options];
    return new ModuleRegistry({
      host: this.#host,
      watchers: new Watchers({ clock, hub, maxWatchers: limits.maxWatchers }),
      clock,
      limits,
      createId: () => createModuleId(this.#random),
      ...(modules ? { kinds: () => [...Object.keys(modules), ...this.#versions.loadedKinds] } : {}),
    });
  }

  #createSystem(): ActorSystem {
    const { poolSize, portLimits } = this.#options;
    const actorLimits = { ...defaultActorLimits, ...this.#options.actorLimits };
    checkActorLimits(actorLimits, 'actorLimits');
    const system = new ActorSystem({
      ...chooseRealm(this.#options, this.hub),
      clock: this.#clock,
      hub: this.hub,
      limits: actorLimits,
      onCall: createServiceRouter({
        [lmService]: createLmService(() => this.#lm),
        [executorService]: this.#executorService.service,
        [subModuleService]: createSubModuleService(this.#forwardHost(), (id) => this.#host.get(id)),
      }),
      onMessage: (message, source) => this.#onMessage(message, source),
      ...(poolSize === undefined ? {} : { poolSize }),
      ...(portLimits ? { portLimits } : {}),
    });
    system.onExits((exits) => exits.forEach((exit) => this.#executorService.releaseOwner(exit.actor)));
    return system;
  }

  #onMessage(message: IncomingMessage, source: MessageSource): void {
    if (message.to !== journalService) return source.violate('a message to a service that hears none');
    try {
      this.#host.onNews(message.method, message.body, source);
    } catch (error) {
      // whatever wrote it, the page goes on
      const text = `a worker's "${message.method.slice(0, 100)}" could not be taken: ${messageOf(error)}`;
      this.hub.emit({ type: 'note', text });
    }
  }

  #pageContext(): PageContext {
    const lm = this.#lm;
    const executor = this.#executor;
    return {
      lm: lm && { model: lm.model, isScripted: lm.isScripted },
      executor: executor && { language: executor.language, capabilities: executor.capabilities },
    };
  }

  #forwardHost(): ForwardHost {
    return { clock: this.#clock, hub: this.hub, pageContext: () => this.#pageContext() };
  }

  #handle(module: HostedModuleRecord): ModuleHandle {
    return new ModuleHandle(module, this.#handleHost);
  }
}

/** Creates a runtime. The caller closes it. */
export function createRuntime<M extends Modules>(options: RuntimeOptions<M>): Runtime<M> {
  return new Runtime(options);
}
