/** Acts out a scenario with a real supervisor and real actors on this page, in simulated time. */
import { CodedError, isCodedError } from '../base/index.ts';
import { SimulatedClock } from '../platform/index.ts';
import { createHub } from '../telemetry/index.ts';
import type { StartBehaviour } from './behaviour.ts';
import type { ChildSpec } from './child-spec.ts';
import { inThreadRealm } from './realm.ts';
import type { Command, ScenarioChild, ScenarioSupervisor, Step, World } from './supervision-test-scenario.ts';
import { Supervisor } from './supervisor.ts';
import { defaultActorLimits } from './limits.ts';
import { ActorSystem } from './system.ts';
import type { ActorRef, Exit } from './system.ts';

const answers: Readonly<Record<string, string>> = {
  'actor/already-started': 'already-started',
  'actor/already-present': 'already-present',
  'actor/child-not-found': 'not-found',
  'actor/child-running': 'running',
  'actor/child-restarting': 'restarting',
  'runtime/asked-to-throw': 'start-failed',
  'actor/child-start-failed': 'start-failed',
};

const answerOf = (error: unknown): string =>
  isCodedError(error) ? (answers[error.code] ?? error.code) : String(error);

/** Each actor has a worker of its own here; several of them can be lost as if they had been one. */
class LosableSystem extends ActorSystem {
  #listeners = new Set<(exits: readonly Exit[]) => void>();
  #held: Exit[] | undefined;

