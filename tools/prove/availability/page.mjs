// Loads 200 modules with calls while their workers are ended and they throw, hang and leak, and keeps the accounts.
import { createHub, createRuntime, openIndexedDbStore } from '../../../src/index.ts';
import { Faults } from './faults.mjs';
import { CountedWorkers, CountingClock, heldLocks } from './leaks.mjs';
import { createAccount, Load, sleep, unanswered } from './load.mjs';

const modules = 200;
const poolSize = 4;
/** A hang is noticed after this long. */
const actorLimits = { pingIntervalMs: 100, hangTimeoutMs: 400 };
/** Tries of a call that was declared idempotent. */
const maxAttempts = 5;
/** The limit of a call, the watchdog's time, and room. */
const graceMs = 30_000;
/** Kills, hangs and what the crowd costs, each second. */
const restartsPerSecond = 8;

/** @param {{ seconds: number, sabotage: boolean }} options @param {CountedWorkers} workers @param {object} parts */
function createProofRuntime({ seconds, sabotage }, workers, parts) {
  return createRuntime({
    worker: (name) =>
      workers.add(name, new Worker(new URL('./worker.mjs', import.meta.url), { type: 'module', name })),
    poolSize,
    actorLimits,
    limits: { maxAttempts },
    // two losses a second are more than the default allows; sabotaged, the first loss is one too many
    restartLimits: { maxRestarts: sabotage ? 0 : restartsPerSecond * seconds, maxSeconds: seconds },
    ...parts,
  });
}

/** @param {Map<string, number>} seen */
function countEvents(hub, seen) {
  return hub.subscribe((event) => {
    const name = event.type === 'worker-lost' ? `worker-lost: ${event.cause}` : event.type;
    seen.set(name, (seen.get(name) ?? 0) + 1);
  });
}

const accountsOf = () => ({
  first: createAccount(),
  retried: createAccount(),
  writes: createAccount(),
  checks: createAccount(),
});

/** Waits until every call has ended, within reason. @returns {Promise<number>} those that have not */
async function settleAll(accounts, running) {
  const open = () => Object.values(accounts).reduce((sum, account) => sum + unanswered(account), 0);
  await Promise.race([running, sleep(graceMs)]);
  for (let waitedMs = 0; open() > 0 && waitedMs < graceMs; waitedMs += 100) await sleep(100);
  return open();
}

/** What the store acknowledged must be there for a runtime that starts anew. @param {readonly Load[]} loads */
async function countLostInStore(store, loads) {
  const runtime = createRuntime({
    worker: (name) => new Worker(new URL('./worker.mjs', import.meta.url), { type: 'module', name }),
    poolSize: 2,
    store,
  });
  let lost = 0;
  try {
    for (const { id, stored } of loads) {
      const handle = await runtime.start('adder', { id });
      if (handle.parameters.total.value < stored) lost++;
    }
  } finally {
    await runtime.close();
  }
  return lost;
}

/** @param {readonly Load[]} loads */
function outagesOf(loads) {
  const sorted = loads
    .map(({ id, longestMs }) => ({ id, longestMs }))
    .toSorted((a, b) => a.longestMs - b.longestMs);
  const median = sorted[Math.floor(sorted.length / 2)]?.longestMs ?? 0;
  return { medianMs: median, worst: sorted.at(-1) ?? { id: 'none', longestMs: 0 } };
}

/** @param {{ seconds: number, sabotage: boolean }} options */
globalThis.runAvailability = async (options) => {
  const workers = new CountedWorkers();
  const clock = new CountingClock();
  const hub = createHub(clock);
  const events = new Map();
  const leave = countEvents(hub, events);
  const store = await openIndexedDbStore({ name: `availability-${crypto.randomUUID()}` });
  const runtime = createProofRuntime(options, workers, { hub, clock, store });
  const ids = Array.from({ length: modules }, (_, index) => `adder-${index}`);
  const handles = await Promise.all(ids.map((id) => runtime.start('adder', { id })));
  const accounts = accountsOf();
  const loads = handles.map((handle) => new Load(handle, accounts));
  const faults = new Faults(runtime, workers.byName, handles);
  let isOver = false;
  const running = Promise.all(loads.map((load) => load.run(() => isOver)));
  await faults.run(options.seconds);
  isOver = true;
  const left = await settleAll(accounts, running);
  const readings = await Promise.allSettled(loads.map((load) => load.check()));
  const { supervisor, workers: live } = runtime.inspect();
  const restarts = handles.map(({ metrics }) => metrics.restarts);
  const report = {
    accounts,
    faults: faults.counts,
    events: Object.fromEntries(events),
    unanswered: left,
    unread: readings.filter(({ status }) => status === 'rejected').length,
    lostWrites: loads.reduce((sum, load) => sum + load.lost, 0),
    running: handles.filter(({ status }) => status === 'running').length,
    outages: outagesOf(loads),
    budget: {
      maxRestarts: supervisor.maxRestarts,
      maxSeconds: supervisor.maxSeconds,
      left: supervisor.restartsLeft,
      mostOfOneModule: Math.max(...restarts),
    },
    modules,
    maxAttempts,
    live: live.length,
  };
  await runtime.close();
  leave();
  const leaks = {
    workers: workers.created - workers.ended,
    listeners: workers.listeners,
    timers: clock.open.size,
    locks: await heldLocks(),
    hubListeners: hub.isActive ? 1 : 0,
    created: workers.created,
  };
  const lostInStore = await countLostInStore(store, loads);
  await store[Symbol.asyncDispose]();
  return { ...report, leaks, lostInStore };
};
globalThis.isProofReady = true;
