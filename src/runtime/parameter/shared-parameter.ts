/** A value that several modules have in common: stored once under its own name, set once for all of them. */
import { CodedError, toCodedError } from '../../base/index.ts';
import { Parameter } from '../../program/index.ts';
import type { Constraints, ParameterState, ParameterTypeOf } from '../../program/index.ts';
import type { Durability, Store } from '../../state/index.ts';
import { changeModules } from './change-together.ts';
import type { ChangeHost, ChangePart } from './change-together.ts';
import { checkChange } from '../check-option.ts';
import { copyGiven } from '../handle/copy-given.ts';
import type { HostedModuleRecord } from '../host/hosted.ts';
import { writeUntilTaken } from '../journal/late-writes.ts';
import type { RuntimeLimits } from '../limits.ts';
import type { ParameterRecord, ParameterStepBody } from '../module-protocol.ts';
import type { SetOptions } from './parameter-handle.ts';
import type { ParameterUpdateRecord } from './parameter-record.ts';
import { sameData } from './same-data.ts';
import type { BoundParameter, SharedPlan } from './shared-plan.ts';
import { SharedRecord } from './shared-record.ts';
import { inTurn } from './whole-change.ts';
import type { Changing, Turn, WholeChange } from './whole-change.ts';

/** What a shared parameter is. A stored value goes before `value`. */
export interface SharedDefinition<T = unknown> {
  readonly type: ParameterTypeOf<T>;
  readonly value: T;
  /** Checked on the page, before the bound modules check theirs. */
  readonly constraints?: Constraints<T>;
}

export interface SharedParameter<T = unknown> {
  readonly name: string;
  /** Frozen, as that of a module's parameter. */
  readonly value: T;
  /** Oldest first, at most 100. */
  readonly history: readonly ParameterUpdateRecord[];
  /** Ids of the running modules that are bound to it. */
  readonly modules: readonly string[];
  /**
   * Sets it here and in every bound module, all or none, in one transaction. Their histories name the cause `shared NAME`.
   * @throws `program/constraint-violated` by its own constraints or those of a bound module, and as `Runtime.setParameters`
   */
  set(value: T, options?: SetOptions): Promise<void>;
  subscribe(listener: (newValue: T, oldValue: T) => void): () => void;
}

export interface SharedHost extends ChangeHost {
  readonly store: Store;
  readonly limits: RuntimeLimits;
  /** Whoever reads the store to begin with it; who restores it as a whole must be alone there. */
  readonly reading: Changing;
  /** Nobody waits for what a module's own change leads to, so a failure has only this route. */
  onFailure(error: unknown): void;
}

/** What one module makes of a shared value is for all, and what another makes of that: modules that never agree must come to an end. */
const maxCorrections = 16;

export class HostedSharedParameter implements SharedParameter {
  readonly name: string;
  readonly #parameter: Parameter;
  readonly #declared: unknown;
  readonly #host: SharedHost;
  /** Names of parameters by the module that they are bound in. */
  readonly #bound = new Map<HostedModuleRecord, readonly string[]>();
  /** Ends the watch over a bound module's end. */
  readonly #watches = new Map<HostedModuleRecord, () => void>();
  /** Parts that are down and may be started again: the program around them goes on with what they have. */
  readonly #down = new WeakSet<HostedModuleRecord>();
  /** Those of them that are being started again: they get the shared value when they are bound anew, and are down again where that fails. */
  readonly #reviving = new WeakSet<HostedModuleRecord>();
  /** Names of parameters of which a change by their module waits to be made everybody's. */
  readonly #following = new WeakMap<HostedModuleRecord, Set<string>>();
  /** How often modules have made something else of what they got, since somebody set it. */
  #corrections = 0;
  readonly #record: SharedRecord;
  /** One after the other: each starts from what the one before has left. */
  readonly changes: WholeChange[] = [];

