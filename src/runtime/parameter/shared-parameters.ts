/** The shared parameters of one runtime, and which modules are bound to them. */
import { CodedError } from '../../base/index.ts';
import type { ParameterType } from '../../program/index.ts';
import { shownValue } from '../check-option.ts';
import type { HostedModuleRecord } from '../host/hosted.ts';
import type { ParameterRecord } from '../module-protocol.ts';
import { openSharedParameter, sharedNotFound } from './shared-parameter.ts';
import type { HostedSharedParameter, SharedDefinition, SharedHost } from './shared-parameter.ts';
import { inTurn } from './whole-change.ts';

const maxNameCharacters = 128;
const wellFormed = /^[\w.:-]+$/u;

/** A module's names for shared parameters. */
type Pairs = readonly (readonly [string, HostedSharedParameter])[];

export class SharedParameters {
  readonly #host: SharedHost;
  readonly #opening = new Map<string, Promise<HostedSharedParameter>>();
  readonly #open = new Map<string, HostedSharedParameter>();
  /** By module, then by the module's name for it; also names that only other versions of the module have. */
  readonly #declared = new WeakMap<HostedModuleRecord, ReadonlyMap<string, HostedSharedParameter>>();

  constructor(host: SharedHost) {
    this.#host = host;
  }

  /**
   * Opens a shared parameter, or gives the one that is open.
   * @throws `runtime/shared-not-found` when it is not open and not defined, `runtime/shared-invalid` for a bad name, another type or
   *   too many, `program/constraint-violated` when the stored value does not satisfy the definition
   */
  async open(name: string, definition?: SharedDefinition): Promise<HostedSharedParameter> {
    const opening = this.#opening.get(name) ?? this.#begin(name, definition);
    const shared = await opening;
    if (definition && definition.type !== shared.type) {
      throw invalid(name, `shared parameter "${name}" has type ${shared.type}, not ${definition.type}`);
    }
    return shared;
  }

  /** All that are open. */
  get all(): readonly HostedSharedParameter[] {
    return [...this.#open.values()];
  }

  /** What a module's parameter is bound to. */
  sharedOf(module: HostedModuleRecord, name: string): HostedSharedParameter | undefined {
    return this.#declared.get(module)?.get(name);
  }

  /** The values of what a module is bound to, by its names; undefined when it is not bound. */
  valuesOf(module: HostedModuleRecord): Readonly<Record<string, unknown>> | undefined {
    const declared = this.#declared.get(module);
    return declared && Object.fromEntries([...declared].map(([name, { value }]) => [name, value]));
  }

  /**
   * Binds a module before it serves, without `names` to what it was bound to when it ended. @throws `runtime/shared-not-found`, and what the module has against
   *   the values
   */
  async bind(module: HostedModuleRecord, names?: Readonly<Record<string, string>>): Promise<void> {
    const pairs = names ? this.#pairsOf(module, names) : this.#remembered(module);
    // before it has the values: who sets one meanwhile sets it for all
    if (names && pairs.length > 0) this.#declared.set(module, new Map(pairs));
    for (const shared of new Set(pairs.map(([, each]) => each))) {
      await shared.bind(
        module,
        pairs.flatMap(([name, each]) => (each === shared ? [name] : [])),
      );
    }
  }

  /** Another instance of a module has taken over: it gets the shared values, for what it still has. */
  rebind(module: HostedModuleRecord): void {
    const declared = this.#declared.get(module);
    if (!declared) return;
    // a later version, as after a rollback, may have the others again
    const pairs = this.#remembered(module);
    for (const shared of new Set(declared.values())) {
      const names = pairs.flatMap(([name, each]) => (each === shared ? [name] : []));
      shared.bind(module, names).catch((error: unknown) => this.#host.onFailure(error));
    }
  }

  /** A module changed a parameter by itself. */
  follow(module: HostedModuleRecord, record: ParameterRecord, isCorrection: boolean = false): void {
    this.sharedOf(module, record.name)?.follow(module, record, isCorrection);
  }

  #pairsOf(module: HostedModuleRecord, names: Readonly<Record<string, string>>): Pairs {
    const pairs = Object.entries(names).map(([name, shared]) => [name, this.#find(shared)] as const);
    for (const [name] of pairs) module.journal.parameter(name);
    return pairs;
  }

  /** For what the module still has. */
  #remembered(module: HostedModuleRecord): Pairs {
    return [...(this.#declared.get(module) ?? [])].filter(([name]) => module.journal.parameters.has(name));
  }

  #begin(name: string, definition: SharedDefinition | undefined): Promise<HostedSharedParameter> {
    if (!definition) throw sharedNotFound(name, [...this.#open.keys()]);
    if (typeof name !== 'string' || name.length > maxNameCharacters || !wellFormed.test(name)) {
      const shown = JSON.stringify(String(name).slice(0, 40));
      throw invalid(
        String(name).slice(0, 200),
        `shared name ${shown} is not 1 to ${maxNameCharacters} letters, digits, "_", ".", ":" or "-"`,
      );
    }
    checkDefinition(name, definition);
    const { maxSharedParameters } = this.#host.limits;
    if (this.#opening.size >= maxSharedParameters) {
      throw invalid(name, `this runtime already has ${maxSharedParameters} shared parameters`);
    }
    const { clock, reading, limits } = this.#host;
    const turn = { clock, timeoutMs: limits.callTimeoutMs, isAlone: false };
    const opening = inTurn([reading], turn, () => openSharedParameter(name, definition, this.#host));
    this.#opening.set(name, opening);
    opening.then(
      (shared) => this.#open.set(name, shared),
      () => this.#opening.delete(name),
    );
    return opening;
  }

  #find(name: string): HostedSharedParameter {
    const shared = this.#open.get(name);
    if (shared) return shared;
    throw sharedNotFound(name, [...this.#open.keys()]);
  }
}

/** What parameters can be: the definition comes from code that may have no types. */
const types: readonly unknown[] = [
  'number',
  'string',
  'boolean',
  'list',
  'map',
  'tensor',
  'predictor-state',
] satisfies readonly ParameterType[];

function checkDefinition(name: string, definition: unknown): void {
  const type: unknown = (definition as Partial<SharedDefinition>).type;
  if (types.includes(type)) return;
  const found = JSON.stringify(shownValue(type)).slice(0, 60);
  throw invalid(
    name,
    `the type of shared parameter "${name}" is ${found}, but must be one of ${types.join(', ')}`,
  );
}

function invalid(name: string, message: string): CodedError {
  return new CodedError('runtime/shared-invalid', message, { fields: { shared: name } });
}
