/** One parameter as the page knows it: the read cache, its history and who listens. */
import { deepFreeze } from '../../base/index.ts';
import type { ParameterState } from '../../program/index.ts';
import { estimateBytes } from '../history/estimate-bytes.ts';
import type { RuntimeLimits } from '../limits.ts';
import type { ParameterRecord } from '../module-protocol.ts';
import { sameData } from './same-data.ts';

/** One past change, as people see it. */
export interface ParameterUpdateRecord {
  readonly oldValue: unknown;
  readonly newValue: unknown;
  readonly cause: string;
  readonly atMs: number;
  /** The values alone are larger than a history may be, such as those of large tensors: they are left out. */
  readonly isTooLarge?: true;
}

export type ParameterListener = (newValue: unknown, oldValue: unknown) => void;

/** A parameter as the store holds it, beside its history. */
export interface StoredParameter {
  readonly state: ParameterState;
  /** The change that led to this value: it is known even when the history was not written in time. */
  readonly newest?: ParameterUpdateRecord;
}

/** A change that the page foresees while the module is still asked. */
export interface ExpectedChange {
  readonly state: ParameterState;
  readonly newest: ParameterUpdateRecord;
}

function isSameUpdate(a: ParameterUpdateRecord, b: ParameterUpdateRecord): boolean {
  return a.atMs === b.atMs && a.cause === b.cause && sameData(a.newValue, b.newValue);
}

/** The stored history, with the newest change at its end. */
function completeHistory(
  history: readonly ParameterUpdateRecord[],
  newest: ParameterUpdateRecord | undefined,
): readonly ParameterUpdateRecord[] {
  const last = history.at(-1);
  if (!newest || (last && (last.atMs > newest.atMs || isSameUpdate(last, newest)))) return history;
  return [...history, newest];
}

/** The step as a history keeps it. */
function toUpdate(update: ParameterUpdateRecord, limits: RuntimeLimits): ParameterUpdateRecord {
  if (bytesOf(update) <= limits.parameterHistoryBytes) return update;
  return {
    oldValue: undefined,
    newValue: undefined,
    cause: update.cause,
    atMs: update.atMs,
    isTooLarge: true,
  };
}

function bytesOf({ oldValue, newValue }: ParameterUpdateRecord): number {
  return estimateBytes(oldValue) + estimateBytes(newValue);
}

export class CachedParameter {
  readonly name: string;
  readonly #limits: RuntimeLimits;
  readonly #history: ParameterUpdateRecord[] = [];
  readonly #sizes: number[] = [];
  readonly #listeners = new Set<ParameterListener>();
  #historyBytes = 0;
  #state: ParameterState;
  /** What is written early and not answered yet, in order; each builds on the one before. */
  #expected: ExpectedChange[] = [];
  #isConfirmed = false;
  /** When the owner made the change that led to this state; 0 when nobody said. */
  #sequence = 0;
  #writes = 0;

  constructor(
    name: string,
    stored: StoredParameter,
    limits: RuntimeLimits,
    history: readonly ParameterUpdateRecord[] = [],
  ) {
    this.name = name;
    this.#limits = limits;
    this.#state = deepFreeze(stored.state);
    for (const update of completeHistory(history, stored.newest)) this.#remember(update);
  }

  /** What is to be written now, over everything that was written early. */
  toStored(): StoredParameter {
    this.forgetExpected();
    this.#writes++;
    const newest = this.#history.at(-1);
    return { state: this.#state, ...(newest ? { newest } : {}) };
  }

  /** Frozen: whoever reads the cache cannot change it. The numbers of a tensor must be treated as read-only. */
  get state(): ParameterState {
    return this.#state;
  }

  /** Oldest first. */
  get history(): readonly ParameterUpdateRecord[] {
    return this.#history;
  }

  /** How often something was handed out to be written: whose write was not the last must write again. */
  get writes(): number {
    return this.#writes;
  }

  /** When the owner made the newest change that is known here. */
  get sequence(): number {
    return this.#sequence;
  }

  /** What setting `value`, which nobody else holds, will lead to, after everything that is expected already. */
  expect(value: unknown, cause: string, atMs: number): ExpectedChange {
    const base = this.#expected.at(-1)?.state ?? this.#state;
    const state = { ...base, value, updatedAtMs: atMs };
    const newest = toUpdate({ oldValue: base.value, newValue: value, cause, atMs }, this.#limits);
    const expected = { state, newest };
    this.#expected.push(expected);
    return expected;
  }

  /** What is to be written for a change before it is applied, over everything that was written early. */
  foresee({ oldValue, state, cause, atMs }: ParameterRecord): StoredParameter {
    this.forgetExpected();
    this.#writes++;
    return { state, newest: toUpdate({ oldValue, newValue: state.value, cause, atMs }, this.#limits) };
  }

  /** Whether nothing older than the owner's change number `sequence`, which led to `state`, has taken its place here. */
  isSettled(state: ParameterState, sequence: number): boolean {
    if (this.#sequence > sequence) return true;
    this.#sequence = sequence;
    return this.#state === state;
  }

  /**
   * Whether the change that is applied next, which led to `state`, is the expected one, and its early write the last word on it. An owner
   * may make of a value what it likes.
   */
  confirm(expected: ExpectedChange, { value }: Pick<ParameterState, 'value'>): boolean {
    if (this.#expected[0] !== expected || !sameData(expected.state.value, value)) return false;
    this.#expected.shift();
    this.#isConfirmed = true;
    return true;
  }

  /** Early writes under way are not the last word any more. */
  forgetExpected(): void {
    this.#expected = [];
  }

  apply(change: ParameterRecord): void {
    if (!this.#isConfirmed) this.forgetExpected();
    this.#isConfirmed = false;
    const { sequence = this.#sequence, cause, atMs } = change;
    const newValue = change.state.value;
    this.#remember({ oldValue: change.oldValue, newValue, cause, atMs });
    // the news of a later change was faster
    if (sequence < this.#sequence) return;
    this.#sequence = sequence;
    this.#state = deepFreeze(change.state);
    for (const listener of this.#listeners) {
      try {
        listener(newValue, change.oldValue);
      } catch {
        // whoever watches a value must not break the write of it
      }
    }
  }

  /** The same value, as another version of the module holds it: nothing changed for whoever watches. */
  adopt(state: ParameterState, sequence: number = this.#sequence): void {
    this.forgetExpected();
    this.#isConfirmed = false;
    this.#sequence = sequence;
    this.#state = deepFreeze(state);
  }

  subscribe(listener: ParameterListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #remember(given: ParameterUpdateRecord): void {
    const update = toUpdate(given, this.#limits);
    const bytes = bytesOf(update);
    this.#history.push(update);
    this.#sizes.push(bytes);
    this.#historyBytes += bytes;
    const { parameterHistoryEntries, parameterHistoryBytes } = this.#limits;
    while (this.#history.length > parameterHistoryEntries || this.#historyBytes > parameterHistoryBytes) {
      this.#history.shift();
      this.#historyBytes -= this.#sizes.shift() ?? 0;
    }
  }
}
