// Loads 50 modules with calls while their workers are ended behind the runtime's back, and keeps the accounts.
import { createHub, createRuntime } from '../../../src/index.ts';

const modules = 50;
const poolSize = 4;
const killEveryMs = 1000;
const pauseMs = 50;
const callTimeoutMs = 10_000;
/** The limit of a call, the watchdog's time, and room. */
const graceMs = 20_000;

/** @param {number} delayMs */
const sleep = (delayMs) => new Promise((resolve) => setTimeout(resolve, delayMs));

/** @typedef {{ asked: number, answered: number, wrong: number, codes: Record<string, number> }} Account */
/** @returns {Account} */
const createAccount = () => ({ asked: 0, answered: 0, wrong: 0, codes: {} });

/**
 * One call, in an account that every call enters before it is made.
 * @param {Account} account @param {() => Promise<boolean>} call answers whether the value was right
 */
async function settle(account, call) {
  account.asked++;
  try {
    if (await call()) account.answered++;
    else account.wrong++;
  } catch (error) {
    const code = error?.code ?? String(error);
    account.codes[code] = (account.codes[code] ?? 0) + 1;
  }
}

/** @param {Account} account */
const unanswered = ({ asked, answered, wrong, codes }) =>
  asked - answered - wrong - Object.values(codes).reduce((sum, count) => sum + count, 0);

/** One module under load: calls of both kinds, and writes whose last acknowledged value is remembered. */
class Load {
  lost = 0;
  #acknowledged = 0;
  #asked = 0;
  #handle;
  #accounts;

  constructor(handle, accounts) {
    this.#handle = handle;
    this.#accounts = accounts;
  }

  /** @param {() => boolean} isOver */
  async run(isOver) {
    for (let round = 1; !isOver(); round++) {
      void settle(this.#accounts.first, () => this.#call(round, false));
      void settle(this.#accounts.retried, () => this.#call(round, true));
      if (round % 5 === 0) await this.#write();
      await sleep(pauseMs * (0.5 + Math.random()));
    }
  }

  /** An acknowledged write is lost when the module holds an older value. */
  async check() {
    const value = await this.#handle.parameters.total.get({ timeoutMs: callTimeoutMs });
    if (value < this.#acknowledged || value > this.#asked) this.lost++;
  }

  async #write() {
    const value = ++this.#asked;
    await settle(this.#accounts.writes, async () => {
      await this.#handle.parameters.total.set(value, { level: 'memory', timeoutMs: callTimeoutMs });
      this.#acknowledged = value;
      return true;
    });
    await settle(this.#accounts.checks, () => this.check().then(() => true));
  }

  async #call(round, isIdempotent) {
    const input = { a: round, b: 1 };
    const { sum } = await this.#handle.call(input, { isIdempotent, timeoutMs: callTimeoutMs });
    return sum === round + 1;
  }
}

/** Ends a random shared worker and tells nobody. @returns {boolean} whether there was one */
function endSomeWorker(runtime, workers) {
  const shared = runtime
    .inspect()
    .workers.filter(({ isDedicated, actors }) => !isDedicated && actors.length > 0);
  const victim = shared[Math.floor(Math.random() * shared.length)];
  workers.get(victim?.id)?.terminate();
  workers.delete(victim?.id);
  return victim !== undefined;
}

/** @param {{ seconds: number, sabotage: boolean }} options */
globalThis.runAvailability = async ({ seconds, sabotage }) => {
  const workers = new Map();
  const hub = createHub();
  let noticed = 0;
  hub.subscribe((event) => (noticed += event.type === 'worker-lost' && event.cause === 'ended' ? 1 : 0));
  const runtime = createRuntime({
    worker: (name) => {
      const worker = new Worker(new URL('./worker.mjs', import.meta.url), { type: 'module', name });
      workers.set(name, worker);
      return worker;
    },
    poolSize,
    hub,
    // one loss a second is more than the default allows; sabotaged, the first loss is one too many
    restartLimits: { maxRestarts: sabotage ? 0 : 4 * seconds, maxSeconds: seconds },
  });
  const accounts = {
    first: createAccount(),
    retried: createAccount(),
    writes: createAccount(),
    checks: createAccount(),
  };
  const ids = Array.from({ length: modules }, (_, index) => `adder-${index}`);
  const handles = await Promise.all(ids.map((id) => runtime.start('adder', { id })));
  const loads = handles.map((handle) => new Load(handle, accounts));
  let isOver = false;
  const running = Promise.all(loads.map((load) => load.run(() => isOver)));
  let kills = 0;
  for (let second = 0; second < seconds; second++) {
    await sleep(killEveryMs);
    if (endSomeWorker(runtime, workers)) kills++;
  }
  isOver = true;
  const open = () => Object.values(accounts).reduce((sum, account) => sum + unanswered(account), 0);
  await Promise.race([running, sleep(graceMs)]);
  for (let waitedMs = 0; open() > 0 && waitedMs < graceMs; waitedMs += 100) await sleep(100);
  const unansweredCalls = open();
  const readings = await Promise.allSettled(loads.map((load) => load.check()));
  const report = {
    accounts,
    kills,
    noticed,
    unanswered: unansweredCalls,
    unread: readings.filter(({ status }) => status === 'rejected').length,
    lostWrites: loads.reduce((sum, load) => sum + load.lost, 0),
    running: handles.filter(({ status }) => status === 'running').length,
    modules,
    workers: runtime.inspect().workers.length,
  };
  await runtime.close();
  return report;
};
globalThis.isProofReady = true;
