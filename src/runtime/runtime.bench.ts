/** `npm run bench -- runtime`: what a hosted module costs beside the bare platform, both in one run. */
import { openIndexedDbStore } from '../state/index.ts';
import { createRuntime } from './runtime.ts';
import type { Runtime } from './runtime.ts';
import type { testModules } from './runtime-test-modules.ts';

interface Row {
  readonly name: string;
  readonly ours: number;
  readonly beside?: number;
  readonly unit: string;
  readonly goal?: number;
  readonly spread?: string;
}
type Report = (row: Row) => void;
type Work = () => Promise<unknown>;
type Bench = {
  readonly report: Report;
  readonly sabotage: boolean;
  readonly runtime: Runtime<typeof testModules>;
};

const rounds = 5;
const callsPerRound = 2000;

const quantile = (sorted: readonly number[], share: number): number =>
  sorted[Math.floor((sorted.length - 1) * share)] ?? NaN;
const median = (values: readonly number[]): number =>
  quantile(
    values.toSorted((a, b) => a - b),
    0.5,
  );

async function timed(work: Work): Promise<number> {
  const startedMs = performance.now();
  await work();
  return performance.now() - startedMs;
}

async function samples(work: Work, count: number): Promise<number[]> {
  const all: number[] = [];
  for (let index = 0; index < count; index++) all.push(await timed(work));
  return all.toSorted((a, b) => a - b);
}

/** Ours and the peer in turn, round by round: drift of the machine hits both. */
async function interleave(
  ours: Work,
  beside: Work,
  count: number,
): Promise<{ ours: number[][]; beside: number[][] }> {
  const result = { ours: [] as number[][], beside: [] as number[][] };
  await samples(ours, Math.min(count, 200));
  await samples(beside, Math.min(count, 200));
  for (let round = 0; round < rounds; round++) {
    result.beside.push(await samples(beside, count));
    result.ours.push(await samples(ours, count));
  }
  return result;
}

interface Judged {
  readonly name: string;
  readonly share: number;
  readonly goal?: number;
}

function reportPair(
  bench: Bench,
  measured: { ours: number[][]; beside: number[][] },
  { name, share, goal }: Judged,
): void {
  const ours = measured.ours.map((round) => quantile(round, share));
  const beside = measured.beside.map((round) => quantile(round, share));
  const ratios = ours.map((value, index) => value / (beside[index] as number));
  const spread = `${Math.min(...ratios).toFixed(2)}–${Math.max(...ratios).toFixed(2)}×`;
  bench.report({
    name,
    ours: median(ours) * 1000,
    beside: median(beside) * 1000,
    unit: 'µs',
    spread,
    ...(goal === undefined ? {} : { goal }),
  });
}

/** The tail as a ratio for comparison, and in milliseconds against the goal. */
function reportTail(bench: Bench, name: string, measured: { ours: number[][]; beside: number[][] }): void {
  reportPair(bench, measured, { name: `${name}, p99 beside the bare p99`, share: 0.99 });
  const ours = median(measured.ours.map((round) => quantile(round, 0.99)));
  bench.report({ name: `${name}, p99`, ours, unit: 'ms', goal: 1 });
}

/** With sabotage a handle asks twice for everything. */
const twice = (bench: Bench, work: Work): Work =>
  bench.sabotage ? async () => (await work(), work()) : work;

async function benchCalls(bench: Bench): Promise<void> {
  const counter = await bench.runtime.start('counter');
  const worker = new Worker(new URL('./raw-echo.worker.ts', import.meta.url), { type: 'module' });
  const raw: Work = () =>
    new Promise((resolve) => {
      worker.onmessage = resolve;
      worker.postMessage({ name: 'total', value: 1 });
    });
  let value = 0;
  const get = await interleave(
    twice(bench, () => counter.parameters.total.get()),
    raw,
    callsPerRound,
  );
  const set = await interleave(
    twice(bench, () => counter.parameters.total.set(value++ % 1000, { level: 'memory' })),
    raw,
    callsPerRound,
  );
  reportPair(bench, get, {
    name: 'get() through a handle, p50, beside a raw postMessage round trip',
    share: 0.5,
    goal: 2,
  });
  reportTail(bench, 'get()', get);
  reportPair(bench, set, {
    name: "set(…, 'memory'), p50, beside a raw postMessage round trip",
    share: 0.5,
    goal: 2,
  });
  reportTail(bench, "set(…, 'memory')", set);
  worker.terminate();
}

function openRaw(name: string): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(name, 1);
    request.onupgradeneeded = () => void request.result.createObjectStore('values');
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error as Error);
  });
}

