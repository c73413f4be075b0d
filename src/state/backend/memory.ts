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
import { commitAlone, storeClosed, toListRange } from '../requests.ts';
import type {
  Change,
  CommitOptions,
  Committed,
  Entry,
  GroupOutcome,
  ListOptions,
  Store,
  StoreCapabilities,
  Write,
} from '../store.ts';
import { changesOf, Watchers } from '../watchers.ts';

export interface MemoryStoreOptions {
  /** Shown in errors and events; default `memory`. */
  readonly name?: string;
  /** Bytes of all values, as `measureValue` counts; beyond it `state/quota-exceeded`. Default 256 MiB. */
  readonly quotaBytes?: number;
  readonly limits?: Partial<StoreLimits>;
  readonly clock?: Clock;
  readonly hub?: Hub;
}

interface Slot {
  readonly key: Key;
  readonly value: unknown;
  readonly sizeBytes: number;
  readonly revision: number;
  readonly isLive: boolean;
  readonly atMs: number;
}

const missing = { revision: 0, isLive: false };

/** Dispose or close it to free what it holds. */
export function createMemoryStore(options: MemoryStoreOptions = {}): Store {
  return new MemoryStore(options);
}

class MemoryStore implements Store {
  readonly name: string;
  readonly capabilities: StoreCapabilities = {
    durable: false,
    strict: false,
    watch: true,
    sharedAcrossRealms: false,
  };
  readonly #limits: StoreLimits;
  readonly #quotaBytes: number;
  readonly #clock: Clock;
  readonly #watchers: Watchers;
  // a deleted key keeps a slot without value: its revision goes on
  readonly #slots = new Map<string, Slot>();
  #usageBytes = 0;
  #isClosed = false;

  constructor({
    name = 'memory',
    quotaBytes = 256 * 2 ** 20,
    limits,
    clock,
    hub = silentHub,
  }: MemoryStoreOptions) {
    this.name = name;
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
    const slot = this.#slots.get(encodeKey(key));
    return slot?.isLive ? toEntry<T>(slot) : undefined;
  }

  async list<T>(prefix: Key, options: ListOptions = {}): Promise<readonly Entry<T>[]> {
    this.#checkOpen();
    const { from = '', isFromIncluded, below, limit } = toListRange(prefix, options, this.#limits);
    return [...this.#slots]
      .filter(
        ([encoded, slot]) =>
          slot.isLive &&
          (isFromIncluded ? encoded >= from : encoded > from) &&
          (below === undefined || encoded < below),
      )
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .slice(0, limit)
      .map(([, slot]) => toEntry<T>(slot));
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
    const plan = planCommit(prepared, (encoded) => this.#slots.get(encoded) ?? missing, atMs);
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
    this.#slots.clear();
    this.#watchers.clear();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #checkOpen(): void {
    if (this.#isClosed) throw storeClosed(this.name);
  }

  #apply(plan: CommitPlan, atMs: number): void {
    let usageBytes = this.#usageBytes;
    for (const [encoded, { write }] of plan.changes) {
      usageBytes += write.sizeBytes - (this.#slots.get(encoded)?.sizeBytes ?? 0);
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
    for (const [encoded, { write, revision, isLive, isForgotten }] of plan.changes) {
      const { key, value, sizeBytes } = write;
      if (isForgotten) this.#slots.delete(encoded);
      else this.#slots.set(encoded, { key, value, sizeBytes, revision, isLive, atMs });
    }
  }
}

function toEntry<T>({ key, value, revision, atMs }: Slot): Entry<T> {
  // the reader says what it expects, as with any untyped storage
  return { key, value: structuredClone(value) as T, revision, atMs };
}
