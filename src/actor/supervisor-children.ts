/** What runs below one supervisor, and who is told of it. It starts and stops what it is told to; it decides nothing. */
import { addressOf } from './child-spec.ts';
import type { ActorSpec, ChildSpec, SupervisorSpec } from './child-spec.ts';
import type { SupervisionTree } from './supervision-tree.ts';
import { endedEarly } from './supervisor-errors.ts';
import type { Supervisor } from './supervisor.ts';
import type { ActorRef, Exit } from './system.ts';

/** An actor that ended with the supervisor above it. Whether it starts again is decided further up. */
export interface Obituary {
  readonly spec: ActorSpec;
  readonly exit: Exit;
  /** Whether a new run of the supervisor would start it again. */
  readonly isInitial: boolean;
}

/** A supervisor below another, as the one above sees it. */
export interface NestedSupervisor {
  readonly face: Supervisor;
  readonly hasEnded: boolean;
  /** Resolves when nothing runs below it. */
  readonly ended: Promise<void>;
  readonly obituaries: readonly Obituary[];
  start(): Promise<void>;
  shutDown(): Promise<void>;
  /** Kills every actor below it. */
  kill(): void;
}

/** A run of a child: an actor's reference, or a supervisor. */
export type Running = ActorRef | Supervisor;

export class SupervisorChildren<Nested extends NestedSupervisor> {
  readonly #tree: SupervisionTree;
  readonly #createNested: (spec: SupervisorSpec) => Nested;
  readonly #initial: ReadonlySet<ChildSpec>;
  readonly #specs = new Map<string, ChildSpec>();
  readonly #idOf = new Map<string, string>();
  readonly #nested = new Map<string, Nested>();
  readonly #exits = new Map<string, Exit>();
  /** Actors whose end nobody has been told of. */
  readonly #live = new Set<string>();
  readonly #obituaries = new Map<string, readonly Obituary[]>();

  constructor(
    tree: SupervisionTree,
    initial: readonly ChildSpec[],
    createNested: (spec: SupervisorSpec) => Nested,
  ) {
    this.#tree = tree;
    this.#initial = new Set(initial);
    this.#createNested = createNested;
    for (const spec of initial) this.adopt(spec);
  }

  get nested(): ReadonlyMap<string, Nested> {
    return this.#nested;
  }

  adopt(spec: ChildSpec): void {
    this.#specs.set(spec.id, spec);
    if (spec.type !== 'supervisor') this.#idOf.set(addressOf(spec), spec.id);
  }

  forget(id: string): void {
    const spec = this.#specs.get(id);
    this.silence(id);
    this.#specs.delete(id);
    if (!spec || spec.type === 'supervisor') return;
    this.#idOf.delete(addressOf(spec));
    this.#tree.forgetLosses(addressOf(spec));
  }

  idAt(address: string): string | undefined {
    return this.#idOf.get(address);
  }

  async start(id: string): Promise<Running> {
    const spec = this.#specs.get(id);
    if (!spec) throw endedEarly(id);
    return spec.type === 'supervisor' ? this.#startNested(spec) : this.#startActor(spec);
  }