function rawStrictPut(database: IDBDatabase, value: unknown): Promise<void> {
  return new Promise((resolve, reject) => {
    const transaction = database.transaction('values', 'readwrite', { durability: 'strict' });
    transaction.objectStore('values').put(value, 'total');
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error as Error);
  });
}

async function benchStrictSet(bench: Bench): Promise<void> {
  const counter = await bench.runtime.start('counter', { id: 'strict' });
  const database = await openRaw(`bench-raw-${crypto.randomUUID()}`);
  let value = 0;
  const strict = await interleave(
    twice(bench, () => counter.parameters.total.set(value++ % 1000)),
    () => rawStrictPut(database, counter.parameters.total.state),
    60,
  );
  reportPair(bench, strict, {
    name: 'strict set beside a raw strict IndexedDB put of the same value, p50',
    share: 0.5,
    goal: 1.5,
  });
  database.close();
}

async function benchStart(bench: Bench): Promise<void> {
  const starts = await samples(async () => {
    await bench.runtime.start('counter');
    if (bench.sabotage) await (await bench.runtime.start('counter', { isolation: 'dedicated' })).stop();
  }, 50);
  bench.report({
    name: 'start of a module in a warm pool, p95',
    ours: quantile(starts, 0.95),
    unit: 'ms',
    goal: 10,
  });
}

async function memoryBytes(): Promise<number | undefined> {
  const measure = (performance as { measureUserAgentSpecificMemory?: () => Promise<{ bytes: number }> })
    .measureUserAgentSpecificMemory;
  return measure ? (await measure.call(performance)).bytes : undefined;
}

async function benchMany(bench: Bench): Promise<void> {
  const count = 1000;
  const before = await memoryBytes();
  const handles: { call(input: { by: number }): Promise<unknown>; id: string }[] = [];
  const elapsedMs = await timed(async () => {
    for (let index = 0; index < count; index += 50) {
      handles.push(...(await Promise.all(Array.from({ length: 50 }, () => bench.runtime.start('counter')))));
    }
  });
  bench.report({
    name: '1,000 modules started',
    ours: elapsedMs,
    unit: 'ms',
    goal: bench.sabotage ? 1 : 5000,
  });
  const after = await memoryBytes();
  if (before !== undefined && after !== undefined) {
    bench.report({
      name: 'memory per idle module, page and workers',
      ours: (after - before) / count / 1024,
      unit: 'KiB',
      goal: 64,
    });
  }
  const answers = await Promise.all(handles.map((handle) => handle.call({ by: 1 })));
  bench.report({
    name: 'of 1,000 modules, those that did not answer',
    ours: count - answers.length,
    unit: '',
    goal: 0,
  });
}

async function benchRestart(bench: Bench): Promise<void> {
  const runtime = createBenchRuntime({ poolSize: 1, restartLimits: { maxRestarts: 1000, maxSeconds: 1 } });
  const handles = await Promise.all(Array.from({ length: 100 }, () => runtime.start('counter')));
  await Promise.all(handles.map((handle) => handle.parameters.total.set(5, { level: 'memory' })));
  const all = await samples(async () => {
    runtime.killWorkerOf((handles[0] as { id: string }).id);
    const values = await Promise.all(handles.map((handle) => handle.parameters.total.get()));
    if (values.some((value) => value !== 5)) throw new Error('a module came back without its state');
    if (bench.sabotage) await new Promise((resolve) => setTimeout(resolve, 3000));
  }, rounds);
  bench.report({
    name: '100 modules serve again after their worker was killed',
    ours: quantile(all, 0.5),
    unit: 'ms',
    goal: 1000,
  });
  await runtime.close();
}

function createBenchRuntime(options: object): Runtime<typeof testModules> {
  return createRuntime<typeof testModules>({
    worker: (name) =>
      new Worker(new URL('./runtime-test.worker.ts', import.meta.url), { type: 'module', name }),
    ...options,
  });
}

export async function benchRuntime(report: Report, { sabotage }: { sabotage: boolean }): Promise<void> {
  const store = await openIndexedDbStore({ name: `bench-${crypto.randomUUID()}` });
  const runtime = createBenchRuntime({ store });
  await runtime.warm();
  const bench: Bench = { report, sabotage, runtime };
  await benchCalls(bench);
  await benchStrictSet(bench);
  await benchStart(bench);
  await benchMany(bench);
  await benchRestart(bench);
  await runtime.close();
  await store[Symbol.asyncDispose]();
}
