/** What all supervisors of one tree share: where their actors run, and what is known of lost workers. */
import type { Clock } from '../platform/index.ts';
import type { Hub } from '../telemetry/index.ts';
import type { ActorSpec } from './child-spec.ts';
import type { ActorSystem, Exit } from './system.ts';

/** An actor that was running this often when its worker was lost gets a worker of its own… */
const lossesBeforeDedicated = 2;
/**
 * …while so few of its tree got one for this reason, and the system has room: a crowded worker that is lost twice must not become a
 * crowd of workers. Those that were asked for do not count.
 */
const maxBlamedActors = 8;

/** A supervisor as its tree sees it. */
export interface TreeNode {
  /** Notes which of its children have ended, here and below. */
  takeExits(exits: ReadonlyMap<string, Exit>): void;
  /** Judges them: a supervisor before those below it, since what it stops need not be judged there. */
  takeTurn(): void;
}

export class SupervisionTree {
  readonly system: ActorSystem;
  readonly clock: Clock;
  readonly hub: Hub;
  /** Actors that were told to restart and have not started since. */
  readonly waiting: Set<ActorSpec> = new Set();
  readonly #losses = new Map<string, number>();
  /** Actors that got a worker of their own without asking for it; they keep the right to it until they are forgotten. */
  readonly #blamed = new Set<string>();
  readonly #causes = new WeakMap<object, number>();
  #nextCause = 1;

  constructor(system: ActorSystem, clock: Clock, hub: Hub) {
    this.system = system;
    this.clock = clock;
    this.hub = hub;
  }

  /** The returned function stops listening. */
  listen(root: TreeNode): () => void {
    return this.system.onExits((exits) => {
      root.takeExits(new Map(exits.map((exit) => [exit.actor, exit])));
      root.takeTurn();
    });
  }

  /** Whole seconds of the clock that never goes back. */
  seconds(): number {
    return Math.floor(this.clock.monotonic() / 1000);
  }

  /** One number for one error: starts that one lost worker took fail with the same. */
  causeOf(error: unknown): number {
    if (typeof error !== 'object' || error === null) return this.#nextCause++;
    const known = this.#causes.get(error) ?? this.#nextCause++;
    this.#causes.set(error, known);
    return known;
  }

  countLoss(actor: string): void {
    this.#losses.set(actor, (this.#losses.get(actor) ?? 0) + 1);
  }

  forgetLosses(actor: string): void {
    this.#losses.delete(actor);
    this.#blamed.delete(actor);
  }

  /** Whether an actor is to restart in a worker of its own. It counts as one that does, then. */
  blame(actor: string): boolean {
    if ((this.#losses.get(actor) ?? 0) < lossesBeforeDedicated) return false;
    if (this.system.dedicatedWorkersLeft === 0) return false;
    if (!this.#blamed.has(actor) && this.#blamed.size >= maxBlamedActors) return false;
    this.#blamed.add(actor);
    return true;
  }

  /** A listener that throws must not keep the supervisor from its work. */
  tell(listener: () => void): void {
    try {
      listener();
    } catch (error) {
      this.hub.emit({ type: 'note', text: `a listener of a supervisor threw: ${String(error)}` });
    }
  }
}
