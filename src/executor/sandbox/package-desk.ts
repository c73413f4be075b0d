/** Packages for runs: those of a context before the run, those that a guest asks for while it runs. What does it is loaded when it is needed. */
import { withDeadline } from '../../platform/index.ts';
import type { Clock } from '../../platform/index.ts';
import type { GuestValue } from '../guest-value.ts';
import type { PackageBudget } from '../language/package-budget.ts';
import type { Language } from '../language/language.ts';
import type { ExecutorLimits } from '../limits.ts';
import type { Outcome } from '../outcome.ts';
import type { PackageIndex } from '../package.ts';
import type { Policy } from '../policy/policy.ts';
import type { ToolCall } from '../tool.ts';
import { nothingPrinted } from './nothing-printed.ts';
import type { PackageService } from './package-service.ts';
import type { PreparedRun } from './prepare-run.ts';

export interface PackageDeskOptions {
  readonly language: Language;
  readonly index: PackageIndex | undefined;
  readonly limits: ExecutorLimits;
  readonly policy: Policy;
  readonly clock: Clock;
}

/** The name under which a guest asks; no tool can have it. */
export const packageService = 'micropip.install';

export class PackageDesk {
  readonly #options: PackageDeskOptions;
  #service: Promise<PackageService> | undefined;

  constructor(options: PackageDeskOptions) {
    this.#options = options;
  }

  /** What a guest may ask for while it runs has to be answered; without packages in its language nobody asks. */
  get isOpen(): boolean {
    return this.#options.language.loadPackages !== undefined;
  }

  /**
   * The run with its packages, or how it ended without having begun: `cancelled` as soon as `signal` aborts. Rejects with one of
   * `executor/package-*`.
   */
  async supply(prepared: PreparedRun, signal: AbortSignal): Promise<PreparedRun | Outcome> {
    if (prepared.grant.packages.length === 0) return prepared;
    try {
      return await withDeadline(this.#options.clock, { signal }, async (ended) =>
        (await this.#load()).supply(prepared, ended),
      );
    } catch (error) {
      if (signal.aborted) return { type: 'cancelled', ...nothingPrinted };
      throw error;
    }
  }

  /** Called by the guest as `(requirements, installed)`; answers `{ header, content, packages }`. */
  async serve(call: ToolCall, budget: PackageBudget): Promise<GuestValue> {
    return (await this.#load()).serve(call, budget);
  }

  #load(): Promise<PackageService> {
    this.#service ??= import('./package-service.ts').then(
      (module) => new module.PackageService(this.#options),
      (error: unknown) => {
        // a part that could not be fetched may come the next time
        this.#service = undefined;
        throw error;
      },
    );
    return this.#service;
  }
}
