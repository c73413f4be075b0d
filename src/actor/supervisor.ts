/** Keeps children running, one for one. It lives on the page, never in a worker that it supervises. */
import { CodedError, toCodedError } from '../base/index.ts';
import { sleep } from '../platform/index.ts';
import type { Clock } from '../platform/index.ts';
import type { Hub } from '../telemetry/index.ts';
import { defaultRestartLimits, restartsLeft } from './restart.ts';
import type { RestartLimits, RestartType } from './restart.ts';
import { decide } from './supervision.ts';
import type { ChildState, SupervisionEffect, SupervisionEvent, SupervisionState } from './supervision.ts';
import type { ActorRef, ActorSystem, Exit, SpawnOptions } from './system.ts';

export interface ChildSpec {
  /** Unique within the supervisor; also the actor's address. */
  readonly id: string;
  /** Default permanent. */
  readonly restart?: RestartType;
  /** Time to stop in, before the actor is dropped. Default 5,000 ms. */
  readonly shutdownMs?: number;
  /** What to spawn, asked anew at every start, so that a restart gets the newest state. */
  readonly spawn: () => Omit<SpawnOptions, 'actor'>;
  readonly onStart?: (ref: ActorRef) => void;
  /** The child ended. `willRestart` is false when nobody will start it again. */
  readonly onExit?: (exit: Exit, willRestart: boolean) => void;
}

export interface RestartRecord {
  readonly child: string;
  readonly reason: string;
  readonly atMs: number;
}

export interface SupervisorOptions {
  readonly id: string;
  readonly system: ActorSystem;
  readonly clock: Clock;
  readonly hub: Hub;
  readonly limits?: RestartLimits;
  /** The supervisor gave up and everything below it is stopped. */
  readonly onGiveUp?: (error: CodedError) => void;
}

/** Restart records that are kept for people to look at. */
const maxRestartRecords = 100;
/** An actor that was running this often when its worker was lost gets a worker of its own… */
const lossesBeforeDedicated = 2;
/** …while so few have one: a crowded worker that is lost twice must not become a crowd of workers. */
const maxBlamedWorkers = 8;

const normalReasons: readonly Exit['reason'][] = ['normal', 'shutdown'];

function endedEarly(child: string): CodedError {
  return new CodedError('actor/start-failed', `actor "${child}" ended or was stopped while it started`, {
    fields: { actor: child },
  });
}

export class Supervisor {
  readonly id: string;
  readonly limits: RestartLimits;
  readonly #options: SupervisorOptions;
  readonly #specs = new Map<string, ChildSpec>();
  readonly #losses = new Map<string, number>();
  readonly #restarts: RestartRecord[] = [];
  /** Children whose restart failed, by the error: one lost worker gives all of its children the same. */
  readonly #failing = new Map<unknown, ChildSpec[]>();
  readonly #unsubscribe: () => void;
  #state: SupervisionState;

  constructor(options: SupervisorOptions) {
    this.id = options.id;
    this.limits = options.limits ?? defaultRestartLimits;
    this.#options = options;
    this.#state = { limits: this.limits, children: [], history: [], hasGivenUp: false };
    this.#unsubscribe = options.system.onExits((exits) => this.#onExits(exits));
  }

  get children(): readonly ChildState[] {
    return this.#state.children;
  }

