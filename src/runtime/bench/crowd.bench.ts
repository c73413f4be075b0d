/** Many modules: how fast they start, what they weigh, and how soon they are back when their worker is lost. */
import { createHub } from '../../telemetry/index.ts';
import type { ModuleHandle } from '../handle/handle.ts';
import type { BenchCounter } from './bench-modules.ts';
import { quantile, rounds, samples, timed } from './measure.bench.ts';
import type { Bench } from './measure.bench.ts';
import { createBenchRuntime } from './scene.bench.ts';

type Counter = ModuleHandle<BenchCounter>;

const warmStarts = 200;
const startsAtOnce = 50;
const fewModules = 1_000;
const manyModules = 5_000;
const modulesPerWorker = 100;

async function startMany(bench: Bench, count: number): Promise<Counter[]> {
  const handles: Counter[] = [];
  while (handles.length < count) {
    const some = Math.min(startsAtOnce, count - handles.length);
    handles.push(...(await Promise.all(Array.from({ length: some }, () => bench.runtime.start('counter')))));
  }
  return handles;
}

/** One after the other in a warm pool, then a thousand. Sabotaged, each has a worker of its own, or comes twice. */
export async function benchStart(bench: Bench): Promise<Counter[]> {
  const begun: Counter[] = [];
  const isolation = bench.sabotage ? 'dedicated' : 'shared';
  const starts = await samples(async () => {
    begun.push(await bench.runtime.start('counter', { isolation }));
    if (bench.sabotage) await begun.pop()?.stop();
  }, warmStarts);
  await Promise.all(begun.map((handle) => handle.stop()));
  bench.report({
    name: 'start of a module in a warm pool, p95',
    ours: quantile(starts, 0.95),
    unit: 'ms',
    goal: 10,
  });
  const handles: Counter[] = [];
  const elapsedMs = await timed(async () => {
    handles.push(...(await startMany(bench, fewModules)));
    if (bench.sabotage) for (const handle of await startMany(bench, fewModules)) await handle.stop();
  });
  bench.report({
    name: `${fewModules.toLocaleString('en')} modules started`,
    ours: elapsedMs,
    unit: 'ms',
    goal: 1_500,
  });
  return handles;
}

/** Page and workers, after their garbage was collected. */
async function retainedBytes(bench: Bench, collectors: readonly ModuleHandle[]): Promise<number> {
  const { gc } = globalThis as { gc?: () => void };
  const measure = (performance as { measureUserAgentSpecificMemory?: () => Promise<{ bytes: number }> })
    .measureUserAgentSpecificMemory;
  if (!gc || !measure) throw new Error('the browser lets nobody collect garbage or measure memory');
  for (let pass = 0; pass < 3; pass++) {
    await Promise.all(collectors.map((collector) => collector.call(null)));
    gc();
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  return (await measure.call(performance)).bytes;
}

/** The slope from 1,000 to 5,000 idle modules. Sabotaged, their histories are not empty. */
export async function benchMemory(bench: Bench, few: readonly Counter[]): Promise<void> {
  const collectors = await startCollectors(bench);
  const before = await retainedBytes(bench, collectors);
  const more = await startMany(bench, manyModules - few.length);
  if (bench.sabotage) await Promise.all(more.map((handle) => fill(handle)));
  const after = await retainedBytes(bench, collectors);
  bench.report({
    name: 'retained memory of page and workers per idle module, slope from 1,000 to 5,000, after collections in each (gc())',
    ours: (after - before) / more.length / 1024,
    unit: 'KiB',
    goal: 64,
  });
  const all = [...few, ...more];
  const answers = await Promise.allSettled(all.map((handle) => handle.call({ by: 1 })));
  bench.report({
    name: `of ${all.length.toLocaleString('en')} modules alive, those that did not answer`,
    ours: answers.filter(({ status }) => status === 'rejected').length,
    unit: '',
    goal: 0,
  });
}

/** Garbage is collected worker by worker: one module in each. */
async function startCollectors(bench: Bench): Promise<readonly ModuleHandle[]> {
  const collectors = new Map<string | undefined, ModuleHandle>();
  const { length } = bench.runtime.inspect().workers;
  for (let tries = 0; collectors.size < length && tries < 10 * length; tries++) {
    const collector = await bench.runtime.start('collector');
    collectors.set(collector.worker, collector as unknown as ModuleHandle);
  }
  return [...collectors.values()];
}

async function fill(handle: Counter): Promise<void> {
  await handle.call({ by: 1, ballast: 'x'.repeat(64 * 1024) } as { by: number });
}

/** From the moment at which the runtime knew that a worker was gone. Sabotaged, somebody dawdles. */
export async function benchRestart(bench: Bench): Promise<void> {
  const hub = createHub();
  const runtime = createBenchRuntime({
    poolSize: 1,
    hub,
    restartLimits: { maxRestarts: 1_000, maxSeconds: 1 },
  });
  let lostAtMs = 0;
  const leave = hub.subscribe(({ type }) => {
    if (type === 'worker-lost') lostAtMs = performance.now();
  });
  const handles = await Promise.all(Array.from({ length: modulesPerWorker }, () => runtime.start('counter')));
  await Promise.all(handles.map((handle) => handle.parameters.total.set(5, { level: 'memory' })));
  const outagesMs: number[] = [];
  for (let round = 0; round < 2 * rounds; round++) {
    runtime.killWorkerOf((handles[0] as Counter).id);
    const answers = await Promise.all(
      handles.map((handle) => handle.call({ by: 1 }, { isIdempotent: true })),
    );
    if (bench.sabotage) await new Promise((resolve) => setTimeout(resolve, 200));
    outagesMs.push(performance.now() - lostAtMs);
    if (answers.some(({ total }) => total !== 6)) throw new Error('a module came back without its state');
  }
  const sorted = outagesMs.toSorted((a, b) => a - b);
  const name = `${modulesPerWorker} modules of one worker serve again, from the detection of its loss`;
  bench.report({ name: `${name}, p50`, ours: quantile(sorted, 0.5), unit: 'ms', goal: 150 });
  bench.report({ name: `${name}, worst`, ours: quantile(sorted, 1), unit: 'ms' });
  leave();
  await runtime.close();
}
