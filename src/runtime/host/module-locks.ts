/** Two tabs must not both own a module whose state they share. */
import { CodedError } from '../../base/index.ts';
import { hasLocks, holdLockIfFree } from '../../platform/index.ts';
import type { Store } from '../../state/index.ts';
import type { Hub } from '../../telemetry/index.ts';
import type { HostedModuleRecord } from './hosted.ts';

export class ModuleLocks {
  readonly #store: Store;
  readonly #hub: Hub;
  readonly #locks = new Map<HostedModuleRecord, () => void>();
  #isToldNoLocks = false;

  constructor(store: Store, hub: Hub) {
    this.#store = store;
    this.#hub = hub;
  }

  /** @throws `runtime/module-running-elsewhere` */
  async acquire(module: HostedModuleRecord): Promise<void> {
    const { id } = module;
    const { name, capabilities } = this.#store;
    if (!capabilities.sharedAcrossRealms) return;
    if (!hasLocks) return this.#reportNoLocks();
    const lock = await holdLockIfFree(`vivarium-module-${name}-${id}`);
    if (!lock) {
      throw new CodedError(
        'runtime/module-running-elsewhere',
        `module "${id}" already runs in another tab of this origin`,
        { fields: { module: id, store: name }, isRetryable: true },
      );
    }
    this.#locks.set(module, () => lock.release());
  }

  release(module: HostedModuleRecord): void {
    this.#locks.get(module)?.();
    this.#locks.delete(module);
  }

  #reportNoLocks(): void {
    if (this.#isToldNoLocks) return;
    this.#isToldNoLocks = true;
    this.#hub.emit({
      type: 'platform-degrade',
      what: 'locks',
      from: 'web-locks',
      to: 'none',
      reason: 'the platform has no Web Locks: nothing keeps two tabs from running one module',
    });
  }
}
