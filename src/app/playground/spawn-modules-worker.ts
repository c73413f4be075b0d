/**
 * Starts the playground's worker by address, not by a literal that a bundler would bundle apart: the worker, the page's
 * edited modules and the stable entry must share one copy of the library. See docs/decisions/0008-edited-modules.md.
 */

const workerAddress = import.meta.env.DEV ? '/src/app/playground/modules.worker.ts' : '/modules.worker.js';
const entryPath = import.meta.env.DEV ? '/src/app/playground/vivarium.ts' : '/vivarium.js';

/** What edited modules import as `vivarium`. */
export function entryAddress(): string {
  return new URL(entryPath, location.origin).href;
}

/** @param use `edit`: serve the module at `url` in place of the shipped one; `check`: only try whether it loads */
export function spawnModulesWorker(
  name: string,
  use?: { readonly edit: string } | { readonly check: string },
): Worker {
  const address = new URL(workerAddress, location.origin);
  for (const [key, value] of Object.entries(use ?? {})) address.searchParams.set(key, value as string);
  return new Worker(address, { type: 'module', name });
}
