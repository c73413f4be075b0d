/** How the state of one version becomes the state of another. Everything is checked on the new instance before anybody uses it. */
import { CodedError, isCodedError, messageOf } from '../../base/index.ts';
import { sameValue } from '../../program/index.ts';
import type { Module, ModuleState, ParameterStates } from '../../program/index.ts';
import type { ModuleClass } from '../version/module-class.ts';
import type { PreviousVersion, Predictors } from '../module-protocol.ts';

export interface CarryRequest {
  /** What there is to take over, and the version that it is of. */
  readonly state: ModuleState;
  /** Only for a way back: what this version left behind. */
  readonly previous?: PreviousVersion | undefined;
}

/** Names that the class has now and the state had then; what is new keeps its own value, what is gone is dropped. */
function overlay<T>(
  own: Readonly<Record<string, T>>,
  stored: Readonly<Record<string, T>>,
): Record<string, T> {
  return Object.fromEntries(Object.keys(own).map((name) => [name, (stored[name] ?? own[name]) as T]));
}

/**
 * Loads the state into a new module of `Class`, migrated if it is of another version.
 * @returns the predictors that were taken over, those that had been changed
 * @throws `runtime/state-migration-failed`; what `loadState` throws when nothing was to be migrated
 */
export function carryState(module: Module, Class: ModuleClass, request: CarryRequest): Predictors {
  const { state, previous } = request;
  const { version = '0.0.0' } = Class;
  if (previous) return load(module, goBack(module, state, previous));
  if (version === state.version || !Class.migrate) return load(module, state);
  try {
    return load(module, migrate(module, Class, state));
  } catch (error) {
    throw migrationFailed(`${state.version} → ${version}`, error);
  }
}

function load(module: Module, state: ModuleState): Predictors {
  const own = module.dumpState();
  const modules = new Set(module.namedSubModules().map(([name]) => name));
  const predictors = keepKnown(state.predictors, own.predictors);
  const compiled = state.compiled.filter((name) => modules.has(name));
  module.loadState({
    ...state,
    // whether the versions go together was decided before
    version: own.version,
    compiled,
    parameters: overlay(own.parameters, state.parameters),
    predictors: { ...own.predictors, ...predictors },
  });
  return { predictors, compiled };
}

function keepKnown<T>(
  states: Readonly<Record<string, T>>,
  known: Readonly<Record<string, unknown>>,
): Record<string, T> {
  return Object.fromEntries(Object.entries(states).filter(([name]) => Object.hasOwn(known, name)));
}

/** Parameters that have the same type and value before and after: whoever knew one knows the other. */
export function namesOfSame(before: ParameterStates, after: ParameterStates): readonly string[] {
  return Object.keys(after).filter((name) => {
    const [old, now] = [before[name], after[name]];
    return old !== undefined && old.type === now?.type && sameValue(old.value, now.value);
  });
}

/** What the version left behind, with what has changed since and still means the same. */
function goBack(module: Module, state: ModuleState, previous: PreviousVersion): ModuleState {
  const parameters = { ...previous.state.parameters };
  for (const name of previous.same) {
    const current = state.parameters[name];
    if (current && accepts(module, name, current)) parameters[name] = current;
  }
  return { ...previous.state, mode: state.mode, parameters };
}

function accepts(module: Module, name: string, state: ParameterStates[string]): boolean {
  try {
    module.parameterNamed(name).prepareState(state);
    return true;
  } catch {
    return false;
  }
}

function migrate(module: Module, Class: ModuleClass, state: ModuleState): ModuleState {
  // a migration that keeps, or changes, what it was given must not reach the state of the version that still serves
  const migrated: unknown = Class.migrate?.(structuredClone(state), state.version);
  if (typeof (migrated as Partial<Promise<unknown>> | null)?.then === 'function')
    throw rubbish('a promise; a migration is synchronous');
  if (!isState(migrated)) throw rubbish('no state with parameters, predictors and compiled');
  const { parameters } = migrated;
  const known = new Set([...Object.keys(module.dumpParameters()), ...Object.keys(state.parameters)]);
  const unknown = Object.keys(parameters).find((name) => !known.has(name));
  if (unknown !== undefined)
    throw rubbish(`a parameter "${unknown.slice(0, 100)}", which neither version declares`);
  return structuredClone(migrated);
}

function isState(value: unknown): value is ModuleState {
  if (typeof value !== 'object' || value === null) return false;
  const { parameters, predictors, compiled } = value as Partial<ModuleState>;
  const isRecord = (part: unknown): boolean =>
    typeof part === 'object' && part !== null && !Array.isArray(part);
  return isRecord(parameters) && isRecord(predictors) && Array.isArray(compiled);
}

function rubbish(found: string): CodedError {
  return new CodedError('runtime/state-migration-failed', `migrate returned ${found}`, {
    fields: { found },
  });
}

/** @param step such as `1.0.0 → 1.1.0` */
export function migrationFailed(step: string, cause: unknown): CodedError {
  const inner = isCodedError(cause) ? { ...cause.fields, cause: cause.code } : {};
  return new CodedError(
    'runtime/state-migration-failed',
    `the state could not be taken over, ${step}: ${messageOf(cause)}`,
    { fields: { ...inner, step }, cause },
  );
}

/** Nothing was changed: predictors follow their class. */
export const noPredictors: Predictors = { predictors: {}, compiled: [] };
