/** Who restarts modules: one supervisor at the top, and below it one for each sub-module that is an actor of its own. */
import { Supervisor } from '../actor/index.ts';
import type { ActorSystem, RestartLimits } from '../actor/index.ts';
import { toCodedError } from '../base/index.ts';
import type { CodedError } from '../base/index.ts';
import type { Clock } from '../platform/index.ts';
import type { Hub } from '../telemetry/index.ts';

export interface ModuleSupervisorsOptions {
  readonly system: ActorSystem;
  readonly clock: Clock;
  readonly hub: Hub;
  readonly restartLimits?: RestartLimits | undefined;
  /** Everything under the one at the top is stopped; there is a fresh one already. */
  readonly onGiveUp: (supervisor: Supervisor, error: CodedError) => void;
}

export class ModuleSupervisors {
  readonly #options: ModuleSupervisorsOptions;
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

  /** One that gives up ends alone: what is above it goes on. */
  createBelow(above: Supervisor, id: string): Promise<Supervisor> {
    const { restartLimits } = this.#options;
    const limits = restartLimits ? { limits: restartLimits } : {};
    return above.add({ type: 'supervisor', id, restart: 'temporary', ...limits });
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
    return supervisor;
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
