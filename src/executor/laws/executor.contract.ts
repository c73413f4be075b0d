/* oxlint-disable vitest/valid-title -- laws are run by describeExecutor */
/** The laws of `Executor` over Python: what every way of making one must pass. */
import { describe } from 'vitest';
import { executionLaws } from './execution.contract.ts';
import { limitLaws } from './limit.contract.ts';
import type { OpenExecutor } from './open-executor.contract.ts';
import { outcomeLaws } from './outcome.contract.ts';
import { sessionLaws } from './session.contract.ts';
import { valueLaws } from './value.contract.ts';

export type { OpenExecutor } from './open-executor.contract.ts';

/** The laws but those of {@link describeExecutorLimits}. @param open makes an executor of the kind under test */
export function describeExecutor(name: string, open: OpenExecutor): void {
  describe(name, () => {
    describe('values', () => {
      valueLaws(open);
    });
    describe('outcomes', () => {
      outcomeLaws(open);
    });
    describe('one-shot runs', () => {
      executionLaws(open);
    });
    describe('sessions', () => {
      sessionLaws(open);
    });
  });
}

/**
 * The hostile programs, a minute or more. To be left out only for an executor that differs from one that passed them in
 * nothing but how its frame comes about.
 */
export function describeExecutorLimits(name: string, open: OpenExecutor): void {
  describe(`${name}: limits`, () => {
    limitLaws(open);
  });
}
