/** Checks what a module is registered with. */
import { CodedError, deepFreeze, isJson } from '../../base/index.ts';
import type { JsonObject } from '../../base/index.ts';
import { shownValue } from '../check-option.ts';
import type { Dependency, WhenDown } from './dependency.ts';
import type { RuntimeLimits } from '../limits.ts';
import { checkModuleId } from '../host/module-id.ts';
import type { DependencySpec, ModuleSpec, StartOptions } from '../runtime-options.ts';

/** A spec with everything in its place; its data is a copy of its own. */
export interface CheckedSpec {
  readonly id: string;
  readonly kind: string;
  /** What it is started with, as it was given. */
  readonly options: StartOptions;
  readonly dependencies: readonly Dependency[];
  readonly metadata: JsonObject;
}

export interface SpecRules {
  readonly limits: RuntimeLimits;
  /** Kinds that are served, where the page knows them. */
  readonly kinds?: readonly string[] | undefined;
}

const restarts: readonly unknown[] = ['permanent', 'transient', 'temporary'];
const isolations: readonly unknown[] = ['shared', 'dedicated'];
const reactions: readonly unknown[] = ['wait', 'fail', 'degrade'] satisfies readonly WhenDown[];
const noDependencies: readonly Dependency[] = Object.freeze([]);
const noMetadata: JsonObject = Object.freeze({});

function refuse(field: string, value: unknown, expectation: string): CodedError {
  const said = shownValue(value);
  return new CodedError(
    'runtime/module-spec-invalid',
    `the module's ${field} is ${JSON.stringify(said).slice(0, 60)}; it must be ${expectation}`,
    { fields: { field, value: said, expectation } },
  );
}

function checkKind(kind: unknown, kinds: readonly string[] | undefined): string {
  if (typeof kind !== 'string' || kind === '')
    throw refuse('kind', kind, 'the key of a class that is served');
  if (!kinds || kinds.includes(kind)) return kind;
  throw new CodedError(
    'actor/kind-not-found',
    `no kind "${kind.slice(0, 40)}" is served here; there are: ${kinds.join(', ')}`,
    { fields: { kind: kind.slice(0, 200), known: kinds.slice(0, 100) } },
  );
}

function checkOneOf(field: string, value: unknown, allowed: readonly unknown[]): void {
  if (value === undefined || allowed.includes(value)) return;
  throw refuse(field, value, `one of ${allowed.join(', ')}`);
}

function checkDependency(given: unknown, at: number): Dependency {
  const field = `dependencies[${at}]`;
  if (typeof given !== 'object' || given === null) throw refuse(field, given, 'an object with an id');
  const { id, whenDown = 'wait' } = given as Partial<DependencySpec>;
  if (typeof id !== 'string') throw refuse(`${field}.id`, id, 'the id of a module');
  checkOneOf(`${field}.whenDown`, whenDown, reactions);
  return Object.freeze({ id: checkModuleId(id), whenDown });
}

function checkDependencies(given: unknown, { maxDependencies }: RuntimeLimits): readonly Dependency[] {
  if (given === undefined) return noDependencies;
  const expectation = `an array of at most ${maxDependencies}`;
  if (!Array.isArray(given) || given.length > maxDependencies)
    throw refuse('dependencies', given, expectation);
  const checked = given.map(checkDependency);
  const ids = new Set<string>();
  for (const [at, { id }] of checked.entries()) {
    if (ids.has(id)) throw refuse(`dependencies[${at}].id`, id, 'named once');
    ids.add(id);
  }
  return Object.freeze(checked);
}

/** The text of a value that is plain JSON; undefined for anything else, a getter that throws included. */
function jsonTextOf(given: unknown): string | undefined {
  try {
    const isObject = typeof given === 'object' && given !== null && !Array.isArray(given);
    return isObject && isJson(given) ? JSON.stringify(given) : undefined;
  } catch {
    return undefined;
  }
}

function checkMetadata(given: unknown, { maxMetadataCharacters }: RuntimeLimits): JsonObject {
  if (given === undefined) return noMetadata;
  const text = jsonTextOf(given);
  if (text === undefined) throw refuse('metadata', given, 'an object of plain JSON');
  if (text.length > maxMetadataCharacters) {
    const said = `${text.length} characters of JSON`;
    throw refuse('metadata', said, `at most ${maxMetadataCharacters} characters of JSON`);
  }
  return deepFreeze(JSON.parse(text) as JsonObject);
}

function checkRestartLimits(given: unknown): void {
  if (given === undefined) return;
  if (typeof given !== 'object' || given === null)
    throw refuse('restartLimits', given, 'an object with maxRestarts and maxSeconds');
  const { maxRestarts, maxSeconds } = given as Record<string, unknown>;
  const isWhole = (value: unknown, least: number): boolean =>
    Number.isSafeInteger(value) && (value as number) >= least;
  if (!isWhole(maxRestarts, 0))
    throw refuse('restartLimits.maxRestarts', maxRestarts, 'a whole number of at least 0');
  if (!isWhole(maxSeconds, 1))
    throw refuse('restartLimits.maxSeconds', maxSeconds, 'a whole number of at least 1');
}

function checkShared(given: unknown): void {
  if (given === undefined) return;
  const isNames = typeof given === 'object' && given !== null && !Array.isArray(given);
  if (!isNames) throw refuse('shared', given, "names of shared parameters by the module's own names");
  for (const [name, shared] of Object.entries(given)) {
    if (typeof shared !== 'string') throw refuse(`shared.${name}`, shared, 'the name of a shared parameter');
  }
}

/**
 * @param id the id to use when the spec has none
 * @throws `runtime/module-spec-invalid`, `runtime/module-id-invalid`, `actor/kind-not-found`
 */
export function checkModuleSpec(spec: unknown, id: () => string, { limits, kinds }: SpecRules): CheckedSpec {
  if (typeof spec !== 'object' || spec === null) throw refuse('spec', spec, 'an object with a kind');
  const { kind, ...options } = spec as Partial<ModuleSpec>;
  const { restart, isolation, shutdownMs, dependencies, metadata, shared, id: given } = options;
  const { version, hotReload, restartLimits } = options;
  if (given !== undefined && typeof given !== 'string') throw refuse('id', given, 'text');
  checkOneOf('restart', restart, restarts);
  checkOneOf('isolation', isolation, isolations);
  checkOneOf('hotReload', hotReload, [true, false]);
  if (version !== undefined && typeof version !== 'string') throw refuse('version', version, 'text');
  if (shutdownMs !== undefined && !(typeof shutdownMs === 'number' && shutdownMs >= 0)) {
    throw refuse('shutdownMs', shutdownMs, 'milliseconds, 0 or more');
  }
  checkRestartLimits(restartLimits);
  checkShared(shared);
  return {
    id: checkModuleId(given ?? id()),
    kind: checkKind(kind, kinds),
    options,
    dependencies: checkDependencies(dependencies, limits),
    metadata: checkMetadata(metadata, limits),
  };
}
