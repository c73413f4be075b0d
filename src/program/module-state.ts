/** The state of a program as data, and how it is taken back: everything is checked before anything changes. */
import { CodedError, isCodedError, libraryVersion } from '../base/index.ts';
import { allPredictorsOf, modulesOf, parametersOf } from './discover.ts';
import { dspyVersions } from './dspy-versions.ts';
import { isPlainObject } from './kind.ts';
import type { Module, Mode, ModuleClass } from './module.ts';
import type { ParameterState } from './parameter.ts';
import type { PredictorState } from './predict/predictor-state.ts';
import { assertKnownLayout, fitState, stateFormat } from './state-version.ts';

export type ParameterStates = Readonly<Record<string, ParameterState>>;

/** Structured-cloneable. `format` grows when the shape changes. */
export interface ModuleState {
  readonly format: 1;
  readonly className: string;
  readonly version: string;
  readonly mode: Mode;
  /** Names of sub-modules that are frozen, `self` being the root. */
  readonly compiled: readonly string[];
  readonly parameters: ParameterStates;
  /** All predictors by name, also those that DSPy's files leave out. */
  readonly predictors: Readonly<Record<string, PredictorState>>;
  /** Versions of what dumped it, by name. Absent in states of before there were any. */
  readonly dependencyVersions?: Readonly<Record<string, string>>;
}

/** What a state says that it was dumped by: this library, and the DSPy whose files it reads and writes. */
export const dependencyVersions: Readonly<Record<'vivarium' | 'dspy', string>> = Object.freeze({
  vivarium: libraryVersion,
  dspy: dspyVersions.dspy,
});

/** A part of a module's state, to be put into it at once. What is not named stays as it is. */
export interface ModuleChanges {
  /** New values of parameters, by name. */
  readonly values?: ParameterValues | undefined;
  /** When the values are said to be set; default: when they are. */
  readonly atMs?: number | undefined;
  /** Whole states of parameters, by name. */
  readonly parameters?: ParameterStates | undefined;
  readonly predictors?: Readonly<Record<string, PredictorState>> | undefined;
  /** All names of sub-modules that are frozen. */
  readonly compiled?: readonly string[] | undefined;
}

type ParameterValues = Readonly<Record<string, unknown>>;

interface DumpOptions {
  readonly withHistory?: boolean;
}

export function dumpParameters(module: Module, options: DumpOptions): ParameterStates {
  return Object.fromEntries(
    parametersOf(module).map(([name, parameter]) => [name, parameter.dumpState(options)]),
  );
}

export function dumpModule(module: Module, options: DumpOptions): ModuleState {
  const kind = module.constructor as ModuleClass;
  const predictors = allPredictorsOf(module).map(
    ([name, predictor]) => [name, predictor.dumpPredictor()] as const,
  );
  return {
    format: stateFormat,
    className: kind.name,
    version: kind.version ?? '0.0.0',
    mode: module.mode,
    compiled: modulesOf(module).flatMap(([name, each]) => (each.isCompiled ? [name] : [])),
    parameters: dumpParameters(module, options),
    predictors: Object.fromEntries(predictors),
    dependencyVersions,
  };
}

export function loadParameters(module: Module, states: ParameterStates, cause: string): void {
  const known = new Map(parametersOf(module));
  const unknown = Object.keys(states).find((name) => !known.has(name));
  if (unknown !== undefined) module.parameterNamed(unknown);
  const applies = Object.entries(states).map(([name, state]) =>
    keyed(`parameters.${name}`, () => known.get(name)?.prepareState(state, cause)),
  );
  for (const apply of applies) apply?.();
}

