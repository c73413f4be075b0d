/** The journal: a store around a store that also writes down what changed, and when, in the same transaction. */
import { CodedError, toCodedError } from '../../base/index.ts';
import type { StorageEstimate } from '../../platform/index.ts';
import { appendedNumberOf } from '../key.ts';
import type { Key } from '../key.ts';
import { withLostValues } from '../lost-value.ts';
import { prepareCommit, toOwnWrites } from '../plan-commit.ts';
import type { PreparedWrite } from '../plan-commit.ts';
import { commitAlone, toListing } from '../requests.ts';
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
import { Claims } from './claim.ts';
import type { HeldClaim } from './claim.ts';
import { compactJournal, sweepEntries } from './journal-compact.ts';
import type { Compaction } from './journal-compact.ts';
import { toEntryParts } from './journal-entry.ts';
import { openHead } from './journal-head.ts';
import { toJournalSettings } from './journal-options.ts';
import type { JournalOptions, JournalSettings } from './journal-options.ts';
import { findEnd, readHead } from './journal-read.ts';
import type { JournalHead, JournalPoint } from './journal-read.ts';
import type { Amount } from './journal-size.ts';
import { JournalSize } from './journal-size.ts';
import { checkNotHidden, entryPrefix, isCovered, isHidden } from './layout.ts';
import { sweepParts } from './snapshot-parts.ts';

/** What can be restored, and what that takes. */
export interface JournalState {
  readonly name: string;
  readonly prefixes: readonly Key[];
  /** The earliest time whose state can be restored. */
  readonly earliestMs: number;
  /** Commits since then. A long commit counts as several. */
  readonly entries: number;
}

/** A store whose changes are journaled; close it instead of the store that it was made of. */
export interface JournaledStore extends Store {
  /** @throws as `get` */
  journalState(): Promise<JournalState>;
  /**
   * Moves what is beyond the bounds into the base of the journal now; undefined when another tab does so at the moment.
   * It also runs by itself, see `isCompacting`.
   * @throws `state/journal-damaged`, `state/checksum-failed`, and what `get` and `commit` throw
   */
  compactJournal(): Promise<Compaction | undefined>;
}

/** What the functions on snapshots need of a journaled store. */
export interface JournalAccess {
  /** What is lost in it is told as such, see `withLostValues`. */
  readonly inner: Store;
  readonly settings: JournalSettings;
  readonly latest: LatestPoint;
  readonly claims: Claims;
  /** A commit of whoever has the claim, which gives it back. Throws `state/conflict` on the claim when it was taken away. */
  readonly commitClaimed: (
    writes: readonly Write[],
    claim: HeldClaim,
    options: CommitOptions,
  ) => Promise<readonly Committed[]>;
}

/**
 * The latest place of a journal whose time this realm knows, so that a snapshot does not begin at the head of a long journal. The
 * time of an entry depends on those before it: it is known by reading them, or by writing the one right behind.
 */
export class LatestPoint {
  #point: JournalPoint;

  constructor(point: JournalPoint) {
    this.#point = point;
  }

  get point(): JournalPoint {
    return this.#point;
  }

  /** A place that was reached by reading. */
  learn(point: JournalPoint): void {
    if (point.position > this.#point.position) this.#point = point;
  }

  /** Entries of this realm, whose time is its clock's unless that went backwards. */
  follow(first: number, last: number, clockMs: number): void {
    const { position, atMs } = this.#point;
    if (first === position + 1) this.#point = { position: last, atMs: Math.max(atMs, clockMs) };
  }
}

const accesses = new WeakMap<Store, JournalAccess>();

/** Undefined for a store without a journal. */
export function journalOf(store: Store): JournalAccess | undefined {
  return accesses.get(store);
}

/** Left of a value's bound for what surrounds the bytes. */
const frameBytes = 4096;

/**
 * The same store with a journal: every commit that touches a journaled prefix appends, in its transaction, an entry with
 * the time and the writes. It keeps all promises of the store; a journaled value counts twice against `maxCommitBytes`.
 * At first use the journal begins with what is stored.
 * Keys whose first segment begins with U+FFFF are refused; what is kept there is not shown.
 * @throws `state/snapshot-invalid`, `state/key-invalid`, `state/journal-mismatch`, `state/version-too-new`, `state/snapshot-contended`,
 *   `state/not-encodable`, and what the store throws. Its commits also throw `state/not-encodable`, for what a journal cannot
 *   hold: Blob, File, CryptoKey and other handles of the platform
 */
export async function withJournal(store: Store, options: JournalOptions = {}): Promise<JournaledStore> {
  if (journalOf(store)) {
    throw new CodedError('state/snapshot-invalid', 'the store has a journal already, expected one without');
  }
  if (!store.capabilities.atomicCommits) {
    throw new CodedError(
      'state/snapshot-invalid',
      'the store commits one key at a time, a journal needs all or nothing',
    );
  }
  const settings = toJournalSettings(options);
  // what is lost of the journal is damage to it, and no reason for the store to fail
  const own = withLostValues(store);
  const claims = new Claims(own, settings.name, settings.context.clock);
  const [{ head }] = await Promise.all([openHead(own, settings), claims.look()]);
  const end = await findEnd(own, settings.name, head.position);
  await sweepEntries(own, settings.name, head.position);
  await sweepParts(own, settings.context);
  const journaled = new StoreWithJournal(store, settings, { head, end, claims });
  const commitClaimed: JournalAccess['commitClaimed'] = (...args) => journaled.commitClaimed(...args);
  accesses.set(journaled, { inner: own, settings, latest: journaled.latest, claims, commitClaimed });
  return journaled;
}

/** When the next compaction is worth looking into. */
interface Due {
  readonly end: number;
  readonly bytes: number;
  readonly atMs: number;
}

class StoreWithJournal implements JournaledStore {
  readonly name: string;
  readonly capabilities: StoreCapabilities;
  readonly latest: LatestPoint;
  readonly #inner: Store;
  /** The same, for what is the journal's own. */
  readonly #own: Store;
  readonly #settings: JournalSettings;
  readonly #claims: Claims;
  #head: JournalHead;
  /** The last entry that this store knows of. */
  #end: number;
  readonly #size = new JournalSize();
  #due: Due;
  #compacting: Promise<unknown> | undefined;
  #isClosed = false;

