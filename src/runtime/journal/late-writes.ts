/** Writes of a module's journal that nobody waits for, and what is not written before the module ends. */
import { isCodedError } from '../../base/index.ts';
import { sleep } from '../../platform/index.ts';
import type { Clock } from '../../platform/index.ts';
import type { Durability } from '../../state/index.ts';
import type { ModuleJournal } from './module-journal.ts';

/** How a store fails that may work a moment later. */
const mayPass: ReadonlySet<string> = new Set(['state/write-failed', 'state/read-failed', 'state/blocked']);
/** How often a write is tried that a store fails to take: together with the pauses for some 2 s. */
const maxAttempts = 12;
/** After the first attempt; each pause is twice the one before. */
const firstPauseMs = 1;

/**
 * For a write that nobody waits for, of what is true at each attempt: a store that fails once must not keep what is false.
 * @param write once more, until it is taken, with what it has to read for that; it does nothing when there is nothing left to do
 * @throws what the last attempt throws, and at once what no further one would mend
 */
export async function writeUntilTaken(clock: Clock, write: () => Promise<unknown>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await write();
      return;
    } catch (error) {
      if (!isCodedError(error) || !mayPass.has(error.code) || attempt === maxAttempts) throw error;
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

  /** The page alone holds something that was acknowledged. */
  get isOwing(): boolean {
    return this.#owed.size > 0 || this.#owesMeta;
  }

  /** What was acknowledged for these is held by the page alone: it is written when the module ends, if not before. */
  owe(names: readonly string[]): void {
    for (const name of names) this.#owed.add(name);
  }

  /** As {@link owe}, for mode and program. */
  oweMeta(): void {
    this.#owesMeta = true;
  }

  /** These are being written. The returned function owes again what was owed of them: for a write that fails. */
  settle(names: readonly string[], hasMeta: boolean = false): () => void {
    const owed = names.filter((name) => this.#owed.delete(name));
    const owedMeta = hasMeta && this.#owesMeta;
    if (hasMeta) this.#owesMeta = false;
    return () => {
      this.owe(owed);
      if (owedMeta) this.oweMeta();
    };
  }

  /** The page goes, and with it what it alone holds. */
  forget(): void {
    this.#owed.clear();
    this.#owesMeta = false;
  }

  /** Writes what the page has, and the store may not have: over an early write that did not come true, or of a change that nobody waits for. */
  async rewrite(name: string, durability: Durability): Promise<void> {
    await this.#attempt([name], durability).catch(this.#options.onFailure);
  }

  /** Writes mode, program and memory. */
  async rewriteMeta(durability: Durability): Promise<void> {
    await this.#attemptMeta(durability).catch(this.#options.onFailure);
  }

  /** Writes what the page alone holds. @throws what keeps that from being written, when it has been told */
  async writeOwed(): Promise<void> {
    const attempts = [this.#attempt([...this.#owed], 'relaxed')];
    if (this.#owesMeta) attempts.push(this.#attemptMeta('relaxed'));
    const outcomes = await Promise.allSettled(attempts);
    const failures = outcomes.filter((each) => each.status === 'rejected');
    for (const { reason } of failures) this.#options.onFailure(reason);
    if (failures[0]) throw failures[0].reason;
  }

  /** Of those that there still are. Until it is written it is owed: the module may end meanwhile. */
  #attempt(names: readonly string[], durability: Durability): Promise<void> {
    const { clock, journal, isClosed } = this.#options;
    return writeUntilTaken(clock, async () => {
      const known = names.filter((name) => journal.parameters.has(name));
      if (known.length === 0 || isClosed()) return;
      try {
        await journal.persist(known, durability);
      } catch (error) {
        this.owe(known);
        throw error;
      }
    });
  }

  #attemptMeta(durability: Durability): Promise<void> {
    const { clock, journal, isClosed } = this.#options;
    return writeUntilTaken(clock, async () => {
      if (isClosed()) return;
      try {
        await journal.persistMeta(durability);
      } catch (error) {
        this.oweMeta();
        throw error;
      }
    });
  }
}
