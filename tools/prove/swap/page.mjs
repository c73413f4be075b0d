// Steady calls of several callers to one module that is swapped between two versions, and the account of every answer.
import { createRuntime } from '../../../src/index.ts';

const callsPerSecond = 1000;
const callers = 10;
const swaps = 50;
const tickMs = 5;
/** One call in ten is under way for a while. */
const workMs = 20;
const graceMs = 20_000;
const versions = ['1.0.0', '1.1.0'];

const sleep = (delayMs) => new Promise((resolve) => setTimeout(resolve, delayMs));

/** What was asked and what came back. */
class Account {
  asked = 0;
  answered = 0;
  /** Answers of a version that was not the one in charge when the call was made. */
  wrongVersion = 0;
  /** Calls that began after a later call of the same caller. */
  outOfOrder = 0;
  /** Calls that ended on the version before, which had been swapped meanwhile. */
  endedOnOld = 0;
  codes = {};
  #positions = Array.from({ length: callers }, () => []);

  fail(error) {
    const code = error?.code ?? String(error);
    this.codes[code] = (this.codes[code] ?? 0) + 1;
  }

  /** @param {{ caller: number, sequence: number, asked: string, now: string }} call */
  take({ position, version }, { caller, sequence, asked, now }) {
    this.answered++;
    if (version !== asked) this.wrongVersion++;
    if (version !== now) this.endedOnOld++;
    this.#positions[caller][sequence] = position;
  }

  close() {
    for (const positions of this.#positions) {
      const begun = positions.filter((position) => position !== undefined);
      this.outOfOrder += begun.filter((position, at) => at > 0 && position < begun[at - 1]).length;
    }
  }
}

/** One module whose version in charge is known at any moment: a call goes to whoever was in charge when it was made. */
class Subject {
  handle;
  inCharge = versions[0];
  swapMs = [];
  #runtime;
  #isSabotaged;

  constructor(runtime, isSabotaged) {
    this.#runtime = runtime;
    this.#isSabotaged = isSabotaged;
  }

  async start() {
    this.handle = await this.#runtime.start('counter', { id: 'counter', version: this.inCharge });
  }

  async swap() {
    const version = versions.find((one) => one !== this.inCharge);
    const startedMs = performance.now();
    // what is called from here on is behind the swap in the mailbox
    const swapping = this.#isSabotaged ? this.#replace(version) : this.handle.swap({ version });
    this.inCharge = version;
    await swapping;
    this.swapMs.push(performance.now() - startedMs);
  }

  /** What a hot swap is better than. */
  async #replace(version) {
    await this.handle.stop();
    this.handle = await this.#runtime.start('counter', { id: 'counter', version });
  }
}

function callOnce(subject, account, caller, sequence) {
  const asked = subject.inCharge;
  const work = { workMs: account.asked % 10 === 0 ? workMs : 0 };
  account.asked++;
  return subject.handle.call(work).then(
    (reply) => account.take(reply, { caller, sequence, asked, now: subject.inCharge }),
    (error) => account.fail(error),
  );
}

/** Makes the calls that are due; a page that was held up makes up for it. */
async function load(subject, account, seconds) {
  const startMs = performance.now();
  const calls = [];
  const sequences = Array.from({ length: callers }, () => 0);
  for (;;) {
    const elapsedMs = performance.now() - startMs;
    const due = Math.floor((Math.min(elapsedMs, seconds * 1000) * callsPerSecond) / 1000);
    while (account.asked < due) {
      const caller = account.asked % callers;
      calls.push(callOnce(subject, account, caller, sequences[caller]++));
    }
    if (elapsedMs >= seconds * 1000) break;
    await sleep(tickMs);
  }
  const loadMs = performance.now() - startMs;
  await Promise.race([Promise.all(calls), sleep(graceMs)]);
  return loadMs;
}

async function swapSteadily(subject, seconds) {
  const errors = [];
  const startMs = performance.now();
  for (let at = 1; at <= swaps; at++) {
    await sleep(Math.max(0, (at * seconds * 1000) / (swaps + 1) - (performance.now() - startMs)));
    await subject.swap().catch((error) => errors.push(error?.code ?? String(error)));
  }
  return errors;
}

const percentile = (values, share) =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))];

/** @param {{ seconds: number, sabotage: boolean }} options */
globalThis.runSwap = async ({ seconds, sabotage }) => {
  const runtime = createRuntime({
    worker: (name) => new Worker(new URL('./worker.mjs', import.meta.url), { type: 'module', name }),
    poolSize: 1,
  });
  const subject = new Subject(runtime, sabotage);
  await subject.start();
  const account = new Account();
  const [loadMs, swapErrors] = await Promise.all([
    load(subject, account, seconds),
    swapSteadily(subject, seconds),
  ]);
  account.close();
  const { asked, answered, wrongVersion, outOfOrder, endedOnOld, codes } = account;
  const counted = await subject.handle.parameters.answered.get();
  const limit = subject.handle.parameter(subject.inCharge === '1.0.0' ? 'limitSeconds' : 'limitMs').value;
  await runtime.close();
  return {
    asked,
    answered,
    wrongVersion,
    outOfOrder,
    endedOnOld,
    codes,
    counted,
    isMigrated: limit === (subject.inCharge === '1.0.0' ? 3 : 3000),
    rate: (asked * 1000) / loadMs,
    swaps: subject.swapMs.length,
    swapErrors,
    swapP50Ms: percentile(subject.swapMs, 0.5),
    swapMaxMs: Math.max(...subject.swapMs),
  };
};
globalThis.isProofReady = true;
