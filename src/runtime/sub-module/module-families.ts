/**
 * Modules within modules: the actors of a program's sub-modules, each under a supervisor of its own, so that a sub-module that fails too
 * often ends alone, and the program around it does what was declared.
 */
import type { ActorRef, Supervisor } from '../../actor/index.ts';
import { messageOf } from '../../base/index.ts';
import type { ModuleState } from '../../program/index.ts';
import type { Hub } from '../../telemetry/index.ts';
import type { HostedModuleRecord, ModuleStatus } from '../host/hosted.ts';
import type { HostedPart, Surrounding } from './hosted-part.ts';
import { wasStopped } from '../module-error.ts';
import type {
  Described,
  ParameterRecord,
  PartLoadBody,
  PartNames,
  PartStaleBody,
} from '../module-protocol.ts';
import { createParameterHandle } from '../parameter/parameter-handle.ts';
import type { SharedBindings } from '../parameter/shared-plan.ts';
import { refuseOther, refuseShared, shapeOf } from './part-shape.ts';
import type { StartOptions } from '../runtime-options.ts';
import type { PartPlan } from './sub-module-actors.ts';
import { knownState, partOfState } from '../journal/whole-state.ts';

/** Where a part is started. */
export interface PartPlace {
  readonly around: Surrounding;
  readonly supervisor: Supervisor;
}

type SharedNames = NonNullable<StartOptions['shared']>;

/** What a family needs of whoever starts and stops modules. */
export interface FamilyHost extends SharedBindings {
  readonly hub: Hub;
  /** One for a part of `around`, below the one of `around`. */
  createSupervisor(around: HostedModuleRecord, id: string): Promise<Supervisor>;
  createPart(plan: PartPlan, place: PartPlace): HostedModuleRecord;
  /** @param state what it starts from when nothing of it is stored */
  startPart(module: HostedModuleRecord, options: StartOptions, state: ModuleState): Promise<void>;
  /** Starts a module that has ended once more, with what the page has of it. */
  revive(module: HostedModuleRecord, options: StartOptions, supervisor: Supervisor): Promise<void>;
  stop(module: HostedModuleRecord): Promise<unknown>;
  /** A parameter changed: the journal takes it over, and everybody hears of it. */
  onParameterChange(module: HostedModuleRecord, record: ParameterRecord): void;
}

interface Family {
  readonly plans: readonly PartPlan[];
  /** The last of the restarts of the module around it that have to do with its parts. */
  resuming: Promise<void>;
  ending: Promise<void> | undefined;
}

export class ModuleFamilies {
  readonly #host: FamilyHost;
  readonly #families = new Map<HostedModuleRecord, Family>();

  constructor(host: FamilyHost) {
    this.#host = host;
  }

  /**
   * Starts the parts of a module, in the order of their declaration, before it serves itself.
   * @throws `runtime/sub-module-mismatch`, and what starting a module throws
   */
  async begin(
    module: HostedModuleRecord,
    plans: readonly PartPlan[],
    described: Described,
    shared: SharedNames = {},
  ): Promise<void> {
    if (plans.length === 0) return;
    refuseShared(module.id, described.parts);
    this.#families.set(module, { plans, resuming: Promise.resolve(), ending: undefined });
    // predictors that nobody changed follow their class
    const { predictors, compiled } = module.journal.state ?? { predictors: {}, compiled: [] };
    const state: ModuleState = { ...described.state, predictors, compiled };
    for (const plan of plans) {
      const names = described.parts[plan.path] as PartNames;
      const part = await this.#startPart(module, { plan, names, state, shared: sharedOf(names, shared) });
      const { kind, description } = part.module;
      const shape = description ? shapeOf(description) : {};
      refuseOther({ path: part.path, kind, shape }, shapeOf(described.description, names));
    }
  }

