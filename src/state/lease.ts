/**
 * A lease for one writer: a lock says whose turn it is, and a fence in the store keeps out whoever missed that its turn is over.
 *
 * A lock alone is not enough. A tab can be frozen between asking whether it still has the lock and writing; when it wakes, another has
 * taken the lock and has written. So every commit of a holder carries a condition: the fence, a key of the store, is at the revision
 * that this holder raised it to, its token. Whoever takes the lease raises it first. What a late holder sends is refused by the
 * store, in the transaction that would have applied it.
 */
import { CodedError, isCodedError } from '../base/index.ts';
import { hasLocks, systemClock, systemLocks, withDeadline } from '../platform/index.ts';
import type { Clock, HeldLock, Locks } from '../platform/index.ts';
import { fenceKey } from './fence-key.ts';
import { fenced, FencedStore } from './fenced-store.ts';
import { leaseLimits } from './limits.ts';
import type { CommitOptions, Committed, Store, Write } from './store.ts';

/** How a lease ended: given back, its lock taken by force, or its fence raised by another holder. */
export type LeaseEnd = 'released' | 'stolen' | 'fenced';

export interface WriterLeaseOptions {
  /** Who waits for whom. Default Web Locks where there are any; null: nobody waits, and whoever comes last has the lease. */
  readonly locks?: Locks | null;
  /** How long to wait for the lock, in milliseconds. Default 30 s. */
  readonly waitTimeoutMs?: number;
  /** When the time is over: `state/lease-busy`, or take the lock from whoever has it. Default `fail`. */
  readonly whenBusy?: 'fail' | 'steal';
  /** Gives up the wait. */
  readonly signal?: AbortSignal;
  readonly clock?: Clock;
}

export interface WriterLease extends AsyncDisposable {
  readonly name: string;
  /** Rises from holder to holder: the revision of the key `['fence', name]`. */
  readonly token: number;
  /** The store for this holder: reads as ever; every commit is fenced. Closing it gives back the lease and leaves the store open. */
  readonly store: Store;
  /** Resolves when the lease has ended. A frozen tab hears of it late: only the store knows in time. */
  readonly ended: Promise<LeaseEnd>;
  /** Aborts when the lease has ended, with `state/fenced`. */
  readonly signal: AbortSignal;
  /**
   * `Store.commit` of the fenced store.
   * @throws `state/fenced` when the lease is not held any more: nothing is applied; and as `Store.commit`
   */
  commit(writes: readonly Write[], options?: CommitOptions): Promise<readonly Committed[]>;
  /** Gives it back; resolves when commits that were sent have ended. Twice is harmless. */
  release(): Promise<void>;
}

/**
 * Waits for the lease called `name` and takes it. One holder at a time writes what is written through the lease; what is written
 * past it, straight to the store, is not fenced.
 * @throws `state/lease-busy`, `port/cancelled`, `state/write-invalid` for a store without whole commits; `state/conflict` when 16 others
 *   were faster to raise the fence; and as `Store.commit`
 */
export async function acquireWriterLease(
  store: Store,
  name: string,
  options: WriterLeaseOptions = {},
): Promise<WriterLease> {
  if (!store.capabilities.atomicCommits) {
    throw new CodedError('state/write-invalid', `a lease needs whole commits, which ${store.name} has not`);
  }
  const { locks = hasLocks ? systemLocks : null, clock = systemClock } = options;
  const lock = locks
    ? await waitForLock(locks, `vivarium.lease.${store.name}.${name}`, name, options)
    : undefined;
  try {
    const token = await raiseFence(store, name, clock.now());
    return new HeldLease(store, name, token, lock);
  } catch (error) {
    lock?.release();
    throw error;
  }
}

async function waitForLock(
  locks: Locks,
  lockName: string,
  name: string,
  {
    waitTimeoutMs = leaseLimits.waitTimeoutMs,
    whenBusy = 'fail',
    signal,
    clock = systemClock,
  }: WriterLeaseOptions,
): Promise<HeldLock> {
  let waiting: Promise<HeldLock> | undefined;
  try {
    return await withDeadline(clock, { timeoutMs: waitTimeoutMs, signal }, (limit) => {
      waiting = locks.request(lockName, { signal: limit });
      return waiting;
    });
  } catch (error) {
    // it may have come in the moment when the wait was given up
    waiting?.then(
      (late) => late.release(),
      () => undefined,
    );
    if (!isCodedError(error, 'port/timeout') || signal?.aborted) throw error;
    if (whenBusy === 'steal') return locks.request(lockName, { isStealing: true });
    throw new CodedError('state/lease-busy', `the lease ${name} was not free within ${waitTimeoutMs} ms`, {
      fields: { lease: name, waitTimeoutMs },
      isRetryable: true,
    });
  }
}

/** The new token. Strictly: a token that a loss of power took back would be given twice. */
async function raiseFence(store: Store, name: string, atMs: number): Promise<number> {
  for (let attempt = 1; ; attempt++) {
    const entry = await store.get(fenceKey(name));
    const expectedRevision = entry?.revision ?? 0;
    try {
      const put: Write = { type: 'put', key: fenceKey(name), value: { atMs }, expectedRevision };
      const [committed] = await store.commit([put], { durability: 'strict' });
      return committed?.revision ?? expectedRevision + 1;
    } catch (error) {
      if (!isCodedError(error, 'state/conflict') || attempt >= leaseLimits.maxAttempts) throw error;
    }
  }
}

class HeldLease implements WriterLease {
  readonly name: string;
  readonly token: number;
  readonly ended: Promise<LeaseEnd>;
  readonly #controller = new AbortController();
  readonly #lock: HeldLock | undefined;
  readonly #fenced: FencedStore;
  #settle!: (end: LeaseEnd) => void;
  #endWatch: () => void = () => undefined;

  constructor(store: Store, name: string, token: number, lock: HeldLock | undefined) {
    this.name = name;
    this.token = token;
    this.#lock = lock;
    this.ended = new Promise((resolve) => (this.#settle = resolve));
    this.#fenced = new FencedStore(store, {
      key: fenceKey(name),
      token,
      refusal: () => (this.signal.aborted ? (this.signal.reason as CodedError) : undefined),
      onMoved: () => this.#end('fenced'),
      release: () => this.release(),
    });
    void lock?.ended.then((how) => this.#end(how));
    if (store.capabilities.watch) {
      this.#endWatch = store.watch(fenceKey(name), ({ revision }) => {
        if (revision > token) this.#end('fenced');
      });
    }
  }

  get store(): Store {
    return this.#fenced;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  commit(writes: readonly Write[], options?: CommitOptions): Promise<readonly Committed[]> {
    return this.#fenced.commit(writes, options);
  }

  async release(): Promise<void> {
    this.#stop('released');
    // whoever comes next must not wait for its turn while ours still changes things
    await this.#fenced.settle();
    this.#lock?.release();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }

  #stop(how: LeaseEnd): void {
    if (this.signal.aborted) return;
    this.#endWatch();
    this.#controller.abort(fenced(this.name, this.token));
    this.#settle(how);
  }

  #end(how: LeaseEnd): void {
    this.#stop(how);
    this.#lock?.release();
  }
}
