/**
 * Room to write: known, told and acted on before it is used up.
 *
 * A browser gives an origin a quota that nobody can count on: it depends on the disk, on other origins and on the browser's mind. So the room
 * that is left is looked at while it is being used, somebody is asked to free some while there still is room to do that in, and a write that
 * did not fit is a state that lasts until a write fits again. Reads, deletes and whatever still fits go on all the while.
 */
import { CodedError, isCodedError, toCodedError } from '../../base/index.ts';
import { persistStorage, systemClock } from '../../platform/index.ts';
import type { Clock, StorageEstimate } from '../../platform/index.ts';
import { silentHub } from '../../telemetry/index.ts';
import type { Hub } from '../../telemetry/index.ts';
import type { CommitOptions, GroupOutcome, Store, Write } from '../store.ts';
import { commitAlone } from '../requests.ts';

/**
 * `ample`: less is used than the warning allows. `low`: that much or more. `full`: a write was refused for want of room, and none has fitted
 * since; it ends when a write fits or a look finds the room ample. `unknown`: the platform does not say.
 */
export type QuotaLevel = 'unknown' | 'ample' | 'low' | 'full';

/** What is known of the room, as of the last look. */
export interface QuotaState extends StorageEstimate {
  readonly level: QuotaLevel;
  /** Of the quota that is used: 0 to 1, or a little more. Undefined when the platform does not say. */
  readonly usedFraction: number | undefined;
}

export interface QuotaOptions {
  /** The fraction of the quota from which on the room is low. Default 0.8: what is left is enough to tidy up in. */
  readonly warnAtFraction?: number;
  /**
   * Called when the room is low or full, and again at each look while it stays so, never twice at once: frees what can be spared, for example
   * by `records.prune`. Whatever it throws is a `store-fail` event with `state/make-room-failed`.
   */
  readonly makeRoom?: (state: QuotaState) => unknown;
  /** Between two looks at most: after commits while the room is ample, all the time while it is not. In milliseconds, default 10,000. */
  readonly intervalMs?: number;
  /**
   * Asks the browser, once, that the origin is not evicted; the answer is `isPersisted`. It is called after the first commit, when there is
   * something to keep: some browsers ask the user. Default: the platform's way.
   */
  readonly persist?: () => Promise<boolean>;
  /** What the platform says. Default: as the store says. */
  readonly estimate?: () => Promise<StorageEstimate>;
  readonly clock?: Clock;
  /** Hears `store-quota` whenever the level changes. */
  readonly hub?: Hub;
}

/** A store whose room is watched. Closing it ends the watch and closes the store. */
export interface QuotaWatch {
  /** The same data: what is committed here is seen by the watch. */
  readonly store: Store;
  /** As of the last look. */
  readonly state: QuotaState;
  /** Looks now. Never rejects. */
  check(): Promise<QuotaState>;
  /** Ends the watch; the store stays open. */
  stop(): void;
}

const defaultWarnAtFraction = 0.8;
const defaultIntervalMs = 10_000;
/** Below the warning by this much the room is ample again: at the very edge the level would flicker. */
const edgeFraction = 0.05;

function checkOptions(warnAtFraction: number, intervalMs: number): void {
  const refuse = (option: string, value: number, expected: string): never => {
    throw new CodedError('state/option-invalid', `${option} is ${value}, expected ${expected}`, {
      fields: { option },
    });
  };
  if (!(warnAtFraction > edgeFraction && warnAtFraction <= 1))
    refuse('warnAtFraction', warnAtFraction, `a fraction above ${edgeFraction}, at most 1`);
  if (!(intervalMs >= 1)) refuse('intervalMs', intervalMs, 'at least 1');
}

/**
 * Watches the room of `store`. Commit through `watch.store`, so that the watch hears what does not fit.
 * @throws `state/option-invalid`
 */
export function watchQuota(store: Store, options: QuotaOptions = {}): QuotaWatch {
  const { warnAtFraction = defaultWarnAtFraction, intervalMs = defaultIntervalMs } = options;
  checkOptions(warnAtFraction, intervalMs);
  return new StoreQuotaWatch(store, { ...options, warnAtFraction, intervalMs });
}

type Settings = QuotaOptions & { readonly warnAtFraction: number; readonly intervalMs: number };

const neverLooked: QuotaState = {
  level: 'unknown',
  usedFraction: undefined,
  usageBytes: undefined,
  quotaBytes: undefined,
  isPersisted: false,
};

class StoreQuotaWatch implements QuotaWatch {
  readonly store: Store;
  readonly #inner: Store;
  readonly #settings: Settings;
  readonly #clock: Clock;
  readonly #hub: Hub;
  #state: QuotaState = neverLooked;
  /** A write did not fit, and none has since. */
  #isRefusing = false;
  #checking: Promise<QuotaState> | undefined;
  #isMakingRoom = false;
  #isAsked = false;
  #cancelTimer: () => void = () => undefined;
  #lookedAtMs: number | undefined;
  #isStopped = false;

  constructor(inner: Store, settings: Settings) {
    this.#inner = inner;
    this.#settings = settings;
    this.#clock = settings.clock ?? systemClock;
    this.#hub = settings.hub ?? silentHub;
    this.store = this.#wrap();
    void this.check();
  }

  get state(): QuotaState {
    return this.#state;
  }

  check(): Promise<QuotaState> {
    this.#checking ??= this.#lookAndAct();
    return this.#checking;
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancelTimer();
  }

