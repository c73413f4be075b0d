// What goes wrong: once a second a worker is ended behind the runtime's back, and modules are made to throw, hang and leak.
import { sleep } from './load.mjs';

const everyMs = 1000;
/** Within each second: the kill at once, a hang when that is over, the rest between. */
const hangAfterMs = 350;
/** A hang whose worker was ended by something else did not happen: it is tried again so often. */
const hangTries = 3;
const callTimeoutMs = 15_000;

/** @template T @param {readonly T[]} list @returns {T | undefined} */
const pick = (list) => list[Math.floor(Math.random() * list.length)];

export class Faults {
  counts = { kills: 0, hangs: 0, throws: 0, leaks: 0, capped: 0 };
  #runtime;
  #workers;
  #handles;
  /** @type {Promise<unknown>[]} */
  #pending = [];
  /** Modules that hang now: their workers end without our help. @type {Set<string>} */
  #hanging = new Set();

  /**
   * @param {{ inspect(): { workers: readonly { id: string, isDedicated: boolean, actors: readonly string[] }[] } }} runtime
   * @param {Map<string, Worker>} workers those that were started, by name
   * @param {readonly { id: string, call: Function }[]} handles
   */
  constructor(runtime, workers, handles) {
    this.#runtime = runtime;
    this.#workers = workers;
    this.#handles = handles;
  }

  /** @param {number} seconds */
  async run(seconds) {
    for (let second = 0; second < seconds; second++) {
      const startedMs = performance.now();
      if (this.#endSomeWorker()) this.counts.kills++;
      this.#pending.push(this.#throw(), this.#leak());
      await sleep(hangAfterMs);
      this.#pending.push(this.#hang());
      await sleep(Math.max(0, everyMs - (performance.now() - startedMs)));
    }
    await Promise.allSettled(this.#pending);
  }

  /** Ends a random shared worker and tells nobody. */
  #endSomeWorker() {
    const { workers } = this.#runtime.inspect();
    const isHung = (actors) => actors.some((id) => this.#hanging.has(id));
    const shared = workers.filter(
      ({ isDedicated, actors }) => !isDedicated && actors.length > 0 && !isHung(actors),
    );
    const victim = pick(shared);
    const worker = victim && this.#workers.get(victim.id);
    worker?.terminate();
    return worker !== undefined;
  }

  /** @param {'throw' | 'hang' | 'leak'} fault @param {boolean} isIdempotent @param {any} handle */
  #make(fault, isIdempotent, handle = pick(this.#handles)) {
    return handle.call({ a: 0, b: 0, fault }, { isIdempotent, timeoutMs: callTimeoutMs });
  }

  /** It counts when the module's own error came back. */
  async #throw() {
    const error = await this.#make('throw', true).catch((thrown) => thrown);
    if (error?.code === 'proof/thrown') this.counts.throws++;
  }

  /** It counts when the watchdog has ended the worker for it. */
  async #hang() {
    for (let tries = 0; tries < hangTries; tries++) {
      const handle = pick(this.#handles);
      this.#hanging.add(handle.id);
      const error = await this.#make('hang', false, handle).catch((thrown) => thrown);
      this.#hanging.delete(handle.id);
      if (error?.fields?.cause !== 'hang') continue;
      this.counts.hangs++;
      return;
    }
  }

  async #leak() {
    const answer = await this.#make('leak', true).catch((thrown) => thrown);
    if (answer?.leakedBytes > 0) this.counts.leaks++;
    if (answer?.code === 'proof/leak-capped') this.counts.capped++;
  }
}
