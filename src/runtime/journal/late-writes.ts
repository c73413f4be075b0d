/** Writes of a module's journal that nobody waits for, and what is not written before the module ends. */
import { isCodedError } from '../../base/index.ts';
import { sleep } from '../../platform/index.ts';
import type { Clock } from '../../platform/index.ts';
import type { Durability } from '../../state/index.ts';
import type { ModuleJournal } from './module-journal.ts';

/** How often a write is tried that a store fails to take: together with the pauses for some 2 s. */
const maxAttempts = 12;
/** After the first attempt; each pause is twice the one before. */
const firstPauseMs = 1;

/**
 * For a write that nobody waits for, of what is true at each attempt: a store that fails once must not keep what is false.
 * @param write once more, until it is taken; it does nothing when there is nothing left to do
 * @throws what the last attempt throws, and at once what no further one would mend
 */
export async function writeUntilTaken(clock: Clock, write: () => Promise<unknown>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await write();
      return;
    } catch (error) {
      if (!isCodedError(error, 'state/write-failed') || attempt === maxAttempts) throw error;
    }
    await sleep(clock, firstPauseMs * 2 ** (attempt - 1));
  }
}

export interface LateWritesOptions {
  readonly clock: Clock;
  readonly journal: Pick<ModuleJournal, 'parameters' | 'persist' | 'persistMeta'>;
  /** Another may own what is stored. */
  readonly isClosed: () => boolean;
  readonly onFailure: (error: unknown) => void;
}

export class LateWrites {
  readonly #options: LateWritesOptions;
  /** Parameters of which the page alone holds what was acknowledged. */
  readonly #owed = new Set<string>();
  #owesMeta = false;

  constructor(options: LateWritesOptions) {
    this.#options = options;
  }

  /** What was acknowledged for these is held by the page alone: it is written when the module ends, if not before. */
  owe(names: readonly string[]): void {
    for (const name of names) this.#owed.add(name);
  }

  /** As {@link owe}, for mode and program. */
  oweMeta(): void {
    this.#owesMeta = true;
  }

  /** It is being written. */
  settle(name: string): void {
    this.#owed.delete(name);
  }

  /** As {@link settle}, for mode and program. */
  settleMeta(): void {
    this.#owesMeta = false;
  }

  /** The page goes, and with it what it alone holds. */
  forget(): void {
    this.#owed.clear();
    this.#owesMeta = false;
  }

  /** Writes what the page has, and the store may not have: over an early write that did not come true, or of a change that nobody waits for. */
  async rewrite(name: string, durability: Durability): Promise<void> {
    await this.#attempt([name], (names) => this.#options.journal.persist(names, durability));
  }

  /** Writes mode, program and memory. */
  async rewriteMeta(durability: Durability): Promise<void> {
    const { journal, isClosed } = this.#options;
    await this.#try(async () => {
      if (isClosed()) return;
      try {
        await journal.persistMeta(durability);
      } catch (error) {
        this.oweMeta();
        throw error;
      }
    });
  }

  /** The module has ended: writes what the page alone holds. */
  async writeOwed(): Promise<void> {
    const owed = [...this.#owed];
    const owesMeta = this.#owesMeta;
    this.forget();
    if (owesMeta) await this.rewriteMeta('relaxed');
    await this.#attempt(owed, (names) => this.#options.journal.persist(names, 'relaxed'));
  }

  /** Of those that there still are. Until it is written it is owed: the module may end meanwhile. */
  async #attempt(
    names: readonly string[],
    persist: (names: readonly string[]) => Promise<void>,
  ): Promise<void> {
    const { journal, isClosed } = this.#options;
    await this.#try(async () => {
      const known = names.filter((name) => journal.parameters.has(name));
      if (known.length === 0 || isClosed()) return;
      try {
        await persist(known);
      } catch (error) {
        this.owe(known);
        throw error;
      }
    });
  }

  async #try(write: () => Promise<void>): Promise<void> {
    try {
      await writeUntilTaken(this.#options.clock, write);
    } catch (error) {
      this.#options.onFailure(error);
    }
  }
}