/** @throws `program/state-invalid`, `program/state-missing`, and as {@link fitState}; nothing has changed then */
export function loadModule(module: Module, given: unknown): void {
  assertModuleState(given, module);
  const state = fitState(given, module);
  assertModuleState(state, module);
  const parameters = parametersOf(module).map(([name, parameter]) => {
    const saved = required(state.parameters, name, 'parameters');
    return keyed(`parameters.${name}`, () => parameter.prepareState(saved));
  });
  const predictors = allPredictorsOf(module).map(([name, predictor]) => {
    const saved = required(state.predictors, name, 'predictors');
    return keyed(`predictors.${name}`, () => predictor.preparePredictor(saved));
  });
  const compiled = new Set(state.compiled);
  const modules = modulesOf(module);
  for (const apply of [...parameters, ...predictors]) apply();
  for (const [name, each] of modules) each.isCompiled = compiled.has(name);
  if (state.mode === 'train') module.train();
  else module.eval();
}

/** Checks all of the changes; what it returns applies them and cannot fail. */
export function prepareChanges(module: Module, changes: ModuleChanges, cause: string): () => void {
  const parameters = new Map(parametersOf(module));
  const predictors = new Map(allPredictorsOf(module));
  const applies = [
    ...prepareEach(changes.values, (name, value) =>
      // asked for by the wrong name, the module says which it has
      (parameters.get(name) ?? module.parameterNamed(name)).prepareSet(value, cause, changes.atMs),
    ),
    ...prepareEach(changes.parameters, (name, state) =>
      keyed(`parameters.${name}`, () =>
        (parameters.get(name) ?? module.parameterNamed(name)).prepareState(state, cause),
      ),
    ),
    ...prepareEach(changes.predictors, (name, state) =>
      keyed(`predictors.${name}`, () =>
        (predictors.get(name) ?? module.predictorNamed(name)).preparePredictor(state),
      ),
    ),
  ];
  const compiled = changes.compiled && new Set(changes.compiled);
  const modules = modulesOf(module);
  return () => {
    for (const apply of applies) apply();
    if (compiled) for (const [name, each] of modules) each.isCompiled = compiled.has(name);
  };
}

function prepareEach<T>(
  changes: Readonly<Record<string, T>> | undefined,
  prepare: (name: string, change: T) => () => void,
): (() => void)[] {
  return Object.entries(changes ?? {}).map(([name, change]) => prepare(name, change));
}

/** @throws `program/state-invalid`, `state/version-too-new` */
export function assertModuleState(state: unknown, module: Module): asserts state is ModuleState {
  if (!isPlainObject(state)) throw invalid('state', 'a plain object');
  assertKnownLayout(state.format, module.constructor.name);
  if (state.format !== stateFormat) throw invalid('format', String(stateFormat));
  if (typeof state.version !== 'string') throw invalid('version', 'a text');
  if (state.mode !== 'train' && state.mode !== 'eval') throw invalid('mode', "'train' or 'eval'");
  if (!Array.isArray(state.compiled)) throw invalid('compiled', 'a list of names');
  if (!isPlainObject(state.parameters)) throw invalid('parameters', 'states by name');
  if (!isPlainObject(state.predictors)) throw invalid('predictors', 'states by name');
}

/** DSPy's rule: what the program has must be in the state; what else is in the state is ignored. */
export function required<T>(states: Readonly<Record<string, T>>, name: string, group: string): T {
  const state = Object.hasOwn(states, name) ? states[name] : undefined;
  if (state !== undefined) return state;
  throw new CodedError('program/state-missing', `the state has no ${group} '${name}'`, {
    fields: { key: `${group}.${name}`, existing: Object.keys(states) },
  });
}

/** Runs a check; when it fails, the key of the state that failed is added to the error. */
export function keyed<T>(key: string, check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (!isCodedError(error)) throw error;
    throw new CodedError(error.code, `${key}: ${error.message}`, {
      fields: { ...error.fields, key },
      cause: error,
    });
  }
}

function invalid(key: string, expected: string): CodedError {
  return new CodedError('program/state-invalid', `${key}: expected ${expected}`, {
    fields: { key, expected },
  });
}
