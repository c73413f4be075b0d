/** A session: runs in order, in one interpreter for as long as it lives. */
import { CodedError } from '../../base/index.ts';
import type { Code, ExecutionContext, ExecutionOptions, Session } from '../executor.ts';
import { Execution } from './execution.ts';
import type { ExecutionDependencies } from './execution.ts';
import type { Outcome, Restored } from '../outcome.ts';
import { findEarlyOutcome } from './early-outcome.ts';
import { nothingPrinted } from './nothing-printed.ts';
import type { SandboxPool } from './pool.ts';
import { prepareRun } from './prepare-run.ts';
import type { PreparedRun, RunRules } from './prepare-run.ts';
import { reportExecution } from './report-execution.ts';
import type { OnReach } from './report-execution.ts';
import type { Sandbox } from './sandbox.ts';
import type { SandboxId } from './sandbox-id.ts';
import { describeRestored, describeSave, describeUnrestored } from './saved-session.ts';
import type { SavedSession } from './saved-session.ts';
import type { SaveBounds } from './session-protocol.ts';
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

/** So often a session is brought back once more after the frame went down meanwhile; its neighbours may do that again and again. */
const restoresInLostFrames = 3;

/** A run from its call to its outcome. */
interface PendingRun {
  readonly prepared: PreparedRun;
  /** Its signal is also aborted by that of the caller. */
  readonly options: ExecutionOptions & { readonly signal: AbortSignal };
  readonly stop: () => void;
  readonly onReach: OnReach;
}

function createPendingRun(prepared: PreparedRun, options: ExecutionOptions, onReach: OnReach): PendingRun {
  const stopping = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, stopping.signal]) : stopping.signal;
  return { prepared, options: { ...options, signal }, stop: () => stopping.abort(), onReach };
}

export class SandboxSession implements Session {
  readonly #options: SessionOptions;
  readonly #turn: Slots;
  /** In order of call: the first one is in progress, whether it runs already or waits for its interpreter. */
  readonly #pending = new Set<PendingRun>();
  #sandbox: Sandbox;
  #current: Execution | undefined;
  /** What came back, until an outcome has told it. */
  #restored: Restored | undefined;
  #isDisposed = false;

  constructor(sandbox: Sandbox, options: SessionOptions) {
    this.#sandbox = sandbox;
    this.#options = options;
    this.#use(sandbox, undefined);
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
    const { rules, dependencies } = this.#options;
    const prepared = prepareRun(code, context, options, { ...rules, isSession: true });
    const { clock, hub } = dependencies;
    return reportExecution({ clock, hub, language: rules.language.name }, (onReach) =>
      this.#execute(createPendingRun(prepared, options, onReach)),
    );
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

  async #execute(run: PendingRun): Promise<Outcome> {
    const early = findEarlyOutcome(run.prepared, run.options.signal);
    if (early) return early;
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

  async #run({ prepared, options, onReach }: PendingRun): Promise<Outcome> {
    try {
      const isReachable = await untilAbort(this.#sandbox.isReachable(), options.signal);
      if (isReachable === undefined) return this.#cancelledBefore();
      await this.#whenSaved(options.signal);
      if (!this.#sandbox.isAlive && !(await this.#replace(options.signal))) return this.#cancelledBefore();
    } catch (error) {
      return this.#options.bootFailure(error);
    }
    if (this.#isDisposed) {
      this.#sandbox.kill('disposed');
      return this.#cancelledBefore();
    }
    onReach(this.#sandbox.id);
    this.#current = new Execution(this.#sandbox, options, this.#options.dependencies);
    const outcome = await this.#current.run(prepared);
    this.#current = undefined;
    // it goes on, but with nothing: the next one has what was put aside
    if (outcome.isSandboxLost && this.#sandbox.saved) this.#sandbox.kill('died');
    return this.#tellRestored(outcome);
  }

  /** What the guest brings along can make it last for ever; then the interpreter ends, and what was put aside before it stays. */
  async #whenSaved(signal: AbortSignal): Promise<void> {
    const { dependencies, rules } = this.#options;
    const sandbox = this.#sandbox;
    const cancelTimer = dependencies.clock.after(2 * rules.limits.checkpointMs, () => sandbox.kill('time'));
    await untilAbort(sandbox.whenSaved(), signal);
    cancelTimer();
  }

  #cancelledBefore(): Outcome {
    const isSandboxLost = !this.#sandbox.isAlive;
    return this.#tellRestored({ type: 'cancelled', ...nothingPrinted, isSandboxLost });
  }

  /** Another interpreter, made what the last one was as far as that was put aside; false as soon as `signal` aborts. */
  async #replace(signal: AbortSignal): Promise<boolean> {
    const { saved, missedRuns } = this.#sandbox;
    const kept = saved && { ...saved, missedRuns };
    for (let restores = 0; ; restores++) {
      if (!(await this.#acquire(signal, kept))) return false;
      if (!kept) return true;
      const lost = await this.#restore(kept, signal);
      if (lost) {
        this.#restored = describeRestored(kept, lost, missedRuns);
        return true;
      }
      if (signal.aborted) return false;
      // a frame goes down with all that it holds: that says nothing against what was put aside
      if (this.#sandbox.endCause !== 'frame-lost' || restores === restoresInLostFrames) break;
    }
    // whatever it was that ended it would end the next one, too
    this.#restored = describeUnrestored(kept, 'what was put aside could not be read', missedRuns);
    return this.#acquire(signal, undefined);
  }

  async #acquire(signal: AbortSignal, saved: SavedSession | undefined): Promise<boolean> {
    const next = await this.#options.pool.acquire(signal);
    if (next) this.#use(next, saved);
    return next !== undefined;
  }

  #use(sandbox: Sandbox, saved: SavedSession | undefined): void {
    const { limits, language } = this.#options.rules;
    this.#sandbox = sandbox;
    if (language.capabilities.isRestorable && limits.checkpointBytes > 0)
      sandbox.keepSession(saveBoundsOf(limits, language), saved);
  }

  /** Ends the interpreter when it takes too long, or `signal` aborts; then, and when it ends by itself, `undefined`. */
  async #restore(saved: SavedSession, signal: AbortSignal): ReturnType<Sandbox['restore']> {
    const sandbox = this.#sandbox;
    const { dependencies, rules } = this.#options;
    const cancelTimer = dependencies.clock.after(rules.limits.restoreMs, () => sandbox.kill('time'));
    const onAbort = (): void => sandbox.kill('cancelled');
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      return signal.aborted ? (onAbort(), undefined) : await sandbox.restore(saved);
    } finally {
      cancelTimer();
      signal.removeEventListener('abort', onAbort);
    }
  }

  #tellRestored(outcome: Outcome): Outcome {
    const { saved, missedRuns } = this.#sandbox;
    const came = this.#restored;
    this.#restored = undefined;
    const restored = outcome.isSandboxLost ? saved && describeSave(saved, missedRuns) : came;
    return restored ? { ...outcome, restored } : outcome;
  }
}

function saveBoundsOf(limits: RunRules['limits'], { capabilities }: RunRules['language']): SaveBounds {
  const { checkpointBytes: sizeBytes, checkpointMs: timeMs, checkpointIdleMs: idleMs } = limits;
  const packageBytes = capabilities.hasPackages ? limits.packageBytes : 0;
  return { sizeBytes, packageBytes, timeMs, idleMs };
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
