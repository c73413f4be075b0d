import fc from 'fast-check';
import { expect, test } from 'vitest';
import { acceptsDescribed } from './accepts-described.ts';
import { describe } from './describe.ts';
import { Module } from './module.ts';
import { Parameter } from './parameter.ts';
import type { Constraints } from './constraint.ts';

function descriptionOf(constraints: Constraints<number>) {
  class Limited extends Module {
    limit: Parameter<number> = new Parameter<number>({ type: 'number', value: 5, constraints });
  }
  const module = new Limited();
  return { limit: module.limit, description: describe(module).parameters[0]! };
}

test('whatever is accepted by the description is accepted by the parameter', () => {
  const bound = fc.option(fc.oneof(fc.integer({ min: -20, max: 5 }), fc.constant(-Infinity)), {
    nil: undefined,
  });
  const value = fc.oneof(fc.integer({ min: -30, max: 30 }), fc.double(), fc.constant('7'), fc.constant(null));
  fc.assert(
    fc.property(bound, fc.boolean(), value, (min, isInteger, candidate) => {
      const { limit, description } = descriptionOf({
        ...(min === undefined ? {} : { min }),
        ...(isInteger ? { type: 'integer' } : {}),
      });
      if (!acceptsDescribed(description, candidate)) return;
      limit.set(candidate as number);
      expect(limit.value).toBe(candidate);
    }),
  );
});

test('plain constraints are judged by their description', () => {
  const { description } = descriptionOf({ min: 0, max: 10 });
  expect([-1, 0, 10, 11, '5', NaN].map((value) => acceptsDescribed(description, value))).toEqual([
    false,
    true,
    true,
    false,
    false,
    false,
  ]);
});

test('what a description cannot tell whole is left to the parameter', () => {
  expect(acceptsDescribed(descriptionOf({ custom: () => true }).description, 5)).toBe(false);
  expect(acceptsDescribed(descriptionOf({ oneOf: [5, 6] }).description, 5)).toBe(false);
});
