/** One hosted module on the page's side: where it runs now, what it is waiting for, and how calls reach it. */
import type { ActorExitReason, ActorRef, Supervisor } from '../../actor/index.ts';
import { CodedError, isCodedError } from '../../base/index.ts';
import type { ErrorCode } from '../../base/index.ts';
import { sleep, withDeadline } from '../../platform/index.ts';
import type { Clock } from '../../platform/index.ts';
import type { CallOptions } from '../../port/index.ts';
import type { ModuleDescription } from '../../program/index.ts';
import type { Dependency, Standing } from '../registry/dependency.ts';
import { ExecutionHistory } from '../history/execution-history.ts';
import type { ModuleMetrics } from '../history/execution-history.ts';
import type { RuntimeLimits } from '../limits.ts';
import { subModuleNotFound } from '../module-error.ts';
import type { ModuleJournal } from '../journal/module-journal.ts';
import type { HostedPart, Surrounding } from '../sub-module/hosted-part.ts';
import type { Edition, ParameterStepBody } from '../module-protocol.ts';
import { AskOrder } from '../parameter/ask-order.ts';
import type { WholeChange } from '../parameter/whole-change.ts';
import { WaitingCalls } from './waiting-calls.ts';

/** `degraded`: it runs, and something that it depends on is down. */
export type ModuleStatus = 'starting' | 'running' | 'degraded' | 'restarting' | 'crashed' | 'stopped';

/** What ended a module's actor. */
export interface CrashReason {
  readonly code: ErrorCode;
  readonly message: string;
  /** How the actor ended; `start-failed` when it never ran. */
  readonly reason: ActorExitReason;
  readonly atMs: number;
}

export interface ReachOptions extends CallOptions {
  /** The call may be made twice: when its worker is lost it is tried again, within the same limit of time. */
  readonly isIdempotent?: boolean | undefined;
  /** Makes the body anew when it is sent after a wait, and for each attempt: for what depends on the time. Default: what was given. */
  readonly bodyAt?: (() => unknown) | undefined;
}

/** How a module was stopped. `not-running`: there was nothing to stop. */
export interface StopOutcome {
  readonly how: 'graceful' | 'killed' | 'not-running';
  /** `runtime/stop-timeout` when it was killed. */
  readonly error?: CodedError;
}

/** Which class a module runs. */
export interface ModuleSource {
  /** Undefined until the module has said which is the newest. */
  readonly version: string | undefined;
  /** The file that has it; undefined for what the worker entry serves. */
  readonly url: string | undefined;
  /** The very class; without it what the version means where it starts. */
  readonly edition?: Edition | undefined;
}

/** A call of `forward` that has not ended. */
export interface PendingCall {
  readonly traceId: string;
  readonly startedAtMs: number;
}

/**
 * What reaches a module before it serves: the values that it begins with, and what has its turn among the changes of a whole program.
 * That must not wait for a start that waits for its own turn.
 */
const wholeChanges: ReadonlySet<string> = new Set([
  'changes-check',
  'changes-apply',
  'state-check',
  'state-dump',
  'state-load',
  'mode-set',
  'swap',
  'update-check',
  'update-apply',
  'owner-behind',
  'parameter-foresee',
]);

