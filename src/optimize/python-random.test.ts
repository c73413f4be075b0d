/** Every draw of fixtures/dspy/python-random.json, made by CPython itself, must come out the same. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import fixture from '../../fixtures/dspy/python-random.json' with { type: 'json' };
import { PythonRandom } from './python-random.ts';

interface Draw {
  readonly call: string;
  readonly limit?: number;
  readonly length?: number;
  readonly count?: number;
  readonly result: unknown;
}

function draw(random: PythonRandom, { call, limit = 0, length = 0, count = 0 }: Draw): unknown {
  const items = Array.from({ length }, (_, index) => index);
  if (call === 'random') return random.random();
  if (call === 'below') return random.below(limit);
  if (call === 'sample') return random.sample(items, count);
  if (call === 'choice') return random.choice(items);
  if (call === 'skip') {
    for (let at = 0; at < count; at += 1) random.random();
    return random.random();
  }
  random.shuffle(items);
  return items;
}

describe("Python's random", () => {
  it.each(fixture.cases.map((one) => [one.seed, one.calls] as const))(
    'seed %d draws as in Python',
    (seed, calls) => {
      expect(calls.length).toBeGreaterThan(30);
      const random = new PythonRandom(seed);
      for (const call of calls as readonly Draw[]) expect(draw(random, call)).toEqual(call.result);
    },
  );

  it('a sample has the count asked for, each place once, and leaves the list as it was', () => {
    fc.assert(
      fc.property(fc.nat(400), fc.nat(), fc.maxSafeInteger(), (length, any, seed) => {
        const items = Array.from({ length }, (_, index) => index);
        const count = any % (length + 1);
        const sample = new PythonRandom(seed).sample(items, count);
        expect(new Set(sample).size).toBe(count);
        expect(sample.every((item) => item < length)).toBe(true);
        expect(items).toEqual(Array.from({ length }, (_, index) => index));
        expect(new PythonRandom(-seed).sample(items, count)).toEqual(sample);
      }),
    );
  });

  it.each([
    ['a seed that is no integer', () => new PythonRandom(0.5)],
    ['a seed beyond 2^53', () => new PythonRandom(2 ** 53)],
    ['a limit of 0', () => new PythonRandom(0).below(0)],
    ['a choice from nothing', () => new PythonRandom(0).choice([])],
    ['a sample larger than the list', () => new PythonRandom(0).sample([1, 2], 3)],
    ['a negative sample', () => new PythonRandom(0).sample([1, 2], -1)],
  ])('%s is refused', (_, act) => {
    expect(act).toThrow(expect.objectContaining({ code: 'optimize/option-invalid' }));
  });
});
