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
/** An actor that was running this often when its worker was lost gets a worker of its own. */
const lossesBeforeDedicated = 2;

const normalReasons: readonly Exit['reason'][] = ['normal', 'shutdown'];

export class Supervisor {
  readonly id: string;
  readonly limits: RestartLimits;
  readonly #options: SupervisorOptions;
  readonly #specs = new Map<string, ChildSpec>();
  readonly #losses = new Map<string, number>();
  readonly #restarts: RestartRecord[] = [];
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

  /** Newest last, at most 100. */
  get restarts(): readonly RestartRecord[] {
    return this.#restarts;
  }

  get restartsLeft(): number {
    return restartsLeft(this.#state.history, this.#seconds(), this.limits);
  }

  /** Starts a child after those already there. A first start that fails is reported, not retried, as in OTP. */
  async add(spec: ChildSpec): Promise<ActorRef> {
    if (this.#state.hasGivenUp) throw this.#gaveUp(spec.id);
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
      this.#specs.delete(spec.id);
      this.#feed({ type: 'child-stop', id: spec.id });
      throw error;
    }
  }

  /** Stops a child and forgets it. */
  async remove(id: string): Promise<void> {
    const spec = this.#specs.get(id);
    if (!spec) return;
    this.#specs.delete(id);
    this.#losses.delete(id);
    this.#feed({ type: 'child-stop', id });
    await this.#options.system.stop(id, spec.shutdownMs);
  }

  /** Stops all children, last started first. */
  async close(): Promise<void> {
    for (const { id } of this.#state.children.toReversed()) await this.remove(id);
    this.#unsubscribe();
  }

  async #spawn(spec: ChildSpec): Promise<ActorRef> {
    const wanted = spec.spawn();
    const isDedicated = wanted.isDedicated ?? (this.#losses.get(spec.id) ?? 0) >= lossesBeforeDedicated;
    const ref = await this.#options.system.spawn({ ...wanted, isDedicated, actor: spec.id });
    this.#feed({ type: 'child-start', id: spec.id });
    spec.onStart?.(ref);
    return ref;
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
      else if (effect.type === 'drop') this.#specs.delete(effect.id);
      else void this.#giveUp(effect);
    }
  }

  async #restart(id: string): Promise<void> {
    const spec = this.#specs.get(id);
    if (!spec) return;
    try {
      await this.#spawn(spec);
      if (!this.#specs.has(id) || this.#state.hasGivenUp)
        await this.#options.system.stop(id, spec.shutdownMs);
    } catch (error) {
      // OTP tries again at once, and the try counts; the turn in between lets other messages in
      await sleep(this.#options.clock, 0);
      if (!this.#specs.has(id) || this.#state.hasGivenUp) return;
      this.#record(id, `start failed: ${toCodedError(error, 'actor/start-failed').message}`);
      this.#feed({ type: 'child-fail', id, atSeconds: this.#seconds() });
    }
  }

  async #giveUp(effect: SupervisionEffect & { type: 'give-up' }): Promise<void> {
    const { hub, system, onGiveUp } = this.#options;
    hub.emit({ type: 'supervisor-give-up', supervisor: this.id, child: effect.failed });
    onGiveUp?.(this.#gaveUp(effect.failed));
    this.#unsubscribe();
    for (const id of effect.stop) await system.stop(id, this.#specs.get(id)?.shutdownMs);
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
