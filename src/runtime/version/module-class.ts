/** Classes that a runtime hosts, and what their static members say. */
import { CodedError, isSemanticVersion } from '../../base/index.ts';
import { isModule } from '../../program/index.ts';
import type { Module, ModuleState } from '../../program/index.ts';
import type { Edition } from '../module-protocol.ts';

/** A class whose instances a runtime hosts. */
export interface ModuleClass<M extends Module = Module> {
  new (): M;
  /** A semantic version, such as `1.2.0`. Default `0.0.0`. */
  readonly version?: string;
  /** The kind that the class is meant for; under another one it is refused. Default any. */
  readonly kind?: string;
  /**
   * Makes a state of this class from a state of the version `fromVersion`, which may be newer. It is synchronous and pure: `state` is a
   * copy of its own. What it leaves out keeps the class's own first value. Without it what has the same name is taken over.
   */
  migrate?(state: ModuleState, fromVersion: string): ModuleState;
}

/** One class of a kind. */
export interface ModuleVersion {
  readonly version: string;
  readonly Class: ModuleClass;
  /** The file that it was imported from; undefined for what the worker entry serves. */
  readonly url: string | undefined;
  /** Tells it from other classes that were served as this version; undefined for one from a file, of which there is one. */
  readonly edition?: Edition | undefined;
}

function wrongClass(kind: string, expected: string, found: unknown): CodedError {
  const name = typeof found === 'function' ? `class ${found.name}` : typeof found;
  return new CodedError(
    'runtime/module-class-invalid',
    `kind "${kind}" is given ${name}, expected ${expected}`,
    {
      fields: { kind, found: name, expected },
    },
  );
}

export function isModuleClass(value: unknown): value is ModuleClass {
  return typeof value === 'function' && isModule(value.prototype);
}

/** @throws `runtime/module-class-invalid` for what is no class of modules of this kind, `runtime/version-invalid` */
export function toModuleVersion(kind: string, found: unknown, url?: string): ModuleVersion {
  if (!isModuleClass(found)) throw wrongClass(kind, 'a class that extends Module', found);
  if (found.kind !== undefined && found.kind !== kind)
    throw wrongClass(kind, `one of this kind; it says that its kind is "${found.kind}"`, found);
  const { version = '0.0.0' } = found;
  if (isSemanticVersion(version)) return { version, Class: found, url };
  const shown = String(version).slice(0, 100);
  throw new CodedError(
    'runtime/version-invalid',
    `${found.name} of kind "${kind}" has version "${shown}", expected a semantic version such as 1.0.0`,
    { fields: { kind, class: found.name, version: shown } },
  );
}
