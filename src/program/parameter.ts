/** A named, typed value of a module that people and optimizers change, under constraints and with a history. */
import { CodedError, isCodedError, messageOf } from '../base/index.ts';
import type { JsonObject } from '../base/index.ts';
import type { Clock } from '../platform/index.ts';
import { systemClock } from '../platform/index.ts';
import type { Constraints } from './constraint.ts';
import { assertConstraints, findViolation, violationError } from './constraint.ts';
import { stepGradient } from './gradient-step.ts';
import { giveBrand, hasBrand, isPlainObject, parameterBrand } from './kind.ts';
import { isParameterUpdate, ParameterHistory } from './parameter-history.ts';
import type { ParameterUpdate } from './parameter-history.ts';
import { resolveNames } from './parameter-name.ts';
import type { ParameterType, ParameterTypeOf } from './parameter-value.ts';
import { copyValue, isStorable } from './parameter-value.ts';

export interface ParameterOptions<T> {
  readonly type: ParameterTypeOf<T>;
  readonly value: T;
  /** Default: the name of the field that holds the parameter. */
  readonly name?: string;
  readonly constraints?: Constraints<T>;
  /** Whether {@link Parameter.applyGradient} is allowed. Default false. */
  readonly requiresGrad?: boolean;
  /** Default 0.01. */
  readonly learningRate?: number;
  /** Share of the old velocity that is kept, 0 ≤ momentum < 1. Default 0. */
  readonly momentum?: number;
  readonly metadata?: JsonObject;
  /** Default 100. */
  readonly historyEntries?: number;
  /** Default 1 MiB. */
  readonly historyBytes?: number;
  readonly clock?: Clock;
}

type HistoryBounds = Pick<ParameterOptions<unknown>, 'historyEntries' | 'historyBytes'>;

/** A parameter as structured-cloneable data. */
export interface ParameterState<T = unknown> {
  readonly type: ParameterType;
  readonly value: T;
  readonly requiresGrad: boolean;
  readonly gradient: unknown;
  readonly velocity: unknown;
  readonly learningRate: number;
  readonly momentum: number;
  readonly metadata: JsonObject;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
  readonly history?: readonly ParameterUpdate<T>[];
}

export interface ParameterChange<T = unknown> {
  readonly name: string;
  readonly oldValue: T;
  readonly newValue: T;
  readonly cause: string;
  readonly atMs: number;
}

export class Parameter<T = unknown> {
  static {
    giveBrand(this.prototype, parameterBrand);
  }

  readonly type: ParameterType;
  readonly constraints: Constraints<T>;
  readonly requiresGrad: boolean;
  readonly #options: unknown;
  readonly #clock: Clock;
  readonly #history: ParameterHistory<T>;
  readonly #listeners = new Set<(change: ParameterChange<never>) => void>();
  #name: string | undefined;
  #value: T;
  #gradient: unknown = null;
  #velocity: unknown = null;
  #learningRate: number;
  #momentum: number;
  #metadata: JsonObject;
  #createdAtMs: number;
  #updatedAtMs: number;
  #lastListenerError: string | undefined;
  /** Who has the value since it was handed over, if anybody has, … */
  #heir: Parameter<T> | undefined;
  /** … and why changes are refused if nobody has. */
  #refusal: CodedError | undefined;

  /** @throws `program/constraint-violated` for a bad first value, `program/constraint-invalid` for a senseless constraint. */
  constructor(options: ParameterOptions<T>) {
    this.#options = options;
    this.#name = options.name;
    this.type = options.type as ParameterType;
    this.constraints = Object.freeze({ ...options.constraints });
    assertConstraints(this.type, this.constraints);
    this.requiresGrad = options.requiresGrad ?? false;
    this.#learningRate = options.learningRate ?? 0.01;
    this.#momentum = options.momentum ?? 0;
    this.#assertRates(this.#learningRate, this.#momentum);
    this.#assertBounds(options);
    this.#metadata = copyValue(options.metadata ?? {});
    this.#clock = options.clock ?? systemClock;
    this.#history = new ParameterHistory(options.historyEntries, options.historyBytes);
    this.#value = this.#checked(options.value);
    this.#createdAtMs = this.#clock.now();
    this.#updatedAtMs = this.#createdAtMs;
  }

