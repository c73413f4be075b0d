/** One module in its worker: the class, the instance, and what was taken over from an earlier one. */
import {
  CodedError,
  compareVersions,
  isCodedError,
  isSemanticVersion,
  messageOf,
  toCodedError,
} from '../../base/index.ts';
import { describe, requireRun } from '../../program/index.ts';
import type { Module, ModuleChanges, ModuleState } from '../../program/index.ts';
import { carryState, migrationFailed, namesOfSame, noPredictors } from '../swap/carry-state.ts';
import type { ModuleCatalog } from '../version/module-catalog.ts';
import type { ModuleClass, ModuleVersion } from '../version/module-class.ts';
import type {
  CheckedState,
  Described,
  Predictors,
  StateCheckBody,
  SwapBody,
  Taken,
} from '../module-protocol.ts';
import type { RemoteParts } from '../sub-module/remote-parts.ts';
import type { CompileTools } from '../compile/served-optimizers.ts';

export interface Hosted {
  readonly catalog: ModuleCatalog;
  readonly tools: CompileTools;
  readonly kind: string;
  readonly source: ModuleVersion;
  /** Finds the sub-modules that are actors of their own, and leads their calls there. */
  readonly partsOf: (module: Module) => RemoteParts;
}

export interface Hosting extends Hosted {
  readonly module: Module;
  readonly parts: RemoteParts;
  /** Predictors that were changed since their class declared them. */
  readonly predictors: Predictors;
  /** After a start or a swap that took over the state of another instance. */
  readonly taken: Taken | undefined;
}

function construct(Class: ModuleClass): Module {
  const module = new Class();
  requireRun(module);
  return module;
}

/**
 * @param isOther another class of the same version ran before
 * @throws `runtime/module-load-failed`, `runtime/state-migration-failed`, and as `Module.loadState`
 */
export function startHosting(
  hosted: Hosted,
  state: ModuleState | undefined,
  isOther: boolean = false,
): Hosting {
  const { kind, source } = hosted;
  let module: Module;
  try {
    module = construct(source.Class);
  } catch (error) {
    throw toCodedError(error, 'runtime/module-load-failed', { fields: { kind } });
  }
  if (!state)
    return { ...hosted, module, parts: hosted.partsOf(module), predictors: noPredictors, taken: undefined };
  const predictors = carryState(module, source.Class, { state });
  const parts = hosted.partsOf(module);
  const isTakenOver = isOther || state.version !== source.version;
  return {
    ...hosted,
    module,
    parts,
    predictors,
    taken: isTakenOver ? takenFrom(state, module, predictors) : undefined,
  };
}

/**
 * A new instance of `source` with the state of the one that serves, which is not touched.
 * @throws `runtime/hot-reload-failed` when it cannot be constructed, `runtime/state-migration-failed`
 */
export function succeed(
  before: Hosting,
  source: ModuleVersion,
  { previous, shared = {} }: Pick<SwapBody, 'previous' | 'shared'> = {},
): Hosting {
  const step = `${before.source.version} → ${source.version}`;
  const module = reloading(step, () => construct(source.Class));
  const parts = reloading(step, () => before.partsOf(module));
  const state = { ...before.module.dumpState(), ...before.predictors };
  try {
    const predictors = carryState(module, source.Class, { state, previous });
    takeShared(module, shared);
    return { ...before, source, module, parts, predictors, taken: takenFrom(state, module, predictors) };
  } catch (error) {
    throw isCodedError(error, 'runtime/state-migration-failed') ? error : migrationFailed(step, error);
  }
}

/** A version that lacks one of the parameters, or has it again, is bound to what it has. @throws `program/constraint-violated` */
export function takeShared(module: Module, shared: Readonly<Record<string, unknown>>): void {
  const parameters = new Map(module.namedParameters());
  for (const [name, value] of Object.entries(shared)) {
    try {
      parameters.get(name)?.set(value, 'shared');
    } catch (error) {
      const text = `it refuses the value of the shared parameter that "${name}" is bound to, which must be set to one that fits before: ${messageOf(error)}`;
      throw new CodedError('program/constraint-violated', text, {
        fields: { parameter: name },
        cause: error,
      });
    }
  }
}