  constructor(name: string, parameter: Parameter, host: SharedHost) {
    this.name = name;
    this.#parameter = parameter;
    this.#declared = parameter.value;
    this.#host = host;
    const { store, committer } = host;
    this.#record = new SharedRecord({
      name,
      store,
      committer,
      current: () => parameter.dumpState({ withHistory: true }),
      onGiveWay: (error) => host.onFailure(error),
    });
  }

  /** Begins with what is stored. @throws `program/constraint-violated` when that does not satisfy the definition, and as `Store.get` */
  async load(): Promise<void> {
    const stored = await this.#record.load();
    if (stored) this.#parameter.loadState(stored);
  }

  get value(): unknown {
    return this.#parameter.value;
  }

  get type(): ParameterState['type'] {
    return this.#parameter.type;
  }

  get history(): readonly ParameterUpdateRecord[] {
    return this.#parameter.history.map(({ oldValue, newValue, cause, atMs }) => {
      return { oldValue, newValue, cause, atMs };
    });
  }

  get modules(): readonly string[] {
    return this.boundModules.filter(({ isOver }) => !isOver).map(({ id }) => id);
  }

  subscribe(listener: (newValue: never, oldValue: never) => void): () => void {
    return this.#parameter.subscribe(({ newValue, oldValue }) =>
      listener(newValue as never, oldValue as never),
    );
  }

  async set(value: unknown, options: SetOptions = {}): Promise<void> {
    checkChange(options);
    const given = copyGiven(value);
    const { timeoutMs, signal } = options;
    await this.#next(() => this.#change(given, options), { timeoutMs, signal });
  }

  /**
   * As {@link set}, asked for by a parameter that is bound: it changes with the others, whether or not it has the shared value yet.
   * @throws as `set`, and what ended its module
   */
  async setIn({ module, name }: BoundParameter, value: unknown, options: SetOptions = {}): Promise<void> {
    const given = copyGiven(value);
    const { timeoutMs, signal } = options;
    const asking = { module, name, part: this.#partFor(module, [name], given) };
    await this.#next(() => this.#change(given, options, asking), { timeoutMs, signal });
  }

  /** One gradient step of a parameter that is bound, for all. @throws as `ParameterHandle.applyGradient` */
  async stepIn({ module, name }: BoundParameter, gradient: unknown, options: SetOptions = {}): Promise<void> {
    const { timeoutMs, signal, cause = 'gradient' } = options;
    const body: ParameterStepBody = { name, gradient: copyGiven(gradient), cause };
    await this.#next(
      async () => {
        // the owner alone knows its velocity; nobody else sets it in this turn
        const reach = { timeoutMs, signal, isIdempotent: true };
        const state = (await module.call('parameter-foresee', body, reach)) as ParameterState;
        const part = { module, cause, changes: { parameters: { [name]: state } } };
        await this.#change(state.value, { ...options, cause }, { module, name, part });
      },
      { timeoutMs, signal },
    );
  }

  /** The module has the shared value from now on, and with every change of it. @throws as `set` */
  async bind(module: HostedModuleRecord, names: readonly string[]): Promise<void> {
    await this.#next(async () => {
      const { value } = this;
      const differing = differingFrom(value, module, names);
      const part = this.#partFor(module, differing, value);
      if (differing.length > 0) await changeModules(this.#host, [part], { level: 'relaxed' });
      if (module.isOver) return;
      this.#reviving.delete(module);
      // a version may have none of them, and the next one all
      if (names.length > 0) this.#bound.set(module, names);
      else this.#bound.delete(module);
      this.#watch(module);
    });
  }

  #watch(module: HostedModuleRecord): void {
    this.#watches.get(module)?.();
    const watched = [module, ...(module.around ? [module.around.module] : [])];
    const leaves = watched.map((each) => each.onStatus(() => this.#onStatus(module)));
    this.#watches.set(module, () => leaves.forEach((leave) => leave()));
  }

  /** Whoever is gone is held no longer; a part that is started again is bound anew. */
  #onStatus(module: HostedModuleRecord): void {
    if (module.isOver && !module.isGone) {
      this.#down.add(module);
      if (this.#reviving.delete(module)) this.#catchUp(module);
      return;
    }
    if (!module.isGone) {
      if (this.#down.delete(module)) this.#reviving.add(module);
      return;
    }
    this.#bound.delete(module);
    this.#watches.get(module)?.();
    this.#watches.delete(module);
  }

  /** It could not be started again: the program around it goes on with what was set meanwhile. */
  #catchUp(module: HostedModuleRecord): void {
    void this.#next(async () => {
      const names = differingFrom(this.value, module, this.#bound.get(module) ?? []);
      if (names.length === 0 || !module.isOver || module.isGone) return;
      const part = this.#partFor(module, names, this.value);
      await changeModules(this.#host, [part], { level: 'relaxed' });
    }).catch((error: unknown) => this.#host.onFailure(error));
  }

  /** A bound module has changed its parameter by itself: so it is for all, or the module gets the shared value back. */
  follow(module: HostedModuleRecord, { name }: ParameterRecord, isCorrection: boolean): void {
    const following = this.#following.get(module) ?? new Set();
    // whoever waits already takes what there is when its turn has come
    if (following.has(name)) return;
    this.#following.set(module, following.add(name));
    void this.#next(async () => {
      following.delete(name);
      if (!this.#bound.get(module)?.includes(name) || module.isGone || this.#reviving.has(module)) return;
      // it may have changed again since: what it has now counts
      const { value } = module.journal.parameter(name).state;
      if (sameData(value, this.value)) return;
      const corrections = isCorrection ? this.#corrections + 1 : 0;
      if (corrections > maxCorrections) throw unsettled(this.name, module.id, name);
      try {
        await this.#change(value, { level: 'relaxed', cause: `module ${module.id}` });
      } catch (error) {
        this.#host.onFailure(error);
        await this.#takeBack(module, name);
      } finally {
        this.#corrections = corrections;
      }
    }).catch((error: unknown) => this.#host.onFailure(error));
  }

  /** Those that have the shared value now, parts that are down too, and none that is being started again. */
  get boundModules(): readonly HostedModuleRecord[] {
    return [...this.#bound.keys()].filter((module) => !this.#reviving.has(module));
  }

  /**
   * What setting it means, for whoever has its turn; nothing has happened yet.
   * @param isGiven parameters that are changed by somebody else
   * @throws `program/constraint-violated`
   */
  plan(
    value: unknown,
    cause: string,
    isGiven: (module: HostedModuleRecord, name: string) => boolean = () => false,
  ): SharedPlan {
    this.#corrections = 0;
    const changed = this.#parameter.clone();
    changed.set(value, cause);
    const state = changed.dumpState({ withHistory: true });
    const parts = this.boundModules.map((module) => {
      const names = this.#bound.get(module) ?? [];
      const others = names.filter((name) => !isGiven(module, name));
      return this.#partFor(module, differingFrom(state.value, module, others), state.value);
    });
    return {
      parts: parts.filter(({ changes }) => Object.keys(changes.values ?? {}).length > 0),
      ...this.#writeOf(state, (level) => {
        this.#parameter.loadState(state, cause);
        this.#record.acknowledge(state, level);
      }),
    };
  }

  /** As {@link plan} for the value that it has: it is set to that once more, and what only the page holds may be acknowledged more strictly now. */
  confirm(): SharedPlan {
    const updatedAtMs = this.#host.clock.now();
    const state = { ...this.#parameter.dumpState({ withHistory: true }), updatedAtMs };
    const onCommit: SharedPlan['onCommit'] = (level) => {
      if (level !== 'memory') this.#record.acknowledge(state, level);
    };
    return { parts: [], ...this.#writeOf(state, onCommit) };
  }

  #writeOf(state: ParameterState, onCommit: SharedPlan['onCommit']): Omit<SharedPlan, 'parts'> {
    const onUnknown = (): void => {
      this.#record.refuse(state);
      this.#mend('strict').catch((error: unknown) => this.#host.onFailure(error));
    };
    return { writes: [this.#record.writeOf(state)], onCommit, onUnknown };
  }

  /**
   * What the page alone holds of what was acknowledged, and nothing that was refused, is in the store when it resolves, unless another tab has
   * set something since.
   * @throws `port/timeout`, `state/…`
   */
  async writeOwed(): Promise<void> {
    if (this.#record.isBehind) await this.#mend('relaxed', { timeoutMs: this.#host.limits.endTimeoutMs });
  }

  /** In turns: what is being committed meanwhile is newer. */
  #mend(durability: Durability, limit?: Pick<Turn, 'timeoutMs'>): Promise<void> {
    const { clock } = this.#host;
    return writeUntilTaken(clock, () => this.#next(() => this.#record.mend(durability), limit));
  }

  /** The module gets the shared value back, whether or not the store can follow now. */
  async #takeBack(module: HostedModuleRecord, name: string): Promise<void> {
    const part = this.#partFor(module, [name], this.value);
    try {
      await changeModules(this.#host, [part], { level: 'relaxed' });
    } catch (error) {
      this.#host.onFailure(error);
      if (module.isGone) return;
      await changeModules(this.#host, [part], { level: 'memory' });
      await module.journal.late.rewrite(name, 'relaxed');
    }
  }

  /**
   * As {@link plan} for what was stored at another time; undefined: what is declared. The modules that are bound are somebody else's.
   * @returns the plan, and the value that it leads to
   */
  planReturn(stored: ParameterState | undefined, cause: string): SharedPlan & { readonly value: unknown } {
    const value = stored ? stored.value : this.#declared;
    return { ...this.plan(value, cause, () => true), value };
  }

  /** This page has restored the whole runtime. */
  restored(atMs: number): void {
    this.#record.restored(atMs);
  }

  #next<T>(work: () => Promise<T>, limit: Pick<Turn, 'timeoutMs' | 'signal'> = {}): Promise<T> {
    return inTurn([this], { ...limit, clock: this.#host.clock, isAlone: true }, work);
  }

  /** @param asking the change of the parameter by which it is asked for */
  async #change(
    value: unknown,
    { level = 'strict', cause = 'set', timeoutMs, signal }: SetOptions,
    asking?: BoundParameter & { readonly part: ChangePart },
  ): Promise<void> {
    if (asking?.module.endedWith) throw asking.module.endedWith;
    const isGiven = (module: HostedModuleRecord, name: string): boolean =>
      module === asking?.module && name === asking.name;
    const { parts, writes, ...outcome } = this.plan(value, cause, isGiven);
    const all = asking ? [asking.part, ...parts] : parts;
    await changeModules(this.#host, all, { level, timeoutMs, signal, writes: () => writes, ...outcome });
  }

  #partFor(module: HostedModuleRecord, names: readonly string[], value: unknown): ChangePart {
    const values = Object.fromEntries(names.map((name) => [name, value]));
    // nobody can be asked
    const down = module.isOver ? { isDown: true, isChecked: true } : {};
    return { module, cause: `shared ${this.name}`, changes: { values }, ...down };
  }
}

function differingFrom(
  value: unknown,
  { journal }: HostedModuleRecord,
  names: readonly string[],
): readonly string[] {
  // another version of the module may have it no more
  const known = names.filter((name) => journal.parameters.has(name));
  return known.filter((name) => !sameData(journal.parameter(name).state.value, value));
}

/** @throws `program/constraint-violated` when the stored value does not satisfy the definition, and as `Store.get` */
export async function openSharedParameter(
  name: string,
  definition: SharedDefinition,
  host: SharedHost,
): Promise<HostedSharedParameter> {
  const shared = new HostedSharedParameter(name, createParameter(name, definition, host), host);
  await shared.load();
  return shared;
}

function createParameter(name: string, definition: SharedDefinition, { clock }: SharedHost): Parameter {
  try {
    return new Parameter({ ...definition, name, clock });
  } catch (error) {
    throw toCodedError(error, 'runtime/shared-invalid', { fields: { shared: name, type: definition.type } });
  }
}

function unsettled(shared: string, module: string, parameter: string): CodedError {
  return new CodedError(
    'runtime/shared-unsettled',
    `the modules do not agree on shared parameter "${shared}": each makes something else of what another made of it, ${maxCorrections} times by now; "${parameter}" of module "${module}" stays different`,
    { fields: { shared, module, parameter, allowed: maxCorrections } },
  );
}

export function sharedNotFound(name: string, known: readonly string[]): CodedError {
  return new CodedError(
    'runtime/shared-not-found',
    `there is no shared parameter "${name}"; there are: ${known.join(', ') || 'none'}`,
    { fields: { shared: name, known: known.slice(0, 100) } },
  );
}
