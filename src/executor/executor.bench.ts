/** `npm run bench -- executor`: Python behind the wall beside Pyodide as its package ships it, in a plain worker, and beside DSPy's own interpreter. */
import { assets, expectValue, frame, median, openPython, timed } from './bench/measure.bench.ts';
import type { Report, Row, Work } from './bench/measure.bench.ts';
import { createExecutor } from './create-executor.ts';
import { benchBesidePeer, benchOthers } from './bench/peer-rows.bench.ts';
import { openRaw } from './bench/raw-pyodide.bench.ts';
import type { Executor, Session } from './executor.ts';
import { openSnapshotCache } from './snapshot-cache.ts';
import type { SnapshotCache } from './snapshot-cache.ts';

const rounds = 3;

async function coldRaw(): Promise<void> {
  const raw = await openRaw();
  await raw.run('1 + 1');
  raw.terminate();
}

async function coldOurs(): Promise<void> {
  const executor = openPython();
  expectValue(await executor.execute('1 + 1'), 2);
  await executor[Symbol.asyncDispose]();
}

interface Pair {
  readonly name: string;
  readonly goal: number;
  readonly count: number;
  readonly ours: Work;
  readonly beside: Work;
}

/** In turn, round by round; the figure is the median of the rounds' medians. */
async function comparePair({ name, goal, count, ours, beside }: Pair): Promise<Row> {
  const figures = { ours: [] as number[], beside: [] as number[] };
  for (let round = 0; round < rounds; round++) {
    for (const [side, work] of [
      ['beside', beside],
      ['ours', ours],
    ] as const) {
      const times: number[] = [];
      for (let index = 0; index < count; index++) times.push(await timed(work));
      figures[side].push(median(times));
    }
  }
  const ratios = figures.ours.map((value, index) => value / (figures.beside[index] as number));
  const spread: readonly [number, number] = [Math.min(...ratios), Math.max(...ratios)];
  return { name, ours: median(figures.ours), beside: median(figures.beside), unit: 'ms', goal, spread };
}

/** Not interruptible by Python's own means: only the end of its worker stops it. */
const stuck = 'sum(range(10**12))';
/** Python looks up between two steps of this one. */
const busy = 'while True: pass';
const limitMs = 200;
/** One call of QuickJS's own, which looks at nothing meanwhile. */
const stuckScript = '("a".repeat(2e7)).indexOf("a".repeat(1e7) + "b")';

/** From the deadline until the next run has answered. */
async function recover(session: Session, code: string, next = '2 + 2', value = 4): Promise<number> {
  const totalMs = await timed(async () => {
    const outcome = await session.execute(code, {}, { timeoutMs: limitMs });
    if (outcome.type !== 'exceeded') throw new Error(`a stuck guest ended as ${outcome.type}`);
    expectValue(await session.execute(next), value);
  });
  return totalMs - limitMs;
}

/** 5 MB as Python counts them: a list of so many references, to numbers that are in no cache. */
const listLength = 600_000;

async function benchRecovery(executor: Executor, report: Report, sabotage: boolean): Promise<void> {
  const [polite, killed]: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    const session = await executor.createSession();
    await session.execute(`data = [n * 1.5 for n in range(${listLength})]`);
    // the pool has its interpreter again, and nobody else computes
    await new Promise((resolve) => setTimeout(resolve, 1500));
    polite.push(await recover(session, sabotage ? stuck : busy));
    killed.push(await recover(session, stuck, 'len(data)', listLength));
    if (sabotage) killed[round] = (killed[round] ?? 0) + (await recover(session, stuck)) * 10;
    await session[Symbol.asyncDispose]();
  }
  const name = 'after the time limit until the session serves again';
  report({ name: `${name}, interrupted`, ours: median(polite), unit: 'ms', goal: 100 });
  report({ name: `${name}, killed, with a list of 5 MB`, ours: median(killed), unit: 'ms', goal: 600 });
}

/** In JavaScript the memory of the interpreter comes back as it was. */
async function benchScriptRecovery(report: Report, sabotage: boolean): Promise<void> {
  await using executor = createExecutor({ language: 'javascript', assets, frame });
  const killed: number[] = [];
  for (let round = 0; round < rounds; round++) {
    await using session = await executor.createSession();
    await session.execute(`const data = Array.from({ length: ${listLength} }, (_, n) => n * 1.5)`);
    await new Promise((resolve) => setTimeout(resolve, 500));
    killed.push(await recover(session, stuckScript, 'data.length', listLength));
    if (sabotage) killed[round] = (killed[round] ?? 0) + (await recover(session, stuckScript)) * 10;
  }
  const name = 'after the time limit until the session serves again, killed, JavaScript with a list of 5 MB';
  report({ name, ours: median(killed), unit: 'ms', goal: 600 });
}

/** One more interpreter where the page and its frame are up: from a snapshot beside one that boots. */
async function benchSnapshot(report: Report, sabotage: boolean): Promise<void> {
  const open = (snapshots: 'off' | SnapshotCache): Executor =>
    openPython({ limits: { warmSandboxes: 0 }, snapshots });
  const cache = openSnapshotCache();
  const [restoring, booting] = [open(cache), open('off')];
  const fresh =
    (executor: Executor): Work =>
    async () =>
      expectValue(await executor.execute('1 + 1'), 2);
  await fresh(restoring)();
  while ((await cache.read('python')) === undefined) await fresh(restoring)();
  report(
    await comparePair({
      name: 'one more interpreter from a snapshot, beside one that boots: first result',
      goal: 0.9,
      count: 3,
      ours: sabotage ? async () => (await fresh(booting)(), fresh(booting)()) : fresh(restoring),
      beside: fresh(booting),
    }),
  );
  await Promise.all([restoring[Symbol.asyncDispose](), booting[Symbol.asyncDispose]()]);
}

/** Sabotaged, every run opens an executor of its own: no pool, no session, no shared frame. */
export async function benchExecutor(
  report: Report,
  { sabotage }: { readonly sabotage: boolean },
): Promise<void> {
  const cold = {
    name: 'cold start: nothing loaded until the first result',
    goal: 0.8,
    count: 1,
    beside: coldRaw,
  };
  const twice: Work = async () => (await coldOurs(), coldOurs());
  report(await comparePair({ ...cold, ours: sabotage ? twice : coldOurs }));

  const executor = openPython();
  const session = await executor.createSession();
  const raw = await openRaw();
  const warm: Work = async () => expectValue(await session.execute('1 + 1'), 2);
  report(
    await comparePair({
      name: 'warm run in a session: 1 + 1',
      goal: 4,
      count: sabotage ? 1 : 200,
      ours: sabotage ? coldOurs : warm,
      beside: () => raw.run('1 + 1'),
    }),
  );
  raw.terminate();
  await session[Symbol.asyncDispose]();
  await benchRecovery(executor, report, sabotage);
  await benchScriptRecovery(report, sabotage);
  await executor[Symbol.asyncDispose]();
  await benchSnapshot(report, sabotage);
  await benchOthers({ report, sabotage });
  await benchBesidePeer({ report, sabotage });
}

/** For a tab of its own. */
export { runFirstResult } from './bench/peer-rows.bench.ts';
