/** What goes wrong in IndexedDB, as typed errors. */
import { CodedError, isCodedError, messageOf } from '../../base/index.ts';
import type { ErrorCode } from '../../base/index.ts';

/** Whether a transaction that failed can have been applied: only an engine that vanished mid-commit leaves it unknown. */
export type Outcome = 'not-applied' | 'unknown';

/** A transaction that did not complete. */
export class TransactionFailure extends Error {
  readonly outcome: Outcome;

  constructor(outcome: Outcome, cause: unknown) {
    super(messageOf(cause), { cause });
    this.name = 'TransactionFailure';
    this.outcome = outcome;
  }
}

/** The `name` of a DOMException or of anything else that was thrown. */
export function nameOf(thrown: unknown): string {
  return typeof thrown === 'object' && thrown !== null && 'name' in thrown
    ? String(thrown.name)
    : typeof thrown;
}

/**
 * Whether the connection is dead while the database may be well: a closed connection (InvalidStateError), or a database
 * process that went away, which WebKit says in words ("Connection to Indexed Database server lost").
 */
export function isConnectionLoss(thrown: unknown): boolean {
  const cause = thrown instanceof TransactionFailure ? thrown.cause : thrown;
  if (nameOf(cause) === 'InvalidStateError') return true;
  return nameOf(cause) === 'UnknownError' && /connection|server lost|backing store/i.test(messageOf(cause));
}

const openCodes: Readonly<Record<string, ErrorCode>> = {
  QuotaExceededError: 'state/quota-exceeded',
  VersionError: 'state/version-too-new',
};

const codes: Readonly<Record<string, ErrorCode>> = {
  QuotaExceededError: 'state/quota-exceeded',
  DataCloneError: 'state/not-cloneable',
};

/** An error of opening: `state/quota-exceeded`, `state/version-too-new` or `state/storage-unavailable`. */
export function toOpenError(thrown: unknown, store: string): CodedError {
  if (isCodedError(thrown)) return thrown;
  const name = nameOf(thrown);
  const code = openCodes[name] ?? 'state/storage-unavailable';
  return new CodedError(code, `the database ${store} cannot be opened: ${messageOf(thrown) || name}`, {
    fields: { store, reason: name },
    cause: thrown,
  });
}

/** An error of a read (`state/read-failed`) or a write (`state/write-failed`), or the more exact code for its cause. */
export function toAccessError(
  thrown: unknown,
  store: string,
  fallback: 'state/read-failed' | 'state/write-failed',
): CodedError {
  if (isCodedError(thrown)) return thrown;
  const isFailure = thrown instanceof TransactionFailure;
  const outcome: Outcome = isFailure ? thrown.outcome : 'not-applied';
  const cause = isFailure ? thrown.cause : thrown;
  // our own reason for an abort, a cancellation for example, says it all, if nothing was applied
  if (isCodedError(cause) && outcome === 'not-applied') return cause;
  const reason = nameOf(cause);
  const code = outcome === 'not-applied' ? (codes[reason] ?? fallback) : fallback;
  const verb = fallback === 'state/read-failed' ? 'read' : 'write';
  return new CodedError(code, `a ${verb} of ${store} failed: ${messageOf(cause) || reason}`, {
    fields: { store, reason, outcome },
    cause,
    isRetryable: code === fallback && outcome === 'not-applied',
  });
}
