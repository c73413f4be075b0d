/** A parameter of a hosted module: cached reads, asked reads, and writes that say what their acknowledgement means. */
import type { ParameterState } from '../program/index.ts';
import type { HostedModuleRecord } from './hosted.ts';
import type { ParameterRecord } from './module-protocol.ts';
import type { ParameterListener, ParameterUpdateRecord } from './parameter-record.ts';

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
  /** @throws `program/constraint-violated`, `actor/peer-died`, `state/…` when the level was not reached: the module then has the value, the store does not */
  set(value: T, options?: SetOptions): Promise<void>;
  /** Hears of every change, whoever made it. */
  subscribe(listener: (newValue: T, oldValue: T) => void): () => void;
  /** Oldest first, at most 100. */
  readonly history: readonly ParameterUpdateRecord[];
  readonly state: ParameterState;
}

class HostedParameter<T> implements ParameterHandle<T> {
  readonly name: string;
  readonly #module: HostedModuleRecord;
  readonly #onChange: (record: ParameterRecord) => void;

  constructor(module: HostedModuleRecord, name: string, onChange: (record: ParameterRecord) => void) {
    this.name = name;
    this.#module = module;
    this.#onChange = onChange;
  }

  get value(): T {
    return this.state.value as T;
  }

  get state(): ParameterState {
    return this.#module.journal.parameter(this.name).state;
  }

  get history(): readonly ParameterUpdateRecord[] {
    return this.#module.journal.parameter(this.name).history;
  }

  get(options: { readonly timeoutMs?: number; readonly signal?: AbortSignal } = {}): Promise<T> {
    return this.#module.call('parameter-get', { name: this.name }, options) as Promise<T>;
  }

  async set(value: T, options: SetOptions = {}): Promise<void> {
    const { level = 'strict', cause = 'set', timeoutMs, signal } = options;
    const body = { name: this.name, value, cause };
    const record = (await this.#module.call('parameter-set', body, { timeoutMs, signal })) as ParameterRecord;
    this.#onChange(record);
    if (level !== 'memory') await this.#module.journal.persist([this.name], level);
  }

  subscribe(listener: (newValue: T, oldValue: T) => void): () => void {
    return this.#module.journal.parameter(this.name).subscribe(listener as ParameterListener);
  }
}

export function createParameterHandle<T>(
  module: HostedModuleRecord,
  name: string,
  onChange: (record: ParameterRecord) => void,
): ParameterHandle<T> {
  return new HostedParameter<T>(module, name, onChange);
}
