/** Brings up what a module depends on, each module once, before the module itself. */
import { CodedError, isCodedError, toCodedError } from '../../base/index.ts';
import type { Dependency } from './dependency.ts';
import type { HostedModuleRecord } from '../host/hosted.ts';
import type { RegistryEntry } from './registry-entry.ts';

/** What was seen to already in one start, by id. */
export type Visited = Map<string, Promise<void>>;

export interface StarterOptions {
  /** @throws `runtime/module-not-found` */
  readonly find: (id: string) => RegistryEntry;
  readonly start: (entry: RegistryEntry, visited: Visited) => Promise<unknown>;
}

export class DependencyStarter {
  readonly #options: StarterOptions;

  constructor(options: StarterOptions) {
    this.#options = options;
  }

  /**
   * Resolves when every dependency runs, or may be missing; all of them have been tried by then.
   * @throws `runtime/dependency-failed`, naming the first that does not run
   */
  async startAll(entry: RegistryEntry, visited: Visited): Promise<void> {
    const { dependencies } = entry.spec;
    const tried = await Promise.allSettled(dependencies.map(({ id }) => this.#once(id, visited)));
    for (const [at, outcome] of tried.entries()) {
      const dependency = dependencies[at] as Dependency;
      if (outcome.status === 'rejected' && dependency.whenDown !== 'degrade') {
        throw dependencyFailed(entry.id, dependency.id, outcome.reason);
      }
    }
  }

  /** A module that many depend on is looked at once; each in a turn of its own, since a chain may be long. */
  #once(id: string, visited: Visited): Promise<void> {
    const known = visited.get(id);
    if (known) return known;
    const bringing = Promise.resolve().then(() => this.#bringUp(id, visited));
    visited.set(id, bringing);
    return bringing;
  }

  async #bringUp(id: string, visited: Visited): Promise<void> {
    const entry = this.#options.find(id);
    if (entry.record?.stopping) await entry.record.stopping.catch(() => undefined);
    if (entry.starting) {
      await entry.starting;
    } else if (entry.record) {
      await this.startAll(entry, visited);
      await running(entry.record);
    } else {
      await this.#options.start(entry, visited);
    }
  }
}

/** Resolves when a module that runs or restarts runs. */
function running(record: HostedModuleRecord): Promise<void> {
  if (record.isRunning) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const look = (): void => {
      if (!record.isRunning && !record.isOver) return;
      leave();
      if (record.isRunning) resolve();
      else reject(record.endedWith as CodedError);
    };
    const leave = record.onStatus(look);
    look();
  });
}

/** Names the dependency and, of a chain, the module at its end, whose error is the cause. */
function dependencyFailed(module: string, dependency: string, thrown: unknown): CodedError {
  const error = toCodedError(thrown, 'runtime/module-load-failed');
  const isChain = isCodedError(error, 'runtime/dependency-failed');
  const told = isChain ? error.fields['root'] : undefined;
  const root = typeof told === 'string' ? told : dependency;
  const cause = isChain ? toCodedError(error.cause, 'runtime/module-load-failed') : error;
  const way = isChain ? `, since "${root}" did not` : '';
  return new CodedError(
    'runtime/dependency-failed',
    `module "${module}" cannot start: its dependency "${dependency}" did not start${way}: ${cause.message}`,
    { fields: { module, dependency, root, code: cause.code }, cause, isRetryable: error.isRetryable },
  );
}
