/** Timers. They end with their run. */
import type { GuestTimers, HarnessHost } from './harness-types.ts';

/** Runs in the interpreter. */
export function installTimers(host: HarnessHost): GuestTimers {
  const { defineProperty, keys } = Object;
  const NativeMap = Map;
  const NativeTypeError = TypeError;

  interface Timer {
    readonly work: (...given: unknown[]) => unknown;
    readonly given: readonly unknown[];
    readonly everyMs: number | undefined;
  }
  const maxTimers = 10_000;
  const timers = new NativeMap<number, Timer>();
  let lastTimer = 0;

  const startTimer = (
    work: unknown,
    delayMs: unknown,
    given: readonly unknown[],
    isRepeated: boolean,
  ): number => {
    if (typeof work !== 'function') throw new NativeTypeError('a timer takes a function');
    if (timers.size >= maxTimers) throw new RangeError(`more than ${maxTimers} timers`);
    const waitMs = Math.min(Math.max(Number(delayMs) || 0, isRepeated ? 1 : 0), 2 ** 31 - 1);
    const timer = (lastTimer += 1);
    timers.set(timer, { work: work as Timer['work'], given, everyMs: isRepeated ? waitMs : undefined });
    host.startTimer(timer, waitMs);
    return timer;
  };
  const stopTimer = (timer: unknown): void => {
    if (timers.delete(timer as number)) host.stopTimer(timer as number);
  };
  const fire = (id: number): void => {
    const timer = timers.get(id);
    if (!timer) return;
    if (timer.everyMs === undefined) timers.delete(id);
    else host.startTimer(id, timer.everyMs);
    // what it throws is the run's end
    timer.work(...timer.given);
  };

  const globals: Record<string, unknown> = {
    setTimeout: (work: unknown, delayMs?: unknown, ...given: unknown[]) =>
      startTimer(work, delayMs, given, false),
    setInterval: (work: unknown, delayMs?: unknown, ...given: unknown[]) =>
      startTimer(work, delayMs, given, true),
    clearTimeout: stopTimer,
    clearInterval: stopTimer,
  };
  for (const name of keys(globals)) {
    defineProperty(globalThis, name, { value: globals[name], writable: true, configurable: true });
  }
  return { clear: () => timers.clear(), fire };
}