export class HostedModuleRecord {
  readonly id: string;
  readonly kind: string;
  readonly journal: ModuleJournal;
  readonly history: ExecutionHistory;
  readonly startedAtMs: number;
  description: ModuleDescription | undefined;
  /** Which version a restart starts, and where it is from. */
  source: ModuleSource = { version: undefined, url: undefined };
  /** The version whose stored state it was started from, when that was another one. */
  migratedFrom: string | undefined;
  /** Whether another version may take over while it runs. */
  hotReload = true;
  /** Changes of several steps that have not come to their end, in the order in which they were asked for. */
  readonly changes: WholeChange[] = [];
  /** What it is asked to change, in the order in which that is asked for. */
  readonly asks: AskOrder = new AskOrder();
  /** The swap that is under way. */
  swapping: Promise<unknown> | undefined;
  /** The compilation that is under way. */
  compiling: Promise<unknown> | undefined;
  restarts = 0;
  /** Which start of an actor its actor is, in the count of this page. News of another one are not of it. */
  incarnation = 0;
  /** What ended its actor last. */
  crash: CrashReason | undefined;
  /** Calls of `forward` that have not ended, in order of start. */
  readonly pending: Set<PendingCall> = new Set();
  /** The stop that is under way. */
  stopping: Promise<StopOutcome> | undefined;
  /** The start that is under way. */
  starting: Promise<void> | undefined;
  /** Who restarts it. */
  supervisor: Supervisor | undefined;
  /** Sub-modules that are actors of their own, by path, in order of start. */
  readonly parts: Map<string, HostedPart> = new Map();
  /** The module that this one is a sub-module of. */
  readonly around: Surrounding | undefined;
  readonly #clock: Clock;
  readonly #limits: RuntimeLimits;
  readonly #waiting: WaitingCalls;
  readonly #listeners = new Set<(status: ModuleStatus) => void>();
  #status: ModuleStatus = 'starting';
  #ref: ActorRef | undefined;
  /** Where it runs, from before it serves. */
  #prepared: ActorRef | undefined;
  #standing: Standing = 'ready';
  #down: readonly Dependency[] = [];
  #runningSinceMs: number | undefined;
  #endedWith: CodedError | undefined;

  constructor(
    id: string,
    kind: string,
    journal: ModuleJournal,
    options: { clock: Clock; limits: RuntimeLimits; around?: Surrounding | undefined },
  ) {
    this.id = id;
    this.kind = kind;
    this.journal = journal;
    this.around = options.around;
    this.#clock = options.clock;
    this.#limits = options.limits;
    this.#waiting = new WaitingCalls(id, options.limits.maxWaitingCalls);
    this.history = new ExecutionHistory(options.limits);
    this.startedAtMs = options.clock.now();
  }

  get status(): ModuleStatus {
    return this.#status === 'running' && this.#down.length > 0 ? 'degraded' : this.#status;
  }

  /** Its actor runs, whatever may be down that it depends on. */
  get isRunning(): boolean {
    return this.#status === 'running';
  }

  /** The dependencies that are down while it runs. */
  get downDependencies(): readonly Dependency[] {
    return this.#down;
  }

  /** It was stopped or has crashed for good. */
  get isOver(): boolean {
    return this.#endedWith !== undefined;
  }

  /** It is over, and nobody keeps its state: that of a part that has crashed is kept by the module around it, until both end. */
  get isGone(): boolean {
    const isKept = this.#status === 'crashed' && this.around !== undefined && !this.around.module.isOver;
    return this.isOver && !isKept;
  }

  /** What calls to it get, once it is over. */
  get endedWith(): CodedError | undefined {
    return this.#endedWith;
  }

  /** The worker it runs in, while it runs. */
  get worker(): string | undefined {
    return this.#ref?.worker;
  }

  /** How many calls of `forward` have not ended. */
  get openCalls(): number {
    return this.pending.size;
  }

  /** How long it has run since its last start or restart; 0 while it does not. */
  get uptimeMs(): number {
    return this.#runningSinceMs === undefined ? 0 : this.#clock.monotonic() - this.#runningSinceMs;
  }

  get metrics(): ModuleMetrics {
    const { restarts, uptimeMs, openCalls } = this;
    return this.history.metrics({ restarts, uptimeMs, mailboxLength: openCalls });
  }

