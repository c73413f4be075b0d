/** One parameter as the page knows it: the read cache, its history and who listens. */
import type { ParameterState } from '../program/index.ts';
import type { ParameterRecord } from './module-protocol.ts';

/** One past change, as people see it. */
export interface ParameterUpdateRecord {
  readonly oldValue: unknown;
  readonly newValue: unknown;
  readonly cause: string;
  readonly atMs: number;
}

export type ParameterListener = (newValue: unknown, oldValue: unknown) => void;

export class CachedParameter {
  readonly name: string;
  readonly #maxHistory: number;
  readonly #history: ParameterUpdateRecord[] = [];
  readonly #listeners = new Set<ParameterListener>();
  #state: ParameterState;
  /** Updates ever seen; numbers the entries in the store. */
  #updates = 0;

  constructor(name: string, state: ParameterState, maxHistory: number) {
    this.name = name;
    this.#state = state;
    this.#maxHistory = maxHistory;
  }

  get state(): ParameterState {
    return this.#state;
  }

  get updates(): number {
    return this.#updates;
  }

  /** Oldest first. */
  get history(): readonly ParameterUpdateRecord[] {
    return this.#history;
  }

  /** Takes over a history from the store; it does not count as a change. */
  loadHistory(history: readonly ParameterUpdateRecord[], updates: number): void {
    this.#history.splice(0, this.#history.length, ...history.slice(-this.#maxHistory));
    this.#updates = updates;
  }

  apply(change: ParameterRecord): void {
    const newValue = change.state.value;
    this.#state = change.state;
    this.#updates++;
    this.#history.push({ oldValue: change.oldValue, newValue, cause: change.cause, atMs: change.atMs });
    if (this.#history.length > this.#maxHistory) this.#history.shift();
    for (const listener of this.#listeners) {
      try {
        listener(newValue, change.oldValue);
      } catch {
        // whoever watches a value must not break the write of it
      }
    }
  }

  subscribe(listener: ParameterListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
