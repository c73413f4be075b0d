/** Acts out a scenario on the judgement alone: whatever it orders is done at once. */
import { createSupervision } from './supervision-state.ts';
import type {
  Answer,
  ChildKey,
  Decision,
  SupervisionEffect,
  SupervisionEvent,
  SupervisionState,
} from './supervision-state.ts';
import type { Command, ScenarioChild, ScenarioSupervisor, Step, World } from './supervision-test-scenario.ts';

export type Decide = (state: SupervisionState, event: SupervisionEvent, nowSeconds: number) => Decision;

const keyOf = ({ id, type, restart, isSignificant }: ScenarioChild): ChildKey => ({
  id,
  type,
  restart,
  isSignificant,
});

class PureSupervisor {
  readonly path: string;
  readonly spec: ScenarioSupervisor;
  readonly world: PureWorld;
  readonly parent: PureSupervisor | undefined;
  readonly specs = new Map<string, ScenarioChild>();
  readonly nested = new Map<string, PureSupervisor>();
  readonly answers = new Map<number, (answer: Answer) => void>();
  state: SupervisionState;
  onEnd: (isNormal: boolean) => void = () => undefined;
  #queue: SupervisionEvent[] = [];
  #adding: ScenarioChild | undefined;
  #isBusy = false;
  #nextRequest = 1;

  constructor(spec: ScenarioSupervisor, path: string, world: PureWorld, parent?: PureSupervisor) {
    this.spec = spec;
    this.path = path;
    this.world = world;
    this.parent = parent;
    this.state = createSupervision(spec.strategy, spec, spec.autoShutdown);
    for (const child of spec.children) this.specs.set(child.id, child);
  }

  start(then: (answer: Answer) => void): void {
    this.feed({
      type: 'first-start',
      children: this.spec.children.map(keyOf),
      request: this.#onAnswer(then),
    });
  }

  ask(
    command: Command & { readonly type: 'add' | 'remove' | 'terminate' | 'restart' | 'delete' },
    then: (answer: Answer) => void,
  ): void {
    const request = this.#onAnswer(then);
    if (command.type === 'add') {
      this.#adding = command.child;
      return this.feed({ type: 'child-add', child: keyOf(command.child), request });
    }
    this.feed({ type: `child-${command.type}`, id: command.id, request });
  }

  #onAnswer(then: (answer: Answer) => void): number {
    const request = this.#nextRequest++;
    this.answers.set(request, then);
    return request;
  }

  feed(event: SupervisionEvent): void {
    this.#queue.push(event);
    if (this.#isBusy) return;
    this.#isBusy = true;
    for (let next = this.#queue.shift(); next; next = this.#queue.shift()) {
      const [state, effects] = this.world.decide(this.state, next, this.world.seconds);
      this.state = state;
      for (const effect of effects) this.#perform(effect);
    }
    this.#isBusy = false;
  }

  #perform(effect: SupervisionEffect): void {
    if (effect.type === 'start') this.#start(effect.id, effect.run);
    else if (effect.type === 'stop') this.#stop(effect.id, effect.run);
    else if (effect.type === 'retry')
      this.world.later.push(() => this.feed({ type: 'child-retry', cause: effect.cause }));
    else if (effect.type === 'adopt' && this.#adding) this.specs.set(effect.id, this.#adding);
    else if (effect.type === 'reply') this.answers.get(effect.request)?.(effect.answer);
    else if (effect.type === 'give-up') this.world.log.push(`gave-up ${this.path}`);
    else if (effect.type === 'end') this.onEnd(effect.isNormal);
  }

  #start(id: string, run: number): void {
    const spec = this.specs.get(id);
    const path = `${this.path}/${id}`;
    const cause = this.world.nextCause++;
    if (spec?.type !== 'supervisor') {
      const hasStarted = this.world.spawn(path);
      return this.feed(
        hasStarted ? { type: 'child-start', id, run } : { type: 'child-fail', id, run, cause },
      );
    }
    const nested = new PureSupervisor(spec, path, this.world, this);
    this.nested.set(id, nested);
    nested.onEnd = (isNormal) => this.#onNestedEnd({ id, run, isNormal }, nested);
    nested.start((answer) =>
      this.feed(
        answer === 'done' ? { type: 'child-start', id, run } : { type: 'child-fail', id, run, cause },
      ),
    );
  }

  #onNestedEnd(
    { id, run, isNormal }: { id: string; run: number; isNormal: boolean },
    nested: PureSupervisor,
  ): void {
    if (this.nested.get(id) === nested) this.nested.delete(id);
    this.world.later.push(() => {
      // it may have been started anew meanwhile
      if (!this.state.children.some((child) => child.id === id && child.run === run)) return;
      this.feed({ type: 'child-exit', exits: [{ id, isNormal }] });
      this.feed({ type: 'inbox-turn' });
    });
  }

  #stop(id: string, run: number): void {
    const nested = this.nested.get(id);
    if (!nested) {
      this.world.stop(`${this.path}/${id}`);
      return this.feed({ type: 'child-stop', id, run });
    }
    nested.onEnd = () => {
      this.nested.delete(id);
      this.feed({ type: 'child-stop', id, run });
    };
    nested.feed({ type: 'shutdown-ask' });
  }

  below(): PureSupervisor[] {
    return this.state.children.flatMap(({ id }) => this.nested.get(id) ?? []);
  }

  list(): [string, string][] {
    return this.state.children.flatMap(({ id, status }): [string, string][] => [
      [`${this.path}/${id}`, status],
      ...(this.nested.get(id)?.list() ?? []),
    ]);
  }
}

