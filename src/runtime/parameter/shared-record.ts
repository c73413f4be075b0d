/** What the store has of a shared parameter, and what it may have that nobody was promised. */
import { CodedError, isCodedError } from '../../base/index.ts';
import type { ParameterState } from '../../program/index.ts';
import type { Durability, Entry, Store, Write } from '../../state/index.ts';
import type { Committer } from '../journal/journal-disk.ts';
import type { AcknowledgementLevel } from './parameter-handle.ts';
import { checkOf, readRestoreMark } from './restore-mark.ts';
import type { RestoreMark } from './restore-mark.ts';
import { sameData } from './same-data.ts';

/** So many refused states are told from what another tab has set: more come only from a store that is broken for long. */
const maxRefused = 100;

/** So often another tab may write first: each time there is something else to be judged. */
const maxConflicts = 16;

export interface SharedRecordOptions {
  readonly name: string;
  readonly store: Store;
  readonly committer: Committer;
  /** What the page has. */
  readonly current: () => ParameterState;
  /** What was acknowledged in memory gives way to what another tab has set since. */
  readonly onGiveWay: (error: CodedError) => void;
}

type Stored = Entry<ParameterState> | undefined;

/** To be used in the turn of the shared parameter. */
export class SharedRecord {
  readonly #options: SharedRecordOptions;
  readonly #key: readonly string[];
  /** What the store held when this page last knew. */
  #kept: ParameterState | undefined;
  /** The revision of that; undefined when nobody has said. */
  #keptRevision: number | undefined;
  /** What it may hold though it was refused. */
  #refused: readonly ParameterState[] = [];
  /** The page alone holds what was acknowledged. */
  #isOwed = false;
  /** When the runtime was restored last, as far as this page knows: whatever it holds came after that. */
  #restoredAtMs: number | undefined;

  constructor(options: SharedRecordOptions) {
    this.#options = options;
    this.#key = ['shared', options.name];
  }

  /** @throws as `Store.get` */
  async load(): Promise<ParameterState | undefined> {
    const { store } = this.#options;
    // a restore that comes between is later than what is known of it
    this.restored((await readRestoreMark(store))?.value.atMs);
    const stored = await store.get<ParameterState>(this.#key);
    this.#settle(stored?.value, stored?.revision);
    return this.#kept;
  }

  /** The store may not hold what is true. */
  get isBehind(): boolean {
    return this.#isOwed || this.#refused.length > 0;
  }

  writeOf(state: ParameterState): Write & { readonly type: 'put' } {
    return { type: 'put', key: this.#key, value: state };
  }

  acknowledge(state: ParameterState, level: AcknowledgementLevel): void {
    if (level === 'memory') this.#isOwed = true;
    else this.#settle(state);
  }

  /** What the page has from now on came after this restore of the runtime. */
  restored(atMs: number | undefined): void {
    this.#restoredAtMs = atMs;
  }

  /** The store may hold this all the same. */
  refuse(state: ParameterState): void {
    this.#refused = [...this.#refused, state].slice(-maxRefused);
  }

  /**
   * What is true goes over what the store should not hold, and not over what another tab has set since, or has restored.
   * @throws as `Store.get` and `Store.commit`
   */
  async mend(durability: Durability): Promise<void> {
    if (!this.isBehind) return;
    const { store, committer, current } = this.#options;
    for (let conflicts = 0; ; conflicts++) {
      const mark = await readRestoreMark(store);
      const stored = await store.get<ParameterState>(this.#key);
      const state = current();
      if (conflicts > maxConflicts || !this.#mayReplace(stored, mark, state))
        return this.#giveWay(stored, mark);
      const write = { ...this.writeOf(state), expectedRevision: stored?.revision ?? 0 };
      try {
        await committer.commit([write, checkOf(mark)], durability);
        this.restored(mark?.value.atMs);
        return this.#settle(state);
      } catch (error) {
        if (!isCodedError(error, 'state/conflict')) throw error;
      }
    }
  }

  #mayReplace(stored: Stored, mark: RestoreMark | undefined, state: ParameterState): boolean {
    if (this.#refused.some((each) => sameData(each, stored?.value))) return true;
    return this.#isOwed && this.#isLater(state, stored, mark);
  }

  /** Whether what the page alone holds came after what is in the store, and after the runtime was restored. */
  #isLater(state: ParameterState, stored: Stored, mark: RestoreMark | undefined): boolean {
    if (!mark || mark.value.atMs === this.#restoredAtMs) return this.#isOverKnown(state, stored);
    if (mark.value.atMs >= state.updatedAtMs) return false;
    // whatever that restore has put there, or taken away, is older
    return !stored || stored.atMs === mark.atMs || this.#isOverKnown(state, stored);
  }

  /** The same where nobody has restored: what is gone, or older than what the store was known to hold, somebody has put there by hand. */
  #isOverKnown({ updatedAtMs }: ParameterState, stored: Stored): boolean {
    const kept = this.#kept;
    if (sameData(stored?.value, kept))
      return this.#keptRevision === undefined || this.#keptRevision === stored?.revision;
    const storedAtMs = stored?.value.updatedAtMs ?? Infinity;
    return storedAtMs < updatedAtMs && storedAtMs >= (kept?.updatedAtMs ?? -Infinity);
  }

  #giveWay(stored: Stored, mark: RestoreMark | undefined): void {
    const { name, current, onGiveWay } = this.#options;
    const isLost = this.#isOwed && !sameData(stored?.value, current());
    this.restored(mark?.value.atMs);
    this.#settle(stored?.value, stored?.revision);
    if (!isLost) return;
    const text = `"${name}" was set or restored in another tab since: what was set here in memory alone is not stored`;
    onGiveWay(new CodedError('state/conflict', text, { fields: { key: [...this.#key] } }));
  }

  #settle(kept: ParameterState | undefined, revision?: number): void {
    this.#kept = kept;
    this.#keptRevision = revision;
    this.#refused = [];
    this.#isOwed = false;
  }
}
