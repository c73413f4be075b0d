/** A change of a program whose sub-modules are actors of their own, as one change for each owner. */
import type { ModuleChanges } from '../../program/index.ts';
import type { ChangePart } from './change-together.ts';
import type { HostedModuleRecord } from '../host/hosted.ts';
import type { HostedPart } from '../sub-module/hosted-part.ts';

type Named<T> = Readonly<Record<string, T>> | undefined;

/** Those with a name in `names` under the name there, the others as they are. */
function divide<T>(values: Named<T>, names: ReadonlyMap<string, string>): readonly [Named<T>, Named<T>] {
  if (!values) return [undefined, undefined];
  const entries = Object.entries(values);
  const inside = entries.flatMap(([name, value]) => {
    const own = names.get(name);
    return own === undefined ? [] : [[own, value] as const];
  });
  const outside = entries.filter(([name]) => !names.has(name));
  return [inside.length > 0 ? Object.fromEntries(inside) : undefined, Object.fromEntries(outside)];
}

const inward = (names: Readonly<Record<string, string>>): ReadonlyMap<string, string> =>
  new Map(Object.entries(names).map(([own, outer]) => [outer, own]));

/** Only what there is something of. */
function changesOf(changes: { [K in keyof ModuleChanges]: ModuleChanges[K] | undefined }): ModuleChanges {
  return Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined));
}

function divideChanges(
  changes: ModuleChanges,
  { names, ownNames }: HostedPart,
): readonly [inside: ModuleChanges, outside: ModuleChanges] {
  const [values, otherValues] = divide(changes.values, ownNames);
  const [parameters, otherParameters] = divide(changes.parameters, ownNames);
  const [predictors, otherPredictors] = divide(changes.predictors, inward(names.predictors));
  const { compiled } = changes;
  const isCompiled = new Set(compiled);
  const inside = Object.entries(names.modules).flatMap(([own, outer]) =>
    isCompiled.has(outer) ? [own] : [],
  );
  return [
    changesOf({ values, parameters, predictors, compiled: compiled && inside }),
    changesOf({ ...changes, values: otherValues, parameters: otherParameters, predictors: otherPredictors }),
  ];
}

const isEmpty = (changes: ModuleChanges): boolean => Object.keys(changes).length === 0;

function divideModule(module: HostedModuleRecord, part: ChangePart): readonly ChangePart[] {
  const divided: ChangePart[] = [];
  let { changes } = part;
  for (const inside of module.parts.values()) {
    const [own, rest] = divideChanges(changes, inside);
    changes = rest;
    // only the module around it has said that it takes them
    if (!isEmpty(own)) divided.push(...byOwner({ module: inside.module, changes: own, cause: part.cause }));
  }
  return [{ ...part, changes }, ...divided];
}

/** The module's own changes first. */
export function byOwner(part: ChangePart): readonly ChangePart[] {
  return part.module.parts.size === 0 ? [part] : divideModule(part.module, part);
}
