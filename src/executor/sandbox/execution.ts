/** Watches over one run: its time, its output, its cancellation. Whatever the guest does, it ends with an outcome. */
import type { Clock } from '../../platform/index.ts';
import type { Hub } from '../../telemetry/index.ts';
import { parseDisplay } from '../display.ts';
import type { DisplayValue } from '../display.ts';
import type { ExecutionOptions, OutputPart } from '../executor.ts';
import type { ExecutorLimits } from '../limits.ts';
import type { Exceeded, ExceededLimit, GuestError, Outcome } from '../outcome.ts';
import { decide } from '../policy/decide.ts';
import type { Policy } from '../policy/policy.ts';
import type { Denial } from './denial.ts';
import { slowKeysMs } from './key-watch.ts';
import { nothingPrinted } from './nothing-printed.ts';
import type { Ending } from './nothing-printed.ts';
import type { PreparedRun, RunGrant } from './prepare-run.ts';
import { outputBounds } from './protocol.ts';
import type { OutputBound, ToolCallMessage } from './protocol.ts';
import type { RunResult } from './run-result.ts';
import type { RunEnd, RunWatcher, Sandbox } from './sandbox.ts';
import type { PackageDesk } from './package-desk.ts';
import { ToolDesk } from './tool-desk.ts';

/** Bounds that are watched from outside. */
type WatchedLimit = Exclude<ExceededLimit, 'memory' | 'fuel'>;

export interface ExecutionDependencies {
  readonly clock: Clock;
  readonly hub: Hub;
  readonly limits: ExecutorLimits;
  readonly packages: Pick<PackageDesk, 'isOpen' | 'serve' | 'supply'>;
}

export class Execution implements RunWatcher {
  readonly #sandbox: Sandbox;
  readonly #dependencies: ExecutionDependencies;
  readonly #options: ExecutionOptions;
  readonly #printed = { stdout: [] as string[], stderr: [] as string[] };
  readonly #displays: DisplayValue[] = [];
  #printedLength = 0;
  #displayLength = 0;
  #desk: ToolDesk | undefined;
  /** Why the run is stopped from outside. The first reason counts, whatever the guest answers. */
  #stopped: Stop | undefined;
  #interrupting: Promise<void> | undefined;
  #cancelGrace: (() => void) | undefined;

  constructor(sandbox: Sandbox, options: ExecutionOptions, dependencies: ExecutionDependencies) {
    this.#sandbox = sandbox;
    this.#options = options;
    this.#dependencies = dependencies;
  }

