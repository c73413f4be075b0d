import { expect, test } from 'vitest';
import type { StateBenchPlot, StateBenchRow } from './bench/measure.bench.ts';
import { measureAcknowledgements } from './bench/write.bench.ts';
import { benchState } from './state.bench.ts';

interface Told {
  readonly rows: readonly StateBenchRow[];
  readonly plots: readonly StateBenchPlot[];
}

async function run(sabotage: boolean): Promise<Told> {
  const [rows, plots]: [StateBenchRow[], StateBenchPlot[]] = [[], []];
  await benchState((row) => rows.push(row), {
    sabotage,
    isSmall: true,
    plot: (plot) => plots.push(plot),
  });
  return { rows, plots };
}

const isShort = ({ ours, beside = 1, goal = Infinity }: StateBenchRow): boolean => ours / beside > goal;

test(
  'every row is measured, and work done badly falls short where it matters most',
  { timeout: 240_000 },
  async () => {
    const [good, bad] = [await run(false), await run(true)];
    const nameOf = ({ name }: StateBenchRow): string => name.replace(/\d+ entries/u, 'n entries');
    expect(good.rows.map(nameOf)).toEqual(bad.rows.map(nameOf));
    for (const { ours, beside = 1, goal = 1, spread = [] } of [...good.rows, ...bad.rows]) {
      for (const figure of [beside, goal, ...spread]) expect(figure).toBeGreaterThan(0);
      expect(ours).not.toBeNaN();
    }
    // several times as slow, so no load of the machine hides it
    const worst = [
      '100 writers of 1 KB at once, strict',
      'load of the latest of 100 versions of 1 KB, verified',
    ];
    expect(bad.rows.filter(isShort).map(({ name }) => name)).toEqual(expect.arrayContaining(worst));
    const [plot] = good.plots;
    expect(plot?.points.every(({ x, y }) => x > 0 && y > 0)).toBe(true);
    expect(new Set(plot?.points.map(({ series }) => series)).size).toBe(6);
  },
);

test('the three levels of acknowledgement are timed', async () => {
  const times = await measureAcknowledgements(20);
  expect(times.map(({ level }) => level)).toEqual(['memory', 'relaxed', 'strict']);
  for (const { p50Ms, p95Ms } of times) expect(p95Ms).toBeGreaterThanOrEqual(p50Ms);
});
