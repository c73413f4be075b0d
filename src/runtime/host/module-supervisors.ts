/** Who restarts modules: one supervisor at the top, and below it one for each sub-module that is an actor of its own, and for each module with limits of its own. */
import { Supervisor } from '../../actor/index.ts';
import type { ActorSystem, RestartLimits, SupervisorSnapshot } from '../../actor/index.ts';
import { toCodedError } from '../../base/index.ts';
import type { CodedError } from '../../base/index.ts';
import type { Clock } from '../../platform/index.ts';
import type { Hub } from '../../telemetry/index.ts';

export interface ModuleSupervisorsOptions {
  readonly system: ActorSystem;
  readonly clock: Clock;
  readonly hub: Hub;
  readonly restartLimits?: RestartLimits | undefined;
  /** Everything under the one at the top is stopped; there is a fresh one already. */
  readonly onGiveUp: (supervisor: Supervisor, error: CodedError) => void;
}

/** A supervisor that failed more often than it bears. */
export interface GiveUp {
  /** It and what was below it, once all of that had stopped. Its history is what led to its end. */
  readonly supervisor: SupervisorSnapshot;
  /** Of its `actor/supervisor-gave-up`: its limits, and the child that failed last. */
  readonly message: string;
  /** Milliseconds since 1970. */
  readonly atMs: number;
}

/** Supervisors that gave up and are remembered, for people to look at; the oldest go first. */
const maxGiveUps = 10;

export class ModuleSupervisors {
  readonly #options: ModuleSupervisorsOptions;
  readonly #gaveUp: GiveUp[] = [];
  /** The one at the top, by what one module has below it for itself. */
  readonly #aboveOwn = new WeakMap<Supervisor, Supervisor>();
  #top: Supervisor;
  #count = 0;

  constructor(options: ModuleSupervisorsOptions) {
    this.#options = options;
    this.#top = this.#create();
  }

  /** It takes what is started now. */
  get top(): Supervisor {
    return this.#top;
  }

  /** Newest last, at most 10. */
  get gaveUp(): readonly GiveUp[] {
    return this.#gaveUp;
  }

  /** One that gives up ends alone: what is above it goes on. */
  async createBelow(
    above: Supervisor,
    id: string,
    restartLimits: RestartLimits | undefined = this.#options.restartLimits,
  ): Promise<Supervisor> {
    const limits = restartLimits ? { limits: restartLimits } : {};
    const supervisor = await above.add({ type: 'supervisor', id, restart: 'temporary', ...limits });
    void this.#noteEnd(supervisor);
    return supervisor;
  }

  /** For one module alone: what it uses up of these limits is no loss of its neighbours. */
  async createOwn(module: string, restartLimits: RestartLimits): Promise<Supervisor> {
    const above = this.#top;
    const own = await this.createBelow(above, module, restartLimits);
    this.#aboveOwn.set(own, above);
    return own;
  }

  /** Removes what {@link createOwn} made, once its module has ended. */
  async removeOwn(supervisor: Supervisor | undefined, module: string): Promise<void> {
    if (supervisor) await this.#aboveOwn.get(supervisor)?.remove(module);
  }

  isOwn(supervisor: Supervisor | undefined): boolean {
    return supervisor !== undefined && this.#aboveOwn.has(supervisor);
  }

  /** Whether a module ends with a supervisor at the top. */
  endsWith(supervisor: Supervisor | undefined, top: Supervisor): boolean {
    return supervisor === top || (supervisor !== undefined && this.#aboveOwn.get(supervisor) === top);
  }

  #create(): Supervisor {
    const { restartLimits, system, clock, hub } = this.#options;
    const supervisor: Supervisor = new Supervisor({
      id: `supervisor-${++this.#count}`,
      system,
      clock,
      hub,
      onGiveUp: (error) => {
        this.#top = this.#create();
        this.#options.onGiveUp(supervisor, error);
      },
      ...(restartLimits ? { limits: restartLimits } : {}),
    });
    void this.#noteEnd(supervisor);
    return supervisor;
  }

  async #noteEnd(supervisor: Supervisor): Promise<void> {
    await supervisor.ended;
    const error = whyOver(supervisor);
    if (error?.code !== 'actor/supervisor-gave-up') return;
    const atMs = this.#options.clock.now();
    this.#gaveUp.push({ supervisor: supervisor.inspect(), message: error.message, atMs });
    if (this.#gaveUp.length > maxGiveUps) this.#gaveUp.shift();
  }
}

/** Why a supervisor watches nobody any more; undefined while it does. */
export function whyOver(supervisor: Supervisor | undefined): CodedError | undefined {
  try {
    supervisor?.requireRunning();
    return undefined;
  } catch (error) {
    return toCodedError(error, 'actor/supervisor-gave-up');
  }
}
