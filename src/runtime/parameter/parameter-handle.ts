/** A parameter of a hosted module: cached reads, asked reads, and writes that say what their acknowledgement means. */
import { isCodedError } from '../../base/index.ts';
import type { ParameterState } from '../../program/index.ts';
import { checkChange, checkReach } from '../check-option.ts';
import { copyGiven } from '../handle/copy-given.ts';
import type { HostedModuleRecord } from '../host/hosted.ts';
import type { EarlyWrite } from '../journal/module-journal.ts';
import type { ParameterRecord, ParameterTaken } from '../module-protocol.ts';
import type { ParameterListener, ParameterUpdateRecord } from './parameter-record.ts';
import { sameData } from './same-data.ts';
import type { BoundParameter } from './shared-plan.ts';

/**
 * What `set` waits for. `memory`: the owner checked the constraints and the page's journal holds it; survives a worker.
 * `relaxed`: committed; survives the tab and the browser being killed. `strict` (default): committed with a flush by the
 * operating system asked for. See docs/guarantees.md.
 */
export type AcknowledgementLevel = 'memory' | 'relaxed' | 'strict';

export interface SetOptions {
  readonly level?: AcknowledgementLevel;
  /** Kept in the history. Default `set`. */
  readonly cause?: string;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

export interface ParameterHandle<T = unknown> {
  readonly name: string;
  /** The cached value, at once. Never older than this handle's last acknowledged write. */
  readonly value: T;
  /** Asks the module itself. */
  get(options?: { readonly timeoutMs?: number; readonly signal?: AbortSignal }): Promise<T>;
  /**
   * A parameter that is bound to a shared one sets that, and with it every module that is bound to it.
   * @throws `runtime/option-invalid`, `program/constraint-violated`, `actor/peer-died`, `state/…` when the level was not reached: the module then has the value, the store does not
   */
  set(value: T, options?: SetOptions): Promise<void>;
  /**
   * One gradient step of the owner, as `Parameter.applyGradient`: it takes its own velocity, learning rate and momentum. The cause is
   * `gradient` unless said otherwise. A step of a bound parameter is one of the shared parameter, with the owner's velocity, and so of every
   * module that is bound to it, in the same transaction.
   * @throws `program/gradient-not-required`, `program/gradient-invalid`, and as `set`
   */
  applyGradient(gradient: T, options?: SetOptions): Promise<void>;
  /** Hears of every change, whoever made it. */
  subscribe(listener: (newValue: T, oldValue: T) => void): () => void;
  /** Oldest first, at most 100. */
  readonly history: readonly ParameterUpdateRecord[];
  readonly state: ParameterState;
}

/** What a parameter's handle needs of its runtime. */
export interface ParameterHost {
  /** The parameter as the module that was asked for it calls it, which may not be its owner. Default: its name. */
  readonly shownName?: string;
  onChange(record: ParameterRecord): void;
  /** What the parameter is bound to: then that is set. */
  sharedOf?(name: string): SharedFace | undefined;
}

interface SharedFace {
  setIn(bound: BoundParameter, value: unknown, options?: SetOptions): Promise<void>;
  stepIn(bound: BoundParameter, gradient: unknown, options?: SetOptions): Promise<void>;
}

class HostedParameter<T> implements ParameterHandle<T> {
  readonly name: string;
  readonly #module: HostedModuleRecord;
  /** The name at its owner. */
  readonly #name: string;
  readonly #host: ParameterHost;

  constructor(module: HostedModuleRecord, name: string, host: ParameterHost) {
    this.name = host.shownName ?? name;
    this.#module = module;
    this.#name = name;
    this.#host = host;
  }

  get value(): T {
    return this.state.value as T;
  }

  get state(): ParameterState {
    return this.#module.journal.parameter(this.#name).state;
  }

  get history(): readonly ParameterUpdateRecord[] {
    return this.#module.journal.parameter(this.#name).history;
  }