  async #startActor(spec: ActorSpec): Promise<ActorRef> {
    const actor = addressOf(spec);
    const wanted = spec.spawn();
    const isDedicated = wanted.isDedicated ?? this.#tree.blame(actor);
    return this.#tree.system.spawn({ ...wanted, isDedicated, actor });
  }

  async #startNested(spec: SupervisorSpec): Promise<Supervisor> {
    const nested = this.#createNested(spec);
    this.#nested.set(spec.id, nested);
    await nested.start();
    return nested.face;
  }

  /** @throws `actor/start-failed` when it started and has ended since */
  requireAlive(id: string): void {
    const spec = this.#specs.get(id);
    const isAlive =
      spec?.type === 'supervisor' ? this.#nested.has(id) : spec && this.#tree.system.has(addressOf(spec));
    if (!isAlive) throw endedEarly(id);
  }

  async stop(id: string): Promise<void> {
    const spec = this.#specs.get(id);
    const nested = this.#nested.get(id);
    if (nested) return this.#stopNested(nested, spec?.shutdown ?? 'infinity');
    if (spec && spec.type !== 'supervisor') await this.#tree.system.stop(addressOf(spec), spec.shutdown);
  }

  async #stopNested(nested: Nested, shutdown: NonNullable<ChildSpec['shutdown']>): Promise<void> {
    const cancelKill =
      typeof shutdown === 'number' ? this.#tree.clock.after(shutdown, () => nested.kill()) : () => undefined;
    if (shutdown === 'brutal-kill') nested.kill();
    await nested.shutDown();
    cancelKill();
  }

  /** Kills every actor here and below. */
  kill(): void {
    for (const spec of this.#specs.values()) {
      if (spec.type !== 'supervisor') void this.#tree.system.stop(addressOf(spec), 'brutal-kill');
    }
    for (const nested of this.#nested.values()) nested.kill();
  }

  /** A supervisor below has ended. False when it is not the present run. */
  bury(id: string, nested: NestedSupervisor): boolean {
    if (this.#nested.get(id) !== nested) return false;
    this.#nested.delete(id);
    this.#obituaries.set(id, nested.obituaries);
    return true;
  }

  noteExit(id: string, exit: Exit): void {
    this.#exits.set(id, exit);
  }

  announce(id: string, running: Running): void {
    const spec = this.#specs.get(id);
    if (!spec) return;
    this.#exits.delete(id);
    if (spec.type === 'supervisor') return this.#tree.tell(() => spec.onStart?.(running as Supervisor));
    this.#live.add(id);
    this.#tree.waiting.delete(spec);
    this.#tree.tell(() => spec.onStart?.(running as ActorRef));
  }

  tellStartFailure(id: string, error: unknown): void {
    const spec = this.#specs.get(id);
    if (spec && spec.type !== 'supervisor') this.#tree.tell(() => spec.onStartFail?.(error));
  }

  /** Tells who asked to be told that a child has ended, and with it everything below it. */
  tellEnd(id: string, willRestart: boolean): void {
    const spec = this.#specs.get(id);
    if (!spec) return;
    const ended = this.#obituariesOf(spec);
    this.#live.delete(id);
    this.#obituaries.delete(id);
    for (const obituary of ended) this.tell(obituary, willRestart && obituary.isInitial);
  }

  tell({ spec, exit }: Obituary, willRestart: boolean): void {
    // its restart failed, and now a supervisor above tries: it has been told
    if (willRestart && this.#tree.waiting.has(spec)) return;
    if (willRestart) this.#tree.waiting.add(spec);
    else this.#tree.waiting.delete(spec);
    this.#tree.tell(() => spec.onExit?.(exit, willRestart));
  }

  /** A child was stopped because somebody asked for it: he knows. */
  silence(id: string): void {
    const spec = this.#specs.get(id);
    if (spec) for (const obituary of this.#obituariesOf(spec)) this.#tree.waiting.delete(obituary.spec);
    this.#live.delete(id);
    this.#obituaries.delete(id);
  }

  /** What ends with this supervisor. */
  obituaries(): Obituary[] {
    return [...this.#specs.values()].flatMap((spec) => {
      const isInitial = this.#initial.has(spec);
      if (!isInitial && spec.type !== 'supervisor') this.#tree.forgetLosses(addressOf(spec));
      return this.#obituariesOf(spec).map((one) => ({ ...one, isInitial: one.isInitial && isInitial }));
    });
  }

  #obituariesOf(spec: ChildSpec): Obituary[] {
    if (spec.type === 'supervisor') {
      const known = this.#obituaries.get(spec.id) ?? [];
      const told = new Set(known.map((one) => one.spec));
      return [...known, ...this.#waitingBelow(spec).filter((one) => !told.has(one.spec))];
    }
    if (!this.#live.has(spec.id) && !this.#tree.waiting.has(spec)) return [];
    return [{ spec, exit: this.#exits.get(spec.id) ?? shutdownOf(spec), isInitial: true }];
  }

  /** Actors that wait for a supervisor that could not be started again. */
  #waitingBelow(spec: SupervisorSpec): Obituary[] {
    return (spec.children ?? []).flatMap((child) => {
      if (child.type === 'supervisor') return this.#waitingBelow(child);
      return this.#tree.waiting.has(child) ? [{ spec: child, exit: shutdownOf(child), isInitial: true }] : [];
    });
  }
}

function shutdownOf(spec: ActorSpec): Exit {
  return { actor: addressOf(spec), reason: 'shutdown' };
}
