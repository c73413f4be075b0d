/** Taking over a state that may be older than the class. */
import type { Module, ModuleState } from '../../program/index.ts';

/** Names that the class has now and the state had then; what is new keeps its own value, what is gone is dropped. */
function overlay<T>(
  own: Readonly<Record<string, T>>,
  stored: Readonly<Record<string, T>>,
): Record<string, T> {
  return Object.fromEntries(Object.keys(own).map((name) => [name, (stored[name] ?? own[name]) as T]));
}

/** @throws `program/state-invalid`, `program/constraint-violated` */
export function loadStored(module: Module, stored: ModuleState): void {
  const own = module.dumpState();
  const modules = new Set(module.namedSubModules().map(([name]) => name));
  module.loadState({
    ...stored,
    // what another version left is taken over by name
    version: own.version,
    compiled: stored.compiled.filter((name) => modules.has(name)),
    parameters: overlay(own.parameters, stored.parameters),
    predictors: overlay(own.predictors, stored.predictors),
  });
}
