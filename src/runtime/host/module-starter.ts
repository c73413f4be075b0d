/** How a module comes to serve under its supervisor: when it is started, and after each restart. */
import type { ActorRef, Exit, Supervisor } from '../../actor/index.ts';
import type { HostedModuleRecord } from './hosted.ts';
import { isHopeless } from './hopeless-start.ts';
import { importedKind } from '../module-protocol.ts';
import type { ChangesMissedBody, Described, PartLink, StartArgs } from '../module-protocol.ts';
import { subModuleDown } from '../page-service/sub-module-service.ts';
import type { SharedParameters } from '../parameter/shared-parameters.ts';
import type { StartOptions } from '../runtime-options.ts';
import type { ModuleFamilies } from '../sub-module/module-families.ts';
import { refuseStranger } from '../sub-module/part-shape.ts';
import type { PartPlan } from '../sub-module/sub-module-actors.ts';
import type { HotSwap } from '../swap/hot-swap.ts';
import type { ModuleVersions } from '../version/module-versions.ts';

export interface ModuleStarterOptions {
  readonly versions: ModuleVersions;
  readonly hotSwap: HotSwap;
  readonly shared: SharedParameters;
  readonly families: ModuleFamilies;
  /** @throws what ended the start meanwhile */
  readonly requireWanted: (module: HostedModuleRecord) => void;
  readonly onExit: (module: HostedModuleRecord, exit: Exit, willRestart: boolean) => void;
  /** Its restart failed in a way that a further one cannot mend. */
  readonly onHopeless: (module: HostedModuleRecord, thrown: unknown) => void;
  /** Takes work that nobody waits for. */
  readonly background: (work: Promise<unknown>) => void;
}

/**
 * The run before may have answered what the page took over when this one had begun to start. It comes before anything that is asked of it,
 * so that nothing that is asked for later is undone.
 */
function tellMissed({ journal, incarnation }: HostedModuleRecord, ref: ActorRef, begun: StartArgs): void {
  const { sequence } = journal;
  for (const [name, { state, history }] of journal.parameters) {
    const before = begun.state?.parameters[name];
    if (before === undefined || before === state) continue;
    const body: ChangesMissedBody = {
      changes: { parameters: { [name]: state } },
      cause: history.at(-1)?.cause ?? 'restart',
      order: 0,
      incarnation,
      sequence,
    };
    ref.send('changes-missed', body);
  }
}

export class ModuleStarter {
  readonly #options: ModuleStarterOptions;
  /** Actors that were started for modules. */
  #incarnations = 0;

  constructor(options: ModuleStarterOptions) {
    this.#options = options;
  }

  /**
   * Supervises it from here on. Resolves when it serves.
   * @throws what its start throws, `runtime/sub-module-down`, and what ended it meanwhile
   */
  async start(module: HostedModuleRecord, options: StartOptions, plans: readonly PartPlan[]): Promise<void> {
    const supervisor = module.supervisor as Supervisor;
    let isIntroduced = false;
    let hasBegun = false;
    let current: ActorRef | undefined;
    let begun: StartArgs = {};
    const { restart, shutdownMs, isolation } = options;
    const parts = plans.map(({ path, id, actor }) => ({ path, id, whenDown: actor.whenDown }));
    const ref = await supervisor.add({
      id: module.id,
      ...(restart ? { restart } : {}),
      ...(shutdownMs === undefined ? {} : { shutdown: shutdownMs }),
      spawn: () => {
        const spawned = this.#spawnOf(module, parts);
        begun = spawned.args;
        return { ...spawned, ...(isolation === 'dedicated' ? { isDedicated: true } : {}) };
      },
      onStart: (started) => {
        current = started;
        tellMissed(module, started, begun);
        if (isIntroduced) module.prepare(started);
        if (!hasBegun) return;
        if (module.parts.size === 0) this.#attachFitting(module, started);
        else this.#options.background(this.#serveAgain(module, started, () => current === started));
      },
      onExit: (exit, willRestart) => {
        current = undefined;
        this.#options.onExit(module, exit, willRestart);
      },
      onStartFail: (thrown) => {
        if (isIntroduced && isHopeless(thrown, supervisor.restartsLeft))
          this.#options.onHopeless(module, thrown);
      },
    });
    const described = (await ref.call('describe', null)) as Described;
    this.#options.requireWanted(module);
    await this.#options.hotSwap.introduce(module, described);
    this.#options.requireWanted(module);
    isIntroduced = true;
    if (current) module.prepare(current);
    if (plans.length > 0) await this.#options.families.begin(module, plans, described, options.shared);
    this.#options.requireWanted(module);
    // whoever hears that it serves must find the shared values in it, and whoever stops it does not wait for all of their changes
    await module.whileAlive(this.#bindShared(module, options.shared));
    this.#options.requireWanted(module);
    hasBegun = true;
    await this.#serveFirst(module, () => current);
    this.#options.requireWanted(module);
  }

  /** The version that runs, with the state that the page has of it. */
  #spawnOf(
    module: HostedModuleRecord,
    parts: readonly PartLink[],
  ): { readonly kind: string; readonly args: StartArgs; readonly incarnation: number } {
    const { kind, source, journal } = module;
    const incarnation = ++this.#incarnations;
    module.incarnation = incarnation;
    const loaded = this.#options.versions.loadedOf(kind);
    const { state, sequence } = journal;
    const links = parts.length > 0 ? { parts } : {};
    const { version, edition } = source;
    const args: StartArgs = { state, sequence, version, ...links, ...(edition && { edition }) };
    if (loaded.length === 0) return { kind, args, incarnation };
    return { kind: importedKind, args: { ...args, kind, loaded }, incarnation };
  }

  /** Where the parameter's owner is an actor inside the module, the owner is bound already. */
  async #bindShared(module: HostedModuleRecord, shared: StartOptions['shared']): Promise<void> {
    const own = Object.entries(shared ?? {}).filter(([name]) => module.ownerOf(name).module === module);
    await this.#options.shared.bind(module, shared && Object.fromEntries(own));
  }

  #attach(module: HostedModuleRecord, ref: ActorRef): void {
    if (module.parts.size > 0) this.#options.families.mirror(module, ref);
    module.attach(ref);
  }

  /** It was restarted, and its worker may have begun with other code than it ran before. */
  #attachFitting(module: HostedModuleRecord, ref: ActorRef): void {
    try {
      refuseStranger(module);
    } catch (error) {
      this.#options.onHopeless(module, error);
      return;
    }
    this.#attach(module, ref);
  }

  /** What it cannot be without must run before it serves. @throws `runtime/sub-module-down` */
  async #serveFirst(module: HostedModuleRecord, current: () => ActorRef | undefined): Promise<void> {
    const ref = current();
    if (module.parts.size > 0) {
      await this.#options.families.resume(module);
      this.#options.requireWanted(module);
    }
    // it was lost meanwhile: its restart has the same to do
    if (!ref || current() !== ref) return;
    const lost = this.#options.families.lost(module);
    if (lost) throw subModuleDown(lost);
    this.#attach(module, ref);
  }

  /** It was restarted. */
  async #serveAgain(module: HostedModuleRecord, ref: ActorRef, isCurrent: () => boolean): Promise<void> {
    await this.#options.families.resume(module);
    if (!isCurrent()) return;
    const lost = this.#options.families.lost(module);
    if (lost) ref.send('part-lost', lost.path);
    else this.#attachFitting(module, ref);
  }
}