/**
 * What a state would make of the module, tried on a new instance: what it refuses, a restart could not begin with. A state that another
 * version has saved is migrated.
 * @throws `runtime/state-migration-failed`, and as `Module.loadState`
 */
export function checkState({ source }: Hosting, { state, isPartial }: StateCheckBody): CheckedState {
  const fresh = construct(source.Class);
  const isOther = state.version !== source.version;
  if (isPartial || isOther) {
    const changed = isOther ? migrateInto(fresh, source, state) : carryState(fresh, source.Class, { state });
    return { state: fresh.dumpState(), changed };
  }
  fresh.loadState(state);
  const loaded = fresh.dumpState();
  const { predictors, compiled } = loaded;
  return { state: loaded, changed: { predictors, compiled } };
}

function migrateInto(fresh: Module, { Class, version }: ModuleVersion, state: ModuleState): Predictors {
  const step = `${state.version} → ${version}`;
  if (!Class.migrate && isNewer(state.version, version))
    throw migrationFailed(step, tooNew(state.version, version));
  try {
    return carryState(fresh, Class, { state });
  } catch (error) {
    throw isCodedError(error, 'runtime/state-migration-failed') ? error : migrationFailed(step, error);
  }
}

/** A state with some parameters as they are. */
export function keeping({ module }: Hosting, kept: readonly string[], checked: CheckedState): CheckedState {
  if (kept.length === 0) return checked;
  const own = kept.map((name) => [name, module.parameterNamed(name).dumpState()] as const);
  const parameters = { ...checked.state.parameters, ...Object.fromEntries(own) };
  return { ...checked, state: { ...checked.state, parameters } };
}

/** The same with what was checked in it. */
export function loadHosting(hosting: Hosting, { state, changed }: CheckedState): Hosting {
  hosting.module.loadState(state);
  return { ...hosting, predictors: changed };
}

function isNewer(version: string, other: string): boolean {
  return isSemanticVersion(version) && compareVersions(version, other) > 0;
}

function tooNew(version: string, serves: string): Error {
  return new Error(`version ${version} is newer than ${serves}, which has no migrate that could go back`);
}

/** The same with predictors that were changed together. */
export function withChanges(hosting: Hosting, { predictors, compiled }: ModuleChanges): Hosting {
  const before = hosting.predictors;
  const changed = {
    predictors: { ...before.predictors, ...predictors },
    compiled: compiled ?? before.compiled,
  };
  return { ...hosting, predictors: changed };
}

/** What fails in `work` is why a swap failed. @throws `runtime/hot-reload-failed` */
export function reloading<T>(step: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    const inner = isCodedError(error) ? { ...error.fields, cause: error.code } : {};
    throw new CodedError('runtime/hot-reload-failed', `the swap ${step} failed: ${messageOf(error)}`, {
      fields: { ...inner, step },
      cause: error,
    });
  }
}

/** What a module says of itself when it starts or takes over. */
export function describeHosting({ module, parts, source, taken }: Hosting): Described {
  const [description, state] = [describe(module), module.dumpState()];
  return { description, state, parts: parts.names, url: source.url, edition: source.edition, taken };
}

/** What the old instance still changes goes to the new one where it means the same there, and is refused elsewhere. */
export function handOver(before: Hosting, after: Hosting, actor: string): void {
  const same = new Set(after.taken?.same);
  const heirs = new Map(after.module.namedParameters());
  const kept = new Set(heirs.values());
  for (const [name, parameter] of before.module.namedParameters()) {
    // one that both instances share stays itself
    if (kept.has(parameter)) continue;
    const heir = same.has(name) ? heirs.get(name) : undefined;
    parameter.handOver(heir ?? swapped(actor, name, after.source.version));
  }
}

function swapped(module: string, parameter: string, version: string): CodedError {
  return new CodedError(
    'runtime/swapped',
    `version ${version} of module "${module}" took over and has no such parameter "${parameter}" any more, or gave it another value or meaning`,
    { fields: { module, parameter, version } },
  );
}

function takenFrom(state: ModuleState, module: Module, predictors: Predictors): Taken {
  const same = namesOfSame(state.parameters, module.dumpParameters());
  return { from: state.version, same, ...predictors };
}
