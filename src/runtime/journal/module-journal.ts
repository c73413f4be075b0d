/**
 * The page's memory of one hosted module, outside every worker: what a restart starts from, and what the store holds.
 *
 * Keys: `module, id, 'meta'`; `module, id, 'parameter', name`, written before a change is acknowledged;
 * `module, id, 'history', name`, written a moment later; and `module, id, 'previous'`, what the version before left behind.
 */
import type { CodedError } from '../../base/index.ts';
import type { Clock } from '../../platform/index.ts';
import { acceptsDescribed } from '../../program/index.ts';
import type { Mode, ModuleState, ParameterDescription, PredictorState } from '../../program/index.ts';
import type { Durability, Store, Write } from '../../state/index.ts';
import { JournalDisk } from './journal-disk.ts';
import type { CommitWatch, Committer, StoredMeta } from './journal-disk.ts';
import { LateWrites } from './late-writes.ts';
import { listAll } from './list-all.ts';
import type { RuntimeLimits } from '../limits.ts';
import { createMemory, reopenMemory } from './module-memory.ts';
import type { ModuleMemory } from './module-memory.ts';
import type { ParameterRecord, PreviousVersion } from '../module-protocol.ts';
import { CachedParameters } from '../parameter/cached-parameters.ts';
import type { ChangeListener } from '../parameter/cached-parameters.ts';
import type {
  CachedParameter,
  ExpectedChange,
  ParameterUpdateRecord,
  StoredParameter,
} from '../parameter/parameter-record.ts';
import { changesProgram, ProgramHold, withProgram } from './program-changes.ts';
import type { ProgramChanges } from './program-changes.ts';
import { SuccessionLog } from '../swap/succession.ts';
import type { Succession } from '../swap/succession.ts';

/** A write that was begun before the module had answered. */
export interface EarlyWrite {
  readonly expected: ExpectedChange;
  readonly committed: Promise<void>;
}

/** Writes of one commit, and what follows from its end. */
interface Batch {
  readonly writes: readonly Write[];
  readonly watch: CommitWatch;
}

/** What is to be written for changes before they are applied. */
export interface Foresight {
  readonly writes: readonly Write[];
  /** Watches the commit of these. To be called in the same turn. */
  readonly follow: (commit: Promise<unknown>) => Promise<void>;
}

export interface ModuleJournalOptions {
  readonly module: string;
  readonly kind: string;
  /** Ids of the modules that it is an actor inside of, the outermost first. Default: none. */
  readonly around?: readonly string[];
  readonly store: Store;
  readonly committer: Committer;
  readonly limits: RuntimeLimits;
  readonly clock: Clock;
  /** Hears of histories that could not be written. */
  readonly onFailure: (error: unknown) => void;
}

export class ModuleJournal {
  readonly late: LateWrites;
  readonly #options: ModuleJournalOptions;
  readonly #parameters: CachedParameters;
  readonly #disk: JournalDisk;
  readonly #descriptions = new Map<string, ParameterDescription>();
  readonly #successions: SuccessionLog;
  #state: ModuleState | undefined;
  /** All predictors as the module has them; what is stored of them is only what somebody changed. */
  #predictors: ModuleState['predictors'] = {};
  #memory: ModuleMemory;
  readonly #programHold = new ProgramHold();