  onStatus(listener: (status: ModuleStatus) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Its actor runs: changes of the whole program reach it, and nothing else before {@link attach}. */
  prepare(ref: ActorRef): void {
    if (this.isOver) return;
    this.#prepared = ref;
    this.#waiting.wake();
  }

  /** The module runs again and takes calls. */
  attach(ref: ActorRef): void {
    if (this.isOver) return;
    this.#ref = ref;
    this.#runningSinceMs = this.#clock.monotonic();
    this.#setStatus('running');
    this.#waiting.wake();
  }

  /** Tells the running actor something, if there is one. @throws what the port refuses */
  tell(method: string, body: unknown): void {
    this.#refFor(method)?.send(method, body);
  }

  /** It has what it was asked for, or is over: steps that start from that go on. */
  endAsk(order: number): void {
    this.asks.close(order);
    this.#waiting.wake();
  }

  /** It had ended, and is started once more with what the page has of it. */
  revive(): void {
    this.#endedWith = undefined;
    this.stopping = undefined;
    this.restarts++;
    this.#setStatus('restarting');
  }

  /** Resolves when it runs, or has ended. */
  async settled(): Promise<void> {
    if (this.#ref || this.#endedWith) return;
    await new Promise<void>((resolve) => {
      const leave = this.onStatus((status) => {
        if (status === 'starting' || status === 'restarting') return;
        leave();
        resolve();
      });
    });
  }

  /** Resolves when its actor can be told of whole changes, or it was restarted more often than so many times, or it has ended. */
  async reached(restarts: number): Promise<void> {
    const isDone = (): boolean => this.restarts !== restarts || Boolean(this.#ref ?? this.#prepared);
    while (!this.isOver && !isDone()) await this.#waiting.wakened();
  }

  /** Resolves when its actor runs after having been restarted more often than so many times, whether or not it serves yet, or it has ended. */
  async restarted(restarts: number): Promise<void> {
    const isBack = (): boolean => this.restarts !== restarts && Boolean(this.#ref ?? this.#prepared);
    while (!this.isOver && !isBack()) await this.#waiting.wakened();
  }

  /** Waits for `work` as long as the module lives. @throws what `work` throws, and what ended the module */
  async whileAlive(work: Promise<void>): Promise<void> {
    let leave = (): void => undefined;
    const ended = new Promise<never>((_, reject) => {
      leave = this.onStatus(() => this.#endedWith && reject(this.#endedWith));
    });
    await Promise.race([work, ended]).finally(() => leave());
  }

  /** The module that owns a parameter, and its name there. */
  ownerOf(parameter: string): { readonly module: HostedModuleRecord; readonly name: string } {
    for (const part of this.parts.values()) {
      const name = part.ownNames.get(parameter);
      if (name !== undefined) return part.module.ownerOf(name);
    }
    return { module: this, name: parameter };
  }

  /** @throws `runtime/sub-module-not-found`, naming what there is */
  partAt(path: string): HostedModuleRecord {
    const given = path.startsWith('self.') ? path.slice('self.'.length) : path;
    for (const part of this.parts.values()) {
      if (part.path === given) return part.module;
      if (given.startsWith(`${part.path}.`)) return part.module.partAt(given.slice(part.path.length + 1));
    }
    throw subModuleNotFound(this.id, given, [...this.parts.keys()]);
  }

  /** How often it, or a part of it, was taken over by another instance, which may have other parameters. */
  get successions(): number {
    const { successions } = this.journal;
    if (this.parts.size === 0) return successions;
    return [...this.parts.values()].reduce((sum, part) => sum + part.module.successions, successions);
  }

  /** Every parameter of the whole program, wherever it lives, by its name in this module. */
  get parameterNames(): readonly string[] {
    return [
      ...this.journal.parameters.keys(),
      ...[...this.parts.values()].flatMap(({ module, names }) =>
        module.parameterNames.map((name) => names.parameters[name] ?? name),
      ),
    ];
  }

  /** What it depends on has gone or come back: its calls wait, fail or go on accordingly. */
  stand(standing: Standing, down: readonly Dependency[]): void {
    const before = this.status;
    this.#standing = standing;
    this.#down = down;
    if (this.status !== before) this.#tellStatus();
    this.#waiting.wake();
  }

  /** Its actor is gone and comes back. */
  detach(): void {
    if (this.isOver) return;
    this.#ref = undefined;
    this.#prepared = undefined;
    this.#runningSinceMs = undefined;
    this.restarts++;
    this.#setStatus('restarting');
  }

  /** It does not come back: whoever waits or calls gets `error`. */
  end(status: 'crashed' | 'stopped', error: CodedError): void {
    if (this.isOver) return;
    this.#ref = undefined;
    this.#prepared = undefined;
    this.#runningSinceMs = undefined;
    this.#endedWith = error;
    this.#setStatus(status);
    this.#waiting.fail(error);
  }

  /**
   * Calls the module where it runs, waiting for a restart within the call's limit.
   * @throws what the method throws, `actor/peer-died` when the worker was lost under a call that is not idempotent,
   *   `port/timeout`, `port/cancelled`, `runtime/module-restarting` when too many calls wait, `runtime/dependency-down`,
   *   or what ended the module
   */
  call(method: string, body: unknown, options: ReachOptions = {}): Promise<unknown> {
    const ref = this.#ref;
    // the common case costs nothing beyond the call itself
    if (ref && !options.isIdempotent && !this.#isHeld(method) && !this.#isEarly(method, body))
      return ref.call(method, body, options);
    const timeoutMs = options.timeoutMs ?? this.#limits.callTimeoutMs;
    return withDeadline(this.#clock, { timeoutMs, signal: options.signal }, (signal) =>
      this.#reach(method, body, { ...options, signal, timeoutMs: Infinity }),
    );
  }

  async #reach(
    method: string,
    body: unknown,
    options: ReachOptions & { readonly signal: AbortSignal },
  ): Promise<unknown> {
    for (let attempt = 1; ; attempt++) {
      const ref = await this.#reachable(method, body, options.signal);
      try {
        return await ref.call(method, options.bodyAt?.() ?? body, options);
      } catch (error) {
        const isLost = isCodedError(error, 'actor/peer-died') && !options.signal.aborted;
        if (!isLost || !options.isIdempotent || attempt >= this.#limits.maxAttempts) throw error;
        // the news of the exit may come after the failed call
        await sleep(this.#clock, 0);
      }
    }
  }

  /** Where it runs, once its calls may pass. */
  async #reachable(method: string, body: unknown, signal: AbortSignal): Promise<ActorRef> {
    for (;;) {
      if (this.#endedWith) throw this.#endedWith;
      const isHeld = this.#isHeld(method);
      if (isHeld && this.#standing === 'failing') throw this.#dependencyDown();
      const ref = this.#refFor(method);
      if (ref && !isHeld && !this.#isEarly(method, body)) return ref;
      await this.#waiting.change(signal);
    }
  }

  #refFor(method: string): ActorRef | undefined {
    return this.#ref ?? (wholeChanges.has(method) ? this.#prepared : undefined);
  }

  /** Only `forward` leads to the dependencies: parameters and state are the module's own. */
  #isHeld(method: string): boolean {
    return method === 'forward' && (this.#standing === 'waiting' || this.#standing === 'failing');
  }

  /** A step starts from the value that is there: what the page has already must have come. */
  #isEarly(method: string, body: unknown): boolean {
    return method === 'parameter-step' && this.asks.isOpen((body as ParameterStepBody).name);
  }

  #setStatus(status: ModuleStatus): void {
    this.#status = status;
    this.#tellStatus();
  }

  #tellStatus(): void {
    const { status } = this;
    for (const listener of this.#listeners) {
      // a listener before this one has changed it, and has told everybody
      if (this.status !== status) return;
      try {
        listener(status);
      } catch {
        // whoever watches a module must not break its restart
      }
    }
  }

  #dependencyDown(): CodedError {
    const down = this.#down.filter(({ whenDown }) => whenDown === 'fail').map(({ id }) => id);
    const [dependency = ''] = down;
    return new CodedError(
      'runtime/dependency-down',
      `module "${this.id}" does not serve while "${down.join('", "')}" is down`,
      { fields: { module: this.id, dependency, down }, isRetryable: true },
    );
  }
}
