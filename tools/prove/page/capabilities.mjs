// What the executor can do in the browser that this page runs in, asked of the real executor: one short list of questions for each language.
import { createExecutor, openSnapshotCache } from '../../../src/executor/index.ts';
import { createHub } from '../../../src/telemetry/index.ts';
import { openEscapeRealm } from '../../../src/executor/escape/realm.ts';
import { languages } from '../../../src/executor/language/languages.ts';
import { programs } from './programs.mjs';

/**
 * @typedef {{ question: string, answers: Record<string, string>, isWrong: boolean }} CapabilityRow
 * @typedef {{ platform: Record<string, string>, rows: readonly CapabilityRow[] }} Capabilities
 */

const loopMs = 500;
/** More than the grace after which an interpreter is ended; a slow machine needs some. */
const endsWithinMs = 6000;
const add = { call: ({ arguments: [left, right] }) => Number(left) + Number(right) };
const none = '–';
/** What a cell says when the executor broke a promise; such a table makes the proof fall short. */
const wrong = (/** @type {unknown} */ found) => `WRONG: ${JSON.stringify(found).slice(0, 160)}`;
const isSame = (/** @type {unknown} */ one, /** @type {unknown} */ other) =>
  JSON.stringify(one) === JSON.stringify(other);
const took = (/** @type {number} */ startMs) => `${Math.round(performance.now() - startMs)} ms`;

/** A run that a limit should end: how it ended, and whether its interpreter lived on. */
function endOf(outcome, limit) {
  if (outcome.type !== 'exceeded' || outcome.limit !== limit || outcome.durationMs > endsWithinMs)
    return wrong(outcome);
  return `${outcome.isSandboxLost ? 'ended with its worker' : 'stopped'}, ${Math.round(outcome.durationMs)} ms`;
}

/** Each takes what the questions share, and answers one cell. */
const questions = {
  async 'first result'({ open, program }) {
    const startMs = performance.now();
    await using executor = open();
    const outcome = await executor.execute(program.two);
    return outcome.type === 'returned' && isSame(outcome.value, program.isTwo)
      ? took(startMs)
      : wrong(outcome);
  },
  async 'an error is told'({ executor, program }) {
    const outcome = await executor.execute(program.fault);
    return outcome.type === 'threw' ? outcome.error.type : wrong(outcome);
  },
  async 'an endless loop, after 500 ms'({ executor, program }) {
    return endOf(await executor.execute(program.loop, {}, { timeoutMs: loopMs }), 'time');
  },
  async 'a session keeps values'({ executor, program }) {
    if (!program.keep) return none;
    const [first, second, value] = program.keep;
    await using session = await executor.createSession();
    await session.execute(first);
    const outcome = await session.execute(second);
    return outcome.type === 'returned' && isSame(outcome.value, value) ? 'yes' : wrong(outcome);
  },
  async 'also after a loop was stopped'({ executor, program }) {
    if (!program.keep) return none;
    const [first, second, value] = program.keep;
    await using session = await executor.createSession();
    await session.execute(first);
    const stopped = await session.execute(program.loop, {}, { timeoutMs: loopMs });
    const outcome = await session.execute(second);
    const isKept = outcome.type === 'returned' && isSame(outcome.value, value);
    if (isKept) return stopped.isSandboxLost ? 'yes, put back' : 'yes';
    // what is lost must be said
    return stopped.isSandboxLost ? 'no: it was ended, and said so' : wrong([stopped, outcome]);
  },
  async 'a loop that is cancelled'({ executor, program }) {
    await using session = await executor.createSession();
    await session.execute(program.two);
    const outcome = await session.execute(program.loop, {}, { signal: AbortSignal.timeout(loopMs) });
    if (outcome.type !== 'cancelled' || outcome.durationMs > endsWithinMs) return wrong(outcome);
    return outcome.isSandboxLost ? 'ended with its worker' : 'stopped';
  },
  async 'a guest that cannot be asked'({ executor, program }) {
    if (!program.stuck) return none;
    const end = endOf(await executor.execute(program.stuck, {}, { timeoutMs: loopMs }), 'time');
    const next = await executor.execute(program.two);
    return next.type === 'returned' ? end : wrong(next);
  },
  async 'memory without end'({ executor, program }) {
    if (!program.memory) return none;
    const outcome = await executor.execute(program.memory);
    return outcome.type === 'exceeded' && outcome.limit === 'memory' ? 'exceeded: memory' : wrong(outcome);
  },
  async 'output without end'({ executor, program }) {
    if (!program.flood) return none;
    const outcome = await executor.execute(program.flood);
    return outcome.type === 'exceeded' && outcome.limit === 'output' ? 'exceeded: output' : wrong(outcome);
  },
  'a tool that is waited for': ({ executor, program, language }) =>
    callTool(executor, language, program.waitingTool),
  'a tool that is awaited': ({ executor, program, language }) =>
    callTool(executor, language, program.awaitedTool),
};