  /** The name of the field that holds the parameter, such as `rowLimit` or `weights[0]`. */
  get name(): string {
    if (this.#name === undefined) resolveNames();
    return this.#name ?? '(unnamed)';
  }

  /** Called by the module that finds the parameter in one of its fields; the first name stays. */
  assignName(name: string): void {
    this.#name ??= name;
  }

  /** Frozen. The numbers of a tensor are not, and must be treated as read-only. */
  get value(): T {
    return this.#heir ? this.#heir.value : this.#value;
  }

  get gradient(): unknown {
    return this.#gradient;
  }

  get learningRate(): number {
    return this.#learningRate;
  }

  get momentum(): number {
    return this.#momentum;
  }

  get metadata(): JsonObject {
    return this.#metadata;
  }

  /** Wall-clock milliseconds since 1970; a loaded state brings its own. */
  get createdAtMs(): number {
    return this.#createdAtMs;
  }

  get updatedAtMs(): number {
    return this.#updatedAtMs;
  }

  /** Oldest first; at most 100 entries and 1 MiB unless said otherwise. */
  get history(): readonly ParameterUpdate<T>[] {
    return this.#history.updates;
  }

  /** What the history holds at most. */
  get historyEntries(): number {
    return this.#history.maxEntries;
  }

  get historyBytes(): number {
    return this.#history.maxBytes;
  }

  /** Stores a copy. @throws `program/constraint-violated`; the old value stays. */
  set(value: T, cause: string = 'set'): void {
    this.prepareSet(value, cause)();
  }

  /**
   * Checks a value and returns the function that stores a copy of it and cannot fail, so that many can be set together.
   * @param atMs when the change is said to be made; default: when it is
   * @throws `program/constraint-violated`
   */
  prepareSet(value: T, cause: string = 'set', atMs?: number): () => void {
    const heir = this.#takingOver();
    if (heir) return heir.prepareSet(value, cause, atMs);
    const checked = this.#checked(value);
    return () => this.#change(checked, cause, atMs);
  }

  /**
   * One gradient step: `v = momentum·v + (1 − momentum)·g`, then `value −= learningRate·v`. When it fails, value and velocity stay.
   * @throws `program/gradient-not-required`, `program/gradient-invalid`, `program/constraint-violated`
   */
  applyGradient(gradient: T, cause: string = 'gradient'): void {
    const heir = this.#takingOver();
    if (heir) return heir.applyGradient(gradient, cause);
    const parameter = this.name;
    if (!this.requiresGrad) {
      throw new CodedError(
        'program/gradient-not-required',
        `parameter ${parameter} was declared without requiresGrad: true`,
        { fields: { parameter } },
      );
    }
    const options = { parameter, learningRate: this.#learningRate, momentum: this.#momentum };
    const step = stepGradient(this.#value, gradient, this.#velocity, options);
    const next = this.#checked(step.value as T);
    this.#velocity = copyValue(step.velocity);
    this.#gradient = copyValue(gradient);
    this.#change(next, cause);
  }

  /** Called after every change, in order of subscription. A listener that throws does not disturb the others. */
  subscribe(listener: (change: ParameterChange<T>) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** What the last listener that threw said; listeners never fail the change they watch. */
  get lastListenerError(): string | undefined {
    return this.#lastListenerError;
  }

  dumpState(options: { readonly withHistory?: boolean } = {}): ParameterState<T> {
    return {
      type: this.type,
      value: this.#value,
      requiresGrad: this.requiresGrad,
      gradient: this.#gradient,
      velocity: this.#velocity,
      learningRate: this.#learningRate,
      momentum: this.#momentum,
      metadata: this.#metadata,
      createdAtMs: this.createdAtMs,
      updatedAtMs: this.#updatedAtMs,
      ...(options.withHistory ? { history: this.#history.updates } : {}),
    };
  }

  /** @throws `program/state-invalid` or `program/constraint-violated`; nothing changes then. */
  loadState(state: ParameterState<T>, cause: string = 'load'): void {
    this.prepareState(state, cause)();
  }

  /** Checks a state and returns the function that applies it and cannot fail, so that many can be applied together. */
  prepareState(state: ParameterState<T>, cause: string = 'load'): () => void {
    const heir = this.#takingOver();
    if (heir) return heir.prepareState(state, cause);
    const expected = expectedOf(state, this.type);
    if (expected !== undefined) {
      throw new CodedError('program/state-invalid', `parameter ${this.name}: expected ${expected}`, {
        fields: { parameter: this.name, expected },
      });
    }
    const value = this.#checked(state.value);
    const { learningRate, momentum } = state;
    this.#assertRates(learningRate, momentum);
    const [gradient, velocity] = [copyValue(state.gradient ?? null), copyValue(state.velocity ?? null)];
    const metadata = copyValue(state.metadata ?? {});
    const history = state.history?.map((update) => copyValue(update));
    return () => {
      [this.#learningRate, this.#momentum] = [learningRate, momentum];
      [this.#gradient, this.#velocity, this.#metadata] = [gradient, velocity, metadata];
      this.#change(value, cause);
      if (history) this.#history.replace(history);
      if (typeof state.createdAtMs === 'number') this.#createdAtMs = state.createdAtMs;
      if (typeof state.updatedAtMs === 'number') this.#updatedAtMs = state.updatedAtMs;
    };
  }

  /**
   * From now on `heir` has the value: reads and changes go there. With an error in its place, reads give the last value and
   * changes throw that error. Hosts call it when a newer instance of a module takes over from one that still has work to end.
   */
  handOver(heir: Parameter<T> | CodedError): void {
    [this.#heir, this.#refusal] = isCodedError(heir) ? [undefined, heir] : [heir, undefined];
  }

  /** An equal parameter with its own history and no listeners. */
  clone(): Parameter<T> {
    const copy = new Parameter<T>({
      ...(this.#options as ParameterOptions<T>),
      value: this.#value,
    });
    copy.prepareState(this.dumpState({ withHistory: true }))();
    if (this.#name !== undefined) copy.assignName(this.#name);
    return copy;
  }

  #takingOver(): Parameter<T> | undefined {
    if (this.#refusal) throw this.#refusal;
    return this.#heir;
  }

  #checked(value: T): T {
    const violation = findViolation(this.type, this.constraints, value);
    if (violation) throw violationError(this.name, violation, value);
    return copyValue(value);
  }

  #assertRates(learningRate: number, momentum: number): void {
    if (learningRate > 0 && Number.isFinite(learningRate) && momentum >= 0 && momentum < 1) return;
    throw new CodedError(
      'program/parameter-invalid',
      `parameter ${this.name}: learningRate is ${learningRate}, expected above 0; momentum is ${momentum}, expected 0 ≤ momentum < 1`,
      { fields: { parameter: this.name, learningRate: String(learningRate), momentum: String(momentum) } },
    );
  }

  #assertBounds({ historyEntries = 0, historyBytes = 0 }: HistoryBounds): void {
    for (const [name, value] of Object.entries({ historyEntries, historyBytes })) {
      if (Number.isSafeInteger(value) && value >= 0) continue;
      throw new CodedError(
        'program/parameter-invalid',
        `parameter ${this.name}: ${name} is ${value}, expected an integer of at least 0`,
        { fields: { parameter: this.name, name, value: String(value) } },
      );
    }
  }

  #change(newValue: T, cause: string, atMs: number = this.#clock.now()): void {
    const oldValue = this.#value;
    this.#value = newValue;
    this.#updatedAtMs = atMs;
    this.#history.add({ oldValue, newValue, atMs, cause });
    const change: ParameterChange<T> = { name: this.name, oldValue, newValue, cause, atMs };
    for (const listener of this.#listeners) {
      try {
        listener(change as ParameterChange<never>);
      } catch (error) {
        this.#lastListenerError = messageOf(error);
      }
    }
  }
}

const stateMembers: readonly (readonly [
  keyof ParameterState,
  expected: string,
  (item: unknown) => boolean,
])[] = [
  ['gradient', 'plain data', isStorable],
  ['velocity', 'plain data', isStorable],
  ['metadata', 'a plain object of JSON', (item) => isPlainObject(item) && isStorable(item)],
  [
    'history',
    'a list of updates with atMs and cause',
    (item) => Array.isArray(item) && item.every(isParameterUpdate),
  ],
];

/** What a saved state should be and is not, in words; undefined when it can be taken over. The value is checked apart. */
function expectedOf(state: Partial<ParameterState> | null, type: ParameterType): string | undefined {
  if (typeof state !== 'object' || state?.type !== type) return `the state of a ${type}`;
  const wrong = stateMembers.find(([name, , accepts]) => state[name] !== undefined && !accepts(state[name]));
  return wrong && `${wrong[0]} to be ${wrong[1]}`;
}

/** True for parameters of this or another copy of the library. */
export function isParameter(value: unknown): value is Parameter {
  return hasBrand(value, parameterBrand);
}
