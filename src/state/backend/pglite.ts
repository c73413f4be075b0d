/** A store in Postgres, compiled to WebAssembly (PGlite): in a worker's private files, in a directory under Node, or in memory. */
import { messageOf } from '../../base/index.ts';
import { cancellation, estimateStorage, systemClock, withDeadline } from '../../platform/index.ts';
import type { Clock, StorageEstimate } from '../../platform/index.ts';
import { silentHub } from '../../telemetry/index.ts';
import type { Hub } from '../../telemetry/index.ts';
import { encodeKey } from '../key.ts';
import type { Key } from '../key.ts';
import { defaultStoreLimits } from '../limits.ts';
import type { StoreLimits } from '../limits.ts';
import { planCommit, prepareCommit } from '../plan-commit.ts';
import type { CommitPlan, PreparedCommit } from '../plan-commit.ts';
import { commitAlone, storeClosed, toHistoryLimit, toKeepHistory, toListRange } from '../requests.ts';
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
import { toAccessError } from './indexeddb-failure.ts';
import { memoryDataDir, openEngine, toSqlFailure } from './pglite-engine.ts';
import type { OpenEngine, PgliteModule, SqlEngine } from './pglite-engine.ts';
import { selectEntries, selectEntry, selectHistory, selectStates, writePlan } from './pglite-rows.ts';

export interface PgliteStoreOptions {
  /**
   * Where the data is: `opfs-ahp://PATH` in a worker (durable, flushed with every commit), a directory under Node (durable,
   * not flushed), `memory://`. One user at a time: a second one is refused with `state/blocked`, as far as this realm and
   * Web Locks reach; two Node processes on one directory are not noticed and damage it.
   */
  readonly dataDir: string;
  /** Shown in errors and events; default `dataDir`. */
  readonly name?: string;
  /** Revisions kept per key, 1 to 64; default 1. */
  readonly keepHistory?: number;
  readonly limits?: Partial<StoreLimits>;
  /** How long starting may take, which is seconds the first time; then `state/storage-unavailable`. Default 60 s. */
  readonly openTimeoutMs?: number;
  /** How long another user of the data may keep it, where there are Web Locks; then `state/blocked`. Default 5 s. */
  readonly blockedTimeoutMs?: number;
  /** Silence of the engine after which a read or a commit fails. Default 30 s. */
  readonly transactionTimeoutMs?: number;
  /** Handed to `PGlite.create` as it is. With `relaxedDurability` nothing is flushed and `capabilities.strict` is false. */
  readonly engineOptions?: Readonly<Record<string, unknown>>;
  readonly clock?: Clock;
  readonly hub?: Hub;
}

const missing = { revision: 0, isLive: false };

/**
 * Starts Postgres and opens the store in it. Close it to let others have the data. The package comes from above, so that no bundle
 * has it but one that asked for it.
 * @throws `state/storage-unavailable` when the package is not installed or does not start, `state/blocked`,
 *   `state/version-too-new`, `state/limit-invalid`
 */
export async function openPgliteStore(
  options: PgliteStoreOptions,
  load: () => Promise<PgliteModule>,
): Promise<Store> {
  const { dataDir, name = dataDir, clock = systemClock, openTimeoutMs = 60_000 } = options;
  const keepHistory = toKeepHistory(options.keepHistory);
  const engine = await openEngine({
    store: name,
    dataDir,
    load,
    engineOptions: options.engineOptions ?? {},
    clock,
    openTimeoutMs,
    blockedTimeoutMs: options.blockedTimeoutMs ?? 5000,
  });
  return new PgliteStore(options, engine, keepHistory);
}

class PgliteStore implements Store {
  readonly name: string;
  readonly capabilities: StoreCapabilities;
  readonly #limits: StoreLimits;
  readonly #clock: Clock;
  readonly #hub: Hub;
  readonly #timeoutMs: number;
  readonly #open: OpenEngine;
  readonly #watchers: Watchers;
  readonly #inFlight = new Set<Promise<unknown>>();
  #closing: Promise<void> | undefined;

