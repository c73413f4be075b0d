/** Python beside DSPy's own interpreter: the same programs, in turn, on the same machine. */
import { assembleExecutor, createExecutor } from '../create-executor.ts';
import type { Executor, Session } from '../executor.ts';
import { frameWalls } from '../sandbox/walls.ts';
import { openSnapshotCache } from '../snapshot-cache.ts';
import type { Tools } from '../tool.ts';
import {
  assets,
  compare,
  expectPrinted,
  frame,
  median,
  medianOf,
  openPython,
  timed,
  toRow,
} from './measure.bench.ts';
import type { Report } from './measure.bench.ts';
import { openRaw } from './raw-pyodide.bench.ts';

const rounds = 9;
/** What the peer's interpreter has run as often by its third round. */
const warmUpRuns = 50;
const sizeBytes = 1_000_000;
const text = 'x'.repeat(sizeBytes);
const callsPerRun = 50;
const tools: Tools = {
  add: { parameters: ['left', 'right'], call: ({ named }) => Number(named['left']) + Number(named['right']) },
};
const addUp = `print(sum(add(left=n, right=1) for n in range(${callsPerRun})))`;
const added = String((callsPerRun * (callsPerRun + 1)) / 2);

type Ask = (name: string) => Promise<number>;

const exposed = (name: string): Ask | undefined => Reflect.get(globalThis, name) as Ask | undefined;

/** What the peer takes for one of its programs; the median of a few where they are quick. */
function peerFor(name: string, count = 1): (() => Promise<number>) | undefined {
  const ask = exposed('timePeer');
  if (!ask) return undefined;
  return async () => {
    const times: number[] = [];
    for (let index = 0; index < count; index++) times.push(await ask(name));
    return median(times);
  };
}

const print = 'print(1 + 1)';
const printMany = `print('x' * ${sizeBytes})`;

/** For a tab of its own: everything from nothing but what the browser keeps. */
export async function runFirstResult(): Promise<void> {
  const executor = openPython({ snapshots: openSnapshotCache() });
  expectPrinted(await executor.execute(print), '2');
}

export interface PeerRowOptions {
  readonly report: Report;
  readonly sabotage: boolean;
}

export async function benchBesidePeer(options: PeerRowOptions): Promise<void> {
  await benchFresh(options);
  const executor = openPython({ limits: { warmSandboxes: 1 } });
  const session = await warmSession(executor);
  await benchWarm(session, options);
  await benchBesideBare(session, options);
  await benchTools(session, "a tool's call, shared memory", { ...options, goal: 1 / 0.9 });
  await executor[Symbol.asyncDispose]();
  const alone = openWithoutSharedMemory();
  await benchTools(await warmSession(alone), "a tool's call, without shared memory", {
    ...options,
    goal: 1 / 0.6,
  });
  await alone[Symbol.asyncDispose]();
}

/** The pool has its next interpreter, and the engine has compiled what runs most; the peer's process runs since its first row. */
async function warmSession(executor: Executor): Promise<Session> {
  const session = await executor.createSession();
  await new Promise((resolve) => setTimeout(resolve, 1500));
  for (let run = 0; run < warmUpRuns; run++) await session.execute(print);
  return session;
}

async function benchFresh({ report, sabotage }: PeerRowOptions): Promise<void> {
  const cache = openSnapshotCache();
  const executor = openPython({ limits: { warmSandboxes: 0 }, snapshots: cache });
  const fresh = async (): Promise<void> => expectPrinted(await executor.execute(print), '2');
  await fresh();
  while ((await cache.read('python')) === undefined) await fresh();
  const times = sabotage ? 10 : 1;
  const inNewTab = exposed('timeInNewTab') as Ask;
  const peer = peerFor('fresh');
  // one after the other in each round: the peer's time stands beside both
  const figures = { peer: [] as number[], page: [] as number[], tab: [] as number[] };
  for (let round = 0; round < rounds; round++) {
    if (peer) figures.peer.push(await peer());
    figures.page.push(times * (await timed(fresh)));
    figures.tab.push(times * (await inNewTab('runFirstResult')));
  }
  await executor[Symbol.asyncDispose]();
  report(
    toRow(
      { name: 'a fresh isolated interpreter, first result, the page open', goal: 1 / 8 },
      figures.page,
      figures.peer,
    ),
  );
  report(toRow({ name: 'the same from a new tab', goal: 1 / 3.5 }, figures.tab, figures.peer));
}

async function benchWarm(session: Session, { report, sabotage }: PeerRowOptions): Promise<void> {
  const times = sabotage ? 50 : 1;
  const row = async (name: string, goal: number, peer: string, work: () => Promise<void>): Promise<void> => {
    // so many in a row on each side: the first one after the other side's finds the processor's caches full of that
    const count = peer === 'warm' ? 20 : 7;
    const ours = async (): Promise<number> => times * (await medianOf(count, work));
    report(await compare({ name, goal, rounds, ours, beside: peerFor(peer, count) }));
  };
  await row('a warm run: print(1 + 1)', 1 / 6, 'warm', async () =>
    expectPrinted(await session.execute(print), '2'),
  );
  const stringIn = async (): Promise<void> =>
    expectPrinted(await session.execute('print(len(text))', { variables: { text } }), String(sizeBytes));
  await row('a string of 1 MB in, beside its default', 1 / 8, 'string-in', stringIn);
  await row('a string of 1 MB in, beside its best', 1, 'string-in-best', stringIn);
  await session.execute('del text');
  await row('a string of 1 MB out', 1 / 8, 'string-out', async () =>
    expectPrinted(await session.execute(printMany), text),
  );
}

