/** When to try again and how long to wait. */
import { isCodedError } from '../base/index.ts';
import type { CodedError } from '../base/index.ts';
import { sleep } from '../platform/index.ts';
import type { Random } from '../platform/index.ts';
import type { CallLimit } from './call-limit.ts';

export interface RetryLimits {
  /** Tries in all, the first included. Default 4. */
  readonly maxAttempts: number;
  /** The first pause; each further one doubles. Default 500 ms. */
  readonly backOffBaseMs: number;
  /** The longest pause of our own choosing. Default 8,000 ms. */
  readonly backOffMaxMs: number;
  /** A server that asks for a longer pause is not asked again; the caller learns how long. Default 30,000 ms. */
  readonly maxRetryAfterMs: number;
}

export const defaultRetryLimits: RetryLimits = {
  maxAttempts: 4,
  backOffBaseMs: 500,
  backOffMaxMs: 8000,
  maxRetryAfterMs: 30_000,
};

/**
 * The pause that an answer asks for, in milliseconds: `retry-after-ms`, or `Retry-After` as seconds or as an HTTP date
 * (RFC 9110, section 10.2.3). A date in the past is 0; anything else is undefined.
 */
export function parseRetryAfter(headers: Headers, nowMs: number): number | undefined {
  const milliseconds = headers.get('retry-after-ms')?.trim();
  if (milliseconds !== undefined && /^\d{1,12}(\.\d+)?$/.test(milliseconds)) return Number(milliseconds);
  const value = headers.get('retry-after')?.trim();
  if (value === undefined || value === '') return undefined;
  if (/^\d{1,12}(\.\d+)?$/.test(value)) return Number(value) * 1000;
  // all three date forms of HTTP begin with the name of a day; Date.parse alone would take much more
  if (!/^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)/.test(value)) return undefined;
  const atMs = Date.parse(value);
  return Number.isNaN(atMs) ? undefined : Math.max(0, atMs - nowMs);
}

/** Whether the call may try again by itself. A call that waited for long already is left to its caller. */
function isWorthAnotherTry(error: CodedError): boolean {
  return error.isRetryable && (error.code !== 'lm/timeout' || error.fields['status'] === 408);
}

/** The pause before try `attempt + 1`, or undefined when there is to be none. */
export function retryDelayMs(
  error: CodedError,
  attempt: number,
  limits: RetryLimits,
  random: Random,
): number | undefined {
  if (attempt >= limits.maxAttempts || !isWorthAnotherTry(error)) return undefined;
  const asked = error.fields['retryAfterMs'];
  if (typeof asked === 'number') {
    // chance on top: callers that were refused together must not come back together
    return asked > limits.maxRetryAfterMs ? undefined : asked + random.next() * limits.backOffBaseMs;
  }
  const ceilingMs = Math.min(limits.backOffMaxMs, limits.backOffBaseMs * 2 ** (attempt - 1));
  return ceilingMs * (0.5 + random.next() / 2);
}

export interface RetryContext {
  readonly call: CallLimit;
  readonly random: Random;
  readonly limits: RetryLimits;
  /** Told before each pause. */
  readonly onRetry: (attempt: number, delayMs: number, error: CodedError) => void;
}

/** Repeats `attempt` until it succeeds. What was delivered once is never asked for again. */
export async function* withRetries<T>(
  context: RetryContext,
  attempt: () => AsyncIterable<T>,
): AsyncGenerator<T, void, undefined> {
  const { call, random, limits, onRetry } = context;
  for (let count = 1; ; count++) {
    let isDelivered = false;
    try {
      for await (const item of attempt()) {
        isDelivered = true;
        yield item;
      }
      return;
    } catch (thrown) {
      if (isDelivered || !isCodedError(thrown)) throw thrown;
      const delayMs = retryDelayMs(thrown, count, limits, random);
      // a pause past the deadline would only hide the real cause behind a timeout
      if (delayMs === undefined || delayMs >= call.remainingMs) throw thrown;
      onRetry(count, delayMs, thrown);
      await call.race(sleep(call.clock, delayMs, call.signal));
    }
  }
}
