import fc from 'fast-check';
import { expect, test } from 'vitest';

test('a property that is false for one input in ten is found, and its seed named', () => {
  const check = () =>
    fc.assert(
      fc.property(fc.nat(9), (n) => n !== 7),
      { numRuns: 1000 },
    );
  // sabotaged, the false property stands by itself
  if (import.meta.env.PROPERTY_SABOTAGE) check();
  expect(check).toThrow(/seed: -?\d+/);
});

test('each run draws anew, unless a seed is set', () => {
  const draw = () => fc.sample(fc.integer(), 10).join(' ');
  expect(draw() === draw()).toBe(import.meta.env.PROPERTY_SEED !== undefined);
});
