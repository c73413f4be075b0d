import fc from 'fast-check';
import { afterEach, expect, test, vi } from 'vitest';
import { sleep, SimulatedClock, systemClock } from './clock.ts';

afterEach(() => void vi.useRealTimers());

const dayMs = 86_400_000;

test.each([30 * dayMs, 2 ** 31, 2 ** 33 + 1])(
  'a timer of %i ms is not early: platforms wrap at 2³¹',
  (delayMs) => {
    vi.useFakeTimers();
    const fired = vi.fn<() => void>();
    systemClock.after(delayMs, fired);
    vi.advanceTimersByTime(delayMs - 1);
    expect(fired).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(fired).toHaveBeenCalledOnce();
    expect(vi.getTimerCount()).toBe(0);
  },
);

test('a timer without end can be cancelled, and leaves none behind', () => {
  vi.useFakeTimers();
  const fired = vi.fn<() => void>();
  const cancel = systemClock.after(Infinity, fired);
  vi.advanceTimersByTime(100 * dayMs);
  cancel();
  expect(vi.getTimerCount()).toBe(0);
  expect(fired).not.toHaveBeenCalled();
});

test('simulated timers run in order of time, then of creation, each at its own time', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(50), { maxLength: 20 }), async (delays) => {
      const clock = new SimulatedClock(1000);
      const ran: { readonly index: number; readonly atMs: number }[] = [];
      for (const [index, delayMs] of delays.entries())
        clock.after(delayMs, () => ran.push({ index, atMs: clock.monotonic() }));
      await clock.advance(50);
      const expected = delays
        .map((atMs, index) => ({ index, atMs }))
        .toSorted((a, b) => a.atMs - b.atMs || a.index - b.index);
      expect(ran).toEqual(expected);
      expect(clock.now()).toBe(1050);
    }),
    { numRuns: 30 },
  );
});

test('a simulated clock does not go back, and a cancelled timer does not run', async () => {
  const clock = new SimulatedClock();
  const fired = vi.fn<() => void>();
  clock.after(5, fired)();
  await clock.advance(10);
  expect(fired).not.toHaveBeenCalled();
  await expect(clock.advance(-1)).rejects.toMatchObject({ code: 'platform/clock-backwards' });
});

test('sleep ends at its time, or at once with the reason of the signal, and leaves no timer', async () => {
  vi.useFakeTimers();
  const controller = new AbortController();
  const sleeping = sleep(systemClock, dayMs, controller.signal);
  controller.abort(new Error('enough'));
  await expect(sleeping).rejects.toThrow('enough');
  await expect(sleep(systemClock, 1, controller.signal)).rejects.toThrow('enough');
  expect(vi.getTimerCount()).toBe(0);
});
