/** Where the record of one module is written: its keys, the writes that are under way, and whether anything is stored at all. */
import type { CodedError } from '../../base/index.ts';
import type { Clock } from '../../platform/index.ts';
import type { ModuleState } from '../../program/index.ts';
import type { Durability, Write } from '../../state/index.ts';
import { HistoryWriter } from './history-writer.ts';
import type { RuntimeLimits } from '../limits.ts';
import type { ModuleMemory } from './module-memory.ts';
import type { ParameterUpdateRecord, StoredParameter } from '../parameter/parameter-record.ts';

/** Writes many callers' changes in shared transactions. */
export interface Committer {
  commit(writes: readonly Write[], durability: Durability): Promise<unknown>;
}

/** What is stored of a module beside its parameters. */
export interface StoredMeta {
  readonly kind: string;
  /** All but the parameters, which have keys of their own. */
  readonly state: ModuleState;
  readonly memory?: ModuleMemory;
  /** Ids of the modules that it is an actor inside of, the outermost first. Absent where it was stored before this was. */
  readonly around?: readonly string[];
}

/** Runs in the turn in which a commit ends, before whoever waits for it. */
export interface CommitWatch {
  readonly onCommit?: () => void;
  readonly onFail?: () => void;
}

export interface JournalDiskOptions {
  readonly module: string;
  readonly kind: string;
  /** As {@link StoredMeta}. Default: none. */
  readonly around?: readonly string[];
  readonly committer: Committer;
  readonly limits: RuntimeLimits;
  readonly clock: Clock;
  /** Hears of histories that could not be written. */
  readonly onFailure: (error: unknown) => void;
  /** Undefined for a parameter that there is no more. */
  readonly historyOf: (name: string) => readonly ParameterUpdateRecord[] | undefined;
}

export class JournalDisk {
  readonly #options: JournalDiskOptions;
  readonly #histories: HistoryWriter;
  readonly #underWay = new Set<Promise<unknown>>();
  #closedWith: CodedError | undefined;
  /** A module that changed nothing is not in the store at all. */
  isStored = false;

  constructor(options: JournalDiskOptions) {
    this.#options = options;
    const { clock, limits, onFailure } = options;
    this.#histories = new HistoryWriter({
      clock,
      delayMs: limits.historyDelayMs,
      write: (names) => this.#writeHistories(names),
      onFailure,
    });
  }

  /** Whether the store holds anything of the module, or is about to. */
  get isTouched(): boolean {
    return this.isStored || this.#underWay.size > 0;
  }

  get isClosed(): boolean {
    return this.#closedWith !== undefined;
  }

  /** @throws what the module ended with, once somebody else may own what is stored */
  requireOpen(): void {
    if (this.#closedWith) throw this.#closedWith;
  }

  /** Everything after this is refused with `error`. */
  close(error: CodedError): void {
    this.#closedWith ??= error;
  }

  /** The module is started once more. */
  reopen(): void {
    this.#closedWith = undefined;
  }

  async commit(writes: readonly Write[], durability: Durability, watch?: CommitWatch): Promise<void> {
    this.requireOpen();
    await this.track(this.#options.committer.commit(writes, durability), watch);
  }

  /** Watches a commit that holds something of this module. */
  async track(commit: Promise<unknown>, { onCommit, onFail }: CommitWatch = {}): Promise<void> {
    this.#underWay.add(commit);
    try {
      await commit;
      this.isStored = true;
      onCommit?.();
    } catch (error) {
      onFail?.();
      throw error;
    } finally {
      this.#underWay.delete(commit);
    }
  }

  /** The history of a parameter has grown: it is written a moment later. */
  touch(name: string): void {
    if (!this.isClosed) this.#histories.touch(name);
  }

  /** As {@link settle}, and for what follows from the writes that it waits for. */
  async drain(): Promise<void> {
    do await this.settle();
    while (!this.isClosed && (this.#underWay.size > 0 || this.#histories.isBehind));
  }

  /** Waits for the writes under way and writes the histories that are not written yet. */
  async settle(): Promise<void> {
    await Promise.allSettled(this.#underWay);
    await this.#histories.flush();
  }

  metaWrite(state: ModuleState | undefined, memory: ModuleMemory): Write {
    const { module, kind, around = [] } = this.#options;
    return { type: 'put', key: ['module', module, 'meta'], value: { kind, state, memory, around } };
  }

  parameterWrite(name: string, value: StoredParameter): Write {
    return { type: 'put', key: ['module', this.#options.module, 'parameter', name], value };
  }

  async #writeHistories(names: readonly string[]): Promise<void> {
    if (this.isClosed) return;
    const { module, committer, historyOf } = this.#options;
    const writes = names.flatMap((name): Write[] => {
      const value = historyOf(name);
      return value ? [{ type: 'put', key: ['module', module, 'history', name], value }] : [];
    });
    await committer.commit(writes, 'relaxed');
  }
}
