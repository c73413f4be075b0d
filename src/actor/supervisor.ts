/** Keeps children running, by OTP's rules. It lives on the page, never in a worker that it supervises. */
import type { CodedError } from '../base/index.ts';
import type { Clock } from '../platform/index.ts';
import type { Hub } from '../telemetry/index.ts';
import { checkAutoShutdown, checkLimits, checkSpec, checkSpecs, checkStrategy, keyOf } from './child-spec.ts';
import type { ActorSpec, ChildSpec, SupervisorSpec } from './child-spec.ts';
import { defaultRestartLimits } from './restart.ts';
import type { RestartLimits } from './restart.ts';
import type { AutoShutdown, Strategy } from './supervision-state.ts';
import { SupervisionTree } from './supervision-tree.ts';
import type { Obituary } from './supervisor-children.ts';
import { SupervisorNode } from './supervisor-node.ts';
import type { ChildCounts, ChildInfo, RestartRecord, SupervisorSnapshot } from './supervisor-snapshot.ts';
import type { ActorRef, ActorSystem } from './system.ts';

export interface SupervisorOptions {
  readonly id: string;
  readonly system: ActorSystem;
  readonly clock: Clock;
  readonly hub: Hub;
  /** Default one-for-one. */
  readonly strategy?: Strategy;
  /** Default 3 restarts within 5 s. */
  readonly limits?: RestartLimits;
  /** Whether it ends when significant children have ended for good. Default never. */
  readonly autoShutdown?: AutoShutdown;
  /** Started by `start`, in this order. Default none. */
  readonly children?: readonly ChildSpec[];
  /** It gave up. Its children are stopped from now on; `ended` resolves when they are. */
  readonly onGiveUp?: (error: CodedError) => void;
}

/** The top of a tree: nobody is above it, so that what it gives up is told to its owner. */
function createRoot(options: SupervisorOptions): SupervisorNode {
  const { id, system, clock, hub, strategy, limits, autoShutdown, children = [] } = options;
  checkStrategy(strategy);
  checkAutoShutdown(autoShutdown);
  checkLimits(limits ?? defaultRestartLimits);
  checkSpecs(children, autoShutdown);
  const tree = new SupervisionTree(system, clock, hub);
  let stopListening = (): void => undefined;
  const root = new SupervisorNode({
    id,
    tree,
    strategy: strategy ?? 'one-for-one',
    limits: limits ?? defaultRestartLimits,
    autoShutdown: autoShutdown ?? 'never',
    children,
    restarts: [],
    createFace: (node) => new Supervisor(options, node),
    onGiveUp: (error) => options.onGiveUp?.(error),
    onEnd: (node) => {
      stopListening();
      if (node.state.ending === 'gave-up' || node.state.ending === 'finished') tellAll(tree, node.obituaries);
    },
  });
  stopListening = tree.listen(root);
  return root;
}

function tellAll(tree: SupervisionTree, obituaries: readonly Obituary[]): void {
  for (const { spec, exit } of obituaries) tree.tell(() => spec.onExit?.(exit, false));
}

/**
 * Starts children in order, starts those again that fail, and gives up when they fail too often: it then stops what it
 * has, last started first, and ends. See docs/supervision.md.
 */
export class Supervisor {
  readonly #node: SupervisorNode;

  /**
   * @param node for supervisors below another, which the one above creates
   * @throws `actor/spec-invalid` naming the field, its value and what it must be
   */
  constructor(options: SupervisorOptions, node?: SupervisorNode) {
    this.#node = node ?? createRoot(options);
  }

  /** Below another supervisor, the path from the top: `top/below`. */
  get id(): string {
    return this.#node.id;
  }

  get strategy(): Strategy {
    return this.#node.state.strategy;
  }

  get limits(): RestartLimits {
    return this.#node.state.limits;
  }

