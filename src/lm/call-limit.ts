/** What ends one call from outside: its deadline, its caller, a silent server. Whatever comes first wins. */
import type { CodedError } from '../base/index.ts';
import type { Clock } from '../platform/index.ts';
import { invalidRequest, lmError } from './error.ts';
import type { LmCallOptions } from './language-model.ts';

/** Aborts `signal` with an `lm/…` error and settles what waits, even where the platform ignores the signal. */
export class CallLimit {
  readonly model: string;
  readonly clock: Clock;
  #controller = new AbortController();
  #deadlineMs: number;
  #release: () => void;

  constructor(clock: Clock, model: string, defaultTimeoutMs: number, options: LmCallOptions) {
    this.clock = clock;
    this.model = model;
    const timeoutMs = options.timeoutMs ?? defaultTimeoutMs;
    if (!(timeoutMs > 0)) throw invalidRequest(model, 'timeoutMs', timeoutMs, 'a number above 0');
    this.#deadlineMs = clock.monotonic() + timeoutMs;
    const { signal } = options;
    const onAbort = (): void => this.cancel(signal?.reason);
    const cancelTimer = this.#after(timeoutMs, () => `no full answer within ${timeoutMs} ms`, 'call');
    signal?.addEventListener('abort', onAbort, { once: true });
    this.#release = (): void => {
      cancelTimer();
      signal?.removeEventListener('abort', onAbort);
    };
    if (signal?.aborted) onAbort();
  }

  /** Its reason is the error that the call ends with. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get remainingMs(): number {
    return this.#deadlineMs - this.clock.monotonic();
  }

  /** Throws the reason when the call was ended already. */
  check(): void {
    if (this.signal.aborted) throw this.signal.reason as CodedError;
  }

  cancel(cause?: unknown): void {
    this.abort(lmError('lm/cancelled', 'the call was cancelled', { model: this.model, cause }));
  }

  abort(error: CodedError): void {
    this.#controller.abort(error);
  }

  /** Settles with `work`, or at once with the reason when the call ends first. */
  race<T>(work: Promise<T>): Promise<T> {
    const { signal } = this;
    return new Promise<T>((resolve, reject) => {
      const onAbort = (): void => reject(signal.reason as CodedError);
      const settle = (): void => signal.removeEventListener('abort', onAbort);
      void work.then(resolve, reject).finally(settle);
      if (signal.aborted) onAbort();
      else signal.addEventListener('abort', onAbort, { once: true });
    });
  }

  /** Like {@link race}, and ends the whole call with `lm/timeout` when `work` takes longer than `timeoutMs`. */
  async within<T>(timeoutMs: number, reason: 'first-byte' | 'idle', work: Promise<T>): Promise<T> {
    const cancelTimer = this.#after(
      timeoutMs,
      () =>
        reason === 'idle' ? `the answer stalled for ${timeoutMs} ms` : `no answer within ${timeoutMs} ms`,
      reason,
    );
    try {
      return await this.race(work);
    } finally {
      cancelTimer();
    }
  }

  /** Forgets the timer and the caller's signal. To be called once the call has settled. */
  end(): void {
    this.#release();
  }

  #after(timeoutMs: number, message: () => string, reason: string): () => void {
    if (timeoutMs === Infinity) return () => undefined;
    return this.clock.after(timeoutMs, () => {
      const { model } = this;
      this.abort(lmError('lm/timeout', message(), { model, reason, more: { timeoutMs } }));
    });
  }
}
