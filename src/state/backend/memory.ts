/** A store that lives and dies with its realm. */
import { CodedError, messageOf } from '../../base/index.ts';
import { cancellation, systemClock } from '../../platform/index.ts';
import type { Clock, StorageEstimate } from '../../platform/index.ts';
import { silentHub } from '../../telemetry/index.ts';
import type { Hub } from '../../telemetry/index.ts';
import { encodeKey } from '../key.ts';
import type { Key } from '../key.ts';
import { defaultStoreLimits } from '../limits.ts';
import type { StoreLimits } from '../limits.ts';
import { planCommit, prepareCommit } from '../plan-commit.ts';
import type { CommitPlan } from '../plan-commit.ts';
import {
  ByteBudget,
  commitAlone,
  storeClosed,
  toHistoryLimit,
  toKeepHistory,
  toListing,
  toListRange,
} from '../requests.ts';
import type {
  Change,
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
} from '../store.ts';
import { changesOf, Watchers } from '../watchers.ts';
import { SortedKeys } from './sorted-keys.ts';

export interface MemoryStoreOptions {
  /** Shown in errors and events; default `memory`. */
  readonly name?: string;
  /** Bytes of all values, as `measureValue` counts; beyond it `state/quota-exceeded`. Default 256 MiB. */
  readonly quotaBytes?: number;
  /** Revisions kept per key, 1 to 64; default 1. */
  readonly keepHistory?: number;
  readonly limits?: Partial<StoreLimits>;
  readonly clock?: Clock;
  readonly hub?: Hub;
}

interface Kept {
  readonly key: Key;
  readonly value: unknown;
  readonly sizeBytes: number;
  readonly revision: number;
  readonly isLive: boolean;
  readonly atMs: number;
}

const missing = { revision: 0, isLive: false };

/**
 * Dispose or close it to free what it holds.
 * @throws `state/limit-invalid` for a `keepHistory` out of range
 */
export function createMemoryStore(options: MemoryStoreOptions = {}): Store {
  return new MemoryStore(options);
}

class MemoryStore implements Store {
  readonly name: string;
  readonly capabilities: StoreCapabilities;
  readonly #limits: StoreLimits;
  readonly #quotaBytes: number;
  readonly #clock: Clock;
  readonly #watchers: Watchers;
  // of each key what is kept, the newest last; a delete keeps a mark without value: the revision goes on
  readonly #keys = new Map<string, readonly Kept[]>();
  readonly #live = new SortedKeys();
  #usageBytes = 0;
  #isClosed = false;

