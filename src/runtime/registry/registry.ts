/** All modules by id, whether or not they run: looking them up, starting and stopping them, and what they depend on. */
import { CodedError, toCodedError } from '../../base/index.ts';
import type { Clock } from '../../platform/index.ts';
import { DependencyStarter } from './dependency-starter.ts';
import type { Visited } from './dependency-starter.ts';
import { DependencyTable, downDependencies, findCycle, stopOrder } from './dependency.ts';
import type { DependencyEffect, DependencyEvent } from './dependency.ts';
import { parseGlob } from './glob.ts';
import { idTaken } from '../handle/handle.ts';
import type { CrashReason, HostedModuleRecord, ModuleStatus, StopOutcome } from '../host/hosted.ts';
import type { RuntimeLimits } from '../limits.ts';
import {
  alreadyRegistered,
  dependencyCycle,
  isSubModule,
  notRegistered,
  registryFull,
  wasStopped,
} from '../module-error.ts';
import type { HostObserver, ModuleHost } from '../host/module-host.ts';
import type { SwapNews } from '../host/module-news.ts';
import { checkModuleSpec } from './module-spec.ts';
import type { CheckedSpec } from './module-spec.ts';
import { RegistryEntry } from './registry-entry.ts';
import type { RegisteredModule, WaitingStart } from './registry-entry.ts';
import type { ModuleNews } from './registry-event.ts';
import type { ModuleEventListener, Watchers } from './registry-watch.ts';
import type { ModuleSpec, StartOptions } from '../runtime-options.ts';

export interface ModuleRegistryOptions {
  readonly host: ModuleHost;
  readonly watchers: Watchers;
  readonly clock: Clock;
  readonly limits: RuntimeLimits;
  readonly createId: () => string;
  /** Kinds that are served, where the page knows them. */
  readonly kinds?: () => readonly string[];
}

export class ModuleRegistry implements HostObserver {
  readonly #options: ModuleRegistryOptions;
  /** In order of registration. */
  readonly #entries = new Map<string, RegistryEntry>();
  /** Those that may be forgotten, oldest end first. */
  readonly #ended = new Set<string>();
  readonly #table = new DependencyTable();
  readonly #starter: DependencyStarter;
  #isClosed = false;

