/** A runtime with many modules at work goes back. */
import type { ModuleHandle } from '../handle/handle.ts';
import type { BenchCounter } from './bench-modules.ts';
import { median, rounds, timed } from './measure.bench.ts';
import type { Bench } from './measure.bench.ts';

type Counter = ModuleHandle<BenchCounter>;

const goalMs = 1000;
/** Sabotaged, modules go back one by one; so many are enough to be too slow. */
const restoredOneByOne = 250;

async function setAll(handles: readonly Counter[], value: number): Promise<void> {
  await Promise.all(handles.map(({ parameters: { total } }) => total.set(value, { level: 'relaxed' })));
}

async function restoreAll(
  { runtime, sabotage }: Bench,
  handles: readonly Counter[],
  name: string,
): Promise<void> {
  if (!sabotage) return void (await runtime.restoreTo(name));
  for (const handle of handles.slice(0, restoredOneByOne)) await handle.restoreTo(name);
}

/** Every one of them has changed; all serve at once afterwards, with what they had. */
export async function benchRestore(bench: Bench, handles: readonly Counter[]): Promise<void> {
  const { runtime, report, sabotage } = bench;
  const many = handles.length.toLocaleString('en');
  const [snapshotsMs, restoresMs]: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    const name = `round-${round}`;
    await setAll(handles, 100 + round);
    snapshotsMs.push(await timed(() => runtime.snapshot(name)));
    await setAll(handles, 200 + round);
    restoresMs.push(await timed(() => restoreAll(bench, handles, name)));
    const back = sabotage ? handles.slice(0, restoredOneByOne) : handles;
    const answers = await Promise.all(back.map((handle) => handle.call({ by: 1 })));
    if (answers.some(({ total }) => total !== 101 + round)) throw new Error('a module did not go back');
  }
  const spread = (all: readonly number[]): string =>
    `${Math.min(...all).toFixed(0)}–${Math.max(...all).toFixed(0)}`;
  report({
    name: `snapshot of a runtime with ${many} modules that run`,
    ours: median(snapshotsMs),
    unit: 'ms',
    spread: spread(snapshotsMs),
  });
  report({
    name: `restore of a runtime with ${many} modules that run, each of which has changed`,
    ours: median(restoresMs),
    unit: 'ms',
    goal: goalMs,
    spread: spread(restoresMs),
  });
}
