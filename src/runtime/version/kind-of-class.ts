/** The kind under which a class is served, where the page has the classes. */
import { CodedError } from '../../base/index.ts';
import { optionInvalid } from '../check-option.ts';
import type { Modules } from './module-catalog.ts';
import type { ModuleClass } from './module-class.ts';

/** @throws `runtime/module-not-found`, `runtime/option-invalid` */
export function kindOfClass(
  modules: Modules,
  Class: ModuleClass,
): { readonly name: string; readonly version: string } {
  if (typeof Class !== 'function')
    throw optionInvalid('kind', Class, 'the key of a class that is served, or the class');
  const found = Object.entries(modules).find(
    ([, served]) => served === Class || (Array.isArray(served) && served.includes(Class)),
  );
  if (found) return { name: found[0], version: Class.version ?? '0.0.0' };
  throw new CodedError(
    'runtime/module-not-found',
    `class "${Class.name}" is not among the modules given to createRuntime`,
    { fields: { class: Class.name } },
  );
}
