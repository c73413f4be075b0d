/** What can go wrong in a call to a language model. The table with what to do is in `docs/errors.md`. */
import { CodedError } from '../base/index.ts';
import type { Json } from '../base/index.ts';

export type LmErrorCode =
  | 'lm/auth'
  | 'lm/billing'
  | 'lm/cancelled'
  | 'lm/context-window-exceeded'
  | 'lm/cors-refused'
  | 'lm/invalid-request'
  | 'lm/model-not-found'
  | 'lm/network'
  | 'lm/rate-limited'
  | 'lm/response-invalid'
  | 'lm/script-exhausted'
  | 'lm/script-failed'
  | 'lm/server'
  | 'lm/timeout'
  | 'lm/unexpected'
  | 'lm/unreachable-or-cors';

/** Every fact is free of secrets: whoever makes the error redacts first. */
export interface LmErrorFacts {
  readonly model: string;
  /** HTTP status. */
  readonly status?: number | undefined;
  /** The provider's own code, such as `insufficient_quota`. */
  readonly providerCode?: string | undefined;
  /** The provider's id of the request, to quote to its support. */
  readonly requestId?: string | undefined;
  /** How long the provider asked to wait, in milliseconds. */
  readonly retryAfterMs?: number | undefined;
  /** A finer cause within the code, such as `truncated` or `mixed-content`. */
  readonly reason?: string | undefined;
  /** More facts that belong to one kind of failure. */
  readonly more?: Readonly<Record<string, Json>> | undefined;
  readonly isRetryable?: boolean | undefined;
  readonly cause?: unknown;
}

const retryableCodes: ReadonlySet<LmErrorCode> = new Set<LmErrorCode>([
  'lm/network',
  'lm/rate-limited',
  'lm/server',
  'lm/timeout',
  'lm/unreachable-or-cors',
]);

/** Builds the error; its message is `[model] message`, its fields are the facts that are known. */
export function lmError(code: LmErrorCode, message: string, facts: LmErrorFacts): CodedError {
  const { model, status, providerCode, requestId, retryAfterMs, reason, more } = facts;
  const known = Object.entries({ model, status, providerCode, requestId, retryAfterMs, reason }).filter(
    (entry): entry is [string, string | number] => entry[1] !== undefined,
  );
  return new CodedError(code, `[${model}] ${message}`, {
    fields: { ...Object.fromEntries(known), ...more },
    isRetryable: facts.isRetryable ?? retryableCodes.has(code),
    cause: facts.cause,
  });
}

/** A request that cannot be sent: names the field, its value and what was expected. */
export function invalidRequest(model: string, field: string, value: unknown, expected: string): CodedError {
  const shown = showValue(value);
  return lmError('lm/invalid-request', `${field} is ${shown}, expected ${expected}`, {
    model,
    more: { field, value: shown, expected },
  });
}

/** Stands in {@link invalidRequest} for a value that may be a secret. */
export const hiddenValue: unique symbol = Symbol('hidden value');

const maxShownChars = 80;

function showValue(value: unknown): string {
  if (value === hiddenValue) return 'unusable (not shown)';
  const text = typeof value === 'string' ? JSON.stringify(value) : describe(value);
  return text.length > maxShownChars ? `${text.slice(0, maxShownChars)}…` : text;
}

function describe(value: unknown): string {
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === 'object' && value !== null) return 'an object';
  return typeof value === 'function' ? 'a function' : String(value);
}