  constructor({
    name = 'memory',
    quotaBytes = 256 * 2 ** 20,
    keepHistory,
    limits,
    clock,
    hub = silentHub,
  }: MemoryStoreOptions) {
    this.name = name;
    this.capabilities = {
      durable: false,
      strict: false,
      watch: true,
      sharedAcrossRealms: false,
      history: toKeepHistory(keepHistory),
      atomicCommits: true,
    };
    this.#quotaBytes = quotaBytes;
    this.#limits = { ...defaultStoreLimits, ...limits };
    this.#clock = clock ?? systemClock;
    this.#watchers = new Watchers(this.#limits.maxWatchers, (error) =>
      hub.emit({
        type: 'store-fail',
        store: name,
        error: { code: 'state/listener-failed', message: messageOf(error) },
      }),
    );
  }

  async get<T>(key: Key): Promise<Entry<T> | undefined> {
    this.#checkOpen();
    const latest = this.#latest(encodeKey(key));
    return latest?.isLive ? toEntry<T>(latest) : undefined;
  }

  async list<T>(prefix: Key, options: ListOptions = {}): Promise<Listing<T>> {
    this.#checkOpen();
    const { from = '', isFromIncluded, below, limit, maxBytes } = toListRange(prefix, options, this.#limits);
    const budget = new ByteBudget(maxBytes);
    const entries: Entry<T>[] = [];
    for (const encoded of this.#live.range(from, isFromIncluded, below, limit)) {
      const kept = this.#latest(encoded) as Kept; // live, so it is there
      entries.push(toEntry<T>(kept));
      if (!budget.take(kept.sizeBytes)) return toListing(entries, true);
    }
    return entries;
  }

  async history<T>(key: Key, options: HistoryOptions = {}): Promise<readonly Revision<T>[]> {
    this.#checkOpen();
    const kept = this.#keys.get(encodeKey(key)) ?? [];
    return kept.slice(-toHistoryLimit(options)).map((each) => toRevision<T>(each));
  }

  commit(writes: readonly Write[], options?: CommitOptions): Promise<readonly Committed[]> {
    return commitAlone(this, writes, options);
  }

  async commitEach(
    groups: readonly (readonly Write[])[],
    options: CommitOptions = {},
  ): Promise<readonly GroupOutcome[]> {
    this.#checkOpen();
    if (options.signal?.aborted) throw cancellation(options.signal);
    const atMs = this.#clock.now();
    const prepared = prepareCommit(groups, this.#limits);
    const plan = planCommit(prepared, (encoded) => this.#latest(encoded) ?? missing, atMs);
    this.#apply(plan, atMs);
    this.#watchers.notify(changesOf(plan, atMs));
    return plan.outcomes;
  }

  watch(prefix: Key, listener: (change: Change) => void): () => void {
    this.#checkOpen();
    return this.#watchers.add(prefix, listener);
  }

  async estimate(): Promise<StorageEstimate> {
    this.#checkOpen();
    return { usageBytes: this.#usageBytes, quotaBytes: this.#quotaBytes, isPersisted: false };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#keys.clear();
    this.#live.clear();
    this.#watchers.clear();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #checkOpen(): void {
    if (this.#isClosed) throw storeClosed(this.name);
  }

  #latest(encoded: string): Kept | undefined {
    return this.#keys.get(encoded)?.at(-1);
  }

  #apply(plan: CommitPlan, atMs: number): void {
    let usageBytes = this.#usageBytes;
    const changed = new Map<string, readonly Kept[]>();
    for (const [encoded, { revisions, wasForgotten, isCounter }] of plan.changes) {
      const before = this.#keys.get(encoded) ?? [];
      const made = revisions.map(({ write: { key, value, sizeBytes }, revision, isLive }) => ({
        key,
        value,
        sizeBytes,
        revision,
        isLive,
        atMs,
      }));
      const all = wasForgotten || isCounter ? made : [...before, ...made];
      const kept = all.slice(-this.capabilities.history);
      usageBytes += bytesOf(kept) - bytesOf(before);
      changed.set(encoded, kept);
    }
    if (usageBytes > this.#quotaBytes) {
      throw new CodedError(
        'state/quota-exceeded',
        `the store ${this.name} would exceed ${this.#quotaBytes} bytes`,
        {
          fields: { store: this.name, quotaBytes: this.#quotaBytes, usageBytes: this.#usageBytes },
        },
      );
    }
    this.#usageBytes = usageBytes;
    for (const [encoded, kept] of changed) this.#keep(encoded, kept);
  }

  #keep(encoded: string, kept: readonly Kept[]): void {
    const [wasLive, isLive] = [this.#latest(encoded)?.isLive ?? false, kept.at(-1)?.isLive ?? false];
    if (isLive && !wasLive) this.#live.add(encoded);
    if (wasLive && !isLive) this.#live.remove(encoded);
    if (kept.length === 0) this.#keys.delete(encoded);
    else this.#keys.set(encoded, kept);
  }
}

function bytesOf(kept: readonly Kept[]): number {
  return kept.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}

function toRevision<T>(kept: Kept): Revision<T> {
  const { key, revision, atMs, isLive } = kept;
  return isLive ? { type: 'put', ...toEntry<T>(kept) } : { type: 'delete', key, revision, atMs };
}

function toEntry<T>({ key, value, revision, atMs }: Kept): Entry<T> {
  // the reader says what it expects, as with any untyped storage
  return { key, value: structuredClone(value) as T, revision, atMs };
}
