/** A session: runs in order, in one interpreter for as long as it lives. */
import { CodedError } from '../base/index.ts';
import type { ExecutionContext, ExecutionOptions, Session } from './executor.ts';
import { Execution, nothingPrinted } from './execution.ts';
import type { ExecutionDependencies } from './execution.ts';
import type { Outcome } from './outcome.ts';
import type { SandboxPool } from './pool.ts';
import { prepareRun } from './prepare-run.ts';
import type { PreparedRun, RunRules } from './prepare-run.ts';
import type { Sandbox } from './sandbox.ts';
import type { SandboxId } from './sandbox-id.ts';
import { Slots } from './slots.ts';

export interface SessionOptions {
  readonly pool: SandboxPool;
  readonly rules: RunRules;
  readonly dependencies: ExecutionDependencies;
  /** The outcome for an interpreter that could not be had. */
  readonly bootFailure: (error: unknown) => Outcome;
  /** Called once, when the session is disposed. */
  readonly onDispose: () => void;
}

export class SandboxSession implements Session {
  readonly #options: SessionOptions;
  readonly #turn: Slots;
  #sandbox: Sandbox;
  #current: Execution | undefined;
  #isDisposed = false;

  constructor(sandbox: Sandbox, options: SessionOptions) {
    this.#sandbox = sandbox;
    this.#options = options;
    this.#turn = new Slots(1, options.rules.limits.queuedPerSession);
  }

  get id(): SandboxId {
    return this.#sandbox.id;
  }

  async execute(
    code: string,
    context: ExecutionContext = {},
    options: ExecutionOptions = {},
  ): Promise<Outcome> {
    if (this.#isDisposed) throw new CodedError('executor/disposed', 'the session has been disposed');
    const prepared = prepareRun(code, context, options, this.#options.rules);
    const leave = await this.#turn.enter(options.signal);
    if (!leave) return { type: 'cancelled', ...nothingPrinted };
    try {
      return await this.#run(prepared, options);
    } finally {
      leave();
    }
  }

  interrupt(): void {
    this.#current?.stop('cancelled');
  }

  [Symbol.asyncDispose](): Promise<void> {
    if (this.#isDisposed) return Promise.resolve();
    this.#isDisposed = true;
    this.#turn.close();
    this.#current?.abandon();
    this.#sandbox.kill('disposed');
    this.#options.onDispose();
    return Promise.resolve();
  }

  async #run(prepared: PreparedRun, options: ExecutionOptions): Promise<Outcome> {
    try {
      if (!(await this.#sandbox.isReachable())) {
        const next = await this.#options.pool.acquire(options.signal);
        if (!next) return { type: 'cancelled', ...nothingPrinted, isSandboxLost: true };
        this.#sandbox = next;
      }
    } catch (error) {
      return this.#options.bootFailure(error);
    }
    if (this.#isDisposed) {
      this.#sandbox.kill('disposed');
      return { type: 'cancelled', ...nothingPrinted, isSandboxLost: true };
    }
    this.#current = new Execution(this.#sandbox, options, this.#options.dependencies);
    const outcome = await this.#current.run(prepared);
    this.#current = undefined;
    return outcome;
  }
}
