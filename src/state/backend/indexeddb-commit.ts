/**
 * One commit in one transaction.
 *
 * Revisions must be known before anything is written. Reading them costs as much as writing, so the runner remembers
 * the revisions that it committed, and one record, the mark, names the connection that committed last: if that is
 * this connection, nobody else wrote since and what it remembers is true. The mark is read inside the transaction, so
 * it cannot be wrong. When everything is remembered, the writes are sent along with the read of the mark, and are rolled
 * back and planned again from what is stored if the mark names somebody else. Where keys were new last, others that are not remembered
 * are taken to be new too: they are added along with the reads, and an entry or a tombstone that is there has the same effect.
 */
import { DeadlineQueue, withDeadline } from '../../platform/index.ts';
import type { Clock } from '../../platform/index.ts';
import { planCommit } from '../plan-commit.ts';
import type { CommitPlan, KeyState, PlannedChange, PreparedCommit } from '../plan-commit.ts';
import type { Durability } from '../store.ts';
import { DetachedBody } from './body.ts';
import type { Connection } from './indexeddb-connection.ts';
import { isConnectionLoss, nameOf, TransactionFailure } from './indexeddb-failure.ts';
import { entryStore, fileStore, historyStore, markStore, tombstoneStore } from './indexeddb-layout.ts';
import type { FileReference } from './indexeddb-layout.ts';
import { allRevisions } from './indexeddb-read.ts';
import type { StoredRecord, StoredRevision } from './indexeddb-read.ts';
import { answerOf, WatchedTransaction } from './indexeddb-transaction.ts';

export interface CommitRunnerOptions {
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly graceMs: number;
  /** Revisions to keep per key; 1: the entry or the tombstone alone. */
  readonly keepHistory: number;
}

export interface CommitRequest {
  readonly commit: PreparedCommit;
  readonly durability: Durability;
  readonly signal: AbortSignal | undefined;
  readonly atMs: number;
  /** Called for each file that nothing refers to when the commit is done; it may still fail. */
  readonly onFileDrop?: (file: string) => void;
}

/** What is known of a key, with the file of its value if it has one. */
interface StoredState extends KeyState {
  readonly file?: string | undefined;
}

/** Remembered keys; beyond it the oldest is forgotten, and read again when it is needed. */
const maxRemembered = 10_000;
const writerKey = 'writer';
const allStores = [entryStore, tombstoneStore, markStore, historyStore, fileStore];
/** Enough for new values of entries, and in the way of every other commit and reader all the same. The engine takes longer for each further one. */
const putStores = [entryStore, markStore];
const neverWritten: KeyState = { revision: 0, isLive: false };

/** Why an optimistic transaction was rolled back: not a failure. */
const stale: unique symbol = Symbol('stale');
/** The same, of one that took a key to be new. */
const notNew: unique symbol = Symbol('not new');

/** What an attempt may take for granted. */
interface Assumption {
  readonly remembered: ReadonlyMap<string, StoredState>;
  readonly areNew: boolean;
}

const nothing: Assumption = { remembered: new Map(), areNew: false };

interface Attempt {
  readonly connection: Connection;
  readonly request: CommitRequest;
  readonly keepHistory: number;
  readonly transaction: IDBTransaction;
  /** Runs when the transaction will not be rolled back to be planned again. */
  readonly onSure: () => void;
  /** Keys that are added: an entry that is there ends the transaction. */
  readonly added: ReadonlySet<string>;
  isCommitAsked: boolean;
  /** The mark named this connection. */
  wasOurs: boolean;
  /** Whether keys that were not remembered were all new; undefined when none was looked up. */
  wereNew: boolean | undefined;
  /** What was looked up. */
  found: ReadonlyMap<string, StoredState>;
}

export class CommitRunner {
  readonly #options: CommitRunnerOptions;
  /** One timer for all, which costs those that end in time nothing. */
  readonly #silences: DeadlineQueue<WatchedTransaction>;
  readonly #states = new Map<string, StoredState>();
  /** The connection that the remembered states belong to. */
  #owner: string | undefined;
  #inFlight = 0;
  /** Whether the keys that were looked up last were all new. */
  #areNew = false;
  /** Settles when all commits that were asked for have begun and none of them may have to begin again: they keep their order. */
  #sure: Promise<void> | undefined;

