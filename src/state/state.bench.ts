/** `npm run bench -- state`: the stores and what is built on them beside the bare platform, interleaved, in one page. */
import { benchFiles } from './bench/file.bench.ts';
import { benchGrowth } from './bench/growth.bench.ts';
import type { Bench, StateBenchOptions, StateBenchRow } from './bench/measure.bench.ts';
import { benchSnapshots } from './bench/snapshot.bench.ts';
import { benchVersions } from './bench/version.bench.ts';
import { benchWrites } from './bench/write.bench.ts';

/** Reports one row per figure. Runs in a page. */
export async function benchState(
  report: (row: StateBenchRow) => void,
  options: StateBenchOptions = {},
): Promise<void> {
  const { sabotage = false, growth = false, isSmall = false, plot = () => undefined } = options;
  const bench: Bench = { report, plot, sabotage, growth, isSmall, rounds: isSmall ? 3 : 5 };
  await benchWrites(bench);
  await benchVersions(bench);
  await benchSnapshots(bench);
  await benchFiles(bench);
  await benchGrowth(bench);
}
