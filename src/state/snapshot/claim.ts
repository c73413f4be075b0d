/**
 * A claim keeps writers from a part of a journaled store for as long as a restore needs to see what is there and to write what differs:
 * so no commit comes in between that would be neither before the restore nor after it.
 *
 * It is a key. Every commit of the journal has the condition that the key is at the revision that its writer knows, and a claim raises
 * it: a commit that was sent before is refused in its transaction, its writer looks, and waits if it would touch what is claimed, or sends
 * it again. Commits of one store keep their order: those behind one that waits wait with it. The restore's own commit gives the claim
 * back. Whoever has waited for long without a sign of life takes the claim away, by raising the revision once more: then the commit of
 * that restore is refused, should it ever come.
 */
import { CodedError, isCodedError } from '../../base/index.ts';
import { sleep, withDeadline } from '../../platform/index.ts';
import type { Clock } from '../../platform/index.ts';
import type { Key } from '../key.ts';
import { defaultStoreLimits } from '../limits.ts';
import { prepareCommit, toOwnWrites } from '../plan-commit.ts';
import type { PreparedWrite } from '../plan-commit.ts';
import type { CommitOptions, GroupOutcome, Put, Store } from '../store.ts';
import { CommitLine } from './commit-line.ts';
import type { LinePlace } from './commit-line.ts';
import { claimKey, overlaps } from './layout.ts';
import {
  claimPatienceMs,
  claimPollMs,
  claimRenewalMs,
  commitPatienceMsPerMiB,
  maxAttempts,
  maxClaimPatienceMs,
  maxOvertaken,
} from './limits.ts';
import { contended } from './present.ts';
import { isConflictOn } from './snapshot-parts.ts';

/** As stored; `prefix` is null while nobody has the claim. */
interface StoredClaim {
  readonly prefix: Key | null;
  /** Silence after which it may be taken away; default {@link claimPatienceMs}. */
  readonly patienceMs?: number;
}

interface KnownClaim {
  readonly revision: number;
  /** Undefined while nobody has it. */
  readonly prefix: Key | undefined;
  readonly patienceMs: number;
  /** When this store first saw it, in its own monotonic time. */
  readonly sinceMs: number;
}

/** A claim that this realm took. */
export interface HeldClaim {
  /** Says that its holder lives, if it is time. @throws `state/conflict` when the claim was taken away */
  keep(): Promise<void>;
  /** As `keep`, right before a commit of so many bytes, during which nothing can be said. */
  keepFor(sizeBytes: number): Promise<void>;
  /** Belongs into the commit that the claim was taken for; a conflict on it: the claim was taken away. */
  release(): Put;
  /** What that commit made of it. */
  released(revision: number): void;
  /** Gives it back without one. Never throws: whoever waits takes it away. */
  drop(): Promise<void>;
}

function withoutCheck(outcome: GroupOutcome): GroupOutcome {
  return outcome.ok ? { ok: true, value: outcome.value.slice(0, -1) } : outcome;
}

/** What is stored may be anybody's garbage: that is no claim. */
function fromStored(value: unknown): StoredClaim {
  const { prefix, patienceMs } = (value ?? {}) as Partial<StoredClaim>;
  const isLonger = typeof patienceMs === 'number' && patienceMs > claimPatienceMs;
  return {
    prefix: Array.isArray(prefix) ? (prefix as Key) : null,
    patienceMs: isLonger ? Math.min(patienceMs, maxClaimPatienceMs) : claimPatienceMs,
  };
}

/** What one journaled store knows of the claim, and its commits that heed it. */
export class Claims {
  readonly #store: Store;
  readonly #key: Key;
  readonly #clock: Clock;
  #known: KnownClaim = { revision: 0, prefix: undefined, patienceMs: claimPatienceMs, sinceMs: 0 };
  #check: PreparedWrite;
  #looking: Promise<unknown> | undefined;
  #waiting: Promise<void> | undefined;
  readonly #line = new CommitLine();

  /** @param store below the journal */
  constructor(store: Store, journal: string, clock: Clock) {
    this.#store = store;
    this.#key = claimKey(journal);
    this.#clock = clock;
    this.#check = this.#toCheck(0);
  }

