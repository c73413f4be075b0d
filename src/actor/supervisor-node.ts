/** One supervisor at work: it feeds its judgement with what happens and performs what that orders. */
import type { CodedError } from '../base/index.ts';
import { sleep } from '../platform/index.ts';
import { keyOf } from './child-spec.ts';
import type { ChildSpec, SupervisorSpec } from './child-spec.ts';
import { defaultRestartLimits, restartsLeft } from './restart.ts';
import type { RestartLimits } from './restart.ts';
import { createSupervision } from './supervision-state.ts';
import type {
  Answer,
  AutoShutdown,
  SupervisionEffect,
  SupervisionEvent,
  SupervisionRequest,
  SupervisionState,
  Strategy,
} from './supervision-state.ts';
import { decide } from './supervision.ts';
import type { SupervisionTree, TreeNode } from './supervision-tree.ts';
import { SupervisorChildren } from './supervisor-children.ts';
import type { NestedSupervisor, Obituary, Running } from './supervisor-children.ts';
import {
  childStartFailed,
  endedEarly,
  gaveUp,
  refusal,
  supervisorStopped,
  tooManyRequests,
} from './supervisor-errors.ts';
import type { RestartRecord, SupervisorSnapshot } from './supervisor-snapshot.ts';
import type { Supervisor } from './supervisor.ts';
import { isWorkerLoss } from './system.ts';
import type { Exit } from './system.ts';

export interface NodeOptions {
  readonly id: string;
  readonly tree: SupervisionTree;
  readonly strategy: Strategy;
  readonly limits: RestartLimits;
  readonly autoShutdown: AutoShutdown;
  readonly children: readonly ChildSpec[];
  /** Restarts of earlier runs; goes on growing. */
  readonly restarts: RestartRecord[];
  readonly createFace: (node: SupervisorNode) => Supervisor;
  readonly onGiveUp: (error: CodedError) => void;
  readonly onEnd: (node: SupervisorNode, isNormal: boolean) => void;
}

interface Open {
  readonly type: SupervisionEvent['type'];
  readonly child: string;
  readonly spec?: ChildSpec | undefined;
  readonly resolve: (running: Running | undefined) => void;
  readonly reject: (error: unknown) => void;
}

/** Restart records that are kept for people to look at. */
const maxRestartRecords = 100;
/** Requests that wait for an answer: a stuck start under one-for-all must not let them pile up. */
const maxOpenRequests = 10_000;

type Ask = { [T in SupervisionRequest['type']]: Omit<SupervisionRequest & { type: T }, 'request'> };

export class SupervisorNode implements NestedSupervisor, TreeNode {
  readonly face: Supervisor;
  readonly ended: Promise<void>;
  readonly #options: NodeOptions;
  readonly #children: SupervisorChildren<SupervisorNode>;
  readonly #records = new Map<string, RestartRecord[]>();
  readonly #started = new Map<number, Running>();
  readonly #running = new Map<string, Running>();
  readonly #failures = new Map<string, unknown>();
  readonly #reasons = new Map<string, string>();
  readonly #open = new Map<number, Open>();
  readonly #events: SupervisionEvent[] = [];
  #obituaries: readonly Obituary[] = [];
  #state: SupervisionState;
  #nextRequest = 1;
  #isFeeding = false;
  #markEnded: () => void = () => undefined;

