/** One transaction whose every end is seen: complete, abort, a dead connection, silence. */
import { cancellation } from '../../platform/index.ts';
import type { Clock, DeadlineQueue } from '../../platform/index.ts';
import { nameOf, TransactionFailure } from './indexeddb-failure.ts';

export interface TransactionLimits {
  readonly clock: Clock;
  /** Silence after which the transaction is aborted. */
  readonly timeoutMs: number;
  /** How long an end is still awaited after an abort was asked for, or the connection was lost. */
  readonly graceMs: number;
  /** Of the connection: called when it is gone. */
  readonly losses: Set<(cause: unknown) => void>;
  /** Of whoever has many transactions. Default: a timer for each. */
  readonly silences?: DeadlineQueue<WatchedTransaction>;
  readonly signal?: AbortSignal | undefined;
}

/** The answer of one request, in the same task, so that the transaction is still active for whoever awaits it. */
export function answerOf<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error as Error);
  });
}

function isPlainAbort(error: unknown): boolean {
  return error === null || error === undefined || nameOf(error) === 'AbortError';
}

/**
 * Follows a transaction to its end. `error` events are only remembered: whether a write is applied is decided by
 * `complete` and `abort` alone, and failures at commit time come as `abort` without any `error`.
 */
export class WatchedTransaction {
  /** Resolves on `complete`; rejects with a {@link TransactionFailure}. */
  readonly done: Promise<void>;
  readonly #transaction: IDBTransaction;
  readonly #limits: TransactionLimits;
  #cause: unknown;
  #end!: (settle: () => void) => void;
  #fail!: (failure: TransactionFailure) => void;
  #cancelTimer: () => void = () => undefined;

  constructor(transaction: IDBTransaction, limits: TransactionLimits) {
    this.#transaction = transaction;
    this.#limits = limits;
    this.done = this.#follow();
    // whoever awaits `done` still sees the rejection
    this.done.catch(() => undefined);
  }

  /** Rolls back because of `cause`, which the failure will carry. Too late to abort: the end decides. */
  abort(cause: unknown): void {
    this.#cause ??= cause;
    try {
      this.#transaction.abort();
    } catch {
      // already committing or finished: complete or abort will tell
    }
  }

  /** The engine has not answered in time. */
  fallSilent(): void {
    this.abort(this.#silence());
    this.#failAfterGrace(this.#silence());
  }

  #follow(): Promise<void> {
    const transaction = this.#transaction;
    const { clock, timeoutMs, losses, signal, silences } = this.#limits;
    return new Promise((resolve, reject) => {
      const onLoss = (cause: unknown): void => this.#failAfterGrace(cause);
      const onSignal = (): void => this.abort(cancellation(signal as AbortSignal));
      this.#end = (settle) => {
        this.#cancelTimer();
        losses.delete(onLoss);
        signal?.removeEventListener('abort', onSignal);
        settle();
      };
      this.#fail = (failure) => this.#end(() => reject(failure));
      transaction.oncomplete = () => this.#end(resolve);
      transaction.onabort = () => this.#fail(new TransactionFailure('not-applied', this.#reason()));
      transaction.onerror = (event) => {
        const error = (event.target as IDBRequest | null)?.error;
        // the requests of an aborted transaction all say AbortError: no reason
        if (!isPlainAbort(error)) this.#cause ??= error;
      };
      if (silences) {
        silences.add(this, timeoutMs);
        this.#cancelTimer = () => silences.remove(this);
      } else this.#cancelTimer = clock.after(timeoutMs, () => this.fallSilent());
      losses.add(onLoss);
      signal?.addEventListener('abort', onSignal, { once: true });
    });
  }

  #reason(): unknown {
    const { error } = this.#transaction;
    return this.#cause ?? error ?? new DOMException('the transaction was aborted', 'AbortError');
  }

  #silence(): DOMException {
    return new DOMException(`the engine did not answer within ${this.#limits.timeoutMs} ms`, 'TimeoutError');
  }

  #failAfterGrace(cause: unknown): void {
    this.#cause ??= cause;
    this.#cancelTimer();
    this.#cancelTimer = this.#limits.clock.after(this.#limits.graceMs, () =>
      this.#fail(new TransactionFailure('unknown', this.#cause)),
    );
  }
}
