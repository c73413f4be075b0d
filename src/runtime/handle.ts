/** What the page holds of a hosted module. Typed from the module's class. */
import { CodedError, isCodedError, messageOf } from '../base/index.ts';
import type { JsonObject } from '../base/index.ts';
import type { Clock } from '../platform/index.ts';
import type { InputOf, Mode, Module, ModuleDescription, ModuleState, RunWire } from '../program/index.ts';
import type { Store } from '../state/index.ts';
import { createSpan } from '../telemetry/index.ts';
import type { Hub, SpanContext } from '../telemetry/index.ts';
import { loadCheckpoint, saveCheckpoint } from './checkpoint.ts';
import type { Checkpoint } from './checkpoint.ts';
import type { ExecutionRecord, ModuleMetrics } from './execution-history.ts';
import type { ParameterNames, ParameterValue, ReplyOf } from './handle-types.ts';
import type { HostedModuleRecord, ModuleStatus } from './hosted.ts';
import type { RuntimeLimits } from './limits.ts';
import type { ForwardBody, ParameterRecord } from './module-protocol.ts';
import { createParameterHandle } from './parameter-handle.ts';
import type { AcknowledgementLevel, ParameterHandle } from './parameter-handle.ts';

export interface ForwardOptions {
  /** Default 120,000. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /** The call may be made twice: a lost worker is then a retry, not an error. Default false. */
  readonly isIdempotent?: boolean;
  /** Hears of stream parts of the model while the call runs. */
  readonly onDelta?: (delta: unknown) => void;
  /** The caller's span; the call becomes its child. */
  readonly span?: SpanContext;
  /** The program's own settings, read as `run.settings.values`. */
  readonly values?: JsonObject;
}

/** What a handle needs of its runtime. */
export interface HandleHost {
  readonly clock: Clock;
  readonly hub: Hub;
  readonly store: Store;
  readonly limits: RuntimeLimits;
  forwardContext(): Pick<ForwardBody, 'lm' | 'hasExecutor'>;
  onParameterChange(module: HostedModuleRecord, record: ParameterRecord): void;
  stop(module: HostedModuleRecord): Promise<void>;
}

export class ModuleHandle<M = Module> {
  /** One handle per declared parameter, by name; those of sub-modules have dotted names. */
  readonly parameters: { readonly [K in ParameterNames<M>]: ParameterHandle<ParameterValue<M, K>> };
  readonly #module: HostedModuleRecord;
  readonly #host: HandleHost;

