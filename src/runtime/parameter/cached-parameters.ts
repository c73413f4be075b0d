/** All parameters of one module as the page knows them, and who listens to all of them. */
import { CodedError } from '../../base/index.ts';
import type { ParameterState } from '../../program/index.ts';
import type { RuntimeLimits } from '../limits.ts';
import type { ParameterRecord } from '../module-protocol.ts';
import { CachedParameter } from './parameter-record.ts';
import type { ParameterUpdateRecord, StoredParameter } from './parameter-record.ts';

/** Hears of every change of every parameter of one module. */
export type ChangeListener = (change: ParameterRecord) => void;

export class CachedParameters {
  readonly #module: string;
  readonly #limits: RuntimeLimits;
  readonly #byName = new Map<string, CachedParameter>();
  readonly #listeners = new Set<ChangeListener>();

  /** @param module its id */
  constructor(module: string, limits: RuntimeLimits) {
    this.#module = module;
    this.#limits = limits;
  }

  get byName(): ReadonlyMap<string, CachedParameter> {
    return this.#byName;
  }

  get names(): readonly string[] {
    return [...this.#byName.keys()];
  }

  /** The newest change that the owner has told of. */
  get sequence(): number {
    return [...this.#byName.values()].reduce((last, { sequence }) => Math.max(last, sequence), 0);
  }

  /** What each is at this moment. */
  get known(): ReadonlyMap<string, ParameterState> {
    return new Map([...this.#byName].map(([name, { state }]) => [name, state]));
  }

  has(name: string): boolean {
    return this.#byName.has(name);
  }

  get(name: string): CachedParameter | undefined {
    return this.#byName.get(name);
  }

  /** @throws `program/parameter-not-found`, naming what exists */
  find(name: string): CachedParameter {
    const parameter = this.#byName.get(name);
    if (parameter) return parameter;
    const known = this.names;
    throw new CodedError(
      'program/parameter-not-found',
      `module "${this.#module}" has no parameter "${name}"; there are: ${known.join(', ') || 'none'}`,
      { fields: { module: this.#module, parameter: name, known } },
    );
  }

  add(name: string, stored: StoredParameter, history?: readonly ParameterUpdateRecord[]): void {
    this.#byName.set(name, new CachedParameter(name, stored, this.#limits, history));
  }

  delete(name: string): void {
    this.#byName.delete(name);
  }

  /** Takes a change over: from here on a lost worker cannot lose it. */
  apply(change: ParameterRecord): void {
    this.find(change.name).apply(change);
    for (const listener of this.#listeners) {
      try {
        listener(change);
      } catch {
        // whoever watches a module must not break the write of it
      }
    }
  }

  /** Hears of every change of every parameter, whoever made it. */
  subscribe(listener: ChangeListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