export class PureWorld implements World {
  readonly decide: Decide;
  readonly log: string[] = [];
  /** What comes after everything else, in order. */
  readonly later: (() => void)[] = [];
  readonly #top: PureSupervisor;
  readonly #failures = new Map<string, number>();
  readonly #running = new Set<string>();
  seconds = 0;
  nextCause = 1;
  #hasStarted = false;

  constructor(tree: ScenarioSupervisor, decide: Decide) {
    this.decide = decide;
    this.#top = new PureSupervisor(tree, tree.id, this);
  }

  spawn(path: string): boolean {
    const left = this.#failures.get(path) ?? 0;
    this.log.push(`${left > 0 ? 'fail' : 'start'} ${path}`);
    if (left > 0) this.#failures.set(path, left - 1);
    else this.#running.add(path);
    return left === 0;
  }

  stop(path: string): void {
    if (this.#running.delete(path)) this.log.push(`stop ${path}`);
  }

  perform(command: Command): Step {
    this.log.length = 0;
    let reply = 'none';
    this.#act(command, (answer) => (reply = answer));
    for (let next = this.later.shift(); next; next = this.later.shift()) next();
    const isRunning = this.#hasStarted && !this.#top.state.hasEnded;
    return { reply, log: [...this.log], isRunning, tree: isRunning ? this.#top.list() : [] };
  }

  #act(command: Command, then: (answer: string) => void): void {
    switch (command.type) {
      case 'start':
        return this.#top.start((answer) => {
          this.#hasStarted = answer === 'done';
          then(this.#hasStarted ? 'done' : 'start-failed');
        });
      case 'fail-next':
        this.#failures.set(command.path, command.count);
        return then('done');
      case 'advance':
        this.seconds += command.seconds;
        return then('done');
      case 'crash':
        return this.#exit([command.path], command.reason !== 'crashed', then);
      case 'lose':
        return this.#exit(command.paths, false, then);
      case 'add':
      case 'remove':
      case 'terminate':
      case 'restart':
      case 'delete':
        return this.#at(command.path)?.ask(command, then);
    }
  }

  #exit(paths: readonly string[], isNormal: boolean, then: (answer: string) => void): void {
    const ended = paths.filter((path) => this.#running.delete(path));
    if (ended.length === 0) return;
    const tell = (supervisor: PureSupervisor): void => {
      const own = ended.flatMap((path) => {
        const at = path.lastIndexOf('/');
        return path.slice(0, at) === supervisor.path ? [{ id: path.slice(at + 1), isNormal }] : [];
      });
      if (own.length > 0) supervisor.feed({ type: 'child-exit', exits: own });
      for (const nested of supervisor.below()) tell(nested);
    };
    const turn = (supervisor: PureSupervisor): void => {
      const below = supervisor.below();
      supervisor.feed({ type: 'inbox-turn' });
      for (const nested of below) turn(nested);
    };
    tell(this.#top);
    turn(this.#top);
    then('done');
  }

  #at(path: string): PureSupervisor | undefined {
    let found: PureSupervisor | undefined = this.#hasStarted ? this.#top : undefined;
    for (const id of path.split('/').slice(1)) found = found?.nested.get(id);
    return found?.state.ending ? undefined : found;
  }
}