  /** Resolves when nothing runs below it any more: it gave up, was closed, has finished, or could not start. */
  get ended(): Promise<void> {
    return this.#node.ended;
  }

  /** Newest last, at most 100. */
  get restarts(): readonly RestartRecord[] {
    return this.#node.restarts;
  }

  /** Restarts that are still allowed now. */
  get restartsLeft(): number {
    return this.#node.restartsLeft;
  }

  /** It and everything below it, as data. */
  inspect(): SupervisorSnapshot {
    return this.#node.snapshot;
  }

  /** Starts the children that it was given, one after the other. A supervisor without any need not be started.
   * @throws `actor/child-start-failed` naming the child, once those that had started are stopped again
   */
  start(): Promise<void> {
    return this.#node.start();
  }

  /** @throws `actor/supervisor-gave-up`, `actor/supervisor-stopped` or `actor/child-start-failed`: nobody watches its children any more */
  requireRunning(): void {
    this.#node.requireRunning();
  }

  /**
   * Starts a child after those already there and resolves when it runs. A start that fails is reported, not tried again,
   * and the child is forgotten. What is added is forgotten too when a supervisor above starts this one again.
   * @throws what the start threw, `actor/spec-invalid`, `actor/already-started` or `actor/already-present` for an id that
   *   it has, `actor/start-failed` when the child was removed meanwhile, `actor/mailbox-full`, `actor/supervisor-gave-up`,
   *   `actor/supervisor-stopped`
   */
  add(spec: ActorSpec): Promise<ActorRef>;
  add(spec: SupervisorSpec): Promise<Supervisor>;
  async add(spec: ChildSpec): Promise<unknown> {
    checkSpec(spec, this.#node.state.autoShutdown);
    return this.#node.ask({ type: 'child-add', child: keyOf(spec) }, spec);
  }

  /**
   * Stops a child and forgets it. Nothing happens when there is none of this id. A supervisor that ends, before or meanwhile, stops
   * it with all others: that is waited for.
   * @throws `actor/mailbox-full`
   */
  async remove(id: string): Promise<void> {
    if (this.#isOver) return this.#node.ended;
    try {
      await this.#node.ask({ type: 'child-remove', id });
    } catch (error) {
      if (!this.#isOver) throw error;
      await this.#node.ended;
    }
  }

  /**
   * Stops a child and keeps its specification, but for a temporary one, which is forgotten.
   * @throws `actor/child-not-found`
   */
  async terminateChild(id: string): Promise<void> {
    await this.#node.ask({ type: 'child-terminate', id });
  }

  /**
   * Starts a child that is stopped. It does not count as a restart.
   * @throws what the start threw, `actor/child-not-found`, `actor/child-running`, `actor/child-restarting`
   */
  async restartChild(id: string): Promise<void> {
    await this.#node.ask({ type: 'child-restart', id });
  }

  /**
   * Forgets a child that is stopped.
   * @throws `actor/child-not-found`, `actor/child-running`, `actor/child-restarting`
   */
  async deleteChild(id: string): Promise<void> {
    await this.#node.ask({ type: 'child-delete', id });
  }

  /** The supervisor below that runs under this id now. */
  supervisor(id: string): Supervisor | undefined {
    return this.#node.nested(id);
  }

  /** Children in start order. */
  whichChildren(): readonly ChildInfo[] {
    return this.#node.state.children.map(({ id, type, restart, status }) => ({ id, type, restart, status }));
  }

  countChildren(): ChildCounts {
    const children = this.#node.state.children;
    const supervisors = children.filter(({ type }) => type === 'supervisor').length;
    const active = children.filter(({ status }) => status === 'running' || status === 'stopping').length;
    return { specs: children.length, active, supervisors, actors: children.length - supervisors };
  }

  /** Stops all children, last started first, and ends. */
  close(): Promise<void> {
    return this.#node.shutDown();
  }

  get #isOver(): boolean {
    return this.#node.state.ending !== undefined;
  }
}
