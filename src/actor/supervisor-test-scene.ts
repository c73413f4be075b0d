/** A supervisor over actors whose every start, stop and end a test can steer. */
import { afterEach } from 'vitest';
import { CodedError } from '../base/index.ts';
import { SimulatedClock } from '../platform/index.ts';
import type { Clock } from '../platform/index.ts';
import { createHub, createMemorySink } from '../telemetry/index.ts';
import type { ActorSpec } from './child-spec.ts';
import type { StartBehaviour } from './behaviour.ts';
import { inThreadRealm } from './realm.ts';
import { Supervisor } from './supervisor.ts';
import type { SupervisorOptions } from './supervisor.ts';
import { ActorSystem } from './system.ts';
import type { ActorRef } from './system.ts';

type MemorySink = ReturnType<typeof createMemorySink>;

export class SupervisorScene {
  readonly clock: SimulatedClock = new SimulatedClock();
  readonly log: string[] = [];
  /** Actors whose start fails. */
  readonly broken: Set<string> = new Set();
  /** Actors whose start never ends. */
  readonly stuck: Set<string> = new Set();
  /** Actors that never stop by themselves. */
  readonly clinging: Set<string> = new Set();
  readonly errors: string[] = [];
  readonly system: ActorSystem;
  readonly sink: MemorySink;
  readonly #hub = createHub();
  readonly #refs = new Map<string, ActorRef>();

  constructor(poolSize: number = 1) {
    this.sink = createMemorySink(this.#hub);
    this.system = new ActorSystem({
      createRealm: () => inThreadRealm({ actor: this.#behaviour }),
      isWatched: false,
      poolSize,
      clock: this.clock,
      hub: this.#hub,
    });
  }

  readonly #behaviour: StartBehaviour = (_, context) => {
    const { actor } = context;
    this.log.push(`start ${actor}`);
    if (this.broken.has(actor)) throw new CodedError('runtime/asked-to-throw', 'broken');
    const behaviour = {
      call: (_method: string, body: unknown) => body,
      receive: (reason: string) =>
        context.exit(reason === 'crash' ? new CodedError('runtime/asked-to-crash', 'crash') : undefined),
      stop: () => {
        this.log.push(`stop ${actor}`);
        return this.clinging.has(actor) ? new Promise<void>(() => undefined) : undefined;
      },
    };
    return this.stuck.has(actor) ? new Promise(() => undefined) : behaviour;
  };

  /** An actor that logs what it is told. */
  actor(id: string, more: Partial<ActorSpec> = {}): ActorSpec {
    return {
      id,
      spawn: () => ({ kind: 'actor' }),
      onStart: (ref) => this.#refs.set(id, ref),
      onExit: (exit, willRestart) => this.log.push(`${exit.reason} ${id} ${willRestart ? 'again' : 'over'}`),
      ...more,
    };
  }

  supervisor(options: Partial<SupervisorOptions> = {}, clock: Clock = this.clock): Supervisor {
    const onGiveUp = (error: CodedError): unknown => this.errors.push(error.code);
    return new Supervisor({ id: 'top', system: this.system, clock, hub: this.#hub, onGiveUp, ...options });
  }

  send(actor: string, what: 'crash' | 'leave'): void {
    this.#refs.get(actor)?.send(what, null);
  }

  /** Lets everything happen that needs no time. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 12; turn++) await this.clock.advance(0);
  }

  async crash(actor: string): Promise<void> {
    this.send(actor, 'crash');
    await this.settle();
  }

  get running(): string[] {
    return this.system.workers.flatMap(({ actors }) => actors).toSorted();
  }

  take(): string[] {
    return this.log.splice(0);
  }
}

/** Creates scenes; they are closed after their test. */
export function supervisorScenes(): (poolSize?: number) => SupervisorScene {
  const open: SupervisorScene[] = [];
  afterEach(() => {
    for (const scene of open.splice(0)) scene.system.close();
  });
  return (poolSize) => {
    const scene = new SupervisorScene(poolSize);
    open.push(scene);
    return scene;
  };
}