  /**
   * Before a module serves, or serves again: parts that had crashed for good are started too, those that run stay as they are, and
   * those that restart are waited for.
   */
  async resume(module: HostedModuleRecord): Promise<void> {
    const family = this.#families.get(module);
    if (!family) return;
    // one after another: two restarts of the module must not start one part twice
    family.resuming = family.resuming.then(() => this.#resume(module, family));
    await family.resuming;
  }

  /** A part that has ended for good, and that the module cannot be without. */
  lost(module: HostedModuleRecord): HostedPart | undefined {
    return [...module.parts.values()].find(
      ({ whenDown, module: part }) => whenDown === 'restart' && part.status === 'crashed',
    );
  }

  /** Gives a module, before anybody calls it, the newest state of its parts. */
  mirror(module: HostedModuleRecord, ref: ActorRef): void {
    for (const { path, module: part } of module.parts.values()) {
      const state = knownState(part);
      const body = state && ({ path, state } satisfies PartLoadBody);
      if (body) this.#attempt(module, () => ref.send('part-load', body));
    }
  }

  /** As {@link mirror}, for everything around a module whose state was replaced. */
  mirrorAround(module: HostedModuleRecord): void {
    for (let part: HostedModuleRecord = module; part.around; part = part.around.module)
      this.#mirrorTo(part.around.module, part);
  }

  /** A parameter of a module changed: the copies of it in the modules around follow. */
  follow(module: HostedModuleRecord, record: ParameterRecord): void {
    let { name } = record;
    for (let { around } = module; around; around = around.module.around) {
      const { module: outer, path } = around;
      name = outer.parts.get(path)?.names.parameters[name] ?? name;
      const body = { name, state: record.state };
      this.#attempt(outer, () => outer.tell('part-change', body));
    }
  }

  /**
   * A module changed the copy of a parameter that one of its parts owns: the owner is asked to do the same.
   * False when the module owns it itself.
   */
  pass(module: HostedModuleRecord, record: ParameterRecord): boolean {
    const owner = module.ownerOf(record.name);
    if (owner.module === module) return false;
    void this.#pass(module, owner, record);
    return true;
  }

  /** Another instance of a module has taken over: its parts may have other names there, and its copies of them other values. */
  onSwap(module: HostedModuleRecord, parts: Readonly<Record<string, PartNames>>): void {
    for (const [path, part] of module.parts) {
      const names = parts[path];
      if (names) module.parts.set(path, { ...part, names, ownNames: ownNamesOf(names) });
    }
    for (const { module: part } of module.parts.values()) this.#mirrorTo(module, part);
    this.mirrorAround(module);
  }

  /** A copy refused what its owner has. */
  onStale({ module, part, reason }: PartStaleBody): void {
    const text = `module ${module}: its copy of ${part} could not follow its owner: ${reason}`;
    this.#host.hub.emit({ type: 'note', text });
  }

  /** Stops the parts of a module, last started first. */
  async end(module: HostedModuleRecord): Promise<void> {
    const family = this.#families.get(module);
    if (!family) return;
    family.ending ??= this.#end(module, family);
    await family.ending;
  }

  /** Waits for the families whose end is under way. */
  async settled(): Promise<void> {
    await Promise.allSettled([...this.#families.values()].flatMap(({ ending }) => (ending ? [ending] : [])));
  }

  #mirrorTo(module: HostedModuleRecord, part: HostedModuleRecord): void {
    const [path, state] = [part.around?.path, knownState(part)];
    if (path !== undefined && state) this.#attempt(module, () => module.tell('part-load', { path, state }));
  }

  async #startPart(
    module: HostedModuleRecord,
    start: {
      readonly plan: PartPlan;
      readonly names: PartNames;
      readonly state: ModuleState;
      readonly shared: SharedNames;
    },
  ): Promise<HostedPart> {
    const { plan, names, state, shared } = start;
    const known = module.parts.get(plan.path);
    if (known) {
      if (known.module.isOver) await this.#startAgain(known, plan);
      return known;
    }
    const supervisor = await this.#createSupervisor(module, plan);
    const { path, actor } = plan;
    const started = this.#host.createPart(plan, { around: { module, path }, supervisor });
    const ownNames = ownNamesOf(names);
    const part: HostedPart = { path, module: started, whenDown: actor.whenDown, names, ownNames };
    // from here on whoever ends the module ends the part
    module.parts.set(path, part);
    try {
      await this.#host.startPart(started, { ...optionsOf(plan), shared }, partOfState(state, names));
    } catch (error) {
      if (module.parts.get(path) === part) module.parts.delete(path);
      await module.supervisor?.remove(plan.id);
      throw error;
    }
    started.onStatus((status) => this.#onStatus(module, part, status));
    return part;
  }

  /** @throws `runtime/module-stopped` when the module has ended meanwhile: nobody would end its part */
  async #createSupervisor(module: HostedModuleRecord, { id }: PartPlan): Promise<Supervisor> {
    const supervisor = await this.#host.createSupervisor(module, id);
    const family = this.#families.get(module);
    if (family && !family.ending && !module.isOver) return supervisor;
    await module.supervisor?.remove(id);
    throw wasStopped(module.id);
  }

  #onStatus(module: HostedModuleRecord, part: HostedPart, status: ModuleStatus): void {
    if (status === 'running' || status === 'starting' || module.isOver || module.stopping) return;
    const { path, whenDown } = part;
    const isFinal = status !== 'restarting';
    const subModule = part.module.id;
    this.#host.hub.emit({ type: 'sub-module-fail', module: module.id, subModule, isFinal, whenDown });
    if (status === 'crashed' && whenDown === 'restart')
      this.#attempt(module, () => module.tell('part-lost', path));
  }