  override onExits(listener: (exits: readonly Exit[]) => void): () => void {
    this.#listeners.add(listener);
    const stop = super.onExits((exits) => (this.#held ? this.#held.push(...exits) : listener(exits)));
    return () => (this.#listeners.delete(listener), stop());
  }

  lose(actors: readonly string[]): void {
    const held: Exit[] = (this.#held = []);
    for (const actor of actors) this.killWorkerOf(actor);
    this.#held = undefined;
    for (const listener of this.#listeners) listener(held);
  }
}

type Ask = Command & { readonly type: 'add' | 'remove' | 'terminate' | 'restart' | 'delete' };

/** Turns of the event loop in which nothing happens before a step counts as over. */
const quietTurns = 3;

export class RealWorld implements World {
  readonly log: string[] = [];
  /** What each specification was told, in order: S started, T will restart, F will not. */
  readonly told: { readonly path: string; words: string }[] = [];
  readonly #clock = new SimulatedClock();
  readonly #hub = createHub();
  readonly #system: LosableSystem;
  readonly #top: Supervisor;
  readonly #failures = new Map<string, number>();
  readonly #refs = new Map<string, ActorRef>();
  #hasStarted = false;
  #hasEnded = false;

  constructor(tree: ScenarioSupervisor) {
    this.#hub.subscribe((event) => {
      if (event.type === 'supervisor-give-up') this.log.push(`gave-up ${event.supervisor}`);
    });
    this.#system = new LosableSystem({
      createRealm: () => inThreadRealm({ actor: this.#behaviour }),
      isWatched: false,
      limits: { ...defaultActorLimits, maxDedicatedWorkers: 1_000 },
      clock: this.#clock,
    });
    this.#top = new Supervisor({
      id: tree.id,
      system: this.#system,
      clock: this.#clock,
      hub: this.#hub,
      strategy: tree.strategy,
      autoShutdown: tree.autoShutdown,
      limits: { maxRestarts: tree.maxRestarts, maxSeconds: tree.maxSeconds },
      children: tree.children.map((child) => this.#specOf(child, tree.id)),
    });
    void this.#top.ended.then(() => (this.#hasEnded = true));
  }

  get hasStarted(): boolean {
    return this.#hasStarted;
  }

  close(): void {
    this.#system.close();
  }

  readonly #behaviour: StartBehaviour = (_, context) => {
    const path = context.actor;
    const left = this.#failures.get(path) ?? 0;
    this.log.push(`${left > 0 ? 'fail' : 'start'} ${path}`);
    if (left > 0) {
      this.#failures.set(path, left - 1);
      throw new CodedError('runtime/asked-to-throw', 'as asked');
    }
    return {
      call: () => undefined,
      receive: (reason) =>
        context.exit(reason === 'crashed' ? new CodedError('runtime/asked-to-crash', 'as asked') : undefined),
      stop: () => void this.log.push(`stop ${path}`),
    };
  };

  #specOf(child: ScenarioChild, above: string): ChildSpec {
    const path = `${above}/${child.id}`;
    const { id, restart, isSignificant } = child;
    if (child.type === 'actor') {
      const told = { path, words: '' };
      this.told.push(told);
      const onStart = (ref: ActorRef): void => {
        told.words += 'S';
        this.#refs.set(path, ref);
      };
      const onExit = (_: Exit, willRestart: boolean): void => void (told.words += willRestart ? 'T' : 'F');
      return {
        id,
        restart,
        isSignificant,
        actor: path,
        spawn: () => ({ kind: 'actor', isDedicated: true }),
        onStart,
        onExit,
      };
    }
    const { type, strategy, autoShutdown, maxRestarts, maxSeconds } = child;
    const children = child.children.map((one) => this.#specOf(one, path));
    const limits = { maxRestarts, maxSeconds };
    return { type, id, restart, isSignificant, strategy, autoShutdown, limits, children };
  }

  async perform(command: Command): Promise<Step> {
    this.log.length = 0;
    const reply = await this.#act(command).catch(answerOf);
    await this.#settle();
    const isRunning = this.#hasStarted && !this.#hasEnded;
    return { reply, log: [...this.log], isRunning, tree: isRunning ? listOf(this.#top, this.#top.id) : [] };
  }

  /** Restarts that are tried again come back after 0 ms, so time must be allowed to pass without moving. */
  async #settle(): Promise<void> {
    let quiet = 0;
    for (let before = ''; quiet < quietTurns;) {
      await this.#clock.advance(0);
      const now = JSON.stringify([this.log.length, this.#top.inspect()]);
      quiet = now === before ? quiet + 1 : 0;
      before = now;
    }
  }

  async #act(command: Command): Promise<string> {
    switch (command.type) {
      case 'start':
        await this.#top.start();
        this.#hasStarted = true;
        return 'done';
      case 'fail-next':
        this.#failures.set(command.path, command.count);
        return 'done';
      case 'advance':
        await this.#clock.advance(command.seconds * 1000);
        return 'done';
      case 'crash':
        return this.#crash(command.path, command.reason);
      case 'lose':
        return this.#lose(command.paths);
      case 'add':
      case 'remove':
      case 'terminate':
      case 'restart':
      case 'delete':
        return this.#ask(command);
    }
  }

  #crash(path: string, reason: string): string {
    if (!this.#system.has(path)) return 'none';
    this.#refs.get(path)?.send(reason, null);
    return 'done';
  }

  #lose(paths: readonly string[]): string {
    const alive = paths.filter((path) => this.#system.has(path));
    if (alive.length === 0) return 'none';
    this.#system.lose(alive);
    return 'done';
  }

  async #ask(command: Ask): Promise<string> {
    let supervisor: Supervisor | undefined = this.#hasStarted && !this.#hasEnded ? this.#top : undefined;
    for (const id of command.path.split('/').slice(1)) supervisor = supervisor?.supervisor(id);
    if (!supervisor) return 'none';
    if (command.type === 'add') {
      const spec = this.#specOf(command.child, command.path);
      await (spec.type === 'supervisor' ? supervisor.add(spec) : supervisor.add(spec));
    } else if (command.type === 'remove') await supervisor.remove(command.id);
    else if (command.type === 'terminate') await supervisor.terminateChild(command.id);
    else if (command.type === 'restart') await supervisor.restartChild(command.id);
    else await supervisor.deleteChild(command.id);
    return 'done';
  }
}

function listOf(supervisor: Supervisor, path: string): [string, string][] {
  return supervisor.whichChildren().flatMap(({ id, status }): [string, string][] => {
    const below = supervisor.supervisor(id);
    return [[`${path}/${id}`, status], ...(below ? listOf(below, `${path}/${id}`) : [])];
  });
}
