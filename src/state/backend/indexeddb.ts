/** The default store: IndexedDB, one database per store. */
import { messageOf, toCodedError } from '../../base/index.ts';
import {
  cancellation,
  estimateStorage,
  hasBroadcast,
  openBroadcast as openSystemBroadcast,
  systemClock,
  systemRandom,
} from '../../platform/index.ts';
import type { Broadcast, Clock, OpenBroadcast, Random, StorageEstimate } from '../../platform/index.ts';
import { silentHub } from '../../telemetry/index.ts';
import type { Hub } from '../../telemetry/index.ts';
import { encodeKey } from '../key.ts';
import type { Key } from '../key.ts';
import { defaultStoreLimits } from '../limits.ts';
import type { StoreLimits } from '../limits.ts';
import { prepareCommit } from '../plan-commit.ts';
import type { CommitPlan } from '../plan-commit.ts';
import {
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
import { changesOf, parseNotice, toNotice, Watchers } from '../watchers.ts';
import { filesOf } from './body.ts';
import type { BodyKeeper } from './body-keeper.ts';
import { CommitRunner } from './indexeddb-commit.ts';
import type { CommitRequest } from './indexeddb-commit.ts';
import { ConnectionKeeper } from './indexeddb-connection.ts';
import type { Connection } from './indexeddb-connection.ts';
import { isConnectionLoss, nameOf, toAccessError, TransactionFailure } from './indexeddb-failure.ts';
import { inOrder, readWhole, toEntry, toRevision } from './indexeddb-entry.ts';
import {
  flushTransactions,
  readEntries,
  readEntry,
  readHistory,
  readUnreferenced,
} from './indexeddb-read.ts';
import type { Reader } from './indexeddb-read.ts';
import { ReplacedFiles } from './replaced-files.ts';

export interface IndexedDbStoreOptions {
  /** Name of the database, one per store in an origin. */
  readonly name: string;
  readonly limits?: Partial<StoreLimits>;
  /**
   * Revisions kept per key, 1 to 64; default 1. More than 1 stores the newest value twice. It is no part of the database:
   * what is written by a store that keeps fewer is missing from the history.
   */
  readonly keepHistory?: number;
  /** How long opening may take; then `state/storage-unavailable`. Default 10 s. */
  readonly openTimeoutMs?: number;
  /** How long another tab may block opening; then `state/blocked`. Default 5 s. */
  readonly blockedTimeoutMs?: number;
  /** Silence of the engine after which a read or a commit fails. Default 30 s. */
  readonly transactionTimeoutMs?: number;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly hub?: Hub;
  readonly openBroadcast?: OpenBroadcast;
}

/** After an abort, or when the connection is lost, an end is awaited this long before the outcome is called unknown. */
const graceMs = 1000;
/** How long a notice to other realms waits for more of them. A hidden page's timers make it up to a second. */
const noticeDelayMs = 5;

/**
 * Opens the store, creating its database at first use. Close it to let go of the connection.
 * @throws `state/storage-unavailable` when IndexedDB is missing, refused or silent; `state/version-too-new`;
 *   `state/blocked`; `state/quota-exceeded`; `state/limit-invalid`
 */
export async function openIndexedDbStore(options: IndexedDbStoreOptions): Promise<Store> {
  const store = new IndexedDbStore(options);
  try {
    await store.connect();
    return store;
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** What a store does with large values: nothing, unless it is told. */
export class IndexedDbStore implements Store {
  readonly name: string;
  readonly capabilities: StoreCapabilities;
  readonly #limits: StoreLimits;
  readonly #clock: Clock;
  readonly #hub: Hub;
  readonly #transactionTimeoutMs: number;
  readonly #keeper: ConnectionKeeper;
  readonly #commits: CommitRunner;
  readonly #watchers: Watchers;
  readonly #broadcast: Broadcast;
  readonly #bodies: BodyKeeper | undefined;
  readonly #replaced: ReplacedFiles | undefined;
  readonly #inFlight = new Set<Promise<unknown>>();
  /** Settles when the transactions of the commits that were asked for so far have begun: they keep their order. */
  #turn: Promise<void> | undefined;
  /** Of commits that other realms have not been told of. */
  readonly #notices: (readonly Change[])[] = [];
  #isClosed = false;

  /** @param bodies of a store that keeps large values in files */
  constructor(options: IndexedDbStoreOptions, bodies?: BodyKeeper) {
    this.#bodies = bodies;
    this.#replaced = bodies && this.#replacedIn(bodies, options.clock ?? systemClock);
    const { name, clock = systemClock, hub = silentHub, openBroadcast = openSystemBroadcast } = options;
    this.name = name;
    this.capabilities = {
      durable: true,
      strict: typeof IDBTransaction !== 'undefined' && 'durability' in IDBTransaction.prototype,
      watch: true,
      sharedAcrossRealms: hasBroadcast,
      history: toKeepHistory(options.keepHistory),
      atomicCommits: true,
    };
    this.#limits = { ...defaultStoreLimits, ...options.limits };
    this.#clock = clock;
    this.#hub = hub;
    this.#transactionTimeoutMs = options.transactionTimeoutMs ?? 30_000;
    this.#keeper = new ConnectionKeeper({
      name,
      clock,
      hub,
      random: options.random ?? systemRandom,
      openTimeoutMs: options.openTimeoutMs ?? 10_000,
      blockedTimeoutMs: options.blockedTimeoutMs ?? 5000,
    });
    this.#commits = new CommitRunner({
      clock,
      timeoutMs: this.#transactionTimeoutMs,
      graceMs,
      keepHistory: this.capabilities.history,
    });
    this.#watchers = new Watchers(this.#limits.maxWatchers, (error) =>
      this.#report('state/listener-failed', messageOf(error)),
    );
    this.#broadcast = openBroadcast(`vivarium.store.${name}`, (message) =>
      this.#watchers.notify(parseNotice(message, this.#limits.maxCommitWrites)),
    );
  }

  /** Opens the connection now, so that a refusal shows before the first use. */
  async connect(): Promise<void> {
    await this.#keeper.get();
  }

  /** Removes in the background what stores that are gone left in files. */
  sweep(): void {
    const sweeping = this.#bodies?.sweep(async (files) => {
      const unreferenced = await this.#unreferenced(files);
      // what a relaxed commit replaced may come back without it
      if (unreferenced.length > 0) await this.#flush();
      return unreferenced;
    });
    this.#track(
      Promise.resolve(sweeping).catch((error: unknown) =>
        this.#report('state/sweep-failed', messageOf(error)),
      ),
    );
  }

  async get<T>(key: Key): Promise<Entry<T> | undefined> {
    const encoded = encodeKey(key);
    return this.#read(
      (reader) => readEntry(reader, encoded),
      (stored) => stored && toEntry<T>(stored, this.#bodies),
    );
  }

  async list<T>(prefix: Key, options: ListOptions = {}): Promise<Listing<T>> {
    const range = toListRange(prefix, options, this.#limits);
    return this.#read(
      (reader) => readEntries(reader, range),
      async ({ entries, isCut }) =>
        toListing(await inOrder(entries, (each) => toEntry<T>(each, this.#bodies)), isCut),
    );
  }

  async history<T>(key: Key, options: HistoryOptions = {}): Promise<readonly Revision<T>[]> {
    const encoded = encodeKey(key);
    const limit = Math.min(toHistoryLimit(options), this.capabilities.history);
    return this.#read(
      (reader) => readHistory(reader, encoded, limit),
      (stored) => inOrder(stored, (each) => toRevision<T>(each, this.#bodies)),
    );
  }

  commit(writes: readonly Write[], options?: CommitOptions): Promise<readonly Committed[]> {
    return commitAlone(this, writes, options);
  }

  async commitEach(
    groups: readonly (readonly Write[])[],
    options: CommitOptions = {},
  ): Promise<readonly GroupOutcome[]> {
    const { durability = 'strict', signal } = options;
    const commit = prepareCommit(groups, this.#limits);
    const atMs = this.#clock.now();
    const plan = await this.#guard('state/write-failed', () =>
      this.#commitDetached({ commit, durability, signal, atMs }),
    );
    this.#announce(plan, atMs);
    return plan.outcomes;
  }

  watch(prefix: Key, listener: (change: Change) => void): () => void {
    if (this.#isClosed) throw storeClosed(this.name);
    return this.#watchers.add(prefix, listener);
  }

  async estimate(): Promise<StorageEstimate> {
    if (this.#isClosed) throw storeClosed(this.name);
    return estimateStorage();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    // a new connection would bring back a database that was deleted
    if (this.#keeper.isConnected) this.#replaced?.removeWaiting();
    // what is removed behind a commit begins when the commit is over
    while (this.#inFlight.size > 0) await Promise.allSettled(this.#inFlight);
    this.#watchers.clear();
    this.#postNotices();
    this.#broadcast[Symbol.dispose]();
    this.#keeper.close();
    this.#commits.close();
    await this.#bodies?.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Reads records and completes them; what was replaced between the two is read again. */
  async #read<S, T>(
    read: (reader: Reader) => Promise<S>,
    complete: (stored: S) => T | Promise<T>,
  ): Promise<T> {
    return this.#guard('state/read-failed', () =>
      readWhole(async () =>
        complete(await this.#withConnection((connection) => read(this.#reader(connection)))),
      ),
    );
  }

  /** Large values first, in files; then the transaction, in the order of the calls. */
  async #commitDetached(request: CommitRequest): Promise<CommitPlan> {
    const detaching = this.#bodies?.detach(request.commit);
    if (!detaching && !this.#turn) return this.#transact(request);
    const before = this.#turn;
    let begin!: () => void;
    const turn = new Promise<void>((resolve) => (begin = resolve));
    this.#turn = turn;
    try {
      const [detached] = await Promise.allSettled([detaching, before]);
      if (detached.status === 'rejected') throw detached.reason;
      const committing = this.#transact({ ...request, ...detached.value });
      begin();
      return await committing;
    } finally {
      begin();
      if (this.#turn === turn) this.#turn = undefined;
    }
  }

  async #transact(request: CommitRequest & { readonly files?: readonly string[] }): Promise<CommitPlan> {
    const replaced = this.#replaced;
    if (!replaced) return this.#run(request);
    const { durability, files = [] } = request;
    const isStrict = durability === 'strict';
    const waiting = isStrict ? replaced.take() : [];
    const dropped = new Set([...files, ...waiting]);
    try {
      const plan = await this.#run({ ...request, onFileDrop: (file) => void dropped.add(file) });
      for (const file of filesOf(plan, this.capabilities.history)) dropped.delete(file);
      if (isStrict) replaced.remove([...dropped]);
      else replaced.leave([...dropped]);
      return plan;
    } catch (error) {
      replaced.leave(waiting);
      // of a commit whose outcome is unknown the files may be referred to, which is looked up
      replaced.remove(files);
      throw error;
    }
  }

  #run(request: CommitRequest): Promise<CommitPlan> {
    const { signal } = request;
    return this.#withConnection((connection) => {
      if (signal?.aborted) return Promise.reject(cancellation(signal));
      return this.#commits.run(connection, request);
    });
  }

  #replacedIn(bodies: BodyKeeper, clock: Clock): ReplacedFiles {
    return new ReplacedFiles({
      clock,
      unreferenced: (files) => this.#unreferenced(files),
      flush: () => this.#flush(),
      remove: (files) => bodies.remove(files),
      track: (work) => this.#track(work),
    });
  }

  #flush(): Promise<void> {
    return this.#withConnection((connection) => flushTransactions(this.#reader(connection)));
  }

  #unreferenced(files: readonly string[]): Promise<readonly string[]> {
    return this.#withConnection((connection) => readUnreferenced(this.#reader(connection), files));
  }

  #guard<T>(fallback: 'state/read-failed' | 'state/write-failed', work: () => Promise<T>): Promise<T> {
    if (this.#isClosed) return Promise.reject(storeClosed(this.name));
    const running = work().catch((error: unknown) => {
      const coded = toAccessError(error, this.name, fallback);
      if (coded.code !== 'port/cancelled') this.#report(coded.code, coded.message);
      throw coded;
    });
    this.#track(running);
    return running;
  }

  #track(running: Promise<unknown>): void {
    this.#inFlight.add(running);
    const settled = (): void => void this.#inFlight.delete(running);
    running.then(settled, settled);
  }

  /** A dead connection is dropped, and the work tried once more on a new one if nothing of it was applied. */
  async #withConnection<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    const connection = await this.#keeper.get();
    try {
      return await work(connection);
    } catch (error) {
      const isLost = isConnectionLoss(error);
      const cause: unknown = error instanceof TransactionFailure ? error.cause : error;
      // an engine that went silent gets a new connection too, but is not asked again at once
      if (isLost || nameOf(cause) === 'TimeoutError') {
        this.#keeper.drop(connection, `${nameOf(cause)}: ${messageOf(cause)}`);
      }
      if (!isLost || (error instanceof TransactionFailure && error.outcome === 'unknown')) throw error;
    }
    return work(await this.#keeper.get());
  }

  #reader(connection: Connection): Reader {
    return { connection, clock: this.#clock, timeoutMs: this.#transactionTimeoutMs, graceMs };
  }

  #announce(plan: CommitPlan, atMs: number): void {
    if (plan.changes.size === 0) return;
    const changes = changesOf(plan, atMs);
    this.#watchers.notify(changes);
    // sending costs a fifth of what the commit did: notices of the next few milliseconds go together
    this.#notices.push(changes);
    if (this.#notices.length === 1) this.#clock.after(noticeDelayMs, () => this.#postNotices());
  }

  #postNotices(): void {
    for (const changes of this.#notices.splice(0)) {
      try {
        this.#broadcast.post(toNotice(changes));
      } catch (error) {
        // the commit stands; other realms miss a notice
        const { code, message } = toCodedError(error, 'state/notice-failed');
        this.#report(code, message);
      }
    }
  }

  #report(code: string, message: string): void {
    this.#hub.emit({ type: 'store-fail', store: this.name, error: { code, message } });
  }
}