  /** Looks who has the claim. */
  async look(): Promise<void> {
    await (this.#looking ??= this.#read().finally(() => (this.#looking = undefined)));
  }

  /**
   * `commitEach`, once nobody has a claim on any of the keys that it touches, in the order of the calls: what comes behind a commit that
   * waits waits with it.
   * @param make the groups; called for each attempt, which may come long after the call
   * @throws as `Store.commitEach`, and `make`; `state/snapshot-contended` when restores never rest: nothing was applied
   */
  async commit(
    make: () => readonly (readonly PreparedWrite[])[],
    touched: readonly Key[],
    options: CommitOptions = {},
  ): Promise<readonly GroupOutcome[]> {
    const isTouched = (prefix: Key): boolean => touched.some((key) => overlaps(prefix, key));
    const place = this.#line.join();
    try {
      for (let attempt = 1; attempt <= maxOvertaken; attempt++) {
        // no wait where there is none to wait for: commits begin in the order of the calls
        if (!this.#maySend(place, isTouched)) await this.#turn(place, isTouched, options.signal);
        const { revision } = this.#known;
        const guarded = make().map((group) => toOwnWrites([...group, this.#check]));
        this.#line.sent(place);
        const outcomes = await this.#store.commitEach(guarded, options);
        if (!(await this.#isOvertaken(outcomes, revision))) return outcomes.map(withoutCheck);
        this.#line.delay(place);
      }
      throw contended('written');
    } finally {
      this.#line.leave(place);
    }
  }

  /**
   * Takes the claim on everything under `prefix`, once nobody else has one.
   * @throws `state/snapshot-contended` when others are always faster; and as `Store.commit`
   */
  async take(prefix: Key, signal?: AbortSignal): Promise<HeldClaim> {
    for (let attempt = 1; attempt <= maxAttempts; attempt++) {
      await this.look();
      if (this.#known.prefix) await this.#free(() => true, signal);
      try {
        return new Claim(this, prefix, await this.put({ prefix }, this.#known.revision), this.#clock);
      } catch (error) {
        if (!isConflictOn(error, this.#key)) throw error;
      }
    }
    throw contended('restored');
  }

  /** @internal */
  toPut(claim: StoredClaim, expectedRevision: number): Put {
    return { type: 'put', key: this.#key, value: claim, expectedRevision };
  }

  /** @internal */
  async put(claim: StoredClaim, expectedRevision: number): Promise<number> {
    // lost with the power is everybody who knew of it
    const [committed] = await this.#store.commit([this.toPut(claim, expectedRevision)], {
      durability: 'relaxed',
    });
    const revision = committed?.revision ?? expectedRevision + 1;
    this.learn(revision, claim);
    return revision;
  }

  /** @internal */
  learn(revision: number, { prefix, patienceMs = claimPatienceMs }: StoredClaim): void {
    if (revision === this.#known.revision) return;
    this.#known = { revision, prefix: prefix ?? undefined, patienceMs, sinceMs: this.#clock.monotonic() };
    this.#check = this.#toCheck(revision);
    this.#line.claimMoved(revision);
  }

  /** The claim's revision as it is now. */
  async #read(): Promise<number> {
    const { revision = 0, value } = (await this.#store.get<unknown>(this.#key)) ?? {};
    this.learn(revision, fromStored(value));
    return revision;
  }

  #toCheck(revision: number): PreparedWrite {
    const check = { type: 'check', key: this.#key, expectedRevision: revision } as const;
    const [[prepared] = []] = prepareCommit([[check]], defaultStoreLimits).groups;
    return prepared as PreparedWrite; // one was prepared
  }

  /**
   * Whether the claim had moved before these outcomes. Then nothing was applied, and no conflict says anything: what a group relied on may be
   * what one before it, in this call or an earlier one, was kept from writing.
   */
  async #isOvertaken(outcomes: readonly GroupOutcome[], sentUnder: number): Promise<boolean> {
    const refusals = outcomes.flatMap((outcome) => (outcome.ok ? [] : [outcome.error]));
    const isKnown = refusals.some((error) => isConflictOn(error, this.#key));
    const isPassed = outcomes.length > refusals.length;
    if (isPassed || !refusals.some((error) => isCodedError(error, 'state/conflict'))) return false;
    // read after the refusal, by nobody who began before it
    const revision = await this.#read();
    return isKnown || revision !== sentUnder;
  }

  #maySend(place: LinePlace, isTouched: (prefix: Key) => boolean): boolean {
    return this.#line.isNext(place) && !this.#isHeld(isTouched);
  }

  /** Resolves when it may be sent. @throws `port/cancelled` */
  async #turn(
    place: LinePlace,
    isTouched: (prefix: Key) => boolean,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    this.#line.delay(place);
    while (!this.#maySend(place, isTouched)) {
      if (this.#line.isNext(place)) await this.#free(isTouched, signal);
      else await withDeadline(this.#clock, { signal }, () => this.#line.untilNext(place));
    }
  }

  #isHeld(isMeant: (prefix: Key) => boolean): boolean {
    const { prefix } = this.#known;
    return prefix !== undefined && isMeant(prefix);
  }

  /** Resolves when nobody has a claim that is meant. @throws `port/cancelled` */
  async #free(isMeant: (prefix: Key) => boolean, signal: AbortSignal | undefined): Promise<void> {
    while (this.#isHeld(isMeant)) {
      await withDeadline(this.#clock, { signal }, () => {
        return (this.#waiting ??= this.#wait().finally(() => (this.#waiting = undefined)));
      });
    }
  }

  /** Until the claim may have moved; takes it away when it did not for too long. */
  async #wait(): Promise<void> {
    const { revision, sinceMs, patienceMs } = this.#known;
    await this.#pause();
    await this.look();
    if (this.#known.revision !== revision) return;
    if (this.#clock.monotonic() - sinceMs < patienceMs) return;
    try {
      await this.put({ prefix: null }, revision);
    } catch (error) {
      if (!isConflictOn(error, this.#key)) throw error;
    }
  }

  async #pause(): Promise<void> {
    const controller = new AbortController();
    const { signal } = controller;
    const timer = sleep(this.#clock, claimPollMs, signal);
    let endWatch: () => void = () => undefined;
    const noticed = new Promise<void>((resolve) => {
      try {
        endWatch = this.#store.watch(this.#key, () => resolve());
      } catch (error) {
        // as many watch as may: then it is looked at again and again
        if (!isCodedError(error, 'state/watch-limit')) resolve();
      }
    });
    try {
      await Promise.race([noticed, timer]);
    } finally {
      endWatch();
      timer.catch(() => undefined);
      controller.abort(new CodedError('port/cancelled', 'the pause is over'));
    }
  }
}

class Claim implements HeldClaim {
  readonly #claims: Claims;
  readonly #prefix: Key;
  readonly #clock: Clock;
  #revision: number;
  #keptMs: number;

  constructor(claims: Claims, prefix: Key, revision: number, clock: Clock) {
    this.#claims = claims;
    this.#prefix = prefix;
    this.#revision = revision;
    this.#clock = clock;
    this.#keptMs = clock.monotonic();
  }

  async keep(): Promise<void> {
    if (this.#clock.monotonic() - this.#keptMs < claimRenewalMs) return;
    await this.#renew(claimPatienceMs);
  }

  async keepFor(sizeBytes: number): Promise<void> {
    const extraMs = Math.ceil((sizeBytes / 2 ** 20) * commitPatienceMsPerMiB);
    if (extraMs < claimRenewalMs) return this.keep();
    await this.#renew(claimPatienceMs + extraMs);
  }

  release(): Put {
    return this.#claims.toPut({ prefix: null }, this.#revision);
  }

  released(revision: number): void {
    this.#claims.learn(revision, { prefix: null });
  }

  async drop(): Promise<void> {
    await this.#claims.put({ prefix: null }, this.#revision).catch(() => undefined);
  }

  async #renew(patienceMs: number): Promise<void> {
    this.#revision = await this.#claims.put({ prefix: this.#prefix, patienceMs }, this.#revision);
    this.#keptMs = this.#clock.monotonic();
  }
}
