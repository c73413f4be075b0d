/** The worker entry: `serve({ qa: QA })` makes a worker host modules of these kinds. */
import { Host } from '../../actor/index.ts';
import type { HostOptions, StartBehaviour } from '../../actor/index.ts';
import { messageOf } from '../../base/index.ts';
import { createWorkerScopePort } from '../../port/index.ts';
import type { Port } from '../../port/index.ts';
import { createCatalogActor } from './catalog-actor.ts';
import type { ModuleImportOptions } from '../version/import-module.ts';
import { hostModule } from './module-actor.ts';
import { ModuleCatalog } from '../version/module-catalog.ts';
import type { Modules } from '../version/module-catalog.ts';
import { catalogKind, importedKind } from '../module-protocol.ts';
import type { CompileTools, Metrics, Optimizers } from '../compile/served-optimizers.ts';

export interface ServeOptions extends HostOptions, ModuleImportOptions {
  /** Default: the worker's own scope. */
  readonly port?: Port;
  /** Optimizers that `handle.compile` may name. `labeled-few-shot` is there without being given. */
  readonly optimizers?: Optimizers;
  /** Metrics that `handle.compile` may name. */
  readonly metrics?: Metrics;
}

/** What an actor host is made of: what it can start, by which tools. */
export interface Scope {
  readonly catalog: ModuleCatalog;
  readonly tools: CompileTools;
  readonly kinds: Record<string, StartBehaviour>;
  /** How often `serve` was called. */
  servings: number;
}

/** The kinds of an actor host for these modules. */
export function toKinds(
  modules: Modules,
  catalog: ModuleCatalog = new ModuleCatalog(modules),
  tools: CompileTools = {},
): Scope['kinds'] {
  const kinds = Object.fromEntries(
    Object.keys(modules).map((kind) => [kind, hostModule(catalog, tools, kind)]),
  );
  // ours, not to be shown among what a worker serves
  Object.defineProperty(kinds, importedKind, { value: hostModule(catalog, tools) });
  Object.defineProperty(kinds, catalogKind, { value: createCatalogActor(catalog) });
  return kinds;
}

/** What this worker's own scope serves. */
let scope: Scope | undefined;

/**
 * Call it at the end of the worker's entry. Called again, it exchanges all that is served, optimizers and metrics too, and modules that run
 * take their new class over with their state: this is how an edited file reaches them in development.
 * @throws `runtime/module-class-invalid`, `runtime/version-invalid`, `runtime/import-origin-invalid`
 */
export function serve<const M extends Modules>(modules: M, options: ServeOptions = {}): Served<M> {
  const { port, importOrigins, importModule, optimizers, metrics, ...hostOptions } = options;
  const given: CompileTools = { optimizers, metrics };
  const imports = {
    ...(importOrigins ? { importOrigins } : {}),
    ...(importModule ? { importModule } : {}),
  };
  if (scope && !port) {
    exchange(scope, modules, { imports, given });
    return { modules };
  }
  const catalog = new ModuleCatalog(modules, imports);
  // its own, to be exchanged with what is served
  const tools = { ...given };
  const kinds = toKinds(modules, catalog, tools);
  new Host(port ?? createWorkerScopePort(), kinds, hostOptions);
  if (!port) scope = { catalog, tools, kinds, servings: 1 };
  return { modules };
}

/** What this worker's own scope serves; undefined before it does. */
export function servedScope(): Scope | undefined {
  return scope;
}

function exchange(
  served: Scope,
  modules: Modules,
  { imports, given }: { readonly imports: ModuleImportOptions; readonly given: CompileTools },
): void {
  const { catalog, tools, kinds } = served;
  served.servings += 1;
  try {
    catalog.update(modules, imports);
    Object.assign(tools, given);
    for (const kind of Object.keys(modules)) kinds[kind] ??= hostModule(catalog, tools, kind);
  } catch (error) {
    catalog.reportFailure({ message: messageOf(error) });
    throw error;
  }
}

/** What a worker entry serves: `export const served = serve({ … })` gives the page `typeof served.modules`. */
export interface Served<M extends Modules> {
  readonly modules: M;
}
