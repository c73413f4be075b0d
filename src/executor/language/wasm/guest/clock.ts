/** What a guest reads the time from, and waits on. */
import { systemClock } from '../../../../platform/index.ts';

export interface GuestClock {
  /** Nanoseconds since 1970. */
  now(): bigint;
  /** Nanoseconds that never go back. */
  monotonic(): bigint;
  /** Waits; calls `look` often meanwhile, which throws when the run must end. */
  sleep(nanoseconds: bigint, look: () => void): void;
}

const nanosecondsPerMs = 1_000_000;
/** So long a sleeper does not look whether it must end. */
const napMs = 5;

const toNanoseconds = (ms: number): bigint => BigInt(Math.round(ms * nanosecondsPerMs));

/** The machine's. @param interrupt memory to sleep on; without it a sleeper spins */
export function machineClock(interrupt: SharedArrayBuffer | undefined): GuestClock {
  const cells = interrupt && new Int32Array(interrupt);
  return {
    now: () => toNanoseconds(systemClock.now()),
    monotonic: () => toNanoseconds(systemClock.monotonic()),
    sleep(nanoseconds, look) {
      const endMs = systemClock.monotonic() + Number(nanoseconds) / nanosecondsPerMs;
      for (;;) {
        look();
        const leftMs = endMs - systemClock.monotonic();
        if (leftMs <= 0) return;
        // the flag stays 0 until the run must end
        if (cells) Atomics.wait(cells, 0, 0, Math.min(leftMs, napMs));
      }
    },
  };
}

/** Starts at `timeMs` and moves only when it is used: every reading takes a microsecond, and a sleep as long as it says. */
export function countingClock(timeMs: number): GuestClock {
  const startNs = toNanoseconds(timeMs);
  let passedNs = 0n;
  const read = (): bigint => {
    passedNs += 1000n;
    return passedNs;
  };
  return {
    now: () => startNs + read(),
    monotonic: read,
    sleep(nanoseconds, look) {
      look();
      passedNs += nanoseconds;
    },
  };
}
