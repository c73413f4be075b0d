/** Reads, writes and calls through a handle, beside bare messages of the same size. */
import type { ModuleHandle } from '../handle/handle.ts';
import type { BenchCounter } from './bench-modules.ts';
import { interleave, median, reportQuantiles, reportThroughput, rounds, twice } from './measure.bench.ts';
import type { Bench } from './measure.bench.ts';
import { callMany, RawEcho } from './scene.bench.ts';

type Counter = ModuleHandle<BenchCounter>;

const callsPerRound = 2_000;
const cachedReads = 1_000_000;
const pipelined = 10_000;
const window = 100;
const payload = { name: 'total', value: 1 };

export async function benchCalls(bench: Bench, handles: readonly Counter[]): Promise<void> {
  const [counter] = handles as readonly [Counter];
  using raw = new RawEcho();
  const bare = (): Promise<unknown> => raw.ask(payload);
  let value = 0;
  const { total } = counter.parameters;
  const get = twice(bench, () => total.get());
  const set = twice(bench, () => total.set(value++ % 1000, { level: 'memory' }));
  const alive = `with ${handles.length.toLocaleString('en')} modules alive`;
  const reads = await interleave(get, bare, callsPerRound);
  reportQuantiles(bench, reads, `get() ${alive}, beside a bare round trip`, 1.5);
  const writes = await interleave(set, bare, callsPerRound);
  reportQuantiles(bench, writes, `set(…, 'memory') ${alive}, beside a bare round trip`, 1.5);
  benchCachedReads(bench, counter);
  await benchThroughput(bench, handles, raw);
}

/** Sabotaged, a read copies what it reads. */
function benchCachedReads(bench: Bench, counter: Counter): void {
  const { total } = counter.parameters;
  const read = bench.sabotage
    ? (): number => structuredClone(total.state).value as number
    : (): number => total.value;
  const perRead: number[] = [];
  let sum = 0;
  for (let round = 0; round < rounds; round++) {
    const startedMs = performance.now();
    for (let index = 0; index < cachedReads / rounds; index++) sum += read();
    perRead.push(((performance.now() - startedMs) / (cachedReads / rounds)) * 1_000_000);
  }
  if (Number.isNaN(sum)) throw new Error('a cached read gave no number');
  bench.report({ name: '`value` from the cache', ours: median(perRead), unit: 'ns', goal: 1_000 });
}

async function benchThroughput(bench: Bench, handles: readonly Counter[], raw: RawEcho): Promise<void> {
  const [counter] = handles as readonly [Counter];
  const bare = (): Promise<void> => raw.askMany(payload, pipelined, window);
  const factor = bench.sabotage ? 5 : 1;
  const many = (call: () => Promise<unknown>) => (): Promise<void> =>
    callMany(call, pipelined * factor, window);
  const beside = `through one worker, ${window} under way, beside bare ping-pong`;
  await reportThroughput(
    bench,
    { name: `get() ${beside}`, count: pipelined, goal: 0.5 },
    many(() => counter.parameters.total.get()),
    bare,
  );
  await reportThroughput(
    bench,
    { name: `call() ${beside}`, count: pipelined, goal: 0.5 },
    many(() => counter.call({ by: 1 })),
    bare,
  );
  await reportThroughput(
    bench,
    { name: `fan-out: one get() to each of ${handles.length} mailboxes at once`, count: handles.length },
    () => Promise.all(handles.map((handle) => handle.parameters.total.get())),
    () => raw.askMany(payload, handles.length, handles.length),
  );
}
