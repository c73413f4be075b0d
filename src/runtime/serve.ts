/** The worker entry: `serve({ qa: QA })` makes a worker host modules of these kinds. */
import { Host } from '../actor/index.ts';
import type { HostOptions, StartBehaviour } from '../actor/index.ts';
import { createWorkerScopePort } from '../port/index.ts';
import type { Port } from '../port/index.ts';
import { hostModule } from './module-actor.ts';
import type { ModuleClass } from './module-actor.ts';
import type { CompileTools, Metrics, Optimizers } from './served-optimizers.ts';

/** Classes by kind. The kind is the key, so minified class names do not matter. */
export type Modules = Readonly<Record<string, ModuleClass>>;

export interface ServeOptions extends HostOptions {
  /** Default: the worker's own scope. */
  readonly port?: Port;
  /** Optimizers that `handle.compile` may name. `labeled-few-shot` is there without being given. */
  readonly optimizers?: Optimizers;
  /** Metrics that `handle.compile` may name. */
  readonly metrics?: Metrics;
}

/** The kinds of an actor host for these modules. */
export function toKinds(
  modules: Modules,
  tools: CompileTools = {},
): Readonly<Record<string, StartBehaviour>> {
  return Object.fromEntries(
    Object.entries(modules).map(([kind, Class]) => [kind, hostModule(Class, kind, tools)]),
  );
}

/** Call it once, at the end of the worker's entry. */
export function serve<const M extends Modules>(modules: M, options: ServeOptions = {}): Served<M> {
  const { port = createWorkerScopePort(), optimizers, metrics, ...hostOptions } = options;
  new Host(port, toKinds(modules, { optimizers, metrics }), hostOptions);
  return { modules };
}

/** What a worker entry serves: `export const served = serve({ … })` gives the page `typeof served.modules`. */
export interface Served<M extends Modules> {
  readonly modules: M;
}
