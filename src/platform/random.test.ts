import fc from 'fast-check';
import { expect, test } from 'vitest';
import { randomHex, seededRandom, systemRandom } from './random.ts';

test('a seed gives one sequence, and every number is in [0, 1)', () => {
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      const [a, b] = [seededRandom(seed), seededRandom(seed)];
      const numbers = Array.from({ length: 50 }, () => a.next());
      expect(Array.from({ length: 50 }, () => b.next())).toEqual(numbers);
      expect(numbers.every((number) => number >= 0 && number < 1)).toBe(true);
      expect(new Set(numbers).size).toBeGreaterThan(45);
    }),
  );
});

test.each([
  ['seeded', seededRandom(7)],
  ['system', systemRandom],
])('%s numbers are spread evenly: 16 bins, chi-squared below its 0.9999 quantile', (_, random) => {
  const draws = 16_000;
  const bins = Array.from({ length: 16 }, () => 0);
  for (let draw = 0; draw < draws; draw++) {
    const bin = Math.floor(random.next() * 16);
    bins[bin] = (bins[bin] ?? 0) + 1;
  }
  const expected = draws / 16;
  const chiSquared = bins.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
  expect(chiSquared).toBeLessThan(44.3);
});

test('hex has two digits for each byte, leading zeros kept', () => {
  const bytes = Uint8Array.of(0, 1, 16, 255);
  expect(randomHex({ next: () => 0, bytes: () => bytes }, 4)).toBe('000110ff');
  expect(randomHex(systemRandom, 16)).toMatch(/^[0-9a-f]{32}$/);
});

test('bytes of the system are each handed out once, however many are asked for', () => {
  const seen = new Set<string>();
  for (let draw = 0; draw < 2_000; draw++) seen.add(randomHex(systemRandom, 8));
  expect(seen.size).toBe(2_000);
  for (const length of [0, 1, 1_023, 1_024, 1_025, 4_096, 5_000]) {
    const bytes = systemRandom.bytes(length);
    expect(bytes).toHaveLength(length);
    const before = [...bytes];
    systemRandom.bytes(4_000);
    systemRandom.bytes(64);
    expect([...bytes]).toEqual(before);
  }
});