  constructor(
    inner: Store,
    settings: JournalSettings,
    start: { readonly head: JournalHead; readonly end: number; readonly claims: Claims },
  ) {
    this.name = inner.name;
    this.capabilities = inner.capabilities;
    this.#inner = inner;
    this.#own = withLostValues(inner);
    this.#settings = settings;
    this.#claims = start.claims;
    this.#head = start.head;
    this.#end = start.end;
    this.latest = new LatestPoint(start.head);
    this.#due = { end: 0, bytes: 0, atMs: start.head.atMs + settings.retentionMs };
  }

  get<T>(key: Key): Promise<Entry<T> | undefined> {
    if (!isListOfText(key) || !isHidden(key)) return this.#inner.get<T>(key);
    return Promise.resolve(undefined);
  }

  async list<T>(prefix: Key, options?: ListOptions): Promise<Listing<T>> {
    const entries = await this.#inner.list<T>(prefix, options);
    const shown = entries.filter(({ key }) => !isHidden(key));
    // ours are behind all others: what is left out was at the end of the page, and nothing follows it
    return toListing(shown, entries.isCut && shown.length === entries.length);
  }

  history<T>(key: Key, options?: HistoryOptions): Promise<readonly Revision<T>[]> {
    if (!isListOfText(key) || !isHidden(key)) return this.#inner.history<T>(key, options);
    return Promise.resolve([]);
  }

  commit(writes: readonly Write[], options?: CommitOptions): Promise<readonly Committed[]> {
    return commitAlone(this, writes, options);
  }

  async commitEach(
    groups: readonly (readonly Write[])[],
    options?: CommitOptions,
  ): Promise<readonly GroupOutcome[]> {
    const { limits, context, prefixes } = this.#settings;
    const prepared = prepareCommit(groups, limits);
    for (const { key } of prepared.groups.flat()) checkNotHidden(key);
    const touched = touchedBy(prepared.groups.flat(), prefixes);
    if (touched.length === 0) return this.#inner.commitEach(prepared.groups.map(toOwnWrites), options);
    let entries: readonly (readonly PreparedWrite[])[] = [];
    let atMs = 0;
    // anew for each attempt: a time that was told already must not get another entry
    const make = (): readonly (readonly PreparedWrite[])[] => {
      atMs = context.clock.now();
      entries = prepared.groups.map((writes) => this.#entryOf(writes, atMs));
      return prepared.groups.map((writes, index) => [...writes, ...(entries[index] ?? [])]);
    };
    const outcomes = await this.#claims.commit(make, touched, options);
    return outcomes.map((outcome, index) => {
      const written = prepared.groups[index]?.length ?? 0;
      if (!outcome.ok || outcome.value.length === written) return outcome;
      this.#note(outcome.value.slice(written), entries[index] ?? [], atMs);
      return { ok: true, value: outcome.value.slice(0, written) };
    });
  }

  /** As {@link JournalAccess.commitClaimed}. */
  async commitClaimed(
    writes: readonly Write[],
    claim: HeldClaim,
    options: CommitOptions,
  ): Promise<readonly Committed[]> {
    const { limits, context } = this.#settings;
    const [group = []] = prepareCommit([writes], limits).groups;
    for (const { key } of group) checkNotHidden(key);
    // once as values, once in the journal
    await claim.keepFor(2 * group.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0));
    const atMs = context.clock.now();
    const entries = this.#entryOf(group, atMs);
    const all = [...toOwnWrites([...group, ...entries]), claim.release()];
    const committed = await commitAlone(this.#inner, all, options);
    claim.released(committed.at(-1)?.revision ?? 0);
    if (entries.length > 0) this.#note(committed.slice(group.length, -1), entries, atMs);
    return committed.slice(0, group.length);
  }

  watch(prefix: Key, listener: (change: Change) => void): () => void {
    return this.#inner.watch(prefix, (change) => {
      if (!isHidden(change.key)) listener(change);
    });
  }

