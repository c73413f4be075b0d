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
    const release = await this.hold(module.id);
    if (release) this.#locks.set(module, release);
  }

  /**
   * Keeps others from starting a module that does not run, until the returned function is called; undefined where there is nobody, or no way
   * to keep them. @throws `runtime/module-running-elsewhere`
   */
  async hold(id: string): Promise<(() => void) | undefined> {
    const { name, capabilities } = this.#store;
    if (!capabilities.sharedAcrossRealms) return undefined;
    if (!hasLocks) {
      this.#reportNoLocks();
      return undefined;
    }
    const lock = await holdLockIfFree(`vivarium-module-${name}-${id}`);
    if (!lock) {
      throw new CodedError(
        'runtime/module-running-elsewhere',
        `module "${id}" already runs in another tab of this origin`,
        { fields: { module: id, store: name }, isRetryable: true },
      );
    }
    return () => lock.release();
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
