import { expect, test } from 'vitest';
import { benchState, measureAcknowledgements } from './state.bench.ts';
import type { StateBenchRow } from './state.bench.ts';

async function rowsOf(sabotage: boolean): Promise<readonly StateBenchRow[]> {
  const rows: StateBenchRow[] = [];
  await benchState((row) => rows.push(row), { sabotage, rounds: 3, iterations: 4, versionCount: 50 });
  return rows;
}

test(
  'every row is measured, and work done badly falls short where it matters most',
  { timeout: 120_000 },
  async () => {
    const [good, bad] = [await rowsOf(false), await rowsOf(true)];
    expect(good.map(({ name }) => name)).toEqual(bad.map(({ name }) => name));
    for (const { ours, beside, goal, spread } of [...good, ...bad]) {
      for (const figure of [ours, beside, goal, ...spread]) expect(figure).toBeGreaterThan(0);
    }
    const group = bad.find(({ name }) => name.includes('writers'));
    // one transaction per writer: about ten times slower, so no load of the machine hides it
    expect((group?.ours ?? 0) / (group?.beside ?? 1)).toBeGreaterThan(group?.goal ?? Infinity);
  },
);

test('the three levels of acknowledgement are timed', async () => {
  const times = await measureAcknowledgements(20);
  expect(times.map(({ level }) => level)).toEqual(['memory', 'relaxed', 'strict']);
  for (const { p50Ms, p95Ms } of times) expect(p95Ms).toBeGreaterThanOrEqual(p50Ms);
});
