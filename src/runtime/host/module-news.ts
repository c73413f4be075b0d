/** What workers tell the page of their modules without being asked, and where each piece of news goes. */
import type { MessageSource } from '../../actor/index.ts';
import type { Hub } from '../../telemetry/index.ts';
import { isCatalogChange, isModuleSwap, isParameterChange, isPartStale, isUpdateFail } from './check-news.ts';
import type { HostedModuleRecord } from './hosted.ts';
import type { HotSwap } from '../swap/hot-swap.ts';
import type { ModuleFamilies } from '../sub-module/module-families.ts';
import type {
  ModuleSwapBody,
  ParameterChangeBody,
  ParameterRecord,
  UpdateFailBody,
} from '../module-protocol.ts';
import type { SharedParameters } from '../parameter/shared-parameters.ts';

/** Another instance of a module has taken over. */
export interface SwapNews {
  readonly fromKind: string;
  readonly toKind: string;
  readonly fromVersion: string;
  readonly toVersion: string;
}

/** Whose news they are. */
type Authored = Pick<ParameterChangeBody, 'module' | 'incarnation'>;

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
}

export class ModuleNews {
  readonly #options: ModuleNewsOptions;

  constructor(options: ModuleNewsOptions) {
    this.#options = options;
  }

  /** What is malformed, or said of a module that runs in another worker, is not taken, and counts against the worker. */
  take(method: string, body: unknown, source: MessageSource): void {
    const { families, hotSwap, modules } = this.#options;
    if (method === 'parameter-change' && isParameterChange(body)) this.#onOwnChange(body, source);
    else if (method === 'module-swap' && isModuleSwap(body)) this.#onSwap(body, source);
    else if (method === 'part-stale' && isPartStale(body)) {
      if (source.whereIs(body.module) === 'here') families.onStale(body);
    } else if (method === 'catalog-change' && isCatalogChange(body))
      hotSwap.onCatalogChange(modules(), body.kinds);
    else if (method === 'update-fail' && isUpdateFail(body)) this.#onUpdateFail(body);
    else source.violate(`news that there are not, or malformed: ${method.slice(0, 100)}`);
  }

  /** The module that speaks, unless its actor is over: what was sent before the worker knew that is late, and no offence. */
  #authorOf({ module: id, incarnation }: Authored, source: MessageSource): HostedModuleRecord | undefined {
    const module = this.#options.find(id);
    if (module?.incarnation !== incarnation) return undefined;
    const place = source.whereIs(id);
    if (place === 'elsewhere') source.violate(`news of module "${id.slice(0, 100)}", which runs elsewhere`);
    return place === 'here' ? module : undefined;
  }

  #onUpdateFail({ message, file }: UpdateFailBody): void {
    const { hub } = this.#options;
    hub.emit({ type: 'hot-update-fail', message, ...(file === undefined ? {} : { file }) });
  }

  #onSwap(body: ModuleSwapBody, source: MessageSource): void {
    const { hotSwap, shared, families, onSwap } = this.#options;
    const module = this.#authorOf(body, source);
    if (!module || module.isOver) return;
    const fromVersion = body.taken.from;
    hotSwap.onSwap(module, body);
    shared.rebind(module);
    families.onSwap(module, body.parts);
    if (module.around) return;
    const [fromKind, toVersion] = [module.kind, body.state.version];
    onSwap(module, { fromKind, toKind: fromKind, fromVersion, toVersion });
  }

  /** A module changed a parameter by itself. */
  #onOwnChange(body: ParameterChangeBody, source: MessageSource): void {
    const { families, shared, onParameterChange } = this.#options;
    const module = this.#authorOf(body, source);
    if (!module) return;
    const { module: _, incarnation: __, isCorrection, ...record } = body;
    if (families.pass(module, record)) return;
    // what changes before a module was introduced is in its introduction
    if (!module.journal.parameters.has(record.name)) return;
    onParameterChange(module, record);
    void module.journal.late.rewrite(record.name, 'relaxed');
    shared.follow(module, record, isCorrection);
  }
}
