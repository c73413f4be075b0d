import { expect, test } from 'vitest';
import { CodedError } from '../base/index.ts';
import { SimulatedClock } from './clock.ts';
import type { Clock } from './clock.ts';
import { cancellation, withDeadline } from './deadline.ts';

const never = (): Promise<never> => new Promise(() => undefined);

/** Counts timers that were set and neither fired nor cancelled. */
class CountingClock extends SimulatedClock {
  open = 0;

  override after: Clock['after'] = (delayMs, callback) => {
    this.open++;
    let isOver = false;
    const end = (): void => {
      if (!isOver) this.open--;
      isOver = true;
    };
    const cancel = super.after(delayMs, () => (end(), callback()));
    return () => (end(), cancel());
  };
}

test('work that ignores its limit is left behind at the limit, and told', async () => {
  const clock = new CountingClock();
  let signal: AbortSignal | undefined;
  const outcome = withDeadline(clock, { timeoutMs: 10 }, (given) => ((signal = given), never())).catch(
    (error: unknown) => error,
  );
  await clock.advance(9);
  expect(signal?.aborted).toBe(false);
  await clock.advance(1);
  expect(await outcome).toMatchObject({ code: 'port/timeout', isRetryable: true, fields: { timeoutMs: 10 } });
  expect(signal?.aborted).toBe(true);
  expect(clock.open).toBe(0);
});

test.each([
  ['a value', () => Promise.resolve(7)],
  ['an error', () => Promise.reject(new Error('no'))],
  [
    'an error that is thrown at once',
    () => {
      throw new Error('no');
    },
  ],
])('work that ends with %s leaves no timer and no listener', async (_, work) => {
  const clock = new CountingClock();
  const controller = new AbortController();
  let listeners = 0;
  const { signal } = controller;
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = (...args: Parameters<typeof add>) => (listeners++, add(...args));
  signal.removeEventListener = (...args: Parameters<typeof remove>) => (listeners--, remove(...args));
  await withDeadline(clock, { timeoutMs: 1000, signal }, work).catch(() => undefined);
  expect({ timers: clock.open, listeners }).toEqual({ timers: 0, listeners: 0 });
});

test('a signal that aborts before the work begins: it never does', async () => {
  let hasBegun = false;
  const work = (): Promise<void> => Promise.resolve(void (hasBegun = true));
  await expect(
    withDeadline(new SimulatedClock(), { signal: AbortSignal.abort() }, work),
  ).rejects.toMatchObject({ code: 'port/cancelled' });
  const controller = new AbortController();
  const cancelled = withDeadline(new SimulatedClock(), { signal: controller.signal }, work);
  controller.abort();
  await expect(cancelled).rejects.toMatchObject({ code: 'port/cancelled' });
  await Promise.resolve();
  expect(hasBegun).toBe(false);
});

test('our own errors pass a signal as they are, also those of another copy of the library', () => {
  const ours = new CodedError('actor/peer-died', 'gone');
  expect(cancellation(AbortSignal.abort(ours))).toBe(ours);
  const marker = Symbol.for('vivarium.coded-error');
  const foreign = Object.assign(new Error('gone'), { [marker]: true, code: 'actor/peer-died' });
  expect(cancellation(AbortSignal.abort(foreign))).toBe(foreign);
  expect(cancellation(AbortSignal.abort('enough'))).toMatchObject({
    code: 'port/cancelled',
    cause: 'enough',
  });
});
