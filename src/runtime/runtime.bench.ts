/** `npm run bench -- runtime`: what a hosted module costs beside the bare platform, both in one run. */
import { openIndexedDbStore } from '../state/index.ts';
import { benchCalls } from './bench/calls.bench.ts';
import { benchMemory, benchRestart, benchStart } from './bench/crowd.bench.ts';
import type { Bench, Row } from './bench/measure.bench.ts';
import { benchRestore } from './bench/restore.bench.ts';
import { createBenchRuntime } from './bench/scene.bench.ts';
import { benchStore } from './bench/store.bench.ts';

/** Nobody listens on the hub while reads, writes and calls are measured. */
export async function benchRuntime(
  report: (row: Row) => void,
  { sabotage }: { sabotage: boolean },
): Promise<void> {
  const store = await openIndexedDbStore({ name: `bench-${crypto.randomUUID()}` });
  const runtime = createBenchRuntime({ store, limits: { maxRegisteredModules: 20_000 } });
  await runtime.warm();
  const bench: Bench = { report, sabotage, runtime };
  const handles = await benchStart(bench);
  await benchCalls(bench, handles);
  await benchStore(bench, handles);
  await benchRestore(bench, handles);
  await benchMemory(bench, handles);
  await runtime.close();
  await store[Symbol.asyncDispose]();
  await benchRestart(bench);
}