  constructor(options: CommitRunnerOptions) {
    this.#options = options;
    this.#silences = new DeadlineQueue(options.clock, (watched) => watched.fallSilent());
  }

  /** No commit is under way, and none comes. */
  close(): void {
    this.#silences.close();
  }

  /**
   * Resolves when the transaction is complete.
   * @throws {@link TransactionFailure}, or a DOMException when the transaction could not begin
   */
  async run(connection: Connection, request: CommitRequest): Promise<CommitPlan> {
    const before = this.#sure;
    let onSure!: () => void;
    const own = new Promise<void>((resolve) => (onSure = resolve));
    const sure = before ? before.then(() => own) : own;
    this.#sure = sure;
    const { signal } = request;
    try {
      if (before) await withDeadline(this.#options.clock, { signal }, () => before);
      return await this.#runInTurn(connection, request, onSure);
    } finally {
      onSure();
      if (this.#sure === sure) this.#sure = undefined;
    }
  }

  async #runInTurn(connection: Connection, request: CommitRequest, onSure: () => void): Promise<CommitPlan> {
    if (this.#owner !== connection.id) this.#forget(connection.id);
    // another commit in flight may change what is remembered
    const isAlone = this.#inFlight === 0;
    const assumed = isAlone ? { remembered: this.#states, areNew: this.#areNew } : nothing;
    this.#inFlight++;
    try {
      return await this.#attempt(connection, request, { assumed, onSure });
    } catch (error) {
      const cause = error instanceof TransactionFailure ? error.cause : undefined;
      if (cause !== stale && cause !== notNew) throw error;
      if (cause === stale) this.#forget(connection.id);
      return await this.#attempt(connection, request, { assumed: nothing, onSure });
    } finally {
      this.#inFlight--;
    }
  }

  async #attempt(
    connection: Connection,
    request: CommitRequest,
    { assumed, onSure }: { readonly assumed: Assumption; readonly onSure: () => void },
  ): Promise<CommitPlan> {
    const { durability, signal } = request;
    const { keepHistory } = this.#options;
    const foreseen = planAssumed(request, assumed);
    const scope = keepHistory === 1 && foreseen && putsAlone(foreseen) ? putStores : allStores;
    const transaction = connection.database.transaction(scope, 'readwrite', { durability });
    const { losses } = connection;
    const watched = new WatchedTransaction(transaction, {
      ...this.#options,
      losses,
      signal,
      silences: this.#silences,
    });
    const attempt: Attempt = {
      connection,
      request,
      keepHistory,
      transaction,
      onSure,
      added: foreseen?.added ?? new Set(),
      isCommitAsked: false,
      wasOurs: false,
      wereNew: undefined,
      found: new Map(),
    };
    const planning = planAndWrite(attempt, foreseen?.plan);
    // what the planning threw is why the transaction failed; its end is still awaited
    planning.catch((error: unknown) => watched.abort(isEcho(error) ? undefined : error));
    try {
      await watched.done;
    } catch (error) {
      const failure = withOutcome(error as TransactionFailure, attempt);
      if (failure.outcome === 'unknown') this.#forget(connection.id);
      throw failure;
    }
    const plan = await planning;
    // somebody else wrote since this connection did: only what was read just now is true
    if (!attempt.wasOurs) this.#forget(connection.id);
    this.#areNew = attempt.wereNew ?? this.#areNew;
    this.#remember(connection, plan, attempt.found);
    return plan;
  }

  #remember(connection: Connection, plan: CommitPlan, found: ReadonlyMap<string, StoredState>): void {
    if (this.#owner !== connection.id) return;
    // what was only a condition is asked for again by whoever has the same one with every commit
    for (const [encoded, state] of found) if (!plan.changes.has(encoded)) this.#states.set(encoded, state);
    for (const [encoded, { revision, isLive, isForgotten, write }] of plan.changes) {
      this.#states.delete(encoded); // so that the newest are last
      if (!isForgotten) this.#states.set(encoded, { revision, isLive, file: fileOf(write.value) });
    }
    for (const oldest of this.#states.keys()) {
      if (this.#states.size <= maxRemembered) break;
      this.#states.delete(oldest);
    }
  }

  #forget(owner: string): void {
    this.#states.clear();
    this.#owner = owner;
  }
}

/** Errors that say only that the transaction is over already, not why. */
function isEcho(error: unknown): boolean {
  return ['AbortError', 'InvalidStateError', 'TransactionInactiveError'].includes(nameOf(error));
}

/** An engine that went away after it was asked to commit may have committed. */
function withOutcome(failure: TransactionFailure, { isCommitAsked, added }: Attempt): TransactionFailure {
  if (added.size > 0 && nameOf(failure.cause) === 'ConstraintError')
    return new TransactionFailure('not-applied', notNew);
  if (!isCommitAsked || !isConnectionLoss(failure)) return failure;
  return new TransactionFailure('unknown', failure.cause);
}

/** @param assumedPlan a plan that holds unless somebody else has written */
async function planAndWrite(attempt: Attempt, assumedPlan: CommitPlan | undefined): Promise<CommitPlan> {
  const { request, transaction, connection, onSure } = attempt;
  const keys = [...request.commit.encodedKeys];
  const mark = transaction.objectStore(markStore);
  const writer = answerOf(mark.get(writerKey) as IDBRequest<string | undefined>);
  // an aborted transaction rejects it while nobody waits for it
  writer.catch(() => undefined);
  if (assumedPlan) return writeAssumed(attempt, assumedPlan, writer);
  onSure();
  const states = await readStates(transaction, keys);
  attempt.wereNew = states.size === 0;
  attempt.found = new Map(keys.map((key) => [key, states.get(key) ?? neverWritten]));
  const plan = planCommit(request.commit, (key) => states.get(key) ?? neverWritten, request.atMs);
  attempt.wasOurs = (await writer) === connection.id;
  if (plan.changes.size > 0 && !attempt.wasOurs) mark.put(connection.id, writerKey);
  write(attempt, plan);
  commitNow(attempt);
  return plan;
}

/** A plan from what is assumed of the keys. */
interface Foreseen {
  readonly plan: CommitPlan;
  readonly added: ReadonlySet<string>;
}

/** Undefined where what is assumed says nothing of some of the keys. */
function planAssumed(
  { commit, atMs }: CommitRequest,
  { remembered, areNew }: Assumption,
): Foreseen | undefined {
  const others = [...commit.encodedKeys].filter((key) => !remembered.has(key));
  if (commit.encodedKeys.size === 0 || (others.length > 0 && !areNew)) return undefined;
  const plan = planCommit(commit, (key) => remembered.get(key) ?? neverWritten, atMs);
  // whatever else follows from their being new would not fail where they are not
  if (!others.every((key) => plan.changes.get(key)?.isLive)) return undefined;
  return { plan, added: new Set(others) };
}

/** Whether entries that are there get new values, without files, and nothing else happens. */
function putsAlone({ plan, added }: Foreseen): boolean {
  if (added.size > 0) return false;
  for (const {
    isLive,
    before,
    wasForgotten,
    write: { value },
  } of plan.changes.values()) {
    const { file } = before as StoredState; // as it was remembered here
    if (!isLive || !before.isLive || wasForgotten || file !== undefined || fileOf(value) !== undefined)
      return false;
  }
  return true;
}

async function writeAssumed(
  attempt: Attempt,
  plan: CommitPlan,
  writer: Promise<string | undefined>,
): Promise<CommitPlan> {
  const { transaction, connection, request, added, onSure } = attempt;
  const deleted = Promise.all(
    [...added].map((key) => answerOf(transaction.objectStore(tombstoneStore).getKey(key))),
  );
  deleted.catch(() => undefined);
  write(attempt, plan);
  attempt.wasOurs = (await writer) === connection.id;
  // nothing was taken from memory where all are new
  if (!attempt.wasOurs && added.size < request.commit.encodedKeys.size) throw stale;
  if (added.size === 0) onSure();
  else if ((await deleted).some((key) => key !== undefined)) throw notNew;
  if (!attempt.wasOurs) transaction.objectStore(markStore).put(connection.id, writerKey);
  commitNow(attempt);
  return plan;
}

/** Saves the round trip in which the engine would find out that nothing more is coming. */
function commitNow(attempt: Attempt): void {
  attempt.transaction.commit();
  attempt.isCommitAsked = true;
}

async function readStates(
  transaction: IDBTransaction,
  keys: readonly string[],
): Promise<Map<string, StoredState>> {
  const entries = transaction.objectStore(entryStore);
  const tombstones = transaction.objectStore(tombstoneStore);
  const states = new Map<string, StoredState>();
  const readAll = (store: IDBObjectStore, wanted: readonly string[], isLive: boolean): Promise<unknown> =>
    Promise.all(
      wanted.map(async (key) => {
        const stored = await answerOf(store.get(key) as IDBRequest<StoredRecord | undefined>);
        if (stored) states.set(key, { revision: stored.revision, isLive, file: stored.body?.file });
      }),
    );
  // both at once: a new key would otherwise cost a second round trip
  await Promise.all([readAll(entries, keys, true), readAll(tombstones, keys, false)]);
  return states;
}

function write(attempt: Attempt, plan: CommitPlan): void {
  const { transaction, keepHistory, request } = attempt;
  const { atMs } = request;
  const entries = transaction.objectStore(entryStore);
  for (const [key, change] of plan.changes) {
    const { revision, isForgotten, before } = change;
    leaveFile(attempt, key, before);
    if (change.wasForgotten) dropHistory(attempt, allRevisions(key));
    if (change.isLive) {
      if (isDeleted(before)) transaction.objectStore(tombstoneStore).delete(key);
      const record = { ...contentOf(change.write.value), revision, atMs } satisfies StoredRecord;
      if (attempt.added.has(key)) entries.add(record, key);
      else entries.put(record, key);
      refer(attempt, change.write.value, key, revision);
    } else {
      const tombstones = transaction.objectStore(tombstoneStore);
      if (before.isLive) entries.delete(key);
      if (!isForgotten) tombstones.put({ revision, atMs } satisfies StoredRecord, key);
      else if (isDeleted(before)) tombstones.delete(key);
    }
    if (keepHistory > 1 && !change.isCounter) writeHistory(attempt, change);
  }
}

function refer({ transaction }: Attempt, value: unknown, key: string, revision: number): void {
  const file = fileOf(value);
  if (file === undefined) return;
  transaction.objectStore(fileStore).put({ file } satisfies FileReference, [key, revision]);
}

/** The value that the entry had may be kept for the history; a store that keeps none leaves none to others. */
function leaveFile({ transaction, request, keepHistory }: Attempt, key: string, before: KeyState): void {
  const { file, revision } = before as StoredState; // as it was read or remembered here
  if (file === undefined || keepHistory > 1) return;
  request.onFileDrop?.(file);
  for (const name of [historyStore, fileStore]) transaction.objectStore(name).delete([key, revision]);
}

/** The newest revision is here too: copying it when it is overwritten would cost every write a read. */
function writeHistory(attempt: Attempt, change: PlannedChange): void {
  const { transaction, keepHistory, request } = attempt;
  const { encoded: key } = change.write;
  const history = transaction.objectStore(historyStore);
  for (const { write, revision, isLive } of change.revisions.slice(-keepHistory)) {
    const record = { ...contentOf(write.value), revision, atMs: request.atMs, isLive };
    history.put(record satisfies Omit<StoredRevision, 'key'>, [key, revision]);
    refer(attempt, write.value, key, revision);
  }
  const oldest = change.revision - keepHistory + 1;
  if (oldest <= 1 || change.wasForgotten) return;
  dropHistory(attempt, IDBKeyRange.bound([key, 0], [key, oldest], false, true));
}

function dropHistory({ transaction, request: { onFileDrop } }: Attempt, range: IDBKeyRange): void {
  const files = transaction.objectStore(fileStore);
  if (onFileDrop) {
    const dropped = answerOf(files.getAll(range) as IDBRequest<FileReference[]>);
    dropped.then(
      (references) => {
        for (const { file } of references) onFileDrop(file);
      },
      () => undefined, // of a transaction that failed, which is told elsewhere
    );
  }
  for (const store of [transaction.objectStore(historyStore), files]) store.delete(range);
}

function contentOf(value: unknown): Pick<StoredRecord, 'value' | 'body'> {
  return value instanceof DetachedBody ? { body: value.ref } : { value };
}

function fileOf(value: unknown): string | undefined {
  return value instanceof DetachedBody ? value.ref.file : undefined;
}

function isDeleted({ revision, isLive }: PlannedChange['before']): boolean {
  return revision > 0 && !isLive;
}