  async get(options: { readonly timeoutMs?: number; readonly signal?: AbortSignal } = {}): Promise<T> {
    checkReach(options);
    return (await this.#module.call('parameter-get', { name: this.#name }, options)) as T;
  }

  async set(value: T, options: SetOptions = {}): Promise<void> {
    checkChange(options);
    const shared = this.#host.sharedOf?.(this.#name);
    if (shared) return shared.setIn(this.#bound, value, options);
    const { level = 'strict', cause = 'set', timeoutMs, signal } = options;
    const { journal, asks } = this.#module;
    const order = asks.next();
    // one copy for worker, journal and store: what the caller does with its own afterwards is nobody's business
    const body = { name: this.#name, value: copyGiven(value), cause, ...(order ? { order } : {}) };
    const taken = this.#module.call('parameter-set', body, { timeoutMs, signal });
    const answer = taken.then((reply) => this.#recordOf(reply as ParameterRecord | ParameterTaken, body));
    if (level === 'memory') return this.#keep(await this.#answered(answer, level));
    // the owner checks and the disk flushes at the same time; only when both have is it acknowledged
    const early = this.#module.isOver ? undefined : journal.writeEarly(this.#name, body, level);
    const record = await this.#answered(answer, level, early);
    const isExpected =
      early !== undefined && journal.parameter(this.#name).confirm(early.expected, record.state);
    this.#onChange(isExpected ? asStored(record, early.expected) : record);
    if (isExpected) await journal.finish({ name: this.#name, committed: early.committed });
    else await journal.persist([this.#name], level);
  }

  async applyGradient(gradient: T, options: SetOptions = {}): Promise<void> {
    checkChange(options);
    const shared = this.#host.sharedOf?.(this.#name);
    if (shared) return shared.stepIn(this.#bound, gradient, options);
    const { level = 'strict', cause = 'gradient', timeoutMs, signal } = options;
    const body = { name: this.#name, gradient, cause };
    const answer = this.#module.call('parameter-step', body, {
      timeoutMs,
      signal,
    }) as Promise<ParameterRecord>;
    const record = await this.#answered(answer, level);
    if (level === 'memory') this.#keep(record);
    else {
      this.#onChange(record);
      await this.#module.journal.persist([this.#name], level);
    }
  }

  subscribe(listener: (newValue: T, oldValue: T) => void): () => void {
    return this.#module.journal.parameter(this.#name).subscribe(listener as ParameterListener);
  }

  get #bound(): BoundParameter {
    return { module: this.#module, name: this.#name };
  }

  /** Of a value that was taken as it was sent, the owner tells the time alone. */
  #recordOf(
    reply: ParameterRecord | ParameterTaken,
    { value, cause }: { readonly value: unknown; readonly cause: string },
  ): ParameterRecord {
    if (!('isTaken' in reply)) return reply;
    const { updatedAtMs, sequence } = reply;
    const { state } = this;
    const taken = { ...state, value, updatedAtMs };
    return { name: this.#name, oldValue: state.value, cause, atMs: updatedAtMs, state: taken, sequence };
  }

  /** The page alone has it. */
  #keep(record: ParameterRecord): void {
    this.#onChange(record);
    this.#module.journal.late.owe([this.#name]);
  }

  #onChange(record: ParameterRecord): void {
    this.#host.onChange(record);
  }

  /** A set that failed may have been written early, or be applied late, all the same: page and store follow the module. */
  async #answered(
    answer: Promise<ParameterRecord>,
    level: AcknowledgementLevel,
    early?: EarlyWrite,
  ): Promise<ParameterRecord> {
    try {
      return await answer;
    } catch (error) {
      this.#module.journal.parameters.get(this.#name)?.forgetExpected();
      void this.#follow(level, { isWritten: early !== undefined, error });
      throw error;
    }
  }

  async #follow(
    level: AcknowledgementLevel,
    { isWritten, error }: { readonly isWritten: boolean; readonly error: unknown },
  ): Promise<void> {
    const isUnknown = isCodedError(error, 'port/timeout') || isCodedError(error, 'port/cancelled');
    if (isUnknown) await this.#adopt();
    if (level !== 'memory' && (isWritten || isUnknown))
      await this.#module.journal.late.rewrite(this.#name, level);
  }

  /** The module's answer came too late, or will: what it has now is asked for once more. */
  async #adopt(): Promise<void> {
    try {
      const record = (await this.#module.call('parameter-record', { name: this.#name })) as ParameterRecord;
      const { value } = this.state;
      if (!sameData(record.state.value, value)) this.#onChange({ ...record, oldValue: value });
    } catch {
      // it died, and starts again from what the page has
    }
  }
}

/** The record of a change with the time under which it was stored. */
function asStored(record: ParameterRecord, { newest, state }: EarlyWrite['expected']): ParameterRecord {
  return { ...record, atMs: newest.atMs, state: { ...record.state, updatedAtMs: state.updatedAtMs } };
}

export function createParameterHandle<T>(
  module: HostedModuleRecord,
  name: string,
  host: ParameterHost,
): ParameterHandle<T> {
  return new HostedParameter<T>(module, name, host);
}