async function callTool(executor, language, code) {
  if (!code || !languages[language].capabilities.hasTools) return none;
  const outcome = await executor.execute(code, { tools: { add } });
  if (outcome.type !== 'returned') return wrong(outcome);
  if (outcome.value === 3) return 'yes';
  return outcome.value === 'executor/tool-wait-unavailable' ? `no: ${outcome.value}` : wrong(outcome);
}

/** What the platform gives to a guest's worker, seen by Python in a frame that leaves it its globals. */
const platformProgram = `
import importlib
js = importlib.import_module('js')
def works(code):
    try:
        js.eval(code)
        return True
    except BaseException:
        return False
{
    'guest is cross-origin isolated': bool(js.crossOriginIsolated),
    'SharedArrayBuffer': hasattr(js, 'SharedArrayBuffer'),
    'JSPI': hasattr(js.WebAssembly, 'promising'),
    'WebAssembly exceptions': hasattr(js.WebAssembly, 'Exception'),
    'eval is refused': not works('1'),
}`;

async function askPlatform(location) {
  await using realm = openEscapeRealm('frame alone', { ...location, scripts: {} });
  const outcome = await realm.executors.python.execute(platformProgram);
  const page = { 'page is cross-origin isolated': String(crossOriginIsolated) };
  if (outcome.type !== 'returned') return { ...page, 'the worker': wrong(outcome) };
  const found = Object.entries(outcome.value).map(([name, value]) => [name, JSON.stringify(value)]);
  return { ...page, ...Object.fromEntries(found) };
}

/** The second interpreter starts from the memory of the first. */
async function askSnapshot(location) {
  const hub = createHub();
  const seen = [];
  const made = new Promise((resolve) => {
    hub.subscribe(({ type, ...rest }) => {
      seen.push({ type, ...rest });
      if (type === 'snapshot-make' || type === 'snapshot-drop') resolve(undefined);
    });
  });
  const options = { ...location, language: 'python', hub, snapshots: openSnapshotCache() };
  const run = async () => {
    await using executor = createExecutor(options);
    const startMs = performance.now();
    const outcome = await executor.execute('1 + 1');
    if (outcome.type !== 'returned') throw new Error(JSON.stringify(outcome));
    await Promise.race([made, new Promise((resolve) => setTimeout(resolve, 20_000))]);
    return took(startMs);
  };
  try {
    await run();
    const startMs = performance.now();
    await run();
    const elapsed = took(startMs);
    const dropped = seen.find(({ type }) => type === 'snapshot-drop');
    if (dropped) return `none: ${dropped.reason}`;
    const start = seen.findLast(({ type }) => type === 'sandbox-start');
    return `${start?.isFromSnapshot === true ? 'yes' : 'no'}, ${elapsed} to the first result`;
  } catch (error) {
    return wrong(String(error));
  }
}

/** @param {{ assets: object, frame: unknown }} location @returns {Promise<Capabilities>} */
export async function askCapabilities(location) {
  const platform = {
    ...(await askPlatform(location)),
    'Python from a snapshot': await askSnapshot(location),
  };
  const rows = Object.keys(questions).map((question) => ({ question, answers: {}, isWrong: false }));
  for (const [language, program] of Object.entries(programs)) {
    const open = () => createExecutor({ ...location, language });
    await using executor = open();
    for (const row of rows) {
      // told when the page never answers
      Object.assign(Reflect.get(globalThis, 'proofCall') ?? {}, { at: `${language}, ${row.question}` });
      const ask = questions[row.question];
      const cell = await ask({ open, executor, program, language }).catch((error) => wrong(String(error)));
      row.answers[language] = cell;
      row.isWrong ||= cell.startsWith('WRONG');
    }
  }
  return { platform, rows };
}
