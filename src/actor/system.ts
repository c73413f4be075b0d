/** The page's side: workers, the actors in them, and who wants to know when they end. */
import { CodedError, isCodedError, toCodedError } from '../base/index.ts';
import type { ErrorCode } from '../base/index.ts';
import { systemClock } from '../platform/index.ts';
import type { Clock } from '../platform/index.ts';
import type { CallOptions, IncomingCall, IncomingMessage, PortLimits } from '../port/index.ts';
import { silentHub } from '../telemetry/index.ts';
import type { Hub } from '../telemetry/index.ts';
import { BootLimit } from './boot-limit.ts';
import { checkSystem } from './check-system.ts';
import { defaultActorLimits } from './limits.ts';
import type { ActorLimits, Shutdown } from './limits.ts';
import type { MessageSource } from './message-source.ts';
import { hostAddress } from './protocol.ts';
import type { ActorExit, SpawnRequest, StopRequest } from './protocol.ts';
import { Slot } from './slot.ts';
import type { Realm } from './slot.ts';

/**
 * Why an actor ended. By itself: `normal`, `shutdown` (it was asked to stop), `crashed`. Before it ran: `start-failed`.
 * Because it did not stop in time: `killed`. With its worker and all its neighbours there: `worker-lost`, `worker-hung`
 * (silent for longer than `hangTimeoutMs`, and killed), `protocol-violated` (it sent too many frames that are malformed
 * or out of order, and was killed).
 */
export type ActorExitReason =
  | 'normal'
  | 'shutdown'
  | 'crashed'
  | 'start-failed'
  | 'killed'
  | 'worker-lost'
  | 'worker-hung'
  | 'protocol-violated';

/** Whether an actor ended because its worker did. */
export function isWorkerLoss(reason: ActorExitReason): boolean {
  return reason === 'worker-lost' || reason === 'worker-hung' || reason === 'protocol-violated';
}

type WorkerLoss = readonly [reason: ActorExitReason, code: ErrorCode, words: string];

const lost: WorkerLoss = ['worker-lost', 'actor/worker-lost', 'is gone'];
/** By what ended the worker. */
const losses: ReadonlyMap<string, WorkerLoss> = new Map([
  ['hang', ['worker-hung', 'actor/worker-hung', 'did not answer in time and was killed'] as const],
  [
    'protocol-violation',
    ['protocol-violated', 'actor/protocol-violated', 'broke the protocol and was killed'] as const,
  ],
]);

export interface Exit {
  readonly actor: string;
  readonly reason: ActorExitReason;
  readonly error?: { readonly code: ErrorCode; readonly message: string };
  /** What ended the worker, when that is the reason, such as `ended`, `hang` or `killed`. */
  readonly cause?: string;
}

export interface SystemOptions {
  /** Starts one realm; `name` is the worker's id, useful as the name of the Worker. */
  readonly createRealm: (name: string) => Realm;
  /** Workers that share actors. Default 2. */
  readonly poolSize?: number;
  /** Whether realms can hang and be killed. Default true. */
  readonly isWatched?: boolean;
  /** Answers what actors ask of the page. The source is the worker that really asks, whatever the call says of itself. */
  readonly onCall?: (call: IncomingCall, source: MessageSource) => unknown;
  readonly onMessage?: (message: IncomingMessage, source: MessageSource) => void;
  readonly clock?: Clock;
  readonly hub?: Hub;
  readonly limits?: ActorLimits;
  readonly portLimits?: PortLimits;
}

export interface SpawnOptions {
  readonly actor: string;
  readonly kind: string;
  readonly args?: unknown;
  /** Gives the actor a worker of its own. Default false. */
  readonly isDedicated?: boolean;
  /** Which start of the id this is, in a count of whoever starts it: tells its words from those of an earlier start. Default 0. */
  readonly incarnation?: number;
}

/** One start of an actor. Its id may start again later, even in the same worker. */
interface Placement {
  readonly slot: Slot;
  readonly incarnation: number;
  /** Ends the wait for its worker. */
  withdraw: () => void;
}

type ExitsListener = (exits: readonly Exit[]) => void;

