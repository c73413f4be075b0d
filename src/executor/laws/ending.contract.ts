/** How programs that misbehave must end, in any language. */
import { expect } from 'vitest';
import type { Outcome } from '../outcome.ts';

/** The time that a hostile program gets which never ends by itself. */
export const hostileMs = 500;

/** It was stopped by the clock. */
export function isTimeout(outcome: Outcome): void {
  expect(outcome).toMatchObject({ type: 'exceeded', limit: 'time', allowed: hostileMs });
  expect(outcome.durationMs).toBeGreaterThanOrEqual(hostileMs - 10);
  expect(outcome.durationMs).toBeLessThan(5000);
}

/** It was stopped by the clock, and only the end of its interpreter stopped it. */
export function isTimeoutThatKills(outcome: Outcome): void {
  isTimeout(outcome);
  expect(outcome.isSandboxLost).toBe(true);
}

/** It ran out of memory, and that was seen. */
export function isMemory(outcome: Outcome): void {
  expect(outcome).toMatchObject({ type: 'exceeded', limit: 'memory', allowed: 256 * 2 ** 20 });
}

/** Everything that may be printed was, and not more. */
export function isFlood(outcome: Outcome): void {
  expect(outcome).toMatchObject({ type: 'exceeded', limit: 'output', allowed: 2 ** 20 });
  expect(outcome.stdout.length).toBeGreaterThan(2 ** 20 - 20_000);
  expect(outcome.stdout.length).toBeLessThanOrEqual(2 ** 20);
}

/** The guest ended its interpreter. */
export function isDeath(outcome: Outcome): void {
  expect(outcome).toMatchObject({ type: 'failed', code: 'executor/interpreter-died', isSandboxLost: true });
}

/** An ordinary exception of the guest's own. */
export const isThrown =
  (error: Readonly<Record<string, unknown>>) =>
  (outcome: Outcome): void =>
    expect(outcome).toMatchObject({ type: 'threw', error });

/** The code was refused before it ran. */
export const isRefused =
  (place: Readonly<Record<string, unknown>>) =>
  (outcome: Outcome): void =>
    expect(outcome).toMatchObject({ type: 'syntax-error', ...place });

/** The value was larger than it may be. */
export function isTooLarge(outcome: Outcome): void {
  expect(outcome).toMatchObject({ type: 'exceeded', limit: 'result', allowed: 16 * 2 ** 20 });
}

/** The guest has spent the interpreter's own stack: its error, and the interpreter's end. */
export function isStackSpent(outcome: Outcome): void {
  expect(outcome).toMatchObject({ type: 'threw', error: { type: 'RecursionError' }, isSandboxLost: true });
}

/** A compiler may refuse what is too deep for it, or spend its stack. */
export function isSyntaxErrorOrSpent(outcome: Outcome): void {
  if (outcome.type !== 'syntax-error') isStackSpent(outcome);
}

/** A compiler may refuse what is too deep for it, or end. */
export function isSyntaxErrorOrFailed(outcome: Outcome): void {
  expect(outcome.type).toMatch(/syntax-error|failed/u);
}

/** One request beyond all memory may be refused as such, or as an error of the language. */
export function isMemoryOrThrown(outcome: Outcome): void {
  if (outcome.type === 'threw') expect(outcome.error.type).toMatch(/^(RangeError|InternalError)$/u);
  else isMemory(outcome);
}

/** Whatever it made of it, it ended. */
export function isReturnedOrThrown(outcome: Outcome): void {
  expect(outcome.type).toMatch(/^(returned|threw)$/u);
}