  constructor(options: NodeOptions) {
    this.#options = options;
    this.#state = createSupervision(options.strategy, options.limits, options.autoShutdown);
    this.ended = new Promise((resolve) => (this.#markEnded = resolve));
    this.#children = new SupervisorChildren(options.tree, options.children, (spec) => this.#nest(spec));
    this.face = options.createFace(this);
  }

  get id(): string {
    return this.#options.id;
  }

  get state(): SupervisionState {
    return this.#state;
  }

  get hasEnded(): boolean {
    return this.#state.hasEnded;
  }

  get obituaries(): readonly Obituary[] {
    return this.#obituaries;
  }

  get restartsLeft(): number {
    return restartsLeft(this.#state.history, this.#options.tree.seconds(), this.#options.limits);
  }

  get restarts(): readonly RestartRecord[] {
    return this.#options.restarts;
  }

  get snapshot(): SupervisorSnapshot {
    const { id, strategy, limits } = this.#options;
    const children = this.#state.children.map(({ id: child, type, restart, status }) => {
      const nested = this.#children.nested.get(child);
      return { id: child, type, restart, status, ...(nested ? { supervisor: nested.snapshot } : {}) };
    });
    const restarts = [...this.#options.restarts];
    return { id, strategy, ...limits, restartsLeft: this.restartsLeft, restarts, children };
  }

  nested(id: string): Supervisor | undefined {
    const running = this.#running.get(id);
    return this.#children.nested.has(id) && running ? (running as Supervisor) : undefined;
  }

  /** Starts the initial children. Rejects with `actor/child-start-failed`. */
  async start(): Promise<void> {
    const children = this.#options.children.map(keyOf);
    await this.#request({ type: 'first-start', child: '' }, (request) => ({
      type: 'first-start',
      children,
      request,
    }));
  }

  ask(asked: Ask[SupervisionRequest['type']], spec?: ChildSpec): Promise<Running | undefined> {
    const child = asked.type === 'child-add' ? asked.child.id : asked.id;
    return this.#request({ type: asked.type, child, spec }, (request) => ({ ...asked, request }));
  }

  shutDown(): Promise<void> {
    this.#feed({ type: 'shutdown-ask' });
    return this.ended;
  }

  kill(): void {
    // nothing may be started any more by the time that everything is dead
    this.#feed({ type: 'shutdown-ask' });
    this.#children.kill();
  }

  takeExits(exits: ReadonlyMap<string, Exit>): void {
    const mine: { readonly id: string; readonly isNormal: boolean }[] = [];
    for (const [address, exit] of exits) {
      const id = this.#children.idAt(address);
      if (id !== undefined && this.#takeExit(id, exit)) {
        mine.push({ id, isNormal: exit.reason === 'normal' || exit.reason === 'shutdown' });
      }
    }
    if (mine.length > 0) this.#feed({ type: 'child-exit', exits: mine });
    for (const nested of this.#below()) nested.takeExits(exits);
  }

  takeTurn(): void {
    const below = this.#below();
    this.#feed({ type: 'inbox-turn' });
    for (const nested of below) nested.takeTurn();
  }

  #below(): readonly SupervisorNode[] {
    return this.#state.children.flatMap(({ id }) => this.#children.nested.get(id) ?? []);
  }

  /** @throws why it runs no more */
  requireRunning(): void {
    if (this.#state.ending) throw this.#endedWith();
  }

  /** Whether the exit is one to judge: a child that is being stopped is expected to end. */
  #takeExit(id: string, exit: Exit): boolean {
    const child = this.#state.children.find((one) => one.id === id);
    if (child?.status !== 'running' && child?.status !== 'stopping') return false;
    this.#children.noteExit(id, exit);
    if (child.status !== 'running') return false;
    this.#reasons.set(id, exit.reason === 'worker-lost' ? `worker-lost: ${exit.cause}` : exit.reason);
    if (isWorkerLoss(exit.reason)) this.#options.tree.countLoss(exit.actor);
    return true;
  }

  #request(
    asked: Pick<Open, 'type' | 'child' | 'spec'>,
    toEvent: (request: number) => SupervisionEvent,
  ): Promise<Running | undefined> {
    if (this.#open.size >= maxOpenRequests) {
      return Promise.reject(tooManyRequests(this.id, maxOpenRequests));
    }
    const request = this.#nextRequest++;
    return new Promise((resolve, reject) => {
      this.#open.set(request, { ...asked, resolve, reject });
      this.#feed(toEvent(request));
    });
  }

  /** One event at a time: what an effect causes at once waits until the other effects are performed. */
  #feed(event: SupervisionEvent): void {
    this.#events.push(event);
    if (this.#isFeeding) return;
    this.#isFeeding = true;
    try {
      for (let next = this.#events.shift(); next; next = this.#events.shift()) {
        const [state, effects] = decide(this.#state, next, this.#options.tree.seconds());
        this.#state = state;
        for (const effect of effects) this.#perform(effect);
      }
    } finally {
      this.#isFeeding = false;
    }
  }

  #perform(effect: SupervisionEffect): void {
    switch (effect.type) {
      case 'start':
        return void this.#start(effect.id, effect.run);
      case 'stop':
        return void this.#stop(effect.id, effect.run);
      case 'announce':
        return this.#announce(effect.id);
      case 'tell-end':
        return this.#children.tellEnd(effect.id, effect.willRestart);
      case 'record':
        return this.#record(effect.id);
      case 'retry':
        return void this.#retry(effect.cause);
      case 'adopt':
        return this.#adopt(effect.request);
      case 'forget':
        return this.#forget(effect.id);
      case 'reply':
        return this.#reply(effect.request, effect.answer);
      case 'give-up':
        return this.#giveUp(effect.id);
      case 'end':
        return this.#end(effect.isNormal);
    }
  }

  async #start(id: string, run: number): Promise<void> {
    try {
      const running = await this.#children.start(id);
      // in this very turn: its end may have been told while it was still starting
      this.#children.requireAlive(id);
      this.#started.set(run, running);
      this.#feed({ type: 'child-start', id, run });
    } catch (error) {
      this.#failures.set(id, error);
      this.#reasons.set(id, `start failed: ${error instanceof Error ? error.message : String(error)}`);
      this.#feed({ type: 'child-fail', id, run, cause: this.#options.tree.causeOf(error) });
      this.#children.tellStartFailure(id, error);
    } finally {
      this.#started.delete(run);
    }
  }

  async #stop(id: string, run: number): Promise<void> {
    await this.#children.stop(id);
    this.#feed({ type: 'child-stop', id, run });
  }

  /** OTP tries again at once; the turn in between lets other messages in. */
  async #retry(cause: number): Promise<void> {
    await sleep(this.#options.tree.clock, 0);
    this.#feed({ type: 'child-retry', cause });
  }

  #announce(id: string): void {
    const run = this.#state.children.find((child) => child.id === id)?.run;
    const running = run === undefined ? undefined : this.#started.get(run);
    if (!running) return;
    this.#failures.delete(id);
    this.#running.set(id, running);
    this.#children.announce(id, running);
  }

  #adopt(request: number): void {
    const spec = this.#open.get(request)?.spec;
    if (spec) this.#children.adopt(spec);
  }

  #forget(id: string): void {
    this.#children.forget(id);
    this.#records.delete(id);
    this.#running.delete(id);
    this.#failures.delete(id);
    this.#reasons.delete(id);
  }

  #reply(request: number, answer: Answer): void {
    const open = this.#open.get(request);
    this.#open.delete(request);
    if (!open) return;
    if (answer === 'done') {
      if (open.type === 'child-terminate') this.#children.silence(open.child);
      return open.resolve(this.#running.get(open.child));
    }
    if (answer === 'start-failed') open.reject(this.#failures.get(open.child) ?? endedEarly(open.child));
    else if (answer === 'cut-short') open.reject(endedEarly(open.child));
    else if (answer === 'refused') open.reject(this.#endedWith());
    else open.reject(refusal(this.id, open.child, answer));
  }

  #endedWith(): CodedError {
    const { ending, culprit = '' } = this.#state;
    if (ending === 'gave-up') return gaveUp(this.id, culprit, this.#options.limits);
    if (ending === 'start-failed') return childStartFailed(this.id, culprit, this.#failures.get(culprit));
    return supervisorStopped(this.id);
  }

  #giveUp(child: string): void {
    const { tree, onGiveUp, limits } = this.#options;
    tree.hub.emit({ type: 'supervisor-give-up', supervisor: this.id, child });
    tree.tell(() => onGiveUp(gaveUp(this.id, child, limits)));
  }

  #end(isNormal: boolean): void {
    this.#obituaries = this.#children.obituaries();
    this.#running.clear();
    this.#options.onEnd(this, isNormal);
    this.#markEnded();
  }

  #record(child: string): void {
    const { restarts, tree } = this.#options;
    const reason = this.#reasons.get(child) ?? 'shutdown';
    restarts.push({ child, reason, atMs: tree.clock.now() });
    if (restarts.length > maxRestartRecords) restarts.shift();
    const { restartsLeft: left, id } = this;
    tree.hub.emit({ type: 'supervisor-restart', supervisor: id, child, reason, restartsLeft: left });
  }

  #nest(spec: SupervisorSpec): SupervisorNode {
    const restarts = this.#records.get(spec.id) ?? [];
    this.#records.set(spec.id, restarts);
    return new SupervisorNode({
      id: `${this.id}/${spec.id}`,
      tree: this.#options.tree,
      strategy: spec.strategy ?? 'one-for-one',
      limits: spec.limits ?? defaultRestartLimits,
      autoShutdown: spec.autoShutdown ?? 'never',
      children: spec.children ?? [],
      restarts,
      createFace: this.#options.createFace,
      onGiveUp: () => undefined,
      onEnd: (node, isNormal) => this.#onNestedEnd(spec.id, node, isNormal),
    });
  }

  #onNestedEnd(id: string, node: SupervisorNode, isNormal: boolean): void {
    if (!this.#children.bury(id, node)) return;
    this.#reasons.set(id, node.state.ending === 'gave-up' ? 'shutdown: gave up' : 'shutdown');
    this.#feed({ type: 'child-exit', exits: [{ id, isNormal }] });
    this.#feed({ type: 'inbox-turn' });
  }
}