  constructor(options: PgliteStoreOptions, open: OpenEngine, keepHistory: number) {
    const { dataDir, name = dataDir, clock = systemClock, hub = silentHub } = options;
    this.name = name;
    this.capabilities = {
      durable: dataDir !== memoryDataDir,
      strict: dataDir.startsWith('opfs-ahp://') && options.engineOptions?.['relaxedDurability'] !== true,
      watch: true,
      sharedAcrossRealms: false,
      history: keepHistory,
      atomicCommits: true,
    };
    this.#limits = { ...defaultStoreLimits, ...options.limits };
    this.#clock = clock;
    this.#hub = hub;
    this.#timeoutMs = options.transactionTimeoutMs ?? 30_000;
    this.#open = open;
    this.#watchers = new Watchers(this.#limits.maxWatchers, (error) =>
      this.#report('state/listener-failed', messageOf(error)),
    );
  }

  async get<T>(key: Key): Promise<Entry<T> | undefined> {
    const encoded = encodeKey(key);
    return this.#run('state/read-failed', (engine) => selectEntry<T>(engine, encoded));
  }

  async list<T>(prefix: Key, options: ListOptions = {}): Promise<Listing<T>> {
    const range = toListRange(prefix, options, this.#limits);
    return this.#run('state/read-failed', (engine) => selectEntries<T>(engine, range));
  }

  async history<T>(key: Key, options: HistoryOptions = {}): Promise<readonly Revision<T>[]> {
    const encoded = encodeKey(key);
    const limit = Math.min(toHistoryLimit(options), this.capabilities.history);
    return this.#run('state/read-failed', (engine) => selectHistory<T>(engine, encoded, limit));
  }

  commit(writes: readonly Write[], options?: CommitOptions): Promise<readonly Committed[]> {
    return commitAlone(this, writes, options);
  }

  async commitEach(
    groups: readonly (readonly Write[])[],
    { signal }: CommitOptions = {},
  ): Promise<readonly GroupOutcome[]> {
    const commit = prepareCommit(groups, this.#limits);
    const atMs = this.#clock.now();
    const plan = await this.#run('state/write-failed', (engine) =>
      this.#transact(engine, { commit, atMs, signal }),
    );
    this.#watchers.notify(changesOf(plan, atMs));
    return plan.outcomes;
  }

  watch(prefix: Key, listener: (change: Change) => void): () => void {
    if (this.#closing) throw storeClosed(this.name);
    return this.#watchers.add(prefix, listener);
  }

  async estimate(): Promise<StorageEstimate> {
    const platform = await estimateStorage();
    return this.#run('state/read-failed', async (engine) => {
      const { rows } = await engine.query<{ size: number }>(
        'SELECT pg_database_size(current_database())::float8 AS size',
      );
      return { ...platform, usageBytes: rows[0]?.size };
    });
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    await Promise.allSettled(this.#inFlight);
    this.#watchers.clear();
    // an engine that cannot end is no reason to keep the caller
    const ending = withDeadline(this.#clock, { timeoutMs: this.#timeoutMs }, () => this.#open.close());
    await ending.catch((error: unknown) => this.#report('state/write-failed', messageOf(error)));
  }

  #transact(
    engine: SqlEngine,
    { commit, atMs, signal }: { commit: PreparedCommit; atMs: number; signal: AbortSignal | undefined },
  ): Promise<CommitPlan> {
    const checkSignal = (): void => {
      if (signal?.aborted) throw cancellation(signal);
    };
    return engine.transaction(async (session) => {
      checkSignal();
      const states = await selectStates(session, commit.encodedKeys);
      const plan = planCommit(commit, (encoded) => states.get(encoded) ?? missing, atMs);
      await writePlan(session, plan, this.capabilities.history, atMs);
      checkSignal();
      return plan;
    });
  }

  #run<T>(
    fallback: 'state/read-failed' | 'state/write-failed',
    work: (engine: SqlEngine) => Promise<T>,
  ): Promise<T> {
    if (this.#closing) return Promise.reject(storeClosed(this.name));
    const { engine } = this.#open;
    const running = withDeadline(this.#clock, { timeoutMs: this.#timeoutMs }, () => work(engine)).catch(
      (error: unknown) => {
        const coded = toAccessError(toSqlFailure(error), this.name, fallback);
        if (coded.code !== 'port/cancelled') this.#report(coded.code, coded.message);
        throw coded;
      },
    );
    this.#inFlight.add(running);
    const settled = (): void => void this.#inFlight.delete(running);
    running.then(settled, settled);
    return running;
  }

  #report(code: string, message: string): void {
    this.#hub.emit({ type: 'store-fail', store: this.name, error: { code, message } });
  }
}
