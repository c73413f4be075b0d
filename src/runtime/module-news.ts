/** What workers tell the page of their modules without being asked, and where each piece of news goes. */
import type { Hub } from '../telemetry/index.ts';
import type { HostedModuleRecord } from './hosted.ts';
import type { HotSwap } from './hot-swap.ts';
import type { ModuleFamilies } from './module-families.ts';
import type {
  CatalogChangeBody,
  ModuleSwapBody,
  ParameterChangeBody,
  ParameterRecord,
  PartStaleBody,
  UpdateFailBody,
} from './module-protocol.ts';
import type { SharedParameters } from './shared-parameters.ts';

/** Another instance of a module has taken over. */
export interface SwapNews {
  readonly fromKind: string;
  readonly toKind: string;
  readonly fromVersion: string;
  readonly toVersion: string;
}

export interface ModuleNewsOptions {
  readonly hub: Hub;
  readonly hotSwap: HotSwap;
  readonly shared: SharedParameters;
  readonly families: ModuleFamilies;
  /** In order of start. */
  readonly modules: () => readonly HostedModuleRecord[];
  readonly find: (id: string) => HostedModuleRecord | undefined;
  readonly onParameterChange: (module: HostedModuleRecord, record: ParameterRecord) => void;
  readonly onSwap: (module: HostedModuleRecord, news: SwapNews) => void;
  readonly onStoreFailure: (error: unknown) => void;
}

export class ModuleNews {
  readonly #options: ModuleNewsOptions;

  constructor(options: ModuleNewsOptions) {
    this.#options = options;
  }

  take(method: string, body: unknown): void {
    const { families, hotSwap, modules } = this.#options;
    if (method === 'parameter-change') this.#onOwnChange(body as ParameterChangeBody);
    else if (method === 'module-swap') this.#onSwap(body as ModuleSwapBody);
    else if (method === 'part-stale') families.onStale(body as PartStaleBody);
    else if (method === 'catalog-change')
      hotSwap.onCatalogChange(modules(), (body as CatalogChangeBody).kinds);
    else if (method === 'update-fail') this.#onUpdateFail(body as UpdateFailBody);
  }

  #onUpdateFail({ message, file }: UpdateFailBody): void {
    const { hub } = this.#options;
    hub.emit({ type: 'hot-update-fail', message, ...(file === undefined ? {} : { file }) });
  }

  #onSwap(body: ModuleSwapBody): void {
    const { hotSwap, shared, families, find, onSwap } = this.#options;
    const module = find(body.module);
    if (!module || module.isOver || module.incarnation !== body.incarnation) return;
    const fromVersion = body.taken.from;
    hotSwap.onSwap(module, body);
    shared.rebind(module);
    families.onSwap(module, body.parts);
    if (module.around) return;
    const [fromKind, toVersion] = [module.kind, body.state.version];
    onSwap(module, { fromKind, toKind: fromKind, fromVersion, toVersion });
  }

  /** A module changed a parameter by itself. */
  #onOwnChange({ module: id, incarnation, ...record }: ParameterChangeBody): void {
    const { families, shared, find, onParameterChange, onStoreFailure } = this.#options;
    const module = find(id);
    if (module?.incarnation !== incarnation) return;
    if (module && families.pass(module, record)) return;
    // what changes before a module was introduced is in its introduction
    if (!module?.journal.parameters.has(record.name)) return;
    onParameterChange(module, record);
    // nobody waits for it, so a failure has only this route
    module.journal.persist([record.name], 'relaxed').catch(onStoreFailure);
    shared.follow(module, record);
  }
}
