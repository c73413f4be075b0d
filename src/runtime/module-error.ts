/** Refusals that several files of this layer share, each made in one place. */
import { CodedError } from '../base/index.ts';

export function wasStopped(module: string): CodedError {
  return new CodedError('runtime/module-stopped', `module "${module}" was stopped`, { fields: { module } });
}

export function swapUnderWay(module: string): CodedError {
  return new CodedError('runtime/swap-under-way', `module "${module}" is being swapped already`, {
    fields: { module },
    isRetryable: true,
  });
}

export function stopTimedOut(module: string): CodedError {
  return new CodedError(
    'runtime/stop-timeout',
    `module "${module}" did not end within its time and was dropped; its calls have failed`,
    { fields: { module } },
  );
}

/** @param kind the kind that it is registered as, when that is what stands in the way */
export function alreadyRegistered(module: string, kind?: string): CodedError {
  const as = kind === undefined ? '' : ` as kind "${kind}"`;
  return new CodedError(
    'runtime/module-already-registered',
    `a module with id "${module}" is registered already${as}; unregister it first, or take another id`,
    { fields: { module, ...(kind === undefined ? {} : { kind }) } },
  );
}

export function notRegistered(module: string, known: readonly string[]): CodedError {
  const shown = known.slice(0, 10).join(', ') || 'none';
  return new CodedError(
    'runtime/module-not-found',
    `no module "${String(module).slice(0, 200)}" is registered; there are: ${shown}`,
    { fields: { module: String(module).slice(0, 200), known: known.slice(0, 100) } },
  );
}

/** The registry has what can be registered, started and stopped by itself. */
export function isSubModule(
  id: string,
  { module, path }: { readonly module: { readonly id: string }; readonly path: string },
): CodedError {
  return new CodedError(
    'runtime/module-not-found',
    `"${id}" is the sub-module "${path}" of "${module.id}", which starts and stops it, and no entry of the registry: runtime.module gives its handle, runtime.inspect its place`,
    { fields: { module: id, around: module.id, path } },
  );
}

export function registryFull(allowed: number): CodedError {
  return new CodedError(
    'runtime/registry-full',
    `the registry already has ${allowed} modules; unregister those that are not needed`,
    { fields: { allowed } },
  );
}

/** Steps of a cycle that a message shows; the error's fields have all of them. */
const maxStepsShown = 12;

/** @param cycle from `module` to `module` */
export function dependencyCycle(module: string, cycle: readonly string[]): CodedError {
  const isLong = cycle.length > maxStepsShown;
  const shown = isLong
    ? [...cycle.slice(0, maxStepsShown / 2), '…', ...cycle.slice(-maxStepsShown / 2)]
    : cycle;
  return new CodedError(
    'runtime/dependency-cycle',
    `module "${module}" would depend on itself: ${shown.join(' → ')}`,
    { fields: { module, cycle } },
  );
}

/** @param known paths of those that are actors of their own */
export function subModuleNotFound(module: string, path: string, known: readonly string[] = []): CodedError {
  const shown = path.slice(0, 200);
  return new CodedError(
    'runtime/sub-module-not-found',
    `module "${module}" has no sub-module "${shown}" that is an actor of its own; there are: ${known.slice(0, 10).join(', ') || 'none'}`,
    { fields: { module, path: shown, known: known.slice(0, 100) } },
  );
}

export function notRunning(module: string, known: readonly string[]): CodedError {
  return new CodedError(
    'runtime/module-not-found',
    `no module "${module}" runs here; there are: ${known.join(', ') || 'none'}`,
    { fields: { module, known: known.slice(0, 100) } },
  );
}

export function whileCompiled(module: string): CodedError {
  return new CodedError(
    'runtime/compile-running',
    `module "${module}" is being compiled: what comes of it would be of a version that does not serve any more`,
    { fields: { module }, isRetryable: true },
  );
}
