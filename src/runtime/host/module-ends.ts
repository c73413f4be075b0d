/**
 * What follows when a module has ended: its parts end, what it still has to write is written, and only then its id and its lock are
 * free. A second one that began earlier would read what is about to be replaced.
 */
import type { Exit } from '../../actor/index.ts';
import type { CodedError } from '../../base/index.ts';
import { withDeadline } from '../../platform/index.ts';
import type { Clock } from '../../platform/index.ts';
import type { CrashReason, HostedModuleRecord, StopOutcome } from './hosted.ts';
import type { RuntimeLimits } from '../limits.ts';
import { stopTimedOut, wasStopped } from '../module-error.ts';
import type { ModuleFamilies } from '../sub-module/module-families.ts';
import type { ModuleLocks } from './module-locks.ts';

export interface ModuleEndsOptions {
  readonly families: ModuleFamilies;
  readonly locks: ModuleLocks;
  readonly limits: RuntimeLimits;
  readonly clock: Clock;
  /** Removes the supervisor that a module had for itself. */
  readonly removeSupervisor: (module: HostedModuleRecord) => Promise<void>;
}

const endsOfItsOwn: readonly Exit['reason'][] = ['normal', 'shutdown', 'crashed'];

/** How a module was stopped, by how its actor ended; undefined when there was none any more. */
export function outcomeOf(id: string, exit: Exit | undefined): StopOutcome {
  if (exit === undefined || endsOfItsOwn.includes(exit.reason)) return { how: 'graceful' };
  return { how: 'killed', error: stopTimedOut(id) };
}

/** What ended a module, now. */
export function crashOf(
  { code, message }: Pick<CodedError, 'code' | 'message'>,
  reason: CrashReason['reason'],
  clock: Clock,
): CrashReason {
  return { code, message, reason, atMs: clock.now() };
}

export class ModuleEnds {
  readonly #options: ModuleEndsOptions;
  /** By id, until it is free. */
  readonly #leaving = new Map<string, Promise<void>>();

  constructor(options: ModuleEndsOptions) {
    this.#options = options;
  }

  /** Resolves when the id is free. Undefined when it is: nobody has to wait. */
  of(id: string): Promise<void> | undefined {
    return this.#leaving.get(id);
  }

  /**
   * Frees the id of a module that has ended, or is about to in this turn. Never rejects.
   * @param gone resolves when its actor is gone; undefined when it is
   */
  leave(module: HostedModuleRecord, gone?: Promise<void>): Promise<void> {
    const { id } = module;
    const before = Promise.allSettled([this.#leaving.get(id), gone]);
    const leaving = this.#leave(module, before).finally(() => {
      if (this.#leaving.get(id) === leaving) this.#leaving.delete(id);
    });
    this.#leaving.set(id, leaving);
    return leaving;
  }

  /** Waits for the start of a module that is being stopped: it ends too, soon. */
  async startOver({ starting }: HostedModuleRecord): Promise<void> {
    if (starting) await this.#atMost(starting);
  }

  /** What a module that has ended still has to write is written, or has had its time. */
  async write({ journal }: HostedModuleRecord): Promise<void> {
    await this.#atMost(journal.drain());
  }

  /** Waits until every id is free. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#leaving.values());
  }

  async #leave(module: HostedModuleRecord, before: Promise<unknown>): Promise<void> {
    const { families, locks, removeSupervisor } = this.#options;
    await before;
    // whoever keeps its state closes it in the end
    const { isGone } = module;
    await families.end(module).catch(() => undefined);
    await removeSupervisor(module).catch(() => undefined);
    await this.write(module);
    if (isGone) module.journal.close(module.endedWith ?? wasStopped(module.id));
    locks.release(module);
  }

  /** What does not end in time is not waited for any more: a store that never answers must not keep an id for good. */
  async #atMost(work: Promise<unknown>): Promise<void> {
    const { clock, limits } = this.#options;
    await withDeadline(clock, { timeoutMs: limits.endTimeoutMs }, () => work).catch(() => undefined);
  }
}
