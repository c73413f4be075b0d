/** Writes of a module's journal that nobody waits for, and what is not written before the module ends. */
import type { Durability } from '../../state/index.ts';
import type { ModuleJournal } from './module-journal.ts';

export interface LateWritesOptions {
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

  /** Writes what the page has over an early write that did not come true. */
  async rewrite(name: string, durability: Durability): Promise<void> {
    const { journal, isClosed } = this.#options;
    if (!journal.parameters.has(name) || isClosed()) return;
    await this.#attempt(() => journal.persist([name], durability));
  }

  /** Writes mode, program and memory. */
  async rewriteMeta(durability: Durability): Promise<void> {
    const { journal, isClosed } = this.#options;
    if (isClosed()) return;
    await this.#attempt(() => journal.persistMeta(durability));
  }

  /** The module has ended: writes what the page alone holds. */
  async writeOwed(): Promise<void> {
    const { journal, isClosed } = this.#options;
    const names = [...this.#owed].filter((name) => journal.parameters.has(name));
    const owesMeta = this.#owesMeta;
    this.forget();
    if (owesMeta) await this.rewriteMeta('relaxed');
    if (names.length === 0 || isClosed()) return;
    await this.#attempt(() => journal.persist(names, 'relaxed'));
  }

  async #attempt(write: () => Promise<void>): Promise<void> {
    try {
      await write();
    } catch (error) {
      this.#options.onFailure(error);
    }
  }
}
