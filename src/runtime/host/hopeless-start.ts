/** Which failures of a restart no further restart can mend: they end the module, and not its neighbours with it. */
import { isCodedError } from '../../base/index.ts';
import type { ErrorCode } from '../../base/index.ts';

/** The class is not there, or does not take what the page has of the module: the next start is told the same. */
const hopeless: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'actor/kind-not-found',
  'runtime/module-class-invalid',
  'runtime/module-not-found',
  'runtime/module-url-refused',
  'runtime/state-migration-failed',
  'runtime/too-many-versions',
  'runtime/version-invalid',
  'runtime/version-not-found',
  'program/constraint-violated',
  'program/state-invalid',
  'program/state-missing',
]);

/**
 * @param restartsLeft of the supervisor: a constructor that throws may not throw again, and is tried for as long as that costs nobody else.
 *   A file that does not come is not asked for in a burst
 */
export function isHopeless(error: unknown, restartsLeft: number): boolean {
  if (!isCodedError(error)) return false;
  if (hopeless.has(error.code)) return true;
  if (error.code !== 'runtime/module-load-failed') return false;
  return error.fields['url'] !== undefined || restartsLeft === 0;
}