/** What the walls cost: the same programs in a worker of the page itself, with nothing around them. */
async function benchBesideBare(session: Session, { report, sabotage }: PeerRowOptions): Promise<void> {
  const times = sabotage ? 50 : 1;
  const raw = await openRaw();
  for (const [name, code, expected, count] of [
    ['a warm run: print(1 + 1)', print, '2', 20],
    ['a string of 1 MB out', printMany, text, 7],
  ] as const) {
    const bare = async (): Promise<void> => {
      const printed = await raw.run(code);
      if (printed.trim() !== expected) throw new Error(`bare Pyodide printed ${printed.slice(0, 100)}`);
    };
    const run = async (): Promise<void> => expectPrinted(await session.execute(code), expected);
    for (let warmUp = 0; warmUp < warmUpRuns; warmUp++) await bare();
    report(
      await compare({
        name: `${name}, beside bare Pyodide in a worker of the page`,
        rounds,
        ours: async () => times * (await medianOf(count, run)),
        beside: () => medianOf(count, bare),
      }),
    );
  }
  raw.terminate();
}

async function benchTools(
  session: Session,
  name: string,
  { report, sabotage, goal }: PeerRowOptions & { readonly goal: number },
): Promise<void> {
  const times = sabotage ? 50 : 1;
  const run = async (): Promise<void> => expectPrinted(await session.execute(addUp, { tools }), added);
  const ours = async (): Promise<number> => (times * (await medianOf(3, run))) / callsPerRun;
  await run();
  report(await compare({ name, goal, rounds, ours, beside: peerFor('tool', 3) }));
}

/** As on a page without isolation headers. */
function openWithoutSharedMemory(): Executor {
  return assembleExecutor({ language: 'python', assets, frame }, (options, limits) => {
    const { createHost, isStripped } = frameWalls(options, limits);
    return {
      isStripped,
      async createHost(signal) {
        const host = await createHost(signal);
        const open = host.open.bind(host);
        host.open = (id, guest, watcher) =>
          open(id, { ...guest, settings: { ...guest.settings, mailboxBytes: 0 } }, watcher);
        return Object.defineProperty(host, 'isIsolated', { value: false });
      },
    };
  });
}

/** `1 + 1` and no more, as WASI knows programs: an exported `_start` that does nothing. */
const emptyProgram = new Uint8Array(
  `00 61 73 6d 01 00 00 00 01 04 01 60 00 00 03 02 01 00 05 03 01 00 01
   07 13 02 06 6d 65 6d 6f 72 79 02 00 06 5f 73 74 61 72 74 00 00 0a 04 01 02 00 0b`
    .split(/\s+/u)
    .map((byte) => Number.parseInt(byte, 16)),
);

/** What stands beside nothing. */
export async function benchOthers({ report, sabotage }: PeerRowOptions): Promise<void> {
  const times = sabotage ? 500 : 1;
  const rowOf = (name: string, ours: number, goal: number): void =>
    report({ name, ours: times * ours, unit: 'ms', goal });
  rowOf('a fresh interpreter from the warm pool, first result', await timeWarmPool(), 10);
  const javascript = createExecutor({ language: 'javascript', assets, frame });
  await javascript.execute('1');
  const quick = await medianOf(200, () => javascript.execute('1 + 1'));
  rowOf('a fresh QuickJS: 1 + 1', quick, 2);
  await javascript[Symbol.asyncDispose]();
  const wasm = createExecutor({ language: 'wasm', assets, frame });
  const runProgram = async (): Promise<void> => {
    const outcome = await wasm.execute(emptyProgram);
    if (outcome.type !== 'returned') throw new Error(`the program ended with ${JSON.stringify(outcome)}`);
  };
  await runProgram();
  rowOf('a fresh WASI program', await medianOf(100, runProgram), 10);
  await wasm[Symbol.asyncDispose]();
  rowOf('SQL, from nothing to the first answer', await medianOf(5, firstQuery), 400);
}

async function firstQuery(): Promise<void> {
  const sql = createExecutor({ language: 'sql', assets, frame });
  const outcome = await sql.execute('SELECT 1 + 1;');
  if (outcome.type !== 'returned') throw new Error(`the query ended with ${JSON.stringify(outcome)}`);
  await sql[Symbol.asyncDispose]();
}

/** Each waits until the pool is full again. */
async function timeWarmPool(): Promise<number> {
  const executor = openPython({ limits: { warmSandboxes: 1 } });
  const figures: number[] = [];
  for (let round = 0; round < rounds; round++) {
    await new Promise((resolve) => setTimeout(resolve, 800));
    figures.push(await timed(async () => expectPrinted(await executor.execute(print), '2')));
  }
  await executor[Symbol.asyncDispose]();
  return median(figures);
}
