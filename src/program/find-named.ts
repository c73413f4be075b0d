/** Finding one of the parts of a program by its name, or some by their class. */
import { CodedError } from '../base/index.ts';
import type { Named } from './discover.ts';
import { hasBrand, moduleBrand } from './kind.ts';
import type { Module } from './module.ts';

/** A class of modules, or a function that accepts a module. */
export type SubModuleType<M extends Module> =
  | (abstract new (...all: never[]) => M)
  | ((module: Module) => module is M)
  | ((module: Module) => boolean);

/** Brands are on prototypes, so a class of modules shows one where a guard does not. */
export function acceptorOf<M extends Module>(
  type: SubModuleType<M> | undefined,
): (module: Module) => boolean {
  if (type === undefined) return () => true;
  const isClass = hasBrand(type.prototype, moduleBrand);
  return isClass ? (module) => module instanceof type : (type as (module: Module) => boolean);
}

/** In the same order. */
export function namesOf(named: readonly Named<unknown>[]): string[] {
  return named.map(([name]) => name);
}

/** @throws `program/parameter-not-found`, `program/predictor-not-found`, `program/sub-module-not-found`, naming what exists */
export function namedOf<T>(
  what: 'parameter' | 'predictor' | 'sub-module',
  name: string,
  named: readonly Named<T>[],
): T {
  const found = named.find(([each]) => each === name);
  if (found) return found[1];
  const existing = namesOf(named);
  const list = existing.length === 0 ? 'there are none' : `there are: ${existing.join(', ')}`;
  throw new CodedError(`program/${what}-not-found`, `there is no ${what} '${name}'; ${list}`, {
    fields: { name, existing },
  });
}
