/** What the page holds of a hosted module. Typed from the module's class. */
import { CodedError } from '../../base/index.ts';
import type { JsonObject } from '../../base/index.ts';
import type { Clock } from '../../platform/index.ts';
import type { Mode, Module, ModuleDescription, PredictDelta, RunWire } from '../../program/index.ts';
import type { StateSource, Store } from '../../state/index.ts';
import { createSpan } from '../../telemetry/index.ts';
import { checkLevel, optionInvalid, refusedCall } from '../check-option.ts';
import type { SpanContext } from '../../telemetry/index.ts';
import type { Checkpoint } from '../journal/checkpoint.ts';
import type { CompilationRecord, CompilationStatus, CompileReport } from '../compile/compilation.ts';
import { compileHosted } from '../compile/compile-hosted.ts';
import type { CompilePage, CompileRequest } from '../compile/compile-hosted.ts';
import type { ExecutionRecord, ModuleMetrics } from '../history/execution-history.ts';
import { callForward } from './forward-call.ts';
import type {
  CallInput,
  ParameterPath,
  ParameterValue,
  ReplyOf,
  SubModuleAt,
  SubModulePathOf,
} from './handle-types.ts';
import type { HostedModuleRecord, ModuleStatus } from '../host/hosted.ts';
import type { HotSwap, SwapOptions, SwapOutcome, SwapTarget } from '../swap/hot-swap.ts';
import { createModuleRecord } from '../history/module-record.ts';
import type { ModuleRecord } from '../history/module-record.ts';
import type { ModuleVersions } from '../version/module-versions.ts';
import { createParameterHandle } from '../parameter/parameter-handle.ts';
import type { AcknowledgementLevel, ParameterHandle, SetOptions } from '../parameter/parameter-handle.ts';
import { setParameters } from '../parameter/set-parameters.ts';
import { loadWhole, setWholeMode } from '../journal/load-whole.ts';
import { dumpInTurn, subscribeWhole } from '../journal/whole-state.ts';

export interface ForwardOptions {
  /** Default 120,000. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /** The call may be made twice: a lost worker is then a retry, not an error. Default false. */
  readonly isIdempotent?: boolean;
  /** Hears of stream parts of the model while the call runs. Those of a further attempt say so: {@link PredictDelta}'s `attempt`. */
  readonly onDelta?: (delta: PredictDelta) => void;
  /** The caller's span; the call becomes its child. */
  readonly span?: SpanContext;
  /** The program's own settings, read as `run.settings.values`. */
  readonly values?: JsonObject;
}

/** What a handle needs of its runtime. */
export interface HandleHost extends CompilePage {
  readonly store: Store;
  readonly hotSwap: HotSwap;
  readonly versions: ModuleVersions;
  handleOf(module: HostedModuleRecord): ModuleHandle;
  stop(module: HostedModuleRecord): Promise<void>;
}

/** One change of a parameter of a module. */
export interface ModuleParameterChange {
  readonly name: string;
  readonly newValue: unknown;
  readonly oldValue: unknown;
  readonly cause: string;
  readonly atMs: number;
}

/** One handle per declared parameter. */
export type ParameterHandles<M> = {
  readonly [K in ParameterPath<M>]: ParameterHandle<ParameterValue<M, K>>;
};

// few save and restore checkpoints: what it takes is loaded by those who do
const importCheckpoints = async () => import('../journal/checkpoint.ts');

/** A kind with many versions gives a handle that knows what all of them have: it stays true when they are swapped. */
export class ModuleHandle<M = Module> {
  readonly #module: HostedModuleRecord;
  readonly #host: HandleHost;
  #parameters: ParameterHandles<M>;
  /** The successions that `#parameters` knows of. */
  #knows: number;

  constructor(module: HostedModuleRecord, host: HandleHost) {
    this.#module = module;
    this.#host = host;
    this.#knows = module.successions;
    this.#parameters = this.#handles();
  }

