/** What all compositions share: how many parts run at once, what a failed part means, and how it is told. */
import { CodedError, isCodedError, messageOf } from '../../base/index.ts';
import type { Json, JsonObject } from '../../base/index.ts';
import { programLimits } from '../limits.ts';
import type { Module } from '../module.ts';

/**
 * What a failed part means. `fail`: the rest is cancelled and the call fails with that error. `skip`: it is left out of the
 * answer. `collect`: the answer says of each part how it ended.
 */
export type FailureMode = 'fail' | 'skip' | 'collect';

export interface ComposeOptions<Mode extends FailureMode = FailureMode> {
  /** Parts that run at once. Default 8; at most 1,024. */
  readonly maxConcurrency?: number | undefined;
  /** Default `fail`. */
  readonly onFailure?: Mode | undefined;
}

/** Why a part failed, as plain data. What was thrown without a code has `program/forward-failed`. */
export interface PartFailure {
  readonly code: string;
  readonly message: string;
  readonly fields: Readonly<Record<string, Json>>;
}

/** How one part ended. */
export type PartOutcome<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: PartFailure };

export function toPartFailure(thrown: unknown): PartFailure {
  if (!isCodedError(thrown))
    return { code: 'program/forward-failed', message: messageOf(thrown), fields: {} };
  const { code, message, fields } = thrown;
  return { code, message, fields };
}

/** With the failure as plain data. */
export function toPartOutcome<T>(
  outcome: { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: unknown },
): PartOutcome<T> {
  return outcome.ok ? outcome : { ok: false, error: toPartFailure(outcome.error) };
}

/** The options with defaults, as data. @throws `program/composition-invalid` */
export function checkedOptions<Mode extends FailureMode>(
  { maxConcurrency = programLimits.concurrency, onFailure }: ComposeOptions<Mode>,
  allowed: readonly [Mode, ...Mode[]],
): { readonly maxConcurrency: number; readonly onFailure: Mode } {
  const { maxConcurrency: limit } = programLimits;
  if (!Number.isInteger(maxConcurrency) || maxConcurrency < 1 || maxConcurrency > limit) {
    throw invalid('maxConcurrency', maxConcurrency, `an integer from 1 to ${limit}`);
  }
  const mode = onFailure ?? allowed[0];
  if (!allowed.includes(mode)) throw invalid('onFailure', mode, allowed.join(', '));
  return { maxConcurrency, onFailure: mode };
}

/** @throws `program/composition-invalid` unless there is at least one part and each is a module */
export function assertParts(
  name: string,
  parts: readonly Module[],
  isModule: (value: unknown) => boolean,
): void {
  if (parts.length === 0) throw invalid(name, 'empty', 'at least one module');
  const wrong = parts.findIndex((part) => !isModule(part));
  if (wrong >= 0) throw invalid(`${name}, number ${wrong + 1}`, typeof parts[wrong], 'a module');
}

export function invalid(name: string, value: unknown, expected: string): CodedError {
  const shown = typeof value === 'number' ? value : String(value);
  return new CodedError('program/composition-invalid', `${name} is ${shown}, expected ${expected}`, {
    fields: { name, value: String(value), expected } satisfies JsonObject,
  });
}
