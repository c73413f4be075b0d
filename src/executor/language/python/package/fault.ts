/** What goes wrong with packages, as coded errors. */
import { CodedError } from '../../../../base/index.ts';

/** Texts of files and indexes are shown cut: they come from anywhere. */
const shownLength = 200;

/** Something that is no package, or none for this Python. */
export function invalidPackage(field: string, expected: string, found: string): CodedError {
  const shown = found.slice(0, shownLength);
  return new CodedError(
    'executor/package-invalid',
    `${field.slice(0, shownLength)}: expected ${expected}, found ${shown}`,
    { fields: { field: field.slice(0, shownLength), expected, found: shown } },
  );
}

/** A bound of `ExecutorLimits` was reached. */
export function beyondLimit(limit: string, allowed: number, what: string): CodedError {
  return new CodedError('executor/package-limit', `${what}: more than ${allowed} (limit ${limit})`, {
    fields: { limit, allowed },
  });
}

/** Nothing fits a requirement. */
export function packageNotFound(requirement: string, why: string): CodedError {
  const shown = requirement.slice(0, shownLength);
  return new CodedError('executor/package-not-found', `${shown}: ${why}`, {
    fields: { requirement: shown, why },
  });
}