  /** One handle per declared parameter, by name; those of sub-modules have dotted names. */
  get parameters(): ParameterHandles<M> {
    const { successions } = this.#module;
    // another version may have other parameters
    if (this.#knows !== successions) this.#parameters = this.#handles();
    this.#knows = successions;
    return this.#parameters;
  }

  get id(): string {
    return this.#module.id;
  }

  get kind(): string {
    return this.#module.kind;
  }

  get status(): ModuleStatus {
    return this.#module.status;
  }

  /** The worker that it runs in now. */
  get worker(): string | undefined {
    return this.#module.worker;
  }

  get mode(): Mode {
    return this.#module.journal.mode;
  }

  /** The version of its class that runs now. */
  get version(): string {
    return this.#module.source.version ?? '0.0.0';
  }

  /** Names, types, options and signatures, as data. */
  get description(): ModuleDescription | undefined {
    return this.#module.description;
  }

  /** Oldest first, at most 1,000. */
  get history(): readonly ExecutionRecord[] {
    return this.#module.history.records;
  }

  get metrics(): ModuleMetrics {
    return this.#module.metrics;
  }

  /** `not-compiled`, `compiling`, `compiled` or `failed`; kept over restarts and reloads. */
  get compilationStatus(): CompilationStatus {
    return this.compilation.status;
  }

  /** The last compilation, and the one that the program of now comes from. */
  get compilation(): CompilationRecord {
    return this.#module.journal.memory.compilation;
  }

  /** All that is known of the module at this moment, as structured-cloneable data. */
  record(): ModuleRecord {
    return createModuleRecord(this.#module);
  }

  /** Hears of every change of every parameter, whoever made it. The returned function ends it. */
  subscribe(listener: (change: ModuleParameterChange) => void): () => void {
    return subscribeWhole(this.#module, ({ name, state, oldValue, cause, atMs }) =>
      listener({ name, newValue: state.value, oldValue, cause, atMs }),
    );
  }

  /**
   * Sets several parameters, all or none: the owner checks every constraint before anything changes, one transaction holds all of
   * them, then the owner puts them in, in one turn. A worker that dies on the way: before the commit nothing has changed; after it
   * the module starts again with all of them.
   * @throws `program/constraint-violated`, `program/parameter-not-found`, `runtime/shared-conflict`, `state/…`, `port/timeout`,
   *   `port/cancelled`: nothing has changed. What ends the module after the commit: then it is done, and the module has it when it starts again
   */
  setParameters(
    values: { readonly [K in ParameterPath<M>]?: ParameterValue<M, K> },
    options: SetOptions = {},
  ): Promise<void> {
    return setParameters(this.#host, [{ module: this.#module, values }], options);
  }

  /**
   * Runs an optimizer on a copy of the program, in the module's worker, and installs what it changed: in one commit, then in one turn
   * of the module. Forwards are served by the old program until then; one that is under way at that moment meets the new one at its
   * next predictor. What the optimizer left as it was keeps the changes that others made meanwhile.
   * Resolves when the module has the new program and the store holds it strictly. However it fails, the program is as it was.
   * @throws `runtime/compile-running`, `runtime/swap-under-way`, `runtime/optimizer-not-found`, `runtime/metric-not-found`, `runtime/trainset-too-large`,
   *   `runtime/compile-result-invalid`, `optimize/…`, `program/constraint-violated`, `port/timeout`, `port/cancelled`,
   *   `actor/peer-died`, `state/…`
   */
  compile(request: CompileRequest): Promise<CompileReport> {
    return compileHosted(this.#host, this.#module, request);
  }

  onStatus(listener: (status: ModuleStatus) => void): () => void {
    return this.#module.onStatus(listener);
  }

  /** A parameter by its dotted name. @throws `program/parameter-not-found` */
  parameter(name: string): ParameterHandle {
    const owner = this.#module.ownerOf(name);
    owner.module.journal.parameter(owner.name);
    return this.#handleOf(name);
  }

  /**
   * A sub-module that is an actor of its own, by its place in this module.
   * @throws `runtime/sub-module-not-found`, naming those that there are
   */
  subModule<P extends SubModulePathOf<M>>(path: P): ModuleHandle<SubModuleAt<M, P>> {
    // the class promised what is at this path
    return this.#host.handleOf(this.#module.partAt(path)) as unknown as ModuleHandle<SubModuleAt<M, P>>;
  }

  /**
   * Runs `forward` in the module's worker.
   * @throws what `forward` throws; `runtime/option-invalid`, `port/timeout`, `port/cancelled`, `actor/peer-died`, `actor/mailbox-full`,
   *   `port/not-cloneable` for an input or an answer that cannot cross, `program/forward-not-implemented`
   */
  call(input: CallInput<M>, options: ForwardOptions = {}): Promise<ReplyOf<M>> {
    const refused = refusedCall(options);
    if (refused) return Promise.reject(refused);
    const { timeoutMs = this.#host.limits.callTimeoutMs, onDelta, isIdempotent, signal } = options;
    const run: RunWire = {
      span: createSpan(options.span),
      path: '',
      depth: 0,
      isTraced: false,
      values: options.values ?? {},
      ...(timeoutMs === Infinity ? {} : { remainingMs: timeoutMs }),
    };
    const reach = { timeoutMs, signal, isIdempotent };
    const request = { input, run, method: 'forward', options: reach, onDelta } as const;
    return callForward(this.#module, this.#host, request) as Promise<ReplyOf<M>>;
  }

  /** Sets the mode of the whole tree; it survives restarts, and reloads at the level asked for. */
  train(level: AcknowledgementLevel = 'strict'): Promise<void> {
    return this.#setMode('train', level);
  }

  eval(level: AcknowledgementLevel = 'strict'): Promise<void> {
    return this.#setMode('eval', level);
  }

  /**
   * Saves parameters, predictors and mode as one record, those of sub-modules that are actors too. Resolves when it is committed
   * strictly.
   */
  async checkpoint(): Promise<Checkpoint> {
    const [{ saveCheckpoint }, state] = await Promise.all([
      importCheckpoints(),
      dumpInTurn(this.#module, this.#turn),
    ]);
    const checkpoint = await saveCheckpoint(this.#host.store, {
      module: this.id,
      state,
      clock: this.#host.clock,
    });
    const { journal } = this.#module;
    journal.remember({ lastCheckpoint: checkpoint });
    // the checkpoint itself is committed; that it is the last one is nice to know
    void journal.late.rewriteMeta('relaxed');
    this.#host.hub.emit({ type: 'checkpoint-save', module: this.id, checkpoint: checkpoint.id });
    return checkpoint;
  }

  /**
   * Puts a checkpoint back, all of it or nothing, and commits the result. One that another version saved is migrated; one of a newer version
   * only by a class with a `migrate`. What is bound to a shared parameter is set for every module that is bound to it, in the same transaction.
   * @throws `runtime/checkpoint-not-found`, `state/checksum-failed`, `program/state-invalid`, `program/state-missing`,
   *   `program/constraint-violated`, `runtime/shared-conflict`, `runtime/state-migration-failed`
   */
  async restore(checkpoint: Checkpoint | string): Promise<void> {
    const id: unknown =
      typeof checkpoint === 'string' ? checkpoint : (checkpoint as Checkpoint | undefined)?.id;
    if (typeof id !== 'string') throw optionInvalid('checkpoint', checkpoint, 'a checkpoint, or its id');
    const { loadCheckpoint } = await importCheckpoints();
    const state = await loadCheckpoint(this.#host.store, this.id, id);
    const change = { ...this.#turn, cause: `restore ${id}`, durability: 'strict' } as const;
    await loadWhole(this.#host, this.#module, { ...change, state });
  }

  /**
   * Makes the module, with the actors inside it, what the store held of it at a time, or what a snapshot holds; all of it or nothing, as
   * {@link restore} does. What was never changed by then is as the class declares it. A time needs a store made with `withJournal`.
   * @param source a snapshot's name, or milliseconds since 1970
   * @throws as `stateAt` and {@link restore}
   */
  async restoreTo(source: StateSource): Promise<void> {
    // few go back in time: what it takes is loaded by those who do
    const { pastReader, readPastState } = await import('../snapshot/past-state.ts');
    const state = await readPastState(pastReader(this.#host.store, source), this.#module);
    const change = {
      ...this.#turn,
      cause: `restore to ${source}`,
      durability: 'strict',
      isPartial: true,
    } as const;
    await loadWhole(this.#host, this.#module, { ...change, state });
  }

  /** The versions that it can be swapped to, in semantic order. */
  versions(): Promise<readonly string[]> {
    return this.#host.versions.listOf(this.#module);
  }

  /**
   * Another version takes over while the module runs: it is constructed, given the state, migrated by its static `migrate`, and only then
   * serves. Calls in flight end on the old instance, later ones go to the new one. When it fails, the old one serves on.
   * Resolves when what is stored is of the new version, as a strict write.
   * @throws `runtime/version-not-found`, `runtime/hot-reload-failed` (the constructor threw), `runtime/state-migration-failed`,
   *   `runtime/module-load-failed` and `runtime/module-url-refused` for a file, `runtime/hot-reload-disabled`, `runtime/swap-under-way`,
   *   `runtime/compile-running`, `runtime/swap-target-invalid`, `runtime/sub-module-mismatch` when it does not fit the actors inside it
   *   or the program around it, what ended the module, `actor/peer-died`, `port/timeout`,
   *   `port/cancelled`; `state/…` when it took over and the store could not follow
   */
  swap(target: SwapTarget, options?: SwapOptions): Promise<SwapOutcome> {
    return this.#host.hotSwap.swap(this.#module, target, options);
  }

  /**
   * Swaps back to the version before the last swap. Parameters that the swap left as they were keep what they are now; the others have what
   * that version left behind. A second rollback goes forward again. @throws as {@link swap}
   */
  rollback(options?: SwapOptions): Promise<SwapOutcome> {
    return this.#host.hotSwap.rollback(this.#module, options);
  }

  /** Stops the module; its stored state stays. */
  stop(): Promise<void> {
    return this.#host.stop(this.#module);
  }

  async #setMode(mode: Mode, level: AcknowledgementLevel): Promise<void> {
    checkLevel(level);
    const change = { ...this.#turn, level };
    await setWholeMode(this.#host, this.#module, mode, change).finally(() =>
      this.#host.onStateChange(this.#module),
    );
  }

  get #turn(): { readonly clock: Clock; readonly timeoutMs: number } {
    const { clock, limits } = this.#host;
    return { clock, timeoutMs: limits.callTimeoutMs };
  }

  #handles(): ParameterHandles<M> {
    const names = this.#module.parameterNames;
    const handles = names.map((name) => [name, this.#handleOf(name)] as const);
    // the class promised these names; the module said them
    return Object.freeze(Object.fromEntries(handles)) as unknown as ParameterHandles<M>;
  }

  /** The parameter's owner may be an actor inside this one. */
  #handleOf(shownName: string): ParameterHandle<never> {
    const { module, name } = this.#module.ownerOf(shownName);
    return createParameterHandle<never>(module, name, {
      shownName,
      onChange: (record) => this.#host.onParameterChange(module, record),
      sharedOf: (parameter) => this.#host.sharedOf(module, parameter),
    });
  }
}

/** For code that refuses what it is given. */
export function idTaken(id: string): CodedError {
  return new CodedError('runtime/module-already-running', `a module with id "${id}" already runs here`, {
    fields: { module: id },
  });
}
