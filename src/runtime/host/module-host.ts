/** Starts and stops modules under supervision, and keeps the record of each. */
import type { ActorSystem, Exit, MessageSource, RestartLimits, Supervisor } from '../../actor/index.ts';
import { CodedError, messageOf, toCodedError } from '../../base/index.ts';
import type { Clock } from '../../platform/index.ts';
import type { ModuleState } from '../../program/index.ts';
import { createGroupCommitter } from '../../state/index.ts';
import type { GroupCommitter, Store } from '../../state/index.ts';
import type { Hub } from '../../telemetry/index.ts';
import { idTaken } from '../handle/handle.ts';
import { HostedModuleRecord } from './hosted.ts';
import type { StopOutcome } from './hosted.ts';
import type { Surrounding } from '../sub-module/hosted-part.ts';
import { HotSwap } from '../swap/hot-swap.ts';
import { inspectRuntime } from '../inspect-runtime.ts';
import type { RuntimeLimits } from '../limits.ts';
import { notRunning, wasStopped } from '../module-error.ts';
import { crashOf, ModuleEnds, outcomeOf } from './module-ends.ts';
import { ModuleFamilies } from '../sub-module/module-families.ts';
import type { PartPlace } from '../sub-module/module-families.ts';
import { ModuleJournal } from '../journal/module-journal.ts';
import { ModuleLocks } from './module-locks.ts';
import { ModuleSupervisors, whyOver } from './module-supervisors.ts';
import type { ParameterRecord } from '../module-protocol.ts';
import { ModuleNews } from './module-news.ts';
import { ModuleStarter } from './module-starter.ts';
import type { SwapNews } from './module-news.ts';
import type { ModuleVersions } from '../version/module-versions.ts';
import { inTurn } from '../parameter/whole-change.ts';
import type { Changing } from '../parameter/whole-change.ts';
import type { StartOptions } from '../runtime-options.ts';
import { SharedParameters } from '../parameter/shared-parameters.ts';
import { toPartPlans } from '../sub-module/sub-module-actors.ts';
import type { PartPlan } from '../sub-module/sub-module-actors.ts';

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

/** The outermost first. */
function idsOf(around: Surrounding | undefined): readonly string[] {
  return around ? [...idsOf(around.module.around), around.module.id] : [];
}

