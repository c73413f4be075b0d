/** One limit for a call: a time on the monotonic clock, a signal, or both. */
import { CodedError, isCodedError } from '../base/index.ts';
import type { Clock } from './clock.ts';

export interface DeadlineOptions {
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What an aborted signal means to the caller: our own errors as they are, anything else as `port/cancelled`. */
export function cancellation(signal: AbortSignal): CodedError {
  const reason: unknown = signal.reason;
  if (isCodedError(reason)) return reason;
  return new CodedError('port/cancelled', 'the call was cancelled', { cause: reason });
}

/**
 * Runs `work` with a signal that aborts at the limit, and settles at the limit even when `work` ignores it:
 * with `port/timeout` or `port/cancelled`. The timer and the listener are gone when it settles.
 */
export function withDeadline<T>(
  clock: Clock,
  options: DeadlineOptions,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const { timeoutMs, signal } = options;
  if (signal?.aborted) return Promise.reject(cancellation(signal));
  return new Promise<T>((resolve, reject) => {
    const end = (): void => {
      cancelTimer?.();
      signal?.removeEventListener('abort', onAbort);
    };
    const stop = (error: CodedError): void => {
      end();
      controller.abort(error);
      reject(error);
    };
    const onAbort = (): void => stop(cancellation(signal as AbortSignal));
    const cancelTimer =
      timeoutMs === undefined || timeoutMs === Infinity
        ? undefined
        : clock.after(timeoutMs, () =>
            stop(
              new CodedError('port/timeout', `no answer within ${timeoutMs} ms`, {
                fields: { timeoutMs },
                isRetryable: true,
              }),
            ),
          );
    signal?.addEventListener('abort', onAbort, { once: true });
    Promise.resolve()
      .then(() => {
        // over before it began
        controller.signal.throwIfAborted();
        return work(controller.signal);
      })
      .then(
        (value) => {
          end();
          resolve(value);
        },
        (error: unknown) => {
          end();
          reject(error as Error);
        },
      );
  });
}
