/** Mistakes of ours, not of the caller. */
import { CodedError } from './error.ts';

/** Closes a switch over a union; the compiler proves that it cannot be reached. */
export function unreachable(value: never): never {
  throw new CodedError('base/invariant', `unexpected case: ${JSON.stringify(value)}`);
}
