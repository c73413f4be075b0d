/** Which updates of a worker's entry failed, and what the page is told of them. */
import type { Clock } from '../../platform/index.ts';
import type { Scope } from '../worker/serve.ts';

/** Time for the news of what is wrong with an edit to come, after the news that it failed. */
export const reasonMs: number = 500;

export interface UpdateWatchOptions {
  readonly clock: Clock;
  /** What the worker serves; undefined before it does. */
  readonly served: () => Pick<Scope, 'catalog' | 'servings'> | undefined;
}

interface Update {
  /** How often the entry had called `serve` before. */
  readonly servings: number;
}

/**
 * An entry that was evaluated anew has called `serve` once more, and one that has not has failed. The server says why when it could not
 * read the code; why code threw is in the console alone.
 */
export class UpdateWatch {
  readonly #options: UpdateWatchOptions;
  /** Those come one after another. */
  #current: Update | undefined;
  /** Failed, and nobody has said why yet. Each has a time of its own: the next edit may come before it has passed. */
  readonly #unexplained: Update[] = [];

  constructor(options: UpdateWatchOptions) {
    this.#options = options;
  }

  /** An update is about to be evaluated. @param isOurs it is one of the entry */
  begin(isOurs: boolean): void {
    const scope = this.#options.served();
    this.#current = isOurs && scope ? { servings: scope.servings } : undefined;
  }

  /** It has been evaluated, or has failed. */
  end(): void {
    const update = this.#current;
    this.#current = undefined;
    const scope = this.#options.served();
    if (!update || !scope || scope.servings > update.servings) return;
    this.#unexplained.push(update);
    this.#options.clock.after(reasonMs, () => this.#tellOf(update));
  }

  /** The server says what is wrong with an edit. It does so behind the update, in the order of the edits. */
  explain(message: string, file: string | undefined): void {
    this.#unexplained.shift();
    this.#options.served()?.catalog.reportFailure({ message, file });
  }

  #tellOf(update: Update): void {
    const at = this.#unexplained.indexOf(update);
    if (at < 0) return;
    this.#unexplained.splice(at, 1);
    const message =
      'the edited code could not be read, or threw while it was evaluated; the console says why';
    this.#options.served()?.catalog.reportFailure({ message });
  }
}