  /** Resolves always. */
  async run(prepared: PreparedRun): Promise<Outcome> {
    const { clock } = this.#dependencies;
    const { signal } = this.#options;
    if (signal?.aborted) return { type: 'cancelled', ...nothingPrinted };
    this.#desk = this.#openDesk(prepared.grant);
    const startMs = clock.monotonic();
    const onAbort = (): void => this.stop(cancelled);
    signal?.addEventListener('abort', onAbort, { once: true });
    const cancelTimer = clock.after(prepared.timeoutMs, () =>
      this.stop(exceeding('time', prepared.timeoutMs)),
    );
    const running = this.#sandbox.run(prepared, this);
    // by whoever heard that it starts
    if (signal?.aborted) onAbort();
    const end = await running;
    this.#desk.close();
    cancelTimer();
    this.#cancelGrace?.();
    signal?.removeEventListener('abort', onAbort);
    // an interrupt that is still on its way must not hit the next run, where there can be one
    if (this.#sandbox.isAlive) await this.#interrupting;
    return this.#outcome(end, prepared, clock.monotonic() - startMs);
  }

  /** Asks the guest to stop and, when it does not or cannot be asked, ends its interpreter. */
  stop(stop: Stop): void {
    if (this.#stopped) return;
    this.#stopped = stop;
    const reason = stop.type === 'exceeded' ? stop.limit : stop.type;
    // nobody waits for a tool any longer
    this.#desk?.close();
    const keepsTime = reason === 'time' && this.#sandbox.keepsTime;
    if (!this.#sandbox.canInterrupt && !keepsTime) return this.#sandbox.kill(reason);
    const { clock, limits } = this.#dependencies;
    this.#cancelGrace = clock.after(limits.interruptGraceMs, () => this.#sandbox.kill(reason));
    this.#interrupting = this.#sandbox.interrupt().catch(() => undefined);
  }

  /** Ends the interpreter now. */
  abandon(): void {
    this.#stopped ??= cancelled;
    this.#sandbox.kill('disposed');
  }

  output(stream: OutputPart['stream'], text: string): void {
    const { outputBytes } = this.#dependencies.limits;
    const kept = text.slice(0, Math.max(0, outputBytes - this.#printedLength));
    this.#printedLength += text.length;
    if (kept) {
      this.#printed[stream].push(kept);
      this.#tell({ stream, text: kept });
    }
    // the harness stops before this; whoever gets here has gone round it
    if (this.#printedLength > outputBytes) {
      this.#stopped ??= exceeding('output', outputBytes);
      this.#sandbox.kill('output');
    }
  }

  exceed(bound: OutputBound): void {
    this.stop(exceeding(outputBounds[bound], this.#dependencies.limits[bound]));
  }

  display(bundle: string): void {
    const { displays, displayBytes } = this.#dependencies.limits;
    this.#displayLength += bundle.length;
    if (this.#displayLength > displayBytes) return this.exceed('displayBytes');
    if (this.#displays.length >= displays) return this.exceed('displays');
    const value = parseDisplay(bundle);
    if (!value) return;
    this.#displays.push(value);
    try {
      this.#options.onDisplay?.(value);
    } catch {
      // the listener's fault must not become the guest's
    }
  }

  call(message: ToolCallMessage): void {
    this.#desk?.receive(message);
  }

  #openDesk({ tools, policy, packageBudget }: RunGrant): ToolDesk {
    return new ToolDesk({
      tools,
      policy,
      limits: this.#dependencies.limits,
      clock: this.#dependencies.clock,
      packages: this.#dependencies.packages,
      packageBudget,
      reply: (message, answer) => this.#sandbox.answer(message, answer),
      onExceed: (limit, allowed) => this.stop(exceeding(limit, allowed)),
      onDeny: (denial) => this.stop({ type: 'denied', code: 'executor/denied', ...denial }),
    });
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
      ...(this.#displays.length > 0 ? { displays: this.#displays } : {}),
      durationMs,
      isSandboxLost: !this.#sandbox.isAlive || (end.type === 'result' && end.isStateLost),
    };
    if (this.#stopped) return { ...this.#stopped, ...ending };
    const { limits } = this.#dependencies;
    return end.type === 'result'
      ? outcomeOf(end.result, ending, { limits, prepared })
      : failureOf(end, ending);
  }
}

/** What the outcome says of a run that is stopped from outside. */
type Stop =
  | { readonly type: 'cancelled' }
  | (Pick<Exceeded, 'type' | 'allowed'> & { readonly limit: WatchedLimit })
  | ({ readonly type: 'denied'; readonly code: 'executor/denied' } & Denial);

/** The caller wants it, or nobody waits for it any longer. */
const cancelled: Stop = Object.freeze({ type: 'cancelled' });

function exceeding(limit: WatchedLimit, allowed: number): Stop {
  return { type: 'exceeded', limit, allowed };
}

/** The bound behind each limit that an interpreter reports. */
const boundOf = {
  memory: 'memoryBytes',
  output: 'outputBytes',
  result: 'resultBytes',
} as const;

interface Measure {
  readonly limits: ExecutorLimits;
  readonly prepared: PreparedRun;
}

/** Which rule denies what the guest's side found in the code. */
function ruleOf(policy: Policy, { permission, name }: Extract<RunResult, { type: 'denied' }>): string {
  return decide(policy, { permission, name }).rule;
}

function outcomeOf(result: RunResult, ending: Ending, { limits, prepared }: Measure): Outcome {
  switch (result.type) {
    case 'denied':
      return {
        ...result,
        code: 'executor/denied',
        rule: ruleOf(prepared.grant.policy, result),
        ...ending,
      };
    case 'exceeded':
      if (result.limit === 'fuel') return { ...result, ...ending };
      if (result.limit === 'keys') return { ...result, allowed: slowKeysMs, ...ending };
      return {
        type: 'exceeded',
        limit: result.limit,
        allowed: result.limit === 'time' ? prepared.timeoutMs : limits[boundOf[result.limit]],
        ...ending,
      };
    case 'returned':
    case 'submitted':
    case 'threw':
    case 'syntax-error':
      return { ...result, ...ending };
  }
}

/** In the words of Python, whose interpreter is the one that ends so. */
const stackWords = 'maximum recursion depth exceeded: the interpreter has no stack left';
const stackSpent: GuestError = {
  type: 'RecursionError',
  message: stackWords,
  traceback: `RecursionError: ${stackWords}\n`,
  line: null,
};

function failureOf(end: Extract<RunEnd, { type: 'dead' }>, ending: Ending): Outcome {
  if (end.cause === 'stack') return { type: 'threw', error: stackSpent, ...ending };
  const codes = { protocol: 'executor/protocol-broken', 'frame-lost': 'executor/frame-lost' } as const;
  const code = end.cause in codes ? codes[end.cause as keyof typeof codes] : 'executor/interpreter-died';
  return { type: 'failed', code, message: end.message, ...ending };
}
