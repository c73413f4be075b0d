/** Changes of a module without some of its parameters. */
import type { ModuleChanges } from '../../program/index.ts';

type Named<T> = Readonly<Record<string, T>> | undefined;

function without<T>(values: Named<T>, names: ReadonlySet<string>): Named<T> {
  return values && Object.fromEntries(Object.entries(values).filter(([name]) => !names.has(name)));
}

export function withoutParameters(changes: ModuleChanges, names: ReadonlySet<string>): ModuleChanges {
  if (names.size === 0) return changes;
  const [values, parameters] = [without(changes.values, names), without(changes.parameters, names)];
  return { ...changes, ...(values && { values }), ...(parameters && { parameters }) };
}
