/** Errors as data: a stable code, fields that name what was wrong, and whether trying again can help. */
import './disposal.ts';
import type { Json } from './json.ts';

/** `layer/what`. Public API: a code never changes its meaning. */
export type ErrorCode =
  `${'base' | 'platform' | 'port' | 'compute' | 'state' | 'actor' | 'lm' | 'executor' | 'program' | 'evaluate' | 'optimize' | 'cluster' | 'runtime' | 'app'}/${string}`;

export interface ErrorDetails {
  /** What was wrong, as data: the field, the value, what was expected. */
  readonly fields?: Readonly<Record<string, Json>>;
  readonly cause?: unknown;
  /** Whether the same call may succeed later without a change. Default false. */
  readonly isRetryable?: boolean;
}

const marker: unique symbol = Symbol.for('vivarium.coded-error');

/** The one error class. Recognise it with {@link isCodedError}, never with `instanceof`: bundles may hold two copies. */
export class CodedError extends Error {
  readonly code: ErrorCode;
  readonly fields: Readonly<Record<string, Json>>;
  readonly isRetryable: boolean;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'CodedError';
    Object.defineProperty(this, marker, { value: true });
    this.code = code;
    this.fields = details.fields ?? {};
    this.isRetryable = details.isRetryable ?? false;
  }
}

export function isCodedError(value: unknown, code?: ErrorCode): value is CodedError {
  if (typeof value !== 'object' || value === null || !(marker in value)) return false;
  return code === undefined || ('code' in value && value.code === code);
}

/** The message of anything that was thrown. */
export function messageOf(thrown: unknown): string {
  if (thrown instanceof Error) return thrown.message;
  try {
    return String(thrown);
  } catch {
    return 'a value that cannot be shown was thrown';
  }
}

/** Coded errors pass through; anything else becomes `code` with the original as its cause. */
export function toCodedError(thrown: unknown, code: ErrorCode, details: ErrorDetails = {}): CodedError {
  if (isCodedError(thrown)) return thrown;
  return new CodedError(code, messageOf(thrown), { cause: thrown, ...details });
}