export class ModuleHost implements AsyncDisposable {
  readonly shared: SharedParameters;
  readonly hotSwap: HotSwap;
  readonly locks: ModuleLocks;
  /** Modules and shared parameters that begin with what the store holds. Whoever restores it as a whole must be alone. */
  readonly reading: Changing = { changes: [] };
  readonly #options: ModuleHostOptions;
  readonly #committer: GroupCommitter;
  readonly #modules = new Map<string, HostedModuleRecord>();
  readonly #starts = new Set<Promise<void>>();
  readonly #families: ModuleFamilies;
  readonly #ends: ModuleEnds;
  readonly #supervisors: ModuleSupervisors;
  readonly #news: ModuleNews;
  readonly #starter: ModuleStarter;
  /** A write that nobody waits for. */
  readonly #reportStoreFailure = (thrown: unknown): void => {
    const { code, message } = toCodedError(thrown, 'state/write-failed');
    const { hub, store } = this.#options;
    hub.emit({ type: 'store-fail', store: store.name, error: { code, message } });
  };

  constructor(options: ModuleHostOptions) {
    this.#options = options;
    this.#committer = createGroupCommitter(options.store);
    const { store, hub, clock, limits } = options;
    const onStoreFailure = this.#reportStoreFailure;
    this.hotSwap = new HotSwap({
      hub,
      clock,
      limits,
      versions: options.versions,
      onStoreFailure,
      sharedValues: (module) => this.shared.valuesOf(module),
    });
    this.locks = new ModuleLocks(store, hub);
    this.#supervisors = new ModuleSupervisors({
      ...options,
      onGiveUp: (supervisor, error) => this.#onGiveUp(supervisor, error),
    });
    this.#families = new ModuleFamilies({
      hub,
      createSupervisor: ({ supervisor }, id) =>
        this.#supervisors.createBelow(supervisor ?? this.#supervisors.top, id),
      createPart: (plan, place) => this.#createPart(plan, place),
      startPart: (module, given, state) => this.#start(module, given, state),
      revive: (module, given, supervisor) => this.#revive(module, given, supervisor),
      stop: (module) => this.#stopPart(module),
      onParameterChange: (module, record) => this.onParameterChange(module, record),
      sharedOf: (module, name) => this.shared.sharedOf(module, name),
    });
    this.#ends = new ModuleEnds({
      families: this.#families,
      locks: this.locks,
      limits,
      clock,
      removeSupervisor: ({ supervisor, id }) => this.#supervisors.removeOwn(supervisor, id),
    });
    this.shared = new SharedParameters({
      reading: this.reading,
      store,
      clock,
      limits,
      committer: this.#committer,
      onParameterChange: (module, record) => this.onParameterChange(module, record),
      onStateChange: (module) => this.onStateChange(module),
      onFailure: (error) => hub.emit({ type: 'note', text: `shared parameter: ${messageOf(error)}` }),
    });
    this.#starter = this.#createStarter();
    this.#news = new ModuleNews({
      hub,
      hotSwap: this.hotSwap,
      shared: this.shared,
      families: this.#families,
      modules: () => this.modules,
      find: (id) => this.#modules.get(id),
      onParameterChange: (module, record) => this.onParameterChange(module, record),
      onSwap: (module, news) => options.observer.onSwap(module, news),
    });
  }

  #createStarter(): ModuleStarter {
    return new ModuleStarter({
      versions: this.#options.versions,
      hotSwap: this.hotSwap,
      shared: this.shared,
      families: this.#families,
      requireWanted: (module) => this.#requireWanted(module),
      onExit: (module, exit, willRestart) => this.#onExit(module, exit, willRestart),
      onHopeless: (module, thrown) => this.#abandon(module, thrown),
      background: (work) => this.#background(work),
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
    const module = this.#create(id, kind);
    module.source = { version: options.version, url: undefined };
    module.hotReload = options.hotReload ?? true;
    this.#options.observer.onCreate(module);
    await this.#start(module, options);
    return module;
  }

  /** A module by id, whatever it is doing. */
  get(id: string): HostedModuleRecord | undefined {
    return this.#modules.get(id);
  }

  /** @throws `runtime/module-not-found`, naming what runs */
  find(id: string): HostedModuleRecord {
    const module = this.#modules.get(id);
    if (module && module.status !== 'starting') return module;
    throw notRunning(
      id,
      [...this.#modules.keys()].filter((other) => other !== id),
    );
  }

  /** The supervision tree of this moment, as data. */
  inspect(): ReturnType<typeof inspectRuntime> {
    return inspectRuntime(this.#options.system, this.#supervisors, this.modules);
  }

  /** A module that is being stopped has one end, whoever asks for it. */
  async stop(module: HostedModuleRecord): Promise<StopOutcome> {
    if (this.#modules.get(module.id) !== module) return { how: 'not-running' };
    module.stopping ??= this.#end(module).catch((error: unknown) => {
      // so that it can be asked for once more
      module.stopping = undefined;
      throw error;
    });
    return module.stopping;
  }

  /** Waits until no start is under way, and nothing that gave up is still ending. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#starts);
    await this.#families.settled();
    await this.#ends.settled();
  }

  /** Waits until what is being stopped, and what has ended, has written what it had to. One that is still to start has nothing to write. */
  async left(): Promise<void> {
    await Promise.allSettled(
      this.modules.flatMap(({ starting, stopping }) => (starting ? [] : (stopping ?? []))),
    );
    await this.gone();
  }

  /** Waits until what has ended, and is none of the modules any more, has written what it had to. */
  gone(): Promise<void> {
    return this.#ends.settled();
  }

  /** Waits for what is being written, then refuses more. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const { journal } of this.#modules.values()) journal.late.forget();
    const written = await Promise.allSettled(this.shared.all.map((shared) => shared.writeOwed()));
    for (const each of written) if (each.status === 'rejected') this.#reportStoreFailure(each.reason);
    await this.#committer[Symbol.asyncDispose]();
  }

  /** What a worker tells the journal of its modules. */
  onNews(method: string, body: unknown, source: MessageSource): void {
    this.#news.take(method, body, source);
  }

  onParameterChange(module: HostedModuleRecord, record: ParameterRecord): void {
    module.journal.apply(record);
    const { name, cause } = record;
    this.#options.hub.emit({ type: 'parameter-change', module: module.id, name, cause });
    if (module.around) this.#families.follow(module, record);
  }

  /** Everything that the page has of a module was replaced: copies of it in the modules around follow. */
  onStateChange(module: HostedModuleRecord): void {
    if (module.around) this.#families.mirrorAround(module);
  }

  /** Everything under the supervisor is being stopped from now on. */
  #onGiveUp(supervisor: Supervisor, error: CodedError): void {
    for (const module of this.#modules.values()) {
      if (!this.#supervisors.endsWith(module.supervisor, supervisor)) continue;
      if (module.status === 'starting' || module.stopping) continue;
      this.#forget(module);
      void this.#ends.leave(module, supervisor.ended);
      module.crash = crashOf(error, module.crash?.reason ?? 'crashed', this.#options.clock);
      module.end('crashed', error);
    }
  }

  /** @throws `runtime/module-already-running` */
  #create(id: string, kind: string, around?: Surrounding): HostedModuleRecord {
    if (this.#modules.has(id)) throw idTaken(id);
    const { store, clock, limits } = this.#options;
    const [committer, onFailure] = [this.#committer, this.#reportStoreFailure];
    const given = { module: id, kind, around: idsOf(around), store, committer, limits, clock, onFailure };
    const journal = new ModuleJournal(given);
    const module = new HostedModuleRecord(id, kind, journal, { clock, limits, around });
    this.#modules.set(id, module);
    return module;
  }

  #createPart(plan: PartPlan, { around, supervisor }: PartPlace): HostedModuleRecord {
    const module = this.#create(plan.id, plan.actor.kind, around);
    module.hotReload = around.module.hotReload;
    module.supervisor = supervisor;
    return module;
  }

  async #revive(module: HostedModuleRecord, options: StartOptions, supervisor: Supervisor): Promise<void> {
    if (this.#modules.has(module.id)) throw idTaken(module.id);
    this.#modules.set(module.id, module);
    module.supervisor = supervisor;
    module.revive();
    await this.#start(module, options);
  }

  async #start(module: HostedModuleRecord, options: StartOptions, seed?: ModuleState): Promise<void> {
    const starting = this.#begin(module, options, seed);
    this.#starts.add(starting);
    module.starting = starting;
    try {
      await starting;
    } finally {
      this.#starts.delete(starting);
      module.starting = undefined;
    }
  }

  /** @param seed what a part begins with when nothing of it is stored */
  async #begin(module: HostedModuleRecord, options: StartOptions, seed?: ModuleState): Promise<void> {
    const { clock, limits } = this.#options;
    const turn = { clock, timeoutMs: limits.callTimeoutMs, isAlone: false };
    const begin = (): Promise<void> => this.#beginInTurn(module, options, seed);
    try {
      // a part is started by the program around it
      await (module.around ? begin() : inTurn([this.reading], turn, begin));
    } catch (thrown) {
      // whoever ended it has removed it already, and the id may be another's
      if (this.#modules.get(module.id) === module) await module.supervisor?.remove(module.id);
      await this.#families.end(module);
      this.#drop(module);
      const error = toCodedError(thrown, 'runtime/module-load-failed');
      module.crash = crashOf(error, 'start-failed', this.#options.clock);
      module.end('crashed', error);
      throw error;
    }
  }

  async #beginInTurn(
    module: HostedModuleRecord,
    options: StartOptions,
    seed: ModuleState | undefined,
  ): Promise<void> {
    const plans = toPartPlans(module.id, options.actors ?? {}, this.#options.limits);
    await this.#ends.of(module.id);
    this.#requireWanted(module);
    await this.locks.acquire(module);
    module.journal.reopen();
    this.#requireWanted(module);
    if (!module.journal.state) await module.journal.load();
    if (seed) module.journal.seed(seed);
    this.#requireWanted(module);
    // the one of this moment: the one of the call may have given up since
    if (!module.around) {
      const { restartLimits } = options;
      module.supervisor = restartLimits
        ? await this.#supervisors.createOwn(module.id, restartLimits)
        : this.#supervisors.top;
    }
    this.#requireWanted(module);
    await this.#starter.start(module, options, plans);
  }

  /** A start that was overtaken by a stop, or whose supervisor gave up, must not go on. */
  #requireWanted(module: HostedModuleRecord): void {
    if (module.isOver || this.#modules.get(module.id) !== module) throw wasStopped(module.id);
    module.supervisor?.requireRunning();
  }

  #onExit(module: HostedModuleRecord, exit: Exit, willRestart: boolean): void {
    const { reason } = exit;
    const message = `module "${module.id}" ended: ${exit.error?.message ?? exit.cause ?? reason}`;
    const error = new CodedError('actor/peer-died', message, { fields: { module: module.id, reason } });
    const isNormal = reason === 'normal' || reason === 'shutdown';
    module.crash = isNormal ? undefined : crashOf(exit.error ?? error, reason, this.#options.clock);
    if (willRestart) return module.detach();
    if (this.#modules.get(module.id) === module) this.#finish(module, error, isNormal);
  }

  /** Its restart failed in a way that a further one cannot mend. */
  #abandon(module: HostedModuleRecord, thrown: unknown): void {
    if (this.#modules.get(module.id) !== module) return;
    const error = toCodedError(thrown, 'runtime/module-load-failed');
    module.crash = crashOf(error, 'start-failed', this.#options.clock);
    this.#finish(module, error, false);
  }

  /** It has ended, and nobody starts it again. */
  #finish(module: HostedModuleRecord, error: CodedError, isNormal: boolean): void {
    // a child that rests keeps its place with its supervisor; nobody would use it
    this.#background(module.supervisor?.remove(module.id));
    this.#drop(module);
    const isAlone = module.around || this.#supervisors.isOwn(module.supervisor);
    const gaveUp = isAlone && whyOver(module.supervisor);
    if (gaveUp) return module.end('crashed', gaveUp);
    module.end(isNormal ? 'stopped' : 'crashed', error);
    if (isNormal) this.#tellStop(module, { how: 'ended' });
  }

  /** Its id and its lock are free when its actor is gone, not before: a second one would write beside it. */
  async #end(module: HostedModuleRecord): Promise<StopOutcome> {
    const { system } = this.#options;
    let exit: Exit | undefined;
    const leave = system.monitor(module.id, (told) => (exit = told));
    module.end('stopped', wasStopped(module.id));
    await module.supervisor?.remove(module.id);
    leave();
    await this.#families.end(module);
    await this.#ends.startOver(module);
    await this.#ends.leave(module);
    this.#forget(module);
    const outcome = outcomeOf(module.id, exit);
    this.#tellStop(module, outcome);
    return outcome;
  }

  /** A part is no entry of the registry: whoever is around it speaks for it. */
  #tellStop(module: HostedModuleRecord, how: Parameters<HostObserver['onStop']>[1]): void {
    if (!module.around) this.#options.observer.onStop(module, how);
  }

  #drop(module: HostedModuleRecord): void {
    this.#forget(module);
    this.#background(this.#families.end(module));
    void this.#ends.leave(module);
  }

  /** Nobody waits for it, so a failure has only this route. */
  #background(work: Promise<unknown> | undefined): void {
    work?.catch((error: unknown) => this.#options.hub.emit({ type: 'note', text: messageOf(error) }));
  }

  #forget(module: HostedModuleRecord): void {
    if (this.#modules.get(module.id) === module) this.#modules.delete(module.id);
  }

  /** One that had crashed before has kept its journal for the module around it, and may still have something to write. */
  async #stopPart(module: HostedModuleRecord): Promise<void> {
    const { how } = await this.stop(module);
    if (how === 'not-running') await this.#ends.write(module);
    module.journal.close(wasStopped(module.id));
  }
}
