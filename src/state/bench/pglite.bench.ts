/** The store in Postgres, in a worker's private files: what a write costs there, to stand beside the rows of the others. */
import { openPgliteStore } from '../../pglite.ts';
import { kilobyte, reportTimes, timed } from './measure.bench.ts';
import type { Bench } from './measure.bench.ts';

const iterations = 40;

/** Runs in a worker; starting Postgres takes seconds. */
export async function benchPglite(bench: Bench): Promise<void> {
  const store = await openPgliteStore({ dataDir: `opfs-ahp://bench-${crypto.randomUUID()}` });
  try {
    const times: number[] = [];
    for (let index = 0; index < iterations; index++) {
      const write = { type: 'put', key: ['bench', `key-${index % 10}`], value: kilobyte } as const;
      times.push(await timed(() => store.commit([write], { durability: 'strict' })));
    }
    reportTimes(bench, { name: 'put 1 KB, strict, in PGlite' }, times.slice(iterations / 4));
  } finally {
    await store.close();
  }
}
