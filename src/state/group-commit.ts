/**
 * Group commit: writes that are asked for while a transaction is under way share the next one. A flush costs the same
 * for one write as for a hundred.
 */
import { CodedError, isCodedError } from '../base/index.ts';
import { cancellation } from '../platform/index.ts';
import { defaultStoreLimits } from './limits.ts';
import type { StoreLimits } from './limits.ts';
import { prepareCommit, toOwnWrites } from './plan-commit.ts';
import type { Committed, Durability, Store, Write } from './store.ts';

/** Refusals of what one commit asks for, or of all together: each alone may be taken. */
const onesFaults = [
  'state/quota-exceeded',
  'state/not-cloneable',
  'state/not-encodable',
  'state/value-too-large',
] as const;

export interface GroupCommitterOptions {
  /** Commits that wait at most; beyond it `state/queue-full`. Default 10,000. */
  readonly maxWaitingCommits?: number;
  /** Bytes of values that wait at most; beyond it `state/queue-full`. Default 64 MiB. */
  readonly maxWaitingBytes?: number;
  /** Writes in one transaction. Default 1,000: enough to share a flush, short enough not to block readers of other tabs. */
  readonly maxBatchWrites?: number;
  readonly limits?: Partial<StoreLimits>;
}

export interface GroupCommitter extends AsyncDisposable {
  /**
   * Commits like `Store.commit`, after everything that was asked for before, sharing a transaction with what waits.
   * A transaction is strict if any commit in it asked for it.
   * @param level default `strict`
   * @throws at once for bad input as `Store.commit`, and `state/queue-full`, `state/closed`; later as `Store.commit`.
   *   A conflict or a value that does not fit the quota fails the commit it belongs to and no other.
   */
  commit(
    writes: readonly Write[],
    level?: Durability,
    options?: { readonly signal?: AbortSignal },
  ): Promise<readonly Committed[]>;
  /** Waits for what was asked for, then refuses more. The store stays open. */
  close(): Promise<void>;
}

interface Waiting {
  readonly writes: readonly Write[];
  readonly level: Durability;
  readonly sizeBytes: number;
  readonly resolve: (committed: readonly Committed[]) => void;
  readonly reject: (error: unknown) => void;
  /** Stops listening to the signal. */
  release?: () => void;
}

/**
 * The committer must be the way of all its callers: order holds among what passes it. One transaction is under way at a time: while one waits
 * for a restore of a journaled store, all behind it wait. Close it before the store.
 */
export function createGroupCommitter(store: Store, options: GroupCommitterOptions = {}): GroupCommitter {
  return new StoreGroupCommitter(store, options);
}

class StoreGroupCommitter implements GroupCommitter {
  readonly #store: Store;
  readonly #limits: StoreLimits;
  readonly #maxWaitingCommits: number;
  readonly #maxWaitingBytes: number;
  readonly #maxBatchWrites: number;
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #draining: Promise<void> | undefined;
  #isClosed = false;

  constructor(store: Store, options: GroupCommitterOptions) {
    this.#store = store;
    this.#limits = { ...defaultStoreLimits, ...options.limits };
    this.#maxWaitingCommits = options.maxWaitingCommits ?? 10_000;
    this.#maxWaitingBytes = options.maxWaitingBytes ?? 64 * 2 ** 20;
    this.#maxBatchWrites = options.maxBatchWrites ?? 1000;
  }

  async commit(
    writes: readonly Write[],
    level: Durability = 'strict',
    { signal }: { readonly signal?: AbortSignal } = {},
  ): Promise<readonly Committed[]> {
    if (this.#isClosed) throw new CodedError('state/closed', 'the group committer is closed');
    if (signal?.aborted) throw cancellation(signal);
    const { groups, sizeBytes } = prepareCommit([writes], this.#limits);
    this.#checkRoom(sizeBytes);
    // the copies, so that what the caller changes while it waits is not stored
    const copies = toOwnWrites(groups[0] ?? []);
    return new Promise((resolve, reject) => {
      const waiting: Waiting = { writes: copies, level, sizeBytes, resolve, reject };
      if (signal) this.#withdrawOnAbort(waiting, signal);
      this.#waiting.push(waiting);
      this.#waitingBytes += sizeBytes;
      this.#draining ??= this.#drain();
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#draining;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #checkRoom(sizeBytes: number): void {
    const [commits, bytes] = [this.#waiting.length, this.#waitingBytes];
    if (commits < this.#maxWaitingCommits && bytes + sizeBytes <= this.#maxWaitingBytes) return;
    throw new CodedError('state/queue-full', `${commits} commits with ${bytes} bytes wait to be written`, {
      fields: {
        commits,
        bytes,
        maxWaitingCommits: this.#maxWaitingCommits,
        maxWaitingBytes: this.#maxWaitingBytes,
      },
      isRetryable: true,
    });
  }

  // once its transaction has begun, a commit ends with it
  #withdrawOnAbort(waiting: Waiting, signal: AbortSignal): void {
    const onAbort = (): void => {
      const index = this.#waiting.indexOf(waiting);
      if (index < 0) return;
      this.#waiting.splice(index, 1);
      this.#waitingBytes -= waiting.sizeBytes;
      waiting.reject(cancellation(signal));
    };
    signal.addEventListener('abort', onAbort, { once: true });
    waiting.release = () => signal.removeEventListener('abort', onAbort);
  }

  async #drain(): Promise<void> {
    // commits asked for in the same turn share the first transaction
    await Promise.resolve();
    while (this.#waiting.length > 0) await this.#commitBatch(this.#takeBatch());
    this.#draining = undefined;
  }

  #takeBatch(): readonly Waiting[] {
    let [count, writes, bytes] = [0, 0, 0];
    for (const waiting of this.#waiting) {
      writes += waiting.writes.length;
      bytes += waiting.sizeBytes;
      const isFull = writes > this.#maxBatchWrites || bytes > this.#limits.maxCommitBytes;
      if (count > 0 && isFull) break;
      count++;
    }
    const batch = this.#waiting.splice(0, count);
    for (const { sizeBytes, release } of batch) {
      this.#waitingBytes -= sizeBytes;
      release?.();
    }
    return batch;
  }

  async #commitBatch(batch: readonly Waiting[]): Promise<void> {
    const durability = batch.some(({ level }) => level === 'strict') ? 'strict' : 'relaxed';
    try {
      const outcomes = await this.#store.commitEach(
        batch.map(({ writes }) => writes),
        { durability },
      );
      for (const [index, { resolve, reject }] of batch.entries()) {
        const outcome = outcomes[index];
        if (outcome?.ok) resolve(outcome.value);
        else reject(outcome?.error ?? new CodedError('state/write-failed', 'the store gave no outcome'));
      }
    } catch (error) {
      await this.#failOrSplit(batch, error);
    }
  }

  /** A value that cannot be stored, or does not fit, must not take its neighbours with it: halves find it. */
  async #failOrSplit(batch: readonly Waiting[], error: unknown): Promise<void> {
    const isOnesFault = onesFaults.some((code) => isCodedError(error, code));
    if (batch.length === 1 || !isOnesFault) {
      for (const { reject } of batch) reject(error);
      return;
    }
    const middle = Math.ceil(batch.length / 2);
    await this.#commitBatch(batch.slice(0, middle));
    await this.#commitBatch(batch.slice(middle));
  }
}
