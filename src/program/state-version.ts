/** Which states a class takes: its own version's, older ones by a migration, never newer ones. */
import { CodedError, compareVersions, isSemanticVersion } from '../base/index.ts';
import { isPlainObject } from './kind.ts';
import type { Module, ModuleClass } from './module.ts';
import type { ModuleState } from './module-state.ts';

/** The layout of {@link ModuleState} that is written, and the newest that is read. */
export const stateFormat = 1;

/** @param what of the state is new */
function tooNew(
  what: 'format' | 'version',
  className: string,
  versions: { readonly found: string | number; readonly supported: string | number },
): CodedError {
  const { found, supported } = versions;
  return new CodedError(
    'state/version-too-new',
    `the state of ${className} has ${what} ${found}, the newest that can be read is ${supported}`,
    { fields: { what, found, supported, className } },
  );
}

/** @throws `state/version-too-new` for states that a later version of this library made */
export function assertKnownLayout(format: unknown, className: string): void {
  if (typeof format !== 'number' || format <= stateFormat) return;
  throw tooNew('format', className, { found: format, supported: stateFormat });
}

/** Whether the state must be migrated first. @throws `state/version-too-new` */
export function isOlder(state: ModuleState, Class: ModuleClass): boolean {
  const { version: own = '0.0.0' } = Class;
  const { version: found } = state;
  if (found === own) return false;
  const areOrdered = isSemanticVersion(found) && isSemanticVersion(own);
  const order = areOrdered ? compareVersions(found, own) : -1;
  if (order > 0) throw tooNew('version', Class.name, { found: found.slice(0, 100), supported: own });
  return order < 0;
}

/**
 * The state as one of the class's own version, by the class's `migrate`.
 * @throws `state/version-too-new`, `state/migration-path-not-found` (fields from, to, known), `program/state-invalid` when `migrate`
 *   returns no state; what `migrate` throws
 */
export function fitState(state: ModuleState, module: Module): ModuleState {
  const Class = module.constructor as ModuleClass;
  if (!isOlder(state, Class)) return state;
  const { version: to = '0.0.0' } = Class;
  if (!Class.migrate) throw noPath(state.version, to, Class.name);
  const migrated: unknown = Class.migrate(structuredClone(state), state.version);
  if (!isPlainObject(migrated)) {
    throw new CodedError('program/state-invalid', `migrate of ${Class.name} returned no state`, {
      fields: { key: 'migrate', expected: 'a state' },
    });
  }
  // whoever loads it checks every part of it by its key
  return { ...(migrated as unknown as ModuleState), version: to };
}

/** The same for what may wait: by the class's `migrations` if it has some. @throws as {@link fitState}, and `state/migration-failed` */
export async function fitStateLater(state: ModuleState, module: Module): Promise<ModuleState> {
  const Class = module.constructor as ModuleClass;
  const { version: to = '0.0.0', migrations } = Class;
  if (!migrations || !isOlder(state, Class)) return fitState(state, module);
  const { state: migrated } = await migrations.run(state, { from: state.version, to });
  return { ...migrated, version: to };
}

function noPath(from: string, to: string, className: string): CodedError {
  const shown = from.slice(0, 100);
  return new CodedError(
    'state/migration-path-not-found',
    `the state of ${className} has version ${shown}; nothing leads from there to ${to}`,
    { fields: { from: shown, to, known: [], className } },
  );
}