  constructor(options: ModuleRegistryOptions) {
    this.#options = options;
    this.#starter = new DependencyStarter({
      find: (id) => this.#find(id),
      start: (entry, visited) => this.#start(entry, visited),
    });
  }

  get size(): number {
    return this.#entries.size;
  }

  has(id: string): boolean {
    return this.#entries.has(id);
  }

  get(id: string): RegisteredModule {
    return this.#toModule(this.#find(id));
  }

  list(): readonly RegisteredModule[] {
    return [...this.#entries.values()].map((entry) => this.#toModule(entry));
  }

  discover(pattern: string): readonly RegisteredModule[] {
    const glob = parseGlob(pattern);
    const found = [...this.#entries.values()].filter(({ id }) => glob.matches(id));
    return found.map((entry) => this.#toModule(entry));
  }

  watch(pattern: string, listener: ModuleEventListener): () => void {
    return this.#options.watchers.add(pattern, listener);
  }

  register(given: ModuleSpec): RegisteredModule {
    this.requireOpen();
    const spec = this.#check(given, this.#options.kinds?.());
    if (this.#entries.has(spec.id)) throw alreadyRegistered(spec.id);
    return this.#toModule(this.#add(spec, true));
  }

  async unregister(id: string): Promise<void> {
    const entry = this.#find(id);
    if (entry.isBusy) await this.stop(id);
    if (this.#entries.get(id) !== entry) return;
    if (entry.isBusy) throw idTaken(id);
    this.#forget(entry);
  }

  /** Registers what was not registered, then starts it. What is given here goes before what was registered. */
  async launch(kind: string, options: StartOptions): Promise<HostedModuleRecord> {
    this.requireOpen();
    const known = options.id === undefined ? undefined : this.#entries.get(options.id);
    if (known?.isBusy) throw idTaken(known.id);
    if (known?.isExplicit && known.spec.kind !== kind) throw alreadyRegistered(known.id, known.spec.kind);
    const spec = this.#check({ ...(known?.isExplicit ? known.spec.options : {}), ...options, kind });
    return this.#start(known ? this.#redefine(known, spec) : this.#add(spec, false));
  }

  async start(id: string): Promise<HostedModuleRecord> {
    return this.#start(this.#find(id));
  }

  async stop(id: string): Promise<StopOutcome> {
    const entry = this.#find(id);
    const { waiting, record, starting } = entry;
    if (record) return this.#options.host.stop(record);
    if (!waiting) return { how: 'not-running' };
    waiting.cancel();
    await starting?.catch(() => undefined);
    return { how: 'graceful' };
  }

  /**
   * Refuses more, and stops everything in reverse order of start, but dependents before what they depend on. A module that is slow to
   * stop holds up only its dependencies.
   */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const { waiting } of this.#entries.values()) waiting?.cancel();
    const { host } = this.#options;
    // sub-modules that are actors are stopped with the module around them
    const outermost = host.modules.filter(({ around }) => !around);
    const ids = outermost.map(({ id }) => id).toReversed();
    const stops = new Map<string, Promise<unknown>>();
    for (const id of stopOrder(this.#table.dependents, ids)) {
      const first = [...(this.#table.dependents.get(id) ?? [])].flatMap(
        (dependent) => stops.get(dependent) ?? [],
      );
      stops.set(id, first.length === 0 ? this.stop(id) : Promise.allSettled(first).then(() => this.stop(id)));
    }
    const failed = (await Promise.allSettled(stops.values())).find(({ status }) => status === 'rejected');
    if (failed?.status === 'rejected') throw failed.reason;
  }

  /** A swap that has happened: the record goes on, under another class. */
  onSwap(
    { id }: Pick<HostedModuleRecord, 'id'>,
    { fromKind, toKind, fromVersion, toVersion }: SwapNews,
  ): void {
    const entry = this.#find(id);
    entry.times.swappedAtMs = this.#now();
    if (entry.spec.kind !== toKind) entry.spec = { ...entry.spec, kind: toKind };
    this.#tell({ type: 'module-swap', module: id, fromKind, toKind });
    this.#noteVersion(entry, toVersion, fromVersion);
  }

  onCreate(record: HostedModuleRecord): void {
    const { id, kind } = record;
    const entry = this.#entries.get(id) ?? this.#add(this.#check({ id, kind }), false);
    entry.record = record;
    entry.waiting = undefined;
    entry.wasHosted = true;
    entry.hasRun = false;
    this.#ended.delete(id);
    record.onStatus((status) => this.#onStatus(entry, record, status));
  }

  onStop(
    record: HostedModuleRecord,
    { how, error }: Parameters<HostObserver['onStop']>[1] & { error?: CodedError },
  ): void {
    const entry = this.#entries.get(record.id);
    if (entry?.record !== record) return;
    entry.end('stopped', this.#now());
    const said = error && { error: { code: error.code, message: error.message } };
    if (how !== 'not-running') this.#tell({ type: 'module-stop', module: entry.id, how, ...said });
    this.#onEnd(entry);
  }

  #onStatus(entry: RegistryEntry, record: HostedModuleRecord, status: ModuleStatus): void {
    if (entry.record !== record) return;
    if (status === 'running') this.#onRunning(entry, record);
    else if (status === 'restarting') this.#onDown(entry, record, true);
    else if (status === 'crashed') this.#onDown(entry, record, false);
    else if (status === 'stopped') this.#tellAll(this.#take({ type: 'module-down', id: entry.id }));
  }

  #onRunning(entry: RegistryEntry, record: HostedModuleRecord): void {
    const isRestart = entry.hasRun;
    // it was degraded and is whole again
    if (isRestart && this.#table.nodes.get(entry.id)?.isUp) return;
    entry.hasRun = true;
    entry.times[isRestart ? 'restartedAtMs' : 'startedAtMs'] = this.#now();
    delete entry.times.endedAtMs;
    const effects = this.#take({ type: 'module-up', id: entry.id });
    const { id: module, kind } = record;
    if (isRestart) this.#tell({ type: 'module-restart', module, restarts: record.restarts });
    else this.#tell({ type: 'module-start', module, kind });
    this.#noteVersion(entry, record.description?.version, isRestart ? undefined : record.migratedFrom);
    this.#tellAll(effects);
  }

  #onDown(entry: RegistryEntry, record: HostedModuleRecord, willRestart: boolean): void {
    // a start that is lost on its way is one crash, told when it is over
    if (willRestart && !entry.hasRun) return;
    const effects = this.#take({ type: 'module-down', id: entry.id });
    entry.crash = record.crash ?? entry.crash;
    if (!willRestart) entry.end('crashed', this.#now());
    if (record.crash) this.#tellCrash(entry, record.crash, willRestart);
    this.#tellAll(effects);
    if (!willRestart) this.#onEnd(entry);
  }

  #tellCrash({ id }: RegistryEntry, { code, message }: CrashReason, willRestart: boolean): void {
    this.#tell({ type: 'module-crash', module: id, error: { code, message }, willRestart });
  }

  #noteVersion(entry: RegistryEntry, to: string | undefined, from: string | undefined = entry.version): void {
    if (to === undefined) return;
    entry.version = to;
    if (from !== undefined && from !== to) {
      this.#tell({ type: 'module-version-change', module: entry.id, from, to });
    }
  }

  async #start(entry: RegistryEntry, visited: Visited = new Map()): Promise<HostedModuleRecord> {
    this.requireOpen();
    if (entry.isBusy) throw idTaken(entry.id);
    entry.crash = undefined;
    entry.restarts = 0;
    const starting = this.#run(entry, visited);
    entry.starting = starting;
    try {
      return await starting;
    } finally {
      if (entry.starting === starting) {
        entry.starting = undefined;
        entry.waiting = undefined;
      }
    }
  }

  async #run(entry: RegistryEntry, visited: Visited): Promise<HostedModuleRecord> {
    const { id, spec } = entry;
    entry.wasHosted = false;
    try {
      if (spec.dependencies.length > 0) {
        const wait = await this.#waitForDependencies(entry, visited);
        if (!wait.isWanted) throw wasStopped(id);
      }
      // in this same turn its record takes the place of the wait
      return await this.#options.host.start(id, spec.kind, spec.options);
    } catch (thrown) {
      // a record has told its end by itself
      if (!entry.wasHosted) this.#onStartFail(entry, toCodedError(thrown, 'runtime/module-load-failed'));
      throw thrown;
    }
  }

  #waitForDependencies(entry: RegistryEntry, visited: Visited): Promise<WaitingStart> {
    this.#ended.delete(entry.id);
    return new Promise((resolve, reject) => {
      const wait: WaitingStart = {
        isWanted: true,
        cancel: () => {
          wait.isWanted = false;
          reject(wasStopped(entry.id));
        },
      };
      entry.waiting = wait;
      this.#starter.startAll(entry, visited).then(() => resolve(wait), reject);
    });
  }

  #onStartFail(entry: RegistryEntry, error: CodedError): void {
    const wasWanted = error.code !== 'runtime/module-stopped';
    entry.end(wasWanted ? 'crashed' : 'stopped', this.#now());
    if (wasWanted) {
      const { code, message } = error;
      entry.crash = { code, message, reason: 'start-failed', atMs: this.#now() };
      this.#tellCrash(entry, entry.crash, false);
    } else {
      this.#tell({ type: 'module-stop', module: entry.id, how: 'graceful' });
    }
    this.#onEnd(entry);
  }

  #check(spec: ModuleSpec, kinds?: readonly string[]): CheckedSpec {
    const { limits, createId } = this.#options;
    return checkModuleSpec(spec, createId, { limits, kinds });
  }

  #add(spec: CheckedSpec, isExplicit: boolean): RegistryEntry {
    this.#requireNoCycle(spec);
    this.#requireRoom();
    const entry = new RegistryEntry(spec, { isExplicit, registeredAtMs: this.#now() });
    this.#entries.set(spec.id, entry);
    const effects = this.#take({ type: 'module-add', id: spec.id, dependencies: spec.dependencies });
    this.#tell({ type: 'module-register', module: spec.id, kind: spec.kind });
    this.#tellAll(effects);
    return entry;
  }

  #redefine(entry: RegistryEntry, spec: CheckedSpec): RegistryEntry {
    this.#requireNoCycle(spec);
    entry.spec = spec;
    this.#take({ type: 'module-add', id: spec.id, dependencies: spec.dependencies });
    return entry;
  }

  #requireNoCycle({ id, dependencies }: CheckedSpec): void {
    const isNamed = this.#table.dependents.has(id) || dependencies.some((dependency) => dependency.id === id);
    const cycle = isNamed ? findCycle(this.#table.nodes, id, dependencies) : undefined;
    if (cycle) throw dependencyCycle(id, cycle);
  }

  #requireRoom(): void {
    const allowed = this.#options.limits.maxRegisteredModules;
    if (this.#entries.size >= allowed) this.#forgetOldest();
    if (this.#entries.size >= allowed) throw registryFull(allowed);
  }

  /** Those that were registered by themselves stay. */
  #onEnd(entry: RegistryEntry): void {
    if (entry.isExplicit || this.#entries.get(entry.id) !== entry || entry.isBusy) return;
    this.#ended.add(entry.id);
    if (this.#ended.size > this.#options.limits.maxEndedModules) this.#forgetOldest();
  }

  /** What somebody depends on is kept: it is wanted again. */
  #forgetOldest(): void {
    for (const id of this.#ended) {
      if (this.#table.dependents.has(id)) continue;
      this.#forget(this.#find(id));
      return;
    }
  }

  #forget(entry: RegistryEntry): void {
    this.#entries.delete(entry.id);
    this.#ended.delete(entry.id);
    const effects = this.#take({ type: 'module-remove', id: entry.id });
    this.#tell({ type: 'module-unregister', module: entry.id });
    this.#tellAll(effects);
  }

  /** What the event means is true when this returns; whoever is to be told of it is told by `#tellAll`. */
  #take(event: DependencyEvent): readonly DependencyEffect[] {
    const effects = this.#table.take(event);
    const { nodes } = this.#table;
    for (const id of new Set(effects.map((effect) => effect.id))) {
      const node = nodes.get(id);
      const down = node?.isUp ? downDependencies(nodes, node) : [];
      this.#entries.get(id)?.record?.stand(node?.standing ?? 'down', down);
    }
    return effects;
  }

  #tellAll(effects: readonly DependencyEffect[]): void {
    for (const effect of effects) {
      if (effect.type === 'standing-change') continue;
      const { id: module, ...rest } = effect;
      this.#tell({ ...rest, module });
    }
  }

  #tell(news: ModuleNews): void {
    this.#options.watchers.tell(news);
  }

  #toModule(entry: RegistryEntry): RegisteredModule {
    const down = downDependencies(this.#table.nodes, entry.spec).map(({ id }) => id);
    const dependents = [...(this.#table.dependents.get(entry.id) ?? [])];
    return entry.toModule({ downDependencies: down, dependents });
  }

  #find(id: string): RegistryEntry {
    const entry = this.#entries.get(id);
    if (entry) return entry;
    const around = this.#options.host.get(id)?.around;
    throw around ? isSubModule(id, around) : notRegistered(id, [...this.#entries.keys()]);
  }

  /** @throws `runtime/closed` */
  requireOpen(): void {
    if (this.#isClosed) throw new CodedError('runtime/closed', 'this runtime was closed');
  }

  #now(): number {
    return this.#options.clock.now();
  }
}