  /** @throws `actor/supervisor-gave-up` once it has: nobody watches its children any more */
  requireRunning(child: string): void {
    if (this.#state.hasGivenUp) throw this.#gaveUp(child);
  }

  /** Newest last, at most 100. */
  get restarts(): readonly RestartRecord[] {
    return this.#restarts;
  }

  get restartsLeft(): number {
    return restartsLeft(this.#state.history, this.#seconds(), this.limits);
  }

  /** Starts a child after those already there. A first start that fails is reported, not retried, as in OTP. */
  async add(spec: ChildSpec): Promise<ActorRef> {
    this.requireRunning(spec.id);
    if (this.#specs.has(spec.id)) {
      throw new CodedError(
        'actor/already-started',
        `supervisor "${this.id}" already has a child "${spec.id}"`,
        {
          fields: { child: spec.id },
        },
      );
    }
    this.#specs.set(spec.id, spec);
    this.#feed({ type: 'child-add', id: spec.id, restart: spec.restart ?? 'permanent' });
    try {
      return await this.#spawn(spec);
    } catch (error) {
      if (this.#specs.get(spec.id) === spec) this.#forget(spec.id);
      throw error;
    }
  }

  /** Stops a child and forgets it. */
  async remove(id: string): Promise<void> {
    const spec = this.#specs.get(id);
    if (!spec) return;
    this.#forget(id);
    await this.#options.system.stop(id, spec.shutdownMs);
  }

  /** Stops all children, last started first. */
  async close(): Promise<void> {
    for (const { id } of this.#state.children.toReversed()) await this.remove(id);
    this.#unsubscribe();
  }

  #forget(id: string): void {
    this.#specs.delete(id);
    this.#losses.delete(id);
    this.#feed({ type: 'child-stop', id });
  }

  async #spawn(spec: ChildSpec): Promise<ActorRef> {
    const { system } = this.#options;
    const wanted = spec.spawn();
    const isDedicated = wanted.isDedicated ?? this.#isBlamed(spec.id);
    const ref = await system.spawn({ ...wanted, isDedicated, actor: spec.id });
    if (this.#state.hasGivenUp || this.#specs.get(spec.id) !== spec) {
      await system.stop(spec.id, spec.shutdownMs);
      throw this.#state.hasGivenUp ? this.#gaveUp(spec.id) : endedEarly(spec.id);
    }
    // its end was told while it was still starting
    if (!system.has(spec.id)) throw endedEarly(spec.id);
    this.#feed({ type: 'child-start', id: spec.id });
    spec.onStart?.(ref);
    return ref;
  }

  #isBlamed(id: string): boolean {
    const isSuspect = (this.#losses.get(id) ?? 0) >= lossesBeforeDedicated;
    return isSuspect && this.#options.system.dedicatedWorkers < maxBlamedWorkers;
  }

  #onExits(exits: readonly Exit[]): void {
    const mine = exits.filter((exit) => this.#specs.has(exit.actor) && this.#isRunning(exit.actor));
    const [first] = mine;
    if (!first) return;
    for (const exit of mine) {
      if (exit.reason === 'worker-lost')
        this.#losses.set(exit.actor, (this.#losses.get(exit.actor) ?? 0) + 1);
    }
    const isNormal = normalReasons.includes(first.reason);
    const effects = this.#decide({
      type: 'child-exit',
      ids: mine.map((exit) => exit.actor),
      isNormal,
      atSeconds: this.#seconds(),
    });
    // whoever asks why a child ended must hear of the giving up, not of the last straw
    const gaveUp = effects.filter((effect) => effect.type === 'give-up');
    this.#perform(gaveUp);
    const restarted = new Set(effects.flatMap((effect) => (effect.type === 'start' ? [effect.id] : [])));
    for (const exit of mine) {
      if (restarted.has(exit.actor))
        this.#record(exit.actor, exit.cause ? `${exit.reason}: ${exit.cause}` : exit.reason);
      this.#specs.get(exit.actor)?.onExit?.(exit, restarted.has(exit.actor));
    }
    this.#perform(effects.filter((effect) => effect.type !== 'give-up'));
  }

  #isRunning(id: string): boolean {
    return this.#state.children.some((child) => child.id === id && child.status === 'running');
  }

  #feed(event: SupervisionEvent): void {
    this.#perform(this.#decide(event));
  }

  #decide(event: SupervisionEvent): readonly SupervisionEffect[] {
    const [state, effects] = decide(this.#state, event);
    this.#state = state;
    return effects;
  }

  #perform(effects: readonly SupervisionEffect[]): void {
    for (const effect of effects) {
      if (effect.type === 'start') void this.#restart(effect.id);
      else if (effect.type === 'drop') this.#forget(effect.id);
      else void this.#giveUp(effect);
    }
  }

  async #restart(id: string): Promise<void> {
    const spec = this.#specs.get(id);
    if (!spec) return;
    try {
      await this.#spawn(spec);
    } catch (error) {
      await this.#retry(spec, error);
    }
  }

  /** OTP tries again at once, and the try counts; the turn in between lets other messages in. */
  async #retry(spec: ChildSpec, error: unknown): Promise<void> {
    const together = this.#failing.get(error);
    if (together) return void together.push(spec);
    const failed = [spec];
    this.#failing.set(error, failed);
    await sleep(this.#options.clock, 0);
    this.#failing.delete(error);
    const ids = failed.filter((one) => this.#specs.get(one.id) === one).map(({ id }) => id);
    if (ids.length === 0 || this.#state.hasGivenUp) return;
    const reason = `start failed: ${toCodedError(error, 'actor/start-failed').message}`;
    for (const id of ids) this.#record(id, reason);
    this.#feed({ type: 'child-fail', ids, atSeconds: this.#seconds() });
  }

  async #giveUp(effect: SupervisionEffect & { type: 'give-up' }): Promise<void> {
    const { hub, system, onGiveUp } = this.#options;
    hub.emit({ type: 'supervisor-give-up', supervisor: this.id, child: effect.failed });
    onGiveUp?.(this.#gaveUp(effect.failed));
    this.#unsubscribe();
    // asked in order and at once: while it waited, an id could have been started anew by somebody else
    await Promise.all(effect.stop.map((id) => system.stop(id, this.#specs.get(id)?.shutdownMs)));
  }

  #record(child: string, reason: string): void {
    const { clock, hub } = this.#options;
    this.#restarts.push({ child, reason, atMs: clock.now() });
    if (this.#restarts.length > maxRestartRecords) this.#restarts.shift();
    hub.emit({
      type: 'supervisor-restart',
      supervisor: this.id,
      child,
      reason,
      restartsLeft: this.restartsLeft,
    });
  }

  #seconds(): number {
    return Math.floor(this.#options.clock.monotonic() / 1000);
  }

  #gaveUp(child: string): CodedError {
    const { maxRestarts, maxSeconds } = this.limits;
    return new CodedError(
      'actor/supervisor-gave-up',
      `supervisor "${this.id}" gave up: more than ${maxRestarts} restarts within ${maxSeconds} s, the last of "${child}"`,
      { fields: { supervisor: this.id, child, maxRestarts, maxSeconds } },
    );
  }
}