/** Addresses stay valid only while the actor runs: after a restart, spawn gives a new one. */
export interface ActorRef {
  readonly actor: string;
  readonly worker: string;
  call(method: string, body: unknown, options?: CallOptions): Promise<unknown>;
  send(method: string, body: unknown): void;
}

export class ActorSystem {
  readonly #options: SystemOptions;
  readonly #clock: Clock;
  readonly #hub: Hub;
  readonly #limits: ActorLimits;
  readonly #boots: BootLimit;
  readonly #slots = new Set<Slot>();
  readonly #located = new Map<string, Placement>();
  readonly #monitors = new Map<string, Set<(exit: Exit) => void>>();
  readonly #exitsListeners = new Set<ExitsListener>();
  #nextWorker = 1;
  #isClosed = false;

  /** @throws `actor/spec-invalid` for a bound that is none */
  constructor(options: SystemOptions) {
    checkSystem(options);
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#hub = options.hub ?? silentHub;
    this.#limits = options.limits ?? defaultActorLimits;
    this.#boots = new BootLimit(this.#clock, this.#limits);
  }

  /** Workers that run now, for inspection. */
  get workers(): readonly {
    readonly id: string;
    readonly actors: readonly string[];
    readonly isDedicated: boolean;
  }[] {
    return [...this.#slots].map((slot) => ({
      id: slot.id,
      actors: [...slot.actors],
      isDedicated: slot.isDedicated,
    }));
  }

  /** Workers that one actor has alone. */
  get dedicatedWorkers(): number {
    return this.#slots.size - this.#shared().length;
  }

  /** How many more there may be. */
  get dedicatedWorkersLeft(): number {
    return Math.max(0, this.#limits.maxDedicatedWorkers - this.dedicatedWorkers);
  }

  /** Whether an actor has a place: it runs or starts. */
  has(actor: string): boolean {
    return this.#located.has(actor);
  }

  /** Starts the pool's workers ahead of need. */
  async warm(): Promise<void> {
    while (this.#shared().length < this.#poolSize && !this.#isClosed) this.#addSlot();
    await Promise.all([...this.#slots].map((slot) => slot.ready));
  }

  /**
   * Starts an actor and resolves when it runs. Rejects with what its start threw, `actor/kind-not-found`,
   * `actor/start-failed` (also when it ended or was stopped while it started), `actor/already-started`, `actor/start-timeout`,
   * `actor/worker-start-failed`, `actor/pool-full` or `actor/peer-died`.
   */
  async spawn(options: SpawnOptions): Promise<ActorRef> {
    const { actor, kind, incarnation = 0 } = options;
    if (this.#located.has(actor)) {
      throw new CodedError('actor/already-started', `actor "${actor}" already runs`, { fields: { actor } });
    }
    const slot = this.#place(options.isDedicated ?? false);
    const placement: Placement = { slot, incarnation, withdraw: () => undefined };
    this.#located.set(actor, placement);
    slot.actors.add(actor);
    try {
      await this.#begin(placement, options);
    } catch (error) {
      if (this.#located.get(actor) === placement) {
        this.#forget(actor, slot);
        const { code, message } = toCodedError(error, 'actor/start-failed');
        this.#tellMonitors({ actor, reason: 'start-failed', error: { code, message } });
      }
      throw isCodedError(error, 'port/timeout') ? this.#startTimeout(actor) : error;
    }
    this.#hub.emit({ type: 'actor-start', actor, kind, worker: slot.id });
    return {
      actor,
      worker: slot.id,
      call: (method, body, callOptions) => slot.peer.call(actor, method, body, callOptions),
      send: (method, body) => slot.peer.send(actor, method, body),
    };
  }

  /**
   * Asks an actor to stop and drops it when the time is over; its worker is killed only if the actor has it alone.
   * @param shutdown default `limits.shutdownMs`
   */
  async stop(actor: string, shutdown: Shutdown = this.#limits.shutdownMs): Promise<void> {
    const placement = this.#located.get(actor);
    if (!placement) return;
    const { slot } = placement;
    const isKill = shutdown === 'brutal-kill';
    if (!slot.isReady) {
      // nothing of it is there yet
      this.#exitOne(slot, { actor, reason: isKill ? 'killed' : 'shutdown' });
      return placement.withdraw();
    }
    if (isKill) return this.#kill(slot, actor);
    try {
      await this.#askToStop(slot, actor, shutdown === 'infinity' ? Infinity : shutdown);
    } catch {
      // it is over all the same: what did not answer is killed, and a worker that it had alone goes with it
    }
    if (this.#located.get(actor) === placement) this.#exitOne(slot, { actor, reason: 'killed' });
  }

  /** Runs `onExit` once, when the actor ends; at once when it does not run. The returned function stops watching. */
  monitor(actor: string, onExit: (exit: Exit) => void): () => void {
    if (!this.#located.has(actor)) {
      queueMicrotask(() => onExit({ actor, reason: 'normal' }));
      return () => undefined;
    }
    const watchers = this.#monitors.get(actor) ?? new Set();
    watchers.add(onExit);
    this.#monitors.set(actor, watchers);
    return () => watchers.delete(onExit);
  }

  /** Hears of all exits; those of one lost worker come together, since they are one failure. */
  onExits(listener: ExitsListener): () => void {
    this.#exitsListeners.add(listener);
    return () => this.#exitsListeners.delete(listener);
  }

  /** Kills the worker that an actor runs in, and all its neighbours with it. */
  killWorkerOf(actor: string, cause: string = 'killed'): void {
    this.#located.get(actor)?.slot.kill(cause);
  }

  /** Ends every worker. */
  close(): void {
    this.#isClosed = true;
    for (const slot of this.#slots) slot.kill('system-closed');
  }

  get #poolSize(): number {
    return this.#options.poolSize ?? 2;
  }

  #shared(): Slot[] {
    return [...this.#slots].filter((slot) => !slot.isDedicated);
  }

  #place(isDedicated: boolean): Slot {
    if (this.#isClosed) throw new CodedError('actor/system-closed', 'this actor system was closed');
    if (isDedicated) {
      if (this.dedicatedWorkersLeft === 0) throw this.#tooManyDedicated();
      const slot = this.#addSlot();
      slot.isDedicated = true;
      return slot;
    }
    const shared = this.#shared();
    const least = shared.reduce<Slot | undefined>(
      (a, b) => (a && a.actors.size <= b.actors.size ? a : b),
      undefined,
    );
    if (!least || (least.actors.size > 0 && shared.length < this.#poolSize)) return this.#addSlot();
    if (least.actors.size >= this.#limits.maxActorsPerWorker) {
      const allowed = this.#limits.maxActorsPerWorker;
      throw new CodedError('actor/pool-full', `every worker already runs ${allowed} actors`, {
        fields: { allowed },
      });
    }
    return least;
  }

  #addSlot(): Slot {
    const id = `worker-${this.#nextWorker++}`;
    const slot = new Slot(this.#options.createRealm(id), {
      id,
      clock: this.#clock,
      hub: this.#hub,
      limits: this.#limits,
      boots: this.#boots,
      portLimits: this.#options.portLimits,
      isWatched: this.#options.isWatched ?? true,
      onCall: (from, call) => this.#serve(from, call),
      onMessage: (from, message) => this.#options.onMessage?.(message, this.#sourceOf(from)),
      onActorExit: (from, exit) => this.#onActorExit(from, exit),
      onLost: (lost, cause) => this.#onLost(lost, cause),
    });
    this.#slots.add(slot);
    return slot;
  }

  #sourceOf(slot: Slot): MessageSource {
    return {
      worker: slot.id,
      whereIs: (actor, incarnation) => {
        const placement = this.#located.get(actor);
        if (!placement) return 'nowhere';
        const isMeant = incarnation === undefined || placement.incarnation === incarnation;
        if (isMeant && placement.slot === slot) return 'here';
        return incarnation !== undefined && slot.ended.has(actor, incarnation) ? 'over' : 'elsewhere';
      },
      violate: (reason) => slot.peer.violate(reason),
    };
  }

  async #begin(placement: Placement, { actor, kind, args }: SpawnOptions): Promise<void> {
    const { slot, incarnation } = placement;
    const ended = (): CodedError =>
      new CodedError('actor/start-failed', `actor "${actor}" ended or was stopped while it started`, {
        fields: { actor },
      });
    const requirePlace = (): void => {
      if (this.#located.get(actor) !== placement) throw ended();
    };
    const withdrawn = new Promise<never>((_, reject) => {
      placement.withdraw = () => reject(ended());
    });
    await Promise.race([slot.ready, withdrawn]);
    requirePlace();
    const request: SpawnRequest = { actor, kind, args, incarnation };
    await slot.peer.call(hostAddress, 'actor-spawn', request, { timeoutMs: this.#limits.actorStartMs });
    // a stop that came to the worker before the start found nothing to stop
    if (this.#located.get(actor) !== placement) void this.#askToStop(slot, actor).catch(() => undefined);
    requirePlace();
  }

  /** Does not wait: what comes to the worker later finds the actor gone, since a port keeps its order. */
  #kill(slot: Slot, actor: string): void {
    const request: StopRequest = { actor, isKill: true };
    slot.peer.call(hostAddress, 'actor-stop', request).catch(() => undefined);
    this.#exitOne(slot, { actor, reason: 'killed' });
  }

  async #askToStop(slot: Slot, actor: string, timeoutMs: number = this.#limits.shutdownMs): Promise<void> {
    const request: StopRequest = { actor };
    await slot.peer.call(hostAddress, 'actor-stop', request, { timeoutMs });
  }

  #serve(slot: Slot, call: IncomingCall): unknown {
    if (this.#options.onCall) return this.#options.onCall(call, this.#sourceOf(slot));
    throw new CodedError('actor/service-not-found', `the page serves no "${call.to}"`, {
      fields: { service: call.to },
    });
  }

  #onActorExit(slot: Slot, exit: ActorExit): void {
    if (this.#located.get(exit.actor)?.slot !== slot) return;
    this.#exitOne(slot, {
      actor: exit.actor,
      reason: exit.reason,
      ...(exit.error ? { error: exit.error } : {}),
    });
  }

  #exitOne(slot: Slot, exit: Exit): void {
    this.#forget(exit.actor, slot);
    this.#publish([exit]);
  }

  #onLost(slot: Slot, cause: string): void {
    this.#slots.delete(slot);
    const [reason, code, words] = losses.get(cause) ?? lost;
    const error = { code, message: `worker ${slot.id} ${words}: ${cause}` };
    const exits = [...slot.actors].map((actor): Exit => ({ actor, reason, error, cause }));
    this.#hub.emit({ type: 'worker-lost', worker: slot.id, cause, actors: exits.length });
    for (const { actor } of exits) this.#forget(actor, slot);
    this.#publish(exits);
  }

  #publish(exits: readonly Exit[]): void {
    for (const exit of exits) {
      const { actor, reason, error } = exit;
      this.#hub.emit({ type: 'actor-exit', actor, reason, ...(error ? { error } : {}) });
      this.#tellMonitors(exit);
    }
    for (const listener of this.#exitsListeners) listener(exits);
  }

  #tellMonitors(exit: Exit): void {
    const watchers = this.#monitors.get(exit.actor);
    this.#monitors.delete(exit.actor);
    for (const onExit of watchers ?? []) onExit(exit);
  }

  /** A worker that the actor had alone goes with it. */
  #forget(actor: string, slot: Slot): void {
    slot.actors.delete(actor);
    slot.ended.add(actor, this.#located.get(actor)?.incarnation ?? 0);
    this.#located.delete(actor);
    if (slot.isDedicated && slot.actors.size === 0 && !slot.isLost) this.#retire(slot);
  }

  #retire(slot: Slot): void {
    this.#slots.delete(slot);
    slot.kill('retired');
  }

  #tooManyDedicated(): CodedError {
    const allowed = this.#limits.maxDedicatedWorkers;
    return new CodedError('actor/pool-full', `${allowed} actors already have workers of their own`, {
      fields: { allowed },
    });
  }

  #startTimeout(actor: string): CodedError {
    const timeoutMs = this.#limits.actorStartMs;
    return new CodedError('actor/start-timeout', `actor "${actor}" did not start within ${timeoutMs} ms`, {
      fields: { actor, timeoutMs },
      isRetryable: true,
    });
  }
}