  #wrap(): Store {
    const inner = this.#inner;
    const commitEach: Store['commitEach'] = (groups, options) => this.#commitEach(groups, options);
    const close = (): Promise<void> => {
      this.stop();
      return inner.close();
    };
    return {
      name: inner.name,
      capabilities: inner.capabilities,
      get: (key) => inner.get(key),
      list: (prefix, options) => inner.list(prefix, options),
      history: (key, options) => inner.history(key, options),
      commit: (writes, options) => commitAlone({ commitEach }, writes, options),
      commitEach,
      watch: (prefix, listener) => inner.watch(prefix, listener),
      estimate: () => inner.estimate(),
      close,
      [Symbol.asyncDispose]: close,
    };
  }

  async #commitEach(
    groups: readonly (readonly Write[])[],
    options: CommitOptions | undefined,
  ): Promise<readonly GroupOutcome[]> {
    try {
      const outcomes = await this.#inner.commitEach(groups, options);
      this.#onCommitted(groups, outcomes);
      return outcomes;
    } catch (error) {
      if (isCodedError(error, 'state/quota-exceeded')) this.#onRefused();
      throw error;
    }
  }

  #onRefused(): void {
    this.#isRefusing = true;
    // the caller has its answer now; what the platform says follows
    this.#enter({ ...this.#state, level: 'full' });
    void this.check();
  }

  #onCommitted(groups: readonly (readonly Write[])[], outcomes: readonly GroupOutcome[]): void {
    const addsBytes = groups.some(
      (writes, at) => outcomes[at]?.ok && writes.some(({ type }) => type === 'put' || type === 'append'),
    );
    if (!addsBytes || this.#isStopped) return;
    if (this.#inner.capabilities.durable) void this.#ask();
    const hadRefused = this.#isRefusing;
    this.#isRefusing = false;
    const sinceMs = this.#clock.monotonic() - (this.#lookedAtMs ?? -Infinity);
    if (hadRefused || sinceMs >= this.#settings.intervalMs) void this.check();
  }

  /** Somebody may have to be asked, and may never answer: nothing waits for it. */
  async #ask(): Promise<void> {
    if (this.#isAsked) return;
    this.#isAsked = true;
    try {
      await (this.#settings.persist ?? persistStorage)();
      if (!this.#isStopped) await this.check();
    } catch {
      // a platform that cannot be asked refuses
    }
  }

  async #lookAndAct(): Promise<QuotaState> {
    await this.#look();
    // first: the timer that is set next must find nobody looking
    this.#checking = undefined;
    this.#act();
    return this.#state;
  }

  async #look(): Promise<void> {
    if (this.#isStopped) return;
    this.#lookedAtMs = this.#clock.monotonic();
    const estimate = await this.#estimate();
    if (this.#isStopped) return;
    const { usageBytes, quotaBytes } = estimate;
    const usedFraction =
      usageBytes === undefined || quotaBytes === undefined || quotaBytes <= 0
        ? undefined
        : usageBytes / quotaBytes;
    this.#enter({ ...estimate, usedFraction, level: this.#levelAt(usedFraction) });
  }

  async #estimate(): Promise<StorageEstimate> {
    try {
      return await (this.#settings.estimate?.() ?? this.#inner.estimate());
    } catch {
      // a closed store, or a platform that refuses: nothing is known
      return neverLooked;
    }
  }

  #levelAt(usedFraction: number | undefined): QuotaLevel {
    const { warnAtFraction } = this.#settings;
    const wasShort = this.#state.level === 'low' || this.#state.level === 'full';
    const isShort =
      usedFraction !== undefined &&
      usedFraction >= (wasShort ? warnAtFraction - edgeFraction : warnAtFraction);
    // what was refused would fit now, or was too large for any quota
    if (usedFraction !== undefined && !isShort) this.#isRefusing = false;
    if (this.#isRefusing) return 'full';
    if (usedFraction === undefined) return 'unknown';
    return isShort ? 'low' : 'ample';
  }

  #enter(state: QuotaState): void {
    const hasChanged = state.level !== this.#state.level;
    this.#state = state;
    const { level, usageBytes, quotaBytes, isPersisted } = state;
    if (hasChanged)
      this.#hub.emit({
        type: 'store-quota',
        store: this.#inner.name,
        level,
        usageBytes,
        quotaBytes,
        isPersisted,
      });
  }

  /** While room is short: asks for some, and looks again in a while, for nobody may be writing. */
  #act(): void {
    this.#cancelTimer();
    const { level } = this.#state;
    if (this.#isStopped || (level !== 'low' && level !== 'full')) return;
    this.#cancelTimer = this.#clock.after(this.#settings.intervalMs, () => void this.check());
    const { makeRoom } = this.#settings;
    if (makeRoom && !this.#isMakingRoom) void this.#makeRoom(makeRoom);
  }

  async #makeRoom(makeRoom: NonNullable<QuotaOptions['makeRoom']>): Promise<void> {
    this.#isMakingRoom = true;
    try {
      await makeRoom(this.#state);
    } catch (error) {
      const { code, message } = toCodedError(error, 'state/make-room-failed');
      this.#hub.emit({ type: 'store-fail', store: this.#inner.name, error: { code, message } });
    }
    this.#isMakingRoom = false;
    // to see what it helped; if it did not, the next try is for the next look
    await this.#look();
  }
}
