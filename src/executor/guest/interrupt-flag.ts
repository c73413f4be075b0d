/**
 * How a guest is asked to stop: two numbers in memory that the frame shares with the guest's worker. The first is Python's own flag, the second
 * names the run that is meant. An interrupt and a run come on different ways, so either may be first: an interrupt that is first waits in
 * the second number for its run, and one that is late is not taken for another's.
 */

/** Python's flag for KeyboardInterrupt: the number of SIGINT. */
const interruptSignal = 2;

const signalIndex = 0;
const runIndex = 1;

/** Runs are numbered from 1, so fresh memory names none. */
export function createInterruptFlag(): SharedArrayBuffer {
  return new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT);
}

/** Asks `run` to stop, whether it has begun or not; without a run, whatever goes on. */
export function raiseInterrupt(flag: SharedArrayBuffer, run?: number): void {
  const cells = new Int32Array(flag);
  // in this order: a run that begins in between sees one or the other
  if (run !== undefined) Atomics.store(cells, runIndex, run);
  Atomics.store(cells, signalIndex, interruptSignal);
  Atomics.notify(cells, signalIndex);
}

/** Sleeps with the thread for so long, or until somebody asks the run to stop. */
export function sleepUnlessInterrupted(flag: SharedArrayBuffer, durationMs: number): void {
  Atomics.wait(new Int32Array(flag), signalIndex, 0, durationMs);
}

/** Begins `run`: what is left of an earlier interrupt is gone. True when this run was asked to stop before it began. */
export function beginRun(flag: SharedArrayBuffer, run: number): boolean {
  const cells = new Int32Array(flag);
  Atomics.store(cells, signalIndex, 0);
  return Atomics.load(cells, runIndex) === run;
}

/** Whether the run that goes on was asked to stop. */
export function isInterrupted(flag: SharedArrayBuffer): boolean {
  return Atomics.load(new Int32Array(flag), signalIndex) === interruptSignal;
}

/** What Python reads and clears, in two steps: a signal that falls between them stays. */
export interface PythonSignal {
  0: number;
}

export function pythonSignalOf(flag: SharedArrayBuffer): PythonSignal {
  const cells = new Int32Array(flag);
  let seen = 0;
  return {
    get 0() {
      seen = Atomics.load(cells, signalIndex);
      return seen;
    },
    set 0(value) {
      Atomics.compareExchange(cells, signalIndex, seen, value);
    },
  };
}
