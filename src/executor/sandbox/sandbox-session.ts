/** A session: runs in order, in one interpreter for as long as it lives. */
import { CodedError } from '../../base/index.ts';
import type { Code, ExecutionContext, ExecutionOptions, Session } from '../executor.ts';
import { Execution } from './execution.ts';
import type { ExecutionDependencies } from './execution.ts';
import type { Outcome } from '../outcome.ts';
import { nothingPrinted } from './nothing-printed.ts';
import type { SandboxPool } from './pool.ts';
import { prepareRun } from './prepare-run.ts';
import type { PreparedRun, RunRules } from './prepare-run.ts';
import type { Sandbox } from './sandbox.ts';
import type { SandboxId } from './sandbox-id.ts';
import { Slots } from './slots.ts';
import type { LeavePlace } from './slots.ts';

export interface SessionOptions {
  readonly pool: SandboxPool;
  readonly rules: RunRules;
  readonly dependencies: ExecutionDependencies;
  /** The outcome for an interpreter that could not be had. */
  readonly bootFailure: (error: unknown) => Outcome;
  /** Called once, when the session is disposed. */
  readonly onDispose: () => void;
}

/** A run from its call to its outcome. */
interface PendingRun {
  readonly prepared: PreparedRun;
  /** Its signal is also aborted by that of the caller. */
  readonly options: ExecutionOptions & { readonly signal: AbortSignal };
  readonly stop: () => void;
}

function createPendingRun(prepared: PreparedRun, options: ExecutionOptions): PendingRun {
  const stopping = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, stopping.signal]) : stopping.signal;
  return { prepared, options: { ...options, signal }, stop: () => stopping.abort() };
}

export class SandboxSession implements Session {
  readonly #options: SessionOptions;
  readonly #turn: Slots;
  /** In order of call: the first one is in progress, whether it runs already or waits for its interpreter. */
  readonly #pending = new Set<PendingRun>();
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
    code: Code,
    context: ExecutionContext = {},
    options: ExecutionOptions = {},
  ): Promise<Outcome> {
    if (this.#isDisposed) throw new CodedError('executor/disposed', 'the session has been disposed');
    const run = createPendingRun(prepareRun(code, context, options, this.#options.rules), options);
    this.#pending.add(run);
    let leave: LeavePlace | undefined;
    try {
      leave = await this.#turn.enter(run.options.signal);
      if (!leave) return { type: 'cancelled', ...nothingPrinted };
      const supplied = await this.#options.dependencies.packages.supply(run.prepared, run.options.signal);
      return 'type' in supplied ? supplied : await this.#run({ ...run, prepared: supplied });
    } finally {
      this.#pending.delete(run);
      leave?.();
    }
  }

  interrupt(): void {
    const [run] = this.#pending;
    run?.stop();
  }

  [Symbol.asyncDispose](): Promise<void> {
    if (this.#isDisposed) return Promise.resolve();
    this.#isDisposed = true;
    this.#turn.close();
    this.#current?.abandon();
    this.#sandbox.kill('disposed');
    // one that waits for its interpreter need not wait for it
    for (const run of this.#pending) run.stop();
    this.#options.onDispose();
    return Promise.resolve();
  }

  async #run({ prepared, options }: PendingRun): Promise<Outcome> {
    try {
      const isReachable = await untilAbort(this.#sandbox.isReachable(), options.signal);
      if (isReachable === undefined) return this.#cancelledBefore();
      if (!isReachable) {
        const next = await this.#options.pool.acquire(options.signal);
        if (!next) return this.#cancelledBefore();
        this.#sandbox = next;
      }
    } catch (error) {
      return this.#options.bootFailure(error);
    }
    if (this.#isDisposed) {
      this.#sandbox.kill('disposed');
      return this.#cancelledBefore();
    }
    this.#current = new Execution(this.#sandbox, options, this.#options.dependencies);
    const outcome = await this.#current.run(prepared);
    this.#current = undefined;
    return outcome;
  }

  #cancelledBefore(): Outcome {
    return { type: 'cancelled', ...nothingPrinted, isSandboxLost: !this.#sandbox.isAlive };
  }
}

/** `undefined` as soon as `signal` aborts: whoever leaves need not wait for an answer. */
function untilAbort<T>(work: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  if (signal.aborted) return Promise.resolve(undefined);
  return new Promise((resolve, reject) => {
    const onAbort = (): void => resolve(undefined);
    signal.addEventListener('abort', onAbort, { once: true });
    work.finally(() => signal.removeEventListener('abort', onAbort)).then(resolve, reject);
  });
}
