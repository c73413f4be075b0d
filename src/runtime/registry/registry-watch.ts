/** Who listens to the registry. Events come in order, one after the other, also those that a listener causes. */
import { CodedError } from '../../base/index.ts';
import type { Clock } from '../../platform/index.ts';
import type { Hub } from '../../telemetry/index.ts';
import { parseGlob } from './glob.ts';
import type { Glob } from './glob.ts';
import type { ModuleEvent, ModuleNews } from './registry-event.ts';

export type ModuleEventListener = (event: ModuleEvent) => void;

interface Watcher {
  readonly glob: Glob;
  readonly listener: ModuleEventListener;
}

export interface WatchersOptions {
  readonly clock: Clock;
  readonly hub: Hub;
  readonly maxWatchers: number;
}

export class Watchers {
  readonly #options: WatchersOptions;
  readonly #watchers = new Set<Watcher>();
  readonly #waiting: ModuleEvent[] = [];
  #isTelling = false;

  constructor(options: WatchersOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#watchers.size;
  }

  /** The returned function ends it. @throws `runtime/pattern-invalid`, `runtime/too-many-watchers` */
  add(pattern: string, listener: ModuleEventListener): () => void {
    const watcher: Watcher = { glob: parseGlob(pattern), listener };
    const allowed = this.#options.maxWatchers;
    if (this.#watchers.size >= allowed) {
      throw new CodedError(
        'runtime/too-many-watchers',
        `${allowed} listeners already watch the registry; end one of them, by the function that "watch" gave`,
        { fields: { allowed } },
      );
    }
    this.#watchers.add(watcher);
    return () => void this.#watchers.delete(watcher);
  }

  /** Call it when what it tells is true. */
  tell(news: ModuleNews): void {
    const { clock, hub } = this.#options;
    if (this.#watchers.size === 0 && !hub.isActive) return;
    this.#waiting.push({ ...news, atMs: clock.now() });
    if (this.#isTelling) return;
    this.#isTelling = true;
    for (let event = this.#waiting.shift(); event; event = this.#waiting.shift()) {
      hub.forward(event);
      this.#tellWatchers(event);
    }
    this.#isTelling = false;
  }

  #tellWatchers(event: ModuleEvent): void {
    // whoever begins to watch now watches from the next event on
    const present = [...this.#watchers];
    for (const watcher of present) {
      // another listener may have ended this one
      if (!this.#watchers.has(watcher) || !watcher.glob.matches(event.module)) continue;
      try {
        watcher.listener(event);
      } catch {
        // whoever listens must not break what it listens to
      }
    }
  }
}