  estimate(): Promise<StorageEstimate> {
    return this.#inner.estimate();
  }

  async journalState(): Promise<JournalState> {
    const { name } = this.#settings;
    const head = (await readHead(this.#own, name))?.head ?? this.#head;
    this.#head = head;
    this.#end = await findEnd(this.#own, name, Math.max(this.#end, head.position));
    return { name, prefixes: head.prefixes, earliestMs: head.atMs, entries: this.#end - head.position };
  }

  async compactJournal(): Promise<Compaction | undefined> {
    await this.#compacting;
    return this.#compact();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#compacting;
    await this.#inner.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #compact(): Promise<Compaction | undefined> {
    this.#size.startMeasuring();
    const { compaction, left } = await compactJournal(this.#own, this.#settings);
    this.#size.finishMeasuring(left);
    await this.journalState();
    return compaction;
  }

  /** The appends that go with a group. */
  #entryOf(writes: readonly PreparedWrite[], atMs: number): readonly PreparedWrite[] {
    const { name, prefixes, limits } = this.#settings;
    const placed = writes
      .map((write, place) => ({ write, place }))
      .filter(({ write }) => write.type !== 'check' && isCovered(write.key, prefixes));
    if (placed.length === 0) return [];
    const partBytes = Math.max(1, limits.maxValueBytes - frameBytes);
    const parts = toEntryParts(placed, atMs, {
      partBytes,
      maxBytes: 2 * limits.maxCommitBytes,
    });
    const withOutcomes = placed.some(({ write }) => write.type === 'append');
    const key = entryPrefix(name);
    const appends = parts.map((value, index): Write => {
      const isLast = index === parts.length - 1;
      return { type: 'append', key, value, ...(withOutcomes && isLast ? { withOutcomes } : {}) };
    });
    // the bytes are a copy already, but preparing costs little: it measures them
    return prepareCommit([appends], limits).groups[0] ?? [];
  }

  #note(appended: readonly Committed[], writes: readonly PreparedWrite[], atMs: number): void {
    const number = appendedNumberOf(appended.at(-1)?.key ?? []) ?? 0;
    this.#end = Math.max(this.#end, number);
    this.latest.follow(number - appended.length + 1, number, atMs);
    const bytes = writes.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    this.#size.add({ entries: writes.length, bytes });
    if (this.#settings.isCompacting && this.#isDue()) this.#compactSoon();
  }

  #isDue(): boolean {
    if (this.#compacting || this.#isClosed) return false;
    const { maxEntries, maxBytes, context } = this.#settings;
    const { entries, bytes } = this.#amount();
    const isOver = entries > maxEntries || bytes > maxBytes;
    const isWorthIt = this.#end >= this.#due.end || bytes >= this.#due.bytes;
    return (isOver && isWorthIt) || context.clock.now() > this.#due.atMs;
  }

  #amount(): Amount {
    const entries = this.#end - this.#head.position;
    return { entries, bytes: this.#size.bytesOf(entries) };
  }

  #compactSoon(): void {
    const { retentionMs, maxEntries, maxBytes, hub, context } = this.#settings;
    this.#compacting = this.#compact()
      .catch((error: unknown) => {
        const { code, message } = toCodedError(error, 'state/journal-damaged');
        hub.emit({ type: 'store-fail', store: this.name, error: { code, message } });
      })
      .finally(() => {
        this.#compacting = undefined;
        // an eighth of the bounds: compaction rewrites the base, which must be worth it, and what came to nothing is not tried
        // again with every commit
        this.#due = {
          end: this.#end + Math.ceil(maxEntries / 8),
          bytes: this.#amount().bytes + maxBytes / 8,
          atMs: context.clock.now() + Math.ceil(retentionMs / 4),
        };
      });
  }
}

/** The journaled keys that are written. */
function touchedBy(writes: readonly PreparedWrite[], prefixes: readonly Key[]): readonly Key[] {
  return writes.filter(({ type, key }) => type !== 'check' && isCovered(key, prefixes)).map(({ key }) => key);
}

/** A prefix or key that can be looked into; anything else is for the store to refuse. */
function isListOfText(key: unknown): key is Key {
  return Array.isArray(key) && typeof key[0] === 'string';
}
