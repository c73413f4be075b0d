/** What an outcome is to somebody who expects an answer or an exception. */
import { CodedError, unreachable } from '../../../../base/index.ts';
import type { Outcome, Restored } from '../../../outcome.ts';
import type { UnsavedFile } from './python-interpreter.ts';

/** What was printed before goes along, up to so many characters. */
const shownLength = 4096;

type Bad = Exclude<Outcome, { type: 'returned' | 'submitted' }>;

/** As an error's fields hold it. */
const fieldsOf = ({ names, lost, missedRuns }: Restored) => ({
  names: [...names],
  lost: lost.map(({ name, reason }) => ({ name, reason })),
  missedRuns,
});

/** For a call that came before the interpreter was shut down, and had not begun. */
export function shutDown(): CodedError {
  return new CodedError('executor/python-stopped', 'the interpreter was shut down', {
    fields: { limit: 'none', stdout: '', stderr: '', isStateLost: true },
  });
}

/** Beside the outcome itself. */
export interface Aftermath {
  /** Files that could not be written back. */
  readonly unsavedFiles?: readonly UnsavedFile[];
  /** The interpreter was lost, during the call or after it. */
  readonly isLost?: boolean;
  /** Of the caller's own variables. */
  readonly restored?: Restored | undefined;
}

export function errorOf(
  outcome: Outcome,
  { unsavedFiles = [], isLost = outcome.isSandboxLost, restored }: Aftermath = {},
): CodedError {
  const bad = outcome as Bad;
  const printed = {
    stdout: bad.stdout.slice(-shownLength),
    stderr: bad.stderr.slice(-shownLength),
    isStateLost: isLost && (restored?.names.length ?? 0) === 0,
    ...(restored ? { restored: fieldsOf(restored) } : {}),
    ...(unsavedFiles.length > 0
      ? { unsavedFiles: unsavedFiles.map(({ path, reason }) => ({ path, reason })) }
      : {}),
  };
  switch (bad.type) {
    case 'syntax-error': {
      const { message, line, column } = bad;
      return new CodedError('executor/python-syntax', `Invalid Python syntax. message: ${message}`, {
        fields: { message, line, column, ...printed },
      });
    }
    case 'threw': {
      const { type, message, traceback, line, file } = bad.error;
      const where = file === undefined ? { line } : { line, file };
      return new CodedError('executor/python-threw', message === '' ? type : `${type}: ${message}`, {
        fields: { type, message, traceback, ...where, ...printed },
      });
    }
    case 'exceeded': {
      const { limit, allowed } = bad;
      return new CodedError(
        'executor/python-stopped',
        `the code went beyond its limit of ${limit}: ${allowed}`,
        {
          fields: { limit, allowed, ...printed },
        },
      );
    }
    case 'cancelled':
      return new CodedError('executor/python-stopped', 'the code was stopped', {
        fields: { limit: 'none', ...printed },
      });
    case 'denied': {
      const { permission, name, rule, line } = bad;
      return new CodedError('executor/denied', `the policy denies ${permission} ${name} (rule ${rule})`, {
        fields: { permission, name, rule, line, ...printed },
      });
    }
    case 'failed':
      return new CodedError(bad.code, bad.message, { fields: printed, isRetryable: true });
    default:
      return unreachable(bad);
  }
}