  async #resume(module: HostedModuleRecord, family: Family): Promise<void> {
    for (const part of module.parts.values()) {
      await part.module.settled();
      if (part.module.status === 'crashed') await this.#revive(family, part);
    }
  }

  async #revive(family: Family, part: HostedPart): Promise<void> {
    const plan = family.plans.find(({ path }) => path === part.path);
    if (!plan || family.ending) return;
    try {
      await this.#startAgain(part, plan);
    } catch (error) {
      this.#host.hub.emit({
        type: 'note',
        text: `sub-module ${part.module.id} could not be started again: ${messageOf(error)}`,
      });
    }
  }

  /** The supervisor that gave up has stopped what it had by then. */
  async #startAgain({ module }: HostedPart, plan: PartPlan): Promise<void> {
    const { around } = module;
    if (!around) return;
    await around.module.supervisor?.remove(module.id);
    await module.supervisor?.ended;
    const supervisor = await this.#createSupervisor(around.module, plan);
    await this.#host.revive(module, optionsOf(plan), supervisor);
  }

  async #pass(
    module: HostedModuleRecord,
    owner: { readonly module: HostedModuleRecord; readonly name: string },
    record: ParameterRecord,
  ): Promise<void> {
    const { name, module: part } = owner;
    // the number is of the module's changes, not of the part's
    const { sequence: _, ...change } = record;
    const { cause, state } = record;
    try {
      if (part.isOver) {
        const own = { ...change, name };
        this.#host.onParameterChange(part, own);
        this.#host.sharedOf(part, name)?.follow(part, own, false);
        await part.journal.late.rewrite(name, 'relaxed');
        return;
      }
      const onChange = (change: ParameterRecord): void => this.#host.onParameterChange(part, change);
      const sharedOf = (bound: string): ReturnType<SharedBindings['sharedOf']> =>
        this.#host.sharedOf(part, bound);
      const parameter = createParameterHandle(part, name, { onChange, sharedOf });
      await parameter.set(state.value, { level: 'relaxed', cause });
    } catch (error) {
      this.#attempt(module, () => {
        throw error;
      });
      // the copy goes back to what its owner has
      this.mirrorAround(part);
    }
  }

  async #end(module: HostedModuleRecord, family: Family): Promise<void> {
    for (const { module: part } of [...module.parts.values()].toReversed()) {
      await this.#host.stop(part);
      await module.supervisor?.remove(part.id);
    }
    if (this.#families.get(module) === family) this.#families.delete(module);
  }

  /** Nobody waits for what goes to a copy, so a failure has only this route. */
  #attempt(module: HostedModuleRecord, work: () => void): void {
    try {
      work();
    } catch (error) {
      const text = `module ${module.id}: its sub-modules' copies could not be brought up to date: ${messageOf(error)}`;
      this.#host.hub.emit({ type: 'note', text });
    }
  }
}

const ownNamesOf = ({ parameters }: PartNames): ReadonlyMap<string, string> =>
  new Map(Object.entries(parameters).map(([own, outer]) => [outer, own]));

/** By a part's own names, what is shared of the parameters that it has. */
function sharedOf({ parameters }: PartNames, shared: SharedNames): SharedNames {
  const own = Object.entries(parameters).flatMap(([name, outer]) => {
    const of = shared[outer];
    return of === undefined ? [] : [[name, of] as const];
  });
  return Object.fromEntries(own);
}

/** What a part is started with. */
function optionsOf({ id, actor, actors }: PartPlan): StartOptions {
  const { restart, isolation, shutdownMs } = actor;
  return {
    id,
    actors,
    ...(restart ? { restart } : {}),
    ...(isolation ? { isolation } : {}),
    ...(shutdownMs === undefined ? {} : { shutdownMs }),
  };
}
