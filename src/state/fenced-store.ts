/** A store whose commits hold only while a fence stands where its holder left it. */
import { CodedError, fail, isCodedError, ok } from '../base/index.ts';
import type { StorageEstimate } from '../platform/index.ts';
import type { Key } from './key.ts';
import { commitAlone } from './requests.ts';
import type {
  Change,
  Check,
  CommitOptions,
  Committed,
  Entry,
  GroupOutcome,
  HistoryOptions,
  Listing,
  ListOptions,
  Revision,
  Store,
  StoreCapabilities,
  Write,
} from './store.ts';

/** What a fenced store is told, and tells. */
export interface Fence {
  /** Its revision is the token: whoever takes the lease raises it. */
  readonly key: Key;
  readonly token: number;
  /** Why nothing may be written any more, as far as is known here; undefined while it may. */
  readonly refusal: () => CodedError | undefined;
  /** Called when the store refused a write because the fence had moved. */
  readonly onMoved: () => void;
  /** Ends the lease. */
  readonly release: () => Promise<void>;
}

/** @param actual the token of whoever has the lease now, if known */
export function fenced(name: string, token: number, actual?: number): CodedError {
  return new CodedError('state/fenced', `the lease ${name} with token ${token} is not held any more`, {
    fields: { lease: name, token, actual: actual ?? null },
  });
}

export class FencedStore implements Store {
  readonly name: string;
  readonly capabilities: StoreCapabilities;
  readonly #store: Store;
  readonly #fence: Fence;
  readonly #check: Check;
  readonly #inFlight = new Set<Promise<unknown>>();

  constructor(store: Store, fence: Fence) {
    this.name = store.name;
    this.capabilities = store.capabilities;
    this.#store = store;
    this.#fence = fence;
    this.#check = { type: 'check', key: fence.key, expectedRevision: fence.token };
  }

  get<T>(key: Key): Promise<Entry<T> | undefined> {
    return this.#store.get(key);
  }

  list<T>(prefix: Key, options?: ListOptions): Promise<Listing<T>> {
    return this.#store.list(prefix, options);
  }

  history<T>(key: Key, options?: HistoryOptions): Promise<readonly Revision<T>[]> {
    return this.#store.history(key, options);
  }

  commit(writes: readonly Write[], options?: CommitOptions): Promise<readonly Committed[]> {
    return commitAlone(this, writes, options);
  }

  commitEach(
    groups: readonly (readonly Write[])[],
    options?: CommitOptions,
  ): Promise<readonly GroupOutcome[]> {
    const running = this.#commitFenced(groups, options);
    this.#inFlight.add(running);
    const settled = (): void => void this.#inFlight.delete(running);
    running.then(settled, settled);
    return running;
  }

  /** Resolves when the commits that were sent have ended, one way or the other. */
  async settle(): Promise<void> {
    await Promise.allSettled(this.#inFlight);
  }

  async #commitFenced(
    groups: readonly (readonly Write[])[],
    options?: CommitOptions,
  ): Promise<readonly GroupOutcome[]> {
    const refusal = this.#fence.refusal();
    if (refusal) throw refusal;
    // last, so that what the others come to stands where their writer looks for it
    const guarded = groups.map((writes) => [...writes, this.#check]);
    const outcomes = await this.#store.commitEach(guarded, options);
    return Promise.all(outcomes.map((outcome) => this.#withoutCheck(outcome)));
  }

  watch(prefix: Key, listener: (change: Change) => void): () => void {
    return this.#store.watch(prefix, listener);
  }

  estimate(): Promise<StorageEstimate> {
    return this.#store.estimate();
  }

  /** Ends the lease; the store beneath stays open. */
  close(): Promise<void> {
    return this.#fence.release();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #withoutCheck(outcome: GroupOutcome): Promise<GroupOutcome> {
    if (outcome.ok) return ok(outcome.value.slice(0, -1));
    if (!isCodedError(outcome.error, 'state/conflict')) return outcome;
    // another of the group's own conditions may have failed because of whoever has the lease now
    const entry = await this.#store.get(this.#fence.key);
    if (entry?.revision === this.#fence.token) return outcome;
    this.#fence.onMoved();
    return fail(fenced(String(this.#fence.key[1]), this.#fence.token, entry?.revision));
  }
}
