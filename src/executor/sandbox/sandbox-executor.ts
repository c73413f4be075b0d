/** An executor over a pool of interpreters; knows no language. */
import { CodedError, isCodedError, messageOf } from '../../base/index.ts';
import type { Clock } from '../../platform/index.ts';
import type { Hub } from '../../telemetry/index.ts';
import type { Code, ExecutionContext, ExecutionOptions, Executor, Session } from '../executor.ts';
import { Execution } from './execution.ts';
import type { ExecutorLimits } from '../limits.ts';
import type { Outcome } from '../outcome.ts';
import type { Language, LanguageCapabilities, LanguageName } from '../language/language.ts';
import type { PackageIndex } from '../package.ts';
import type { Policy } from '../policy/policy.ts';
import { findEarlyOutcome } from './early-outcome.ts';
import { nothingPrinted } from './nothing-printed.ts';
import { PackageDesk } from './package-desk.ts';
import { SandboxPool } from './pool.ts';
import { prepareRun } from './prepare-run.ts';
import type { PreparedRun } from './prepare-run.ts';
import { reportExecution } from './report-execution.ts';
import type { OnReach } from './report-execution.ts';
import { SandboxFactory } from './sandbox-factory.ts';
import { SandboxSession } from './sandbox-session.ts';
import { Slots } from './slots.ts';
import type { LeavePlace } from './slots.ts';
import { maxToolMessageLength } from './tool-desk.ts';
import type { TrustDomain } from './trust-domain.ts';

export interface SandboxExecutorOptions {
  readonly language: Language;
  readonly domain: TrustDomain;
  /** The executor is the domain's only one, and disposes it. */
  readonly ownsDomain: boolean;
  readonly isStripped: boolean;
  readonly limits: ExecutorLimits;
  readonly policy: Policy;
  readonly clock: Clock;
  readonly hub: Hub;
  /** Where packages are found by their names. */
  readonly packageIndex?: PackageIndex | undefined;
}

/** Ready for an interpreter. */
interface EnteredRun {
  readonly prepared: PreparedRun;
  readonly leave: LeavePlace;
}

export class SandboxExecutor implements Executor {
  readonly language: LanguageName;
  readonly capabilities: LanguageCapabilities;
  readonly #options: SandboxExecutorOptions & { readonly packages: PackageDesk };
  readonly #factory: SandboxFactory;
  readonly #pool: SandboxPool;
  readonly #slots: Slots;
  /** For runs with packages, until they have a place in the others: a slow index keeps nobody from running. */
  readonly #supplies: Slots;
  readonly #running = new Set<Execution>();
  readonly #sessions = new Set<Session>();
  /** Aborted by disposal. */
  readonly #closing = new AbortController();
  #sessionsTaken = 0;
  #isDisposed = false;

  constructor(options: SandboxExecutorOptions) {
    const { language, limits, isStripped } = options;
    this.language = language.name;
    this.capabilities = language.capabilities;
    this.#options = { ...options, packages: new PackageDesk({ ...options, index: options.packageIndex }) };
    const { fileBytes, memoryBytes } = limits;
    const { hasTools } = language.capabilities;
    // a tool's message comes beside an answer of full size
    const mailboxBytes = hasTools ? limits.toolResultBytes + 8 * maxToolMessageLength : 0;
    const settings = { fileBytes, memoryBytes, mailboxBytes, isStripped, own: language.settings };
    this.#factory = new SandboxFactory({ ...options, settings });
    const kept = language.capabilities.isRenewable ? limits.concurrentExecutions : 0;
    this.#pool = new SandboxPool(() => this.#factory.open(), limits.warmSandboxes, kept);
    this.#slots = new Slots(limits.concurrentExecutions, limits.queuedExecutions);
    this.#supplies = new Slots(limits.concurrentExecutions, limits.queuedExecutions);
  }

