/* oxlint-disable vitest/valid-title -- laws are run by describeExecutor */
/** The laws of `Executor`: what every language, and every way of making an executor, must pass. */
import { describe } from 'vitest';
import { pythonSpelling } from '../language/python/python-spelling.contract.ts';
import { badInputLaws } from './bad-input.contract.ts';
import { capabilityLaws } from './capability.contract.ts';
import { displayLaws } from './display.contract.ts';
import { executionLaws } from './execution.contract.ts';
import { limitLaws } from './limit.contract.ts';
import type { OpenExecutor } from './open-executor.contract.ts';
import { outcomeLaws } from './outcome.contract.ts';
import { sessionLaws } from './session.contract.ts';
import type { Spelling } from './spelling.contract.ts';
import { surroundingLaws } from './surroundings.contract.ts';
import { toolLaws } from './tool.contract.ts';
import { valueLaws } from './value.contract.ts';

export type { OpenExecutor } from './open-executor.contract.ts';
export type { Spelling } from './spelling.contract.ts';

/**
 * The laws but those of {@link describeExecutorLimits}.
 * @param open makes an executor of the kind under test
 * @param spelling the laws' programs in its language; default: Python's
 */
export function describeExecutor(
  name: string,
  open: OpenExecutor,
  spelling: Spelling = pythonSpelling,
): void {
  describe(name, () => {
    describe('capabilities', () => {
      capabilityLaws(open, spelling);
    });
    describe('values', () => {
      valueLaws(open, spelling);
    });
    describe('outcomes', () => {
      outcomeLaws(open, spelling);
    });
    describe('one-shot runs', () => {
      executionLaws(open, spelling);
    });
    describe('sessions', () => {
      sessionLaws(open, spelling);
    });
    describe('tools', () => {
      toolLaws(open, spelling);
    });
    describe('surroundings', () => {
      surroundingLaws(open, spelling);
    });
    describe('bad input', () => {
      badInputLaws(open, spelling);
    });
    describe('rich values', () => {
      displayLaws(open, spelling);
    });
  });
}

/**
 * The hostile programs, a minute or more. To be left out only for an executor that differs from one that passed them in
 * nothing but how its frame comes about.
 */
export function describeExecutorLimits(
  name: string,
  open: OpenExecutor,
  spelling: Spelling = pythonSpelling,
): void {
  describe(`${name}: limits`, () => {
    limitLaws(open, spelling);
  });
}
