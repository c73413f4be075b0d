// What must not be left when a runtime was closed: workers that run, listeners on their ports, timers, locks.

/** Real time that knows the timers which were set and neither fired nor cancelled. */
export class CountingClock {
  open = new Set();

  now() {
    return Date.now();
  }

  monotonic() {
    return performance.now();
  }

  /** @param {number} delayMs @param {() => void} callback */
  after(delayMs, callback) {
    // one that never comes due is none
    if (delayMs === Infinity) return () => undefined;
    const timer = {};
    this.open.add(timer);
    const handle = setTimeout(() => {
      this.open.delete(timer);
      callback();
    }, delayMs);
    return () => {
      this.open.delete(timer);
      clearTimeout(handle);
    };
  }
}

/** Workers that know whether they were ended, and how many listen to their port. */
export class CountedWorkers {
  created = 0;
  ended = 0;
  listeners = 0;
  /** By name. @type {Map<string, Worker>} */
  byName = new Map();

  /** @param {string} name @param {Worker} worker */
  add(name, worker) {
    this.created++;
    this.byName.set(name, worker);
    let isEnded = false;
    const terminate = worker.terminate.bind(worker);
    worker.terminate = () => {
      if (!isEnded) this.ended++;
      isEnded = true;
      terminate();
    };
    this.#countListeners(worker);
    return worker;
  }

  /** A port listens until it is closed; what listens once is no port. @param {Worker} worker */
  #countListeners(worker) {
    const isPort = (type, options) => type.startsWith('message') && !options?.once;
    const add = worker.addEventListener.bind(worker);
    const remove = worker.removeEventListener.bind(worker);
    worker.addEventListener = (type, listener, options) => {
      if (isPort(type, options)) this.listeners++;
      add(type, listener, options);
    };
    worker.removeEventListener = (type, listener, options) => {
      if (isPort(type, options)) this.listeners--;
      remove(type, listener, options);
    };
  }
}

/** The browser gives a terminated worker's locks back when its thread has ended. */
const lockGraceMs = 15_000;

/** Web Locks of ours that stay held or asked for. */
export async function heldLocks() {
  const untilMs = performance.now() + lockGraceMs;
  let locks = await countLocks();
  while (locks > 0 && performance.now() < untilMs) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    locks = await countLocks();
  }
  return locks;
}

async function countLocks() {
  const { held = [], pending = [] } = await navigator.locks.query();
  return [...held, ...pending].filter(({ name }) => name?.startsWith('vivarium-')).length;
}
