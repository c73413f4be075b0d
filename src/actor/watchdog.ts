/**
 * Asks a worker for a sign of life and reports when it is silent for too long.
 * The watchdog doubts itself: when its own timer fired late (a sleeping page, a breakpoint, a throttled tab), the silence
 * proves nothing, so it asks once more and waits the whole time again.
 */
import type { Clock } from '../platform/index.ts';
import type { ActorLimits } from './limits.ts';

export interface WatchdogOptions {
  readonly clock: Clock;
  readonly limits: Pick<ActorLimits, 'pingIntervalMs' | 'hangTimeoutMs'>;
  /** Sends a ping; the returned function forgets it. */
  readonly ping: (onAnswer: () => void) => () => void;
  readonly onSuspect: (silentMs: number) => void;
  readonly onHang: (silentMs: number) => void;
}

/** A timer this much later than asked for means that the page itself was asleep. */
const lateFactor = 1.5;

export function startWatchdog(options: WatchdogOptions): () => void {
  const { clock, limits } = options;
  let cancelTimer = (): void => undefined;
  let forgetPing = (): void => undefined;
  let isStopped = false;

  const wait = (delayMs: number, then: (lateMs: number) => void): void => {
    const dueMs = clock.monotonic() + delayMs;
    cancelTimer = clock.after(delayMs, () => {
      if (!isStopped) then(clock.monotonic() - dueMs);
    });
  };

  const ask = (): void => {
    const askedMs = clock.monotonic();
    let isSuspect = false;
    forgetPing = options.ping(() => {
      cancelTimer();
      if (!isStopped) wait(limits.pingIntervalMs, ask);
    });
    const check = (lateMs: number): void => {
      const silentMs = clock.monotonic() - askedMs;
      if (lateMs > limits.pingIntervalMs * (lateFactor - 1)) {
        forgetPing();
        return ask();
      }
      if (silentMs >= limits.hangTimeoutMs) return options.onHang(silentMs);
      if (!isSuspect) options.onSuspect(silentMs);
      isSuspect = true;
      wait(Math.min(limits.pingIntervalMs, limits.hangTimeoutMs - silentMs), check);
    };
    wait(Math.min(limits.pingIntervalMs, limits.hangTimeoutMs), check);
  };

  ask();
  return () => {
    isStopped = true;
    cancelTimer();
    forgetPing();
  };
}
