// Runs without end: warm ones in one session, fresh ones in interpreters of their own, and a hundred callers at once. What stays is counted from outside.
import { createExecutor, openSnapshotCache } from '../../../src/executor/index.ts';
import { systemClock } from '../../../src/platform/index.ts';
import { createHub } from '../../../src/telemetry/index.ts';

const callers = 100;
const limits = { concurrentExecutions: 4, queuedExecutions: 96, warmSandboxes: 1, sessions: 1000 };

/** Ports that this page holds open: each channel that is made keeps one here, until it is closed. */
const ports = { open: 0 };
const { MessageChannel: NativeChannel } = globalThis;
globalThis.MessageChannel = class extends NativeChannel {
  constructor() {
    super();
    ports.open += 1;
    const { port1 } = this;
    const close = port1.close.bind(port1);
    port1.close = () => {
      ports.open -= 1;
      port1.close = close;
      close();
    };
  }
};

/** What sabotage keeps. */
const kept = [];
let executor;
let session;
const sandboxes = { started: 0, ended: 0 };
const hub = createHub();
hub.subscribe((event) => {
  if (event.type === 'sandbox-start') sandboxes.started += 1;
  if (event.type === 'sandbox-kill') sandboxes.ended += 1;
});

globalThis.open = async () => {
  const assets = { baseUrl: '/sandbox/' };
  const frame = { url: '/sandbox/frame.html' };
  executor = createExecutor({
    language: 'python',
    assets,
    frame,
    limits,
    hub,
    snapshots: openSnapshotCache(),
  });
  session = await executor.createSession();
};

const check = (outcome, expected) => {
  if (outcome.type === 'returned' && outcome.value === expected) return;
  throw new Error(`a run ended with ${JSON.stringify(outcome).slice(0, 500)}, expected ${expected}`);
};

globalThis.runWarm = async ({ count }) => {
  for (let index = 0; index < count; index += 1)
    check(await session.execute(`x = ${index}\nx + 1`), index + 1);
};

globalThis.runFresh = async ({ count, sabotage }) => {
  for (let index = 0; index < count; index += 1) {
    check(await executor.execute(`'x' in globals() or ${index}`), index);
    if (sabotage && index % 10 === 0) kept.push(await executor.createSession(), new ArrayBuffer(2 ** 20));
  }
};

/** Caller n has this time limit and n milliseconds: a clock is asked for it when its run is handed to an interpreter. Nobody else asks for as much. */
const turnMs = 21_000;

/** A clock that writes down who begins. */
const watchTurns = (begun) => ({
  ...systemClock,
  after(delayMs, callback) {
    if (delayMs >= turnMs && delayMs < turnMs + callers) begun.push(delayMs - turnMs);
    return systemClock.after(delayMs, callback);
  },
});

/** Runs one thing in each of a hundred callers, and one more that finds the queue full. Answers in which order they began. */
globalThis.runCrowd = async ({ language, sabotage }) => {
  const begun = [];
  const crowded = createExecutor({
    language,
    assets: { baseUrl: '/sandbox/' },
    frame: { url: '/sandbox/frame.html' },
    limits: { ...limits, wallTimeMs: 2 * turnMs },
    clock: watchTurns(begun),
  });
  await crowded.execute('1');
  const order = Array.from({ length: callers }, (_, index) => index);
  // sabotaged, the last one to come is asked first
  const asked = sabotage ? order.toReversed() : order;
  const runs = asked.map(async (index) =>
    check(await crowded.execute(`${index}`, {}, { timeoutMs: turnMs + index }), index),
  );
  const refused = await crowded.execute('0').then(
    () => 'it was run',
    (error) => error.code,
  );
  await Promise.all(runs);
  await crowded[Symbol.asyncDispose]();
  return { refused, begun };
};

globalThis.count = () => ({ ports: ports.open, sandboxes: sandboxes.started - sandboxes.ended });
globalThis.isProofReady = true;