  constructor(options: ModuleJournalOptions) {
    this.#options = options;
    this.#parameters = new CachedParameters(options.module, options.limits);
    this.#memory = createMemory(options.clock.now());
    this.#successions = new SuccessionLog(options.module);
    this.#disk = new JournalDisk({
      ...options,
      historyOf: (name) => this.#parameters.get(name)?.history,
    });
    const isClosed = (): boolean => this.#disk.isClosed;
    const { clock, onFailure } = options;
    this.late = new LateWrites({ clock, journal: this, isClosed, onFailure });
  }

  get mode(): Mode {
    return this.#state?.mode ?? 'eval';
  }

  /** Whether the store holds anything of the module. */
  get isStored(): boolean {
    return this.#disk.isStored;
  }

  get memory(): ModuleMemory {
    return this.#memory;
  }

  /** Every predictor as the module has it. */
  get predictors(): Readonly<Record<string, PredictorState>> {
    return this.#predictors;
  }

  /** The last change of anything, wall-clock milliseconds since 1970. */
  get updatedAtMs(): number {
    const times = [...this.parameters.values()].map(({ state }) => state.updatedAtMs);
    return times.reduce((last, atMs) => Math.max(last, atMs), this.#memory.updatedAtMs);
  }

  /** The newest change that the owner has told of. */
  get sequence(): number {
    return this.#parameters.sequence;
  }

  /** What the version before left behind, if the module ever changed its version. */
  get previous(): PreviousVersion | undefined {
    return this.#successions.previous;
  }

  /** Grows whenever another instance takes over: names of parameters may be others then. */
  get successions(): number {
    return this.#successions.count;
  }

  get parameters(): ReadonlyMap<string, CachedParameter> {
    return this.#parameters.byName;
  }

  /** @throws `program/parameter-not-found`, naming what exists */
  parameter(name: string): CachedParameter {
    return this.#parameters.find(name);
  }

  /** What a restart starts from; undefined before the module ever ran. */
  get state(): ModuleState | undefined {
    if (!this.#state) return undefined;
    return { ...this.#state, parameters: Object.fromEntries(this.#parameters.known) };
  }

  /** Reads what the store holds of this module. */
  async load(): Promise<void> {
    const { store, module } = this.#options;
    const meta = await store.get<StoredMeta>(['module', module, 'meta']);
    if (!meta) return;
    this.#disk.isStored = true;
    this.#state = meta.value.state;
    this.#successions.reopen((await store.get<PreviousVersion>(this.#successions.key))?.value);
    this.#memory = reopenMemory(meta.value.memory, this.#options.clock.now());
    const histories = await listAll<readonly ParameterUpdateRecord[]>(store, ['module', module, 'history']);
    const historyOf = new Map(histories.map(({ key, value }) => [key.at(-1), value]));
    for (const { key, value } of await listAll<StoredParameter>(store, ['module', module, 'parameter'])) {
      const name = key.at(-1) as string;
      this.#parameters.add(name, value, historyOf.get(name));
    }
  }

  /** What a module starts from that nothing is stored of. */
  seed(state: ModuleState): void {
    if (this.#state) return;
    this.#state = { ...state, parameters: {} };
    for (const [name, parameter] of Object.entries(state.parameters))
      this.#parameters.add(name, { state: parameter });
  }

  /**
   * The module runs and says what it has: parameters that its class no longer declares are forgotten.
   * @param descriptions of the parameters that it owns; others in the state are owned by actors inside it
   */
  begin(state: ModuleState, descriptions: readonly ParameterDescription[] = []): void {
    this.#describe(descriptions);
    // predictors that nobody changed follow their class: an edited signature must not meet its own past
    const { predictors, compiled } = this.#state ?? { predictors: {}, compiled: [] };
    this.#state = { ...state, parameters: {}, predictors, compiled };
    this.#predictors = state.predictors;
    for (const name of this.#parameters.names) if (!(name in state.parameters)) this.#parameters.delete(name);
    for (const [name, parameter] of Object.entries(state.parameters)) {
      if (!this.#parameters.has(name)) this.#parameters.add(name, { state: parameter });
    }
  }

  /** Another instance serves from here on: a restart starts from its state. What is the same keeps its history and its listeners. */
  succeed(succession: Succession): void {
    const { state, descriptions, taken, atMs, sequence } = succession;
    const { predictors, compiled, from, same } = taken;
    const gone = this.#parameters.names.filter((name) => !(name in state.parameters));
    this.#successions.add(this.state, succession, gone);
    this.#describe(descriptions);
    this.#state = { ...state, parameters: {}, predictors, compiled };
    this.#predictors = state.predictors;
    this.remember({});
    for (const name of gone) this.#parameters.delete(name);
    const change = { cause: `swap ${from} → ${state.version}`, atMs, ...(sequence ? { sequence } : {}) };
    for (const [name, parameter] of Object.entries(state.parameters)) {
      const cached = this.#parameters.get(name);
      if (!cached) this.#parameters.add(name, { state: parameter });
      else if (same.includes(name)) cached.adopt(parameter, sequence);
      else this.apply({ name, oldValue: cached.state.value, state: parameter, ...change });
    }
  }

  /** Takes a change over: from here on a lost worker cannot lose it. */
  apply(change: ParameterRecord): void {
    this.#parameters.apply(change);
  }

  /** Hears of every change of every parameter, whoever made it. */
  subscribe(listener: ChangeListener): () => void {
    return this.#parameters.subscribe(listener);
  }

  /** What the module remembers from now on; the next write of the mode and the program stores it. */
  remember(changes: Partial<ModuleMemory>): void {
    this.#memory = { ...this.#memory, updatedAtMs: this.#options.clock.now(), ...changes };
  }

  /** Whether a changed program is on its way. */
  get isProgramChanging(): boolean {
    return this.#programHold.isHeld;
  }

  /** Resolves when no changed program is on its way. */
  programSettled(): Promise<void> {
    return this.#programHold.settled();
  }

  /** Holds writes of the program and the memory back until the returned function is called. */
  holdProgram(): () => void {
    return this.#programHold.hold();
  }

  /** What is to be written for changes before they are applied. Call {@link programSettled} right before. */
  foresee(
    records: readonly ParameterRecord[],
    program: ProgramChanges,
    memory?: Partial<ModuleMemory>,
  ): Foresight {
    const own = records.map((record): [string, Write] => [
      record.name,
      this.#disk.parameterWrite(record.name, this.parameter(record.name).foresee(record)),
    ]);
    const isMetaChanged = memory !== undefined || changesProgram(program);
    const meta = isMetaChanged ? this.#foreseenMeta(program, memory) : undefined;
    const { writes, watch } = this.#batch(new Map(own), meta);
    return { writes, follow: (commit) => this.#disk.track(commit, watch) };
  }

  /** Takes a changed program over: from here on a restart starts from it. */
  applyProgram(program: ProgramChanges): void {
    if (this.#state) this.#state = withProgram(this.#state, program);
    const whole = program.program && 'whole' in program.program ? program.program.whole : undefined;
    this.#predictors = whole?.state.predictors ?? { ...this.#predictors, ...program.predictors };
  }

  /** The histories of these have grown: they are written a moment later. */
  touch(names: readonly string[]): void {
    for (const name of names) this.#disk.touch(name);
  }

  /** @throws what the module ended with, once somebody else may own what is stored */
  requireOpen(): void {
    this.#disk.requireOpen();
  }

  /**
   * Writes what setting `value` will lead to, before the module has answered, so that the flush does not wait for it.
   * Undefined when only the module can tell what the value leads to, or when more than the value must be written.
   */
  writeEarly(
    name: string,
    change: { readonly value: unknown; readonly cause: string },
    durability: Durability,
  ): EarlyWrite | undefined {
    const parameter = this.#parameters.get(name);
    const description = this.#descriptions.get(name);
    if (this.#needsMeta || this.#disk.isClosed || !parameter || !description) return undefined;
    if (!acceptsDescribed(description, change.value)) return undefined;
    const expected = parameter.expect(change.value, change.cause, this.#options.clock.now());
    const { state, newest } = expected;
    const committed = this.#disk.commit([this.#disk.parameterWrite(name, { state, newest })], durability);
    // whoever set the value hears of it once the module has answered
    committed.catch(() => undefined);
    return { expected, committed };
  }

  /** Writes the named parameters. Resolves when they are committed; their histories follow. */
  async persist(names: readonly string[], durability: Durability): Promise<void> {
    while (this.#needsMeta && this.isProgramChanging) await this.programSettled();
    await this.#commit(this.#batch(this.#writesOf(names)), durability);
    for (const name of names) this.#disk.touch(name);
  }

  /** Waits for an early write that came true. */
  async finish({
    name,
    committed,
  }: { readonly name: string } & Pick<EarlyWrite, 'committed'>): Promise<void> {
    await this.#disk.track(committed, { onFail: this.late.settle([name]) });
    this.#disk.touch(name);
  }

  /** Writes the mode and the predictors' state. */
  async persistMeta(durability: Durability): Promise<void> {
    while (this.isProgramChanging) await this.programSettled();
    await this.#commit(this.#batch(new Map(), this.#metaWrite()), durability);
  }

  /**
   * Writes a succession in one commit, if anything of the module is stored or should be. Otherwise, and when that fails, it goes with the next
   * write of the module: a parameter of this instance under the version of the one before would be migrated as if it were that one's.
   */
  async persistSuccession(durability: Durability): Promise<void> {
    const isKnown = this.#disk.isTouched || this.late.isOwing;
    if (isKnown) await this.#commit(this.#batch(this.#writesOf(this.#parameters.names)), durability);
  }

  /**
   * Waits for the writes under way, and writes what only the page holds and the histories that are not written yet.
   * @throws what keeps an acknowledged value from the store
   */
  async settle(): Promise<void> {
    // what fails of these is owed
    await this.#disk.settle();
    await this.late.writeOwed();
    await this.#disk.settle();
  }

  /** As {@link settle}, for a module that has ended: what a failed write leads to is waited for. */
  async drain(): Promise<void> {
    // whatever failed was told
    await this.settle().catch(() => undefined);
    await this.#disk.drain();
  }

  /** The module has ended, and another may own what is stored: every later write throws `error`, or does nothing if nobody waits for it. */
  close(error: CodedError): void {
    this.#disk.close(error);
  }

  /** The module is started once more. */
  reopen(): void {
    this.#disk.reopen();
  }

  #describe(descriptions: readonly ParameterDescription[]): void {
    this.#descriptions.clear();
    for (const description of descriptions) this.#descriptions.set(description.name, description);
  }

  /** Parameters alone would stand beside nothing, or beside the program of an instance before. */
  get #needsMeta(): boolean {
    return !this.#disk.isStored || this.#successions.isUnwritten;
  }

  #metaWrite(): Write {
    return this.#disk.metaWrite(this.#state, this.#memory);
  }

  #foreseenMeta(program: ProgramChanges, memory: Partial<ModuleMemory> | undefined): Write {
    const state = this.#state && withProgram(this.#state, program);
    return this.#disk.metaWrite(state, { ...this.#memory, ...memory });
  }

  #writesOf(names: readonly string[]): ReadonlyMap<string, Write> {
    return new Map(
      names.map((name) => [name, this.#disk.parameterWrite(name, this.parameter(name).toStored())]),
    );
  }

  /** These, and all of the module while the last succession is not written. */
  #batch(own: ReadonlyMap<string, Write>, meta?: Write): Batch {
    const { count, isUnwritten } = this.#successions;
    const others = isUnwritten ? this.#parameters.names.filter((name) => !own.has(name)) : [];
    const rest = this.#writesOf(others);
    const program = meta ?? (this.#needsMeta ? this.#metaWrite() : undefined);
    const left = isUnwritten ? this.#successions.writes((name) => this.#parameters.has(name)) : [];
    const oweAgain = this.late.settle([...own.keys(), ...rest.keys()], program !== undefined);
    return {
      writes: [...(program ? [program] : []), ...own.values(), ...rest.values(), ...left],
      watch: {
        onCommit: () => this.#successions.settle(count),
        onFail: () => {
          oweAgain();
          if (isUnwritten) this.late.oweMeta();
        },
      },
    };
  }

  #commit({ writes, watch }: Batch, durability: Durability): Promise<void> {
    return this.#disk.commit(writes, durability, watch);
  }
}