  constructor(module: HostedModuleRecord, host: HandleHost) {
    this.#module = module;
    this.#host = host;
    const handles = [...module.journal.parameters.keys()].map(
      (name) => [name, this.#handleOf(name)] as const,
    );
    // the class promised these names; the module said them
    this.parameters = Object.freeze(Object.fromEntries(handles)) as unknown as typeof this.parameters;
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

  /** Names, types, options and signatures, as data. */
  get description(): ModuleDescription | undefined {
    return this.#module.description;
  }

  /** Oldest first, at most 1,000. */
  get history(): readonly ExecutionRecord[] {
    return this.#module.history.records;
  }

  get metrics(): ModuleMetrics {
    return this.#module.history.metrics(this.#module.restarts);
  }

  onStatus(listener: (status: ModuleStatus) => void): () => void {
    return this.#module.onStatus(listener);
  }

  /** A parameter by its dotted name. @throws `program/parameter-not-found` */
  parameter(name: string): ParameterHandle {
    this.#module.journal.parameter(name);
    return this.#handleOf(name);
  }

  /**
   * Runs `forward` in the module's worker.
   * @throws what `forward` throws; `port/timeout`, `port/cancelled`, `actor/peer-died`, `actor/mailbox-full`,
   *   `port/not-cloneable` for an input or an answer that cannot cross, `program/forward-not-implemented`
   */
  async call(input: InputOf<M>, options: ForwardOptions = {}): Promise<ReplyOf<M>> {
    const { clock, hub, limits } = this.#host;
    const { timeoutMs = limits.callTimeoutMs, onDelta, isIdempotent, signal } = options;
    const span = createSpan(options.span);
    const run: RunWire = {
      span,
      path: '',
      depth: 0,
      isTraced: false,
      values: options.values ?? {},
      ...(timeoutMs === Infinity ? {} : { remainingMs: timeoutMs }),
    };
    const body: ForwardBody = {
      input,
      run,
      wantsDeltas: onDelta !== undefined,
      ...this.#host.forwardContext(),
    };
    const startedMs = clock.monotonic();
    const started = { input, startedAtMs: clock.now(), traceId: span.traceId };
    hub.emit({ type: 'call-start', actor: this.id, method: 'forward', span });
    this.#module.openCalls += 1;
    try {
      const output = await this.#module.call('forward', body, {
        timeoutMs,
        signal,
        span,
        onDelta,
        isIdempotent,
      });
      const durationMs = clock.monotonic() - startedMs;
      this.#module.history.add({ ...started, output, durationMs });
      hub.emit({ type: 'call-end', actor: this.id, method: 'forward', durationMs, span });
      return output as ReplyOf<M>;
    } catch (thrown) {
      const error = {
        code: isCodedError(thrown) ? thrown.code : ('port/callee-threw' as const),
        message: messageOf(thrown),
      };
      const durationMs = clock.monotonic() - startedMs;
      this.#module.history.add({ ...started, error, durationMs });
      hub.emit({ type: 'call-fail', actor: this.id, method: 'forward', durationMs, error, span });
      throw thrown;
    } finally {
      this.#module.openCalls -= 1;
    }
  }

  /** Sets the mode of the whole tree; it survives restarts, and reloads at the level asked for. */
  train(level: AcknowledgementLevel = 'strict'): Promise<void> {
    return this.#setMode('train', level);
  }

  eval(level: AcknowledgementLevel = 'strict'): Promise<void> {
    return this.#setMode('eval', level);
  }

  /** Saves parameters, predictors and mode as one record. Resolves when it is committed strictly. */
  async checkpoint(): Promise<Checkpoint> {
    const state = (await this.#module.call('state-dump', null)) as ModuleState;
    const checkpoint = await saveCheckpoint(this.#host.store, {
      module: this.id,
      state,
      clock: this.#host.clock,
    });
    this.#host.hub.emit({ type: 'checkpoint-save', module: this.id, checkpoint: checkpoint.id });
    return checkpoint;
  }

  /** Puts a checkpoint back, all of it or nothing, and commits the result. @throws `runtime/checkpoint-not-found`, `state/checksum-failed`, `program/state-invalid` */
  async restore(checkpoint: Checkpoint | string): Promise<void> {
    const id = typeof checkpoint === 'string' ? checkpoint : checkpoint.id;
    const state = await loadCheckpoint(this.#host.store, this.id, id);
    const loaded = (await this.#module.call('state-load', state)) as ModuleState;
    this.#module.journal.replace(loaded, this.#host.clock.now(), `restore ${id}`);
    await this.#module.journal.persistAll('strict');
  }

  /** Stops the module; its stored state stays. */
  stop(): Promise<void> {
    return this.#host.stop(this.#module);
  }

  async #setMode(mode: Mode, level: AcknowledgementLevel): Promise<void> {
    await this.#module.call('mode-set', mode);
    this.#module.journal.setMode(mode);
    if (level !== 'memory') await this.#module.journal.persistMeta(level);
  }

  #handleOf(name: string): ParameterHandle<never> {
    return createParameterHandle<never>(this.#module, name, (record) =>
      this.#host.onParameterChange(this.#module, record),
    );
  }
}

/** For code that refuses what it is given. */
export function idTaken(id: string): CodedError {
  return new CodedError('runtime/module-already-running', `a module with id "${id}" already runs here`, {
    fields: { module: id },
  });
}
