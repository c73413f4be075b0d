/** Watches over one run: its time, its output, its cancellation. Whatever the guest does, it ends with an outcome. */
import type { Clock } from '../../platform/index.ts';
import type { Hub } from '../../telemetry/index.ts';
import type { ExecutionOptions, OutputPart } from '../executor.ts';
import type { ExecutorLimits } from '../limits.ts';
import type { Outcome } from '../outcome.ts';
import type { PreparedRun } from './prepare-run.ts';
import type { RunResult } from './run-result.ts';
import type { RunEnd, RunWatcher, Sandbox } from './sandbox.ts';

/** Why a run is stopped from outside. The first one counts, whatever the guest answers. */
export type StopReason = 'time' | 'output' | 'cancelled';

export interface ExecutionDependencies {
  readonly clock: Clock;
  readonly hub: Hub;
  readonly limits: ExecutorLimits;
}

type Ending = Pick<Outcome, 'stdout' | 'stderr' | 'durationMs' | 'isSandboxLost'>;

/** An outcome for a run that never reached an interpreter. */
export const nothingPrinted: Ending = { stdout: '', stderr: '', durationMs: 0, isSandboxLost: false };

export class Execution implements RunWatcher {
  readonly #sandbox: Sandbox;
  readonly #dependencies: ExecutionDependencies;
  readonly #options: ExecutionOptions;
  readonly #printed = { stdout: [] as string[], stderr: [] as string[] };
  #printedLength = 0;
  #reason: StopReason | undefined;
  #interrupting: Promise<void> | undefined;
  #cancelGrace: (() => void) | undefined;

  constructor(sandbox: Sandbox, options: ExecutionOptions, dependencies: ExecutionDependencies) {
    this.#sandbox = sandbox;
    this.#options = options;
    this.#dependencies = dependencies;
  }

  /** Resolves always. */
  async run(prepared: PreparedRun): Promise<Outcome> {
    const { clock, hub } = this.#dependencies;
    const { signal } = this.#options;
    if (signal?.aborted) return { type: 'cancelled', ...nothingPrinted };
    const startMs = clock.monotonic();
    hub.emit({ type: 'execution-start', sandbox: this.#sandbox.id });
    const onAbort = (): void => this.stop('cancelled');
    signal?.addEventListener('abort', onAbort, { once: true });
    const cancelTimer = clock.after(prepared.timeoutMs, () => this.stop('time'));
    const running = this.#sandbox.run(prepared, this);
    // by whoever heard that it starts
    if (signal?.aborted) onAbort();
    const end = await running;
    cancelTimer();
    this.#cancelGrace?.();
    signal?.removeEventListener('abort', onAbort);
    // an interrupt that is still on its way must not hit the next run, where there can be one
    if (this.#sandbox.isAlive) await this.#interrupting;
    const outcome = this.#outcome(end, prepared, clock.monotonic() - startMs);
    const { type, durationMs } = outcome;
    hub.emit({ type: 'execution-end', sandbox: this.#sandbox.id, outcome: type, durationMs });
    return outcome;
  }

  /** Asks the guest to stop and, when it does not or cannot be asked, ends its interpreter. */
  stop(reason: StopReason): void {
    if (this.#reason) return;
    this.#reason = reason;
    const keepsTime = reason === 'time' && this.#sandbox.keepsTime;
    if (!this.#sandbox.canInterrupt && !keepsTime) return this.#sandbox.kill(reason);
    const { clock, limits } = this.#dependencies;
    this.#cancelGrace = clock.after(limits.interruptGraceMs, () => this.#sandbox.kill(reason));
    this.#interrupting = this.#sandbox.interrupt().catch(() => undefined);
  }

  /** Ends the interpreter now. */
  abandon(): void {
    this.#reason ??= 'cancelled';
    this.#sandbox.kill('disposed');
  }

  output({ stream, text }: OutputPart): void {
    const { outputBytes } = this.#dependencies.limits;
    const kept = text.slice(0, outputBytes - this.#printedLength);
    this.#printedLength += text.length;
    if (kept) {
      this.#printed[stream].push(kept);
      this.#tell({ stream, text: kept });
    }
    // the harness stops before this; whoever gets here has gone round it
    if (this.#printedLength > outputBytes) {
      this.#reason ??= 'output';
      this.#sandbox.kill('output');
    }
  }

  exceed(): void {
    this.stop('output');
  }

  #tell(part: OutputPart): void {
    try {
      this.#options.onOutput?.(part);
    } catch {
      // the listener's fault must not become the guest's
    }
  }

  #outcome(end: RunEnd, prepared: PreparedRun, durationMs: number): Outcome {
    const ending: Ending = {
      stdout: this.#printed.stdout.join(''),
      stderr: this.#printed.stderr.join(''),
      durationMs,
      isSandboxLost: !this.#sandbox.isAlive || (end.type === 'result' && end.isStateLost),
    };
    const { limits } = this.#dependencies;
    switch (this.#reason) {
      case 'cancelled':
        return { type: 'cancelled', ...ending };
      case 'time':
        return { type: 'exceeded', limit: 'time', allowed: prepared.timeoutMs, ...ending };
      case 'output':
        return { type: 'exceeded', limit: 'output', allowed: limits.outputBytes, ...ending };
      case undefined:
        return end.type === 'result'
          ? outcomeOf(end.result, ending, { ...limits, wallTimeMs: prepared.timeoutMs })
          : failureOf(end, ending);
    }
  }
}

/** The bound behind each limit that an interpreter reports. */
const boundOf = {
  time: 'wallTimeMs',
  memory: 'memoryBytes',
  output: 'outputBytes',
  result: 'resultBytes',
} as const;

function outcomeOf(result: RunResult, ending: Ending, limits: ExecutorLimits): Outcome {
  switch (result.type) {
    case 'denied':
      return { ...result, code: 'executor/denied', ...ending };
    case 'exceeded':
      return {
        type: 'exceeded',
        limit: result.limit === 'result' ? 'output' : result.limit,
        allowed: limits[boundOf[result.limit]],
        ...ending,
      };
    case 'returned':
    case 'submitted':
    case 'threw':
    case 'syntax-error':
      return { ...result, ...ending };
  }
}

function failureOf(end: Extract<RunEnd, { type: 'dead' }>, ending: Ending): Outcome {
  const codes = { protocol: 'executor/protocol-broken', 'frame-lost': 'executor/frame-lost' } as const;
  const code = end.cause in codes ? codes[end.cause as keyof typeof codes] : 'executor/interpreter-died';
  return { type: 'failed', code, message: end.message, ...ending };
}