  async execute(
    code: Code,
    context: ExecutionContext = {},
    options: ExecutionOptions = {},
  ): Promise<Outcome> {
    this.#refuseDisposed();
    const prepared = prepareRun(code, context, options, this.#options);
    const { clock, hub, language } = this.#options;
    return reportExecution({ clock, hub, language: language.name }, (onReach) =>
      this.#execute(prepared, options, onReach),
    );
  }

  /** Rejects with `executor/session-limit`, `executor/disposed`, or as an interpreter's start does. */
  async createSession(): Promise<Session> {
    this.#refuseDisposed();
    const { limits } = this.#options;
    if (this.#sessionsTaken >= limits.sessions) {
      throw new CodedError(
        'executor/session-limit',
        `${limits.sessions} sessions are open, no more are allowed`,
        {
          fields: { allowed: limits.sessions },
          isRetryable: true,
        },
      );
    }
    this.#sessionsTaken += 1;
    try {
      return await this.#openSession();
    } catch (error) {
      this.#sessionsTaken -= 1;
      throw error;
    }
  }

  /** Ends every run with `cancelled`, every session, and the frame where it is the executor's own. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    this.#slots.close();
    this.#supplies.close();
    this.#closing.abort();
    for (const execution of this.#running) execution.abandon();
    await Promise.all([...this.#sessions].map((session) => session[Symbol.asyncDispose]()));
    this.#pool.dispose();
    this.#factory.dispose();
    if (this.#options.ownsDomain) this.#options.domain[Symbol.dispose]();
  }

  async #execute(prepared: PreparedRun, options: ExecutionOptions, onReach: OnReach): Promise<Outcome> {
    const early = findEarlyOutcome(prepared, options.signal);
    if (early) return early;
    const isPacked = prepared.grant.packages.length > 0;
    const entered = await (isPacked ? this.#enterPacked(prepared, options) : this.#enter(prepared, options));
    if ('type' in entered) return entered;
    try {
      return await this.#runOnce(entered.prepared, options, onReach);
    } catch (error) {
      return this.#bootFailure(error);
    } finally {
      entered.leave();
    }
  }

  async #enter(
    prepared: PreparedRun,
    { signal }: ExecutionOptions,
    maxQueued?: number,
  ): Promise<EnteredRun | Outcome> {
    const leave = await this.#slots.enter(signal, maxQueued);
    return leave ? { prepared, leave } : { type: 'cancelled', ...nothingPrinted };
  }

  /** Few have their packages and no place yet: that is memory of the page. */
  async #enterPacked(prepared: PreparedRun, options: ExecutionOptions): Promise<EnteredRun | Outcome> {
    const leave = await this.#supplies.enter(options.signal);
    if (!leave) return { type: 'cancelled', ...nothingPrinted };
    const closing = this.#closing.signal;
    const ending = options.signal ? AbortSignal.any([options.signal, closing]) : closing;
    try {
      const supplied = await this.#options.packages.supply(prepared, ending);
      return 'type' in supplied ? supplied : await this.#enter(supplied, options, Infinity);
    } finally {
      leave();
    }
  }

  async #runOnce(prepared: PreparedRun, options: ExecutionOptions, onReach: OnReach): Promise<Outcome> {
    const sandbox = await this.#pool.acquire(options.signal);
    if (!sandbox) return { type: 'cancelled', ...nothingPrinted };
    onReach(sandbox.id);
    const execution = new Execution(sandbox, options, this.#options);
    this.#running.add(execution);
    try {
      if (this.#isDisposed) return { type: 'cancelled', ...nothingPrinted };
      return await execution.run(prepared);
    } finally {
      this.#running.delete(execution);
      this.#pool.release(sandbox);
    }
  }

  async #openSession(): Promise<Session> {
    const sandbox = await this.#pool.acquire();
    if (this.#isDisposed) sandbox.kill('disposed');
    this.#refuseDisposed();
    const session: Session = new SandboxSession(sandbox, {
      pool: this.#pool,
      rules: this.#options,
      dependencies: this.#options,
      bootFailure: (error) => this.#bootFailure(error),
      onDispose: () => {
        this.#sessions.delete(session);
        this.#sessionsTaken -= 1;
      },
    });
    this.#sessions.add(session);
    return session;
  }

  /** No interpreter could be had: our failure, unless the executor was being disposed. */
  #bootFailure(error: unknown): Outcome {
    if (this.#isDisposed) return { type: 'cancelled', ...nothingPrinted };
    const isOurs = isCodedError(error) && error.code.startsWith('executor/');
    const code = isOurs ? (error.code as `executor/${string}`) : 'executor/boot-failed';
    return { type: 'failed', code, message: messageOf(error), ...nothingPrinted };
  }

  #refuseDisposed(): void {
    if (this.#isDisposed) throw new CodedError('executor/disposed', 'the executor has been disposed');
  }
}
