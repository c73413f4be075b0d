/** Judges a value by what a parameter says of itself, where the parameter is not at hand. */
import type { ConstraintName, Constraints } from './constraint.ts';
import { findViolation } from './constraint.ts';
import type { ParameterDescription } from './describe.ts';

/** Constraints that a description tells whole: `custom` is code, and the values of `oneOf` are shortened. */
const toldWhole: readonly string[] = ['min', 'max', 'type', 'shape'] satisfies ConstraintName[];

/**
 * True when the description shows that the parameter takes `value`. False when it would not, or when only the parameter
 * itself can tell.
 */
export function acceptsDescribed(
  { type, constraints }: Pick<ParameterDescription, 'type' | 'constraints'>,
  value: unknown,
): boolean {
  if (Object.keys(constraints).some((name) => !toldWhole.includes(name))) return false;
  return findViolation(type, constraints as Constraints, value) === undefined;
}
