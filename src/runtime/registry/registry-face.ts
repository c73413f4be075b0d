/** What people hold of the registry. */
import type { ModuleHandle } from '../handle/handle.ts';
import type { HostedModuleRecord, StopOutcome } from '../host/hosted.ts';
import type { RegisteredModule } from './registry-entry.ts';
import type { ModuleEventListener } from './registry-watch.ts';
import type { ModuleRegistry } from './registry.ts';

/** All modules of a runtime, whether or not they run. Those that were started without being registered are registered too. */
export interface Registry {
  /** Modules that are registered. */
  readonly size: number;
  has(id: string): boolean;
  /** A module as it is now. @throws `runtime/module-not-found`, naming what is registered */
  get(id: string): RegisteredModule;
  /** All of them, in order of registration. */
  list(): readonly RegisteredModule[];
  /**
   * Those whose id matches: `?` is one character, `*` any number within a segment, `**` any number across segments, which end at `.` and
   * `/`; `**` and a separator is any number of whole segments, also none. A pattern without these is an id.
   * @throws `runtime/pattern-invalid`
   */
  discover(pattern: string): readonly RegisteredModule[];
  /**
   * Starts a registered module, and first what it depends on.
   * @throws `runtime/module-not-found`, and what `Runtime.start` throws
   */
  start(id: string): Promise<ModuleHandle>;
  /**
   * Stops a module: its forwards are told by their signal and have its `shutdownMs` (default 5,000) to end; then it is dropped. It stays
   * registered, and its stored state stays. Modules that depend on it see it down.
   * @throws `runtime/module-not-found`
   */
  stop(id: string): Promise<StopOutcome>;
  /** Stops a module when it runs, and forgets it; its stored state stays. @throws `runtime/module-not-found` */
  unregister(id: string): Promise<void>;
  /**
   * Tells what happens to the modules whose id matches, from now on, when it has happened. What a listener throws is dropped. The returned
   * function ends it.
   * @param pattern as for `discover`; `**` is all modules
   * @throws `runtime/pattern-invalid`, `runtime/too-many-watchers`
   */
  watch(pattern: string, listener: ModuleEventListener): () => void;
}

export function toRegistry(
  registry: ModuleRegistry,
  toHandle: (record: HostedModuleRecord) => ModuleHandle,
): Registry {
  return Object.freeze({
    get size() {
      return registry.size;
    },
    has: (id: string) => registry.has(id),
    get: (id: string) => registry.get(id),
    list: () => registry.list(),
    discover: (pattern: string) => registry.discover(pattern),
    start: async (id: string) => toHandle(await registry.start(id)),
    stop: (id: string) => registry.stop(id),
    unregister: (id: string) => registry.unregister(id),
    watch: (pattern: string, listener: ModuleEventListener) => registry.watch(pattern, listener),
  });
}
