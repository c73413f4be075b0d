import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { seededRandom, SimulatedClock } from '../platform/index.ts';
import { CallLimit } from './call-limit.ts';
import { lmError } from './error.ts';
import { defaultRetryLimits, parseRetryAfter, retryDelayMs, withRetries } from './retry.ts';

const nowMs = Date.UTC(2026, 10, 22, 12, 0, 0);
const model = 'm';

describe('parseRetryAfter', () => {
  test.each([
    ['seconds', { 'retry-after': '7' }, 7000],
    ['part of a second', { 'retry-after': '0.5' }, 500],
    ['zero', { 'retry-after': '0' }, 0],
    ['an HTTP date', { 'retry-after': 'Sun, 22 Nov 2026 12:00:30 GMT' }, 30_000],
    ['the old date form', { 'retry-after': 'Sunday, 22-Nov-26 12:00:30 GMT' }, 30_000],
    ['the C date form', { 'retry-after': 'Sun Nov 22 12:00:30 2026 GMT' }, 30_000],
    ['a date in the past', { 'retry-after': 'Sun, 22 Nov 2020 12:00:00 GMT' }, 0],
    ['milliseconds win', { 'retry-after': '9', 'retry-after-ms': '250' }, 250],
    ['nothing', {}, undefined],
    ['words', { 'retry-after': 'soon' }, undefined],
    ['a negative number', { 'retry-after': '-5' }, undefined],
    ['a broken date', { 'retry-after': 'Sun, 99 Foo' }, undefined],
    ['a year alone is no date', { 'retry-after': '2026-11-23' }, undefined],
  ])('%s', (_, headers, expected) => {
    expect(parseRetryAfter(new Headers(headers), nowMs)).toBe(expected);
  });

  test('any header gives undefined or a number of at least 0', () => {
    const value = fc.string({
      unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)),
    });
    fc.assert(
      fc.property(value, (text) => {
        const delayMs = parseRetryAfter(new Headers({ 'retry-after': text }), nowMs);
        expect(delayMs === undefined || (Number.isFinite(delayMs) && delayMs >= 0)).toBe(true);
      }),
    );
  });
});

describe('retryDelayMs', () => {
  const random = seededRandom(1);
  const server = lmError('lm/server', 'x', { model });

  test('doubles up to the bound, between half and the whole', () => {
    const limits = { ...defaultRetryLimits, maxAttempts: 100, backOffBaseMs: 100, backOffMaxMs: 1000 };
    for (const [attempt, ceilingMs] of [
      [1, 100],
      [2, 200],
      [3, 400],
      [4, 800],
      [5, 1000],
      [60, 1000],
    ] as const) {
      for (let count = 0; count < 50; count++) {
        const delayMs = retryDelayMs(server, attempt, limits, random) ?? Number.NaN;
        expect(delayMs).toBeGreaterThanOrEqual(ceilingMs / 2);
        expect(delayMs).toBeLessThanOrEqual(ceilingMs);
      }
    }
  });

  test('never less than the server asked for, and none beyond the bound', () => {
    const limited = (retryAfterMs: number) => lmError('lm/rate-limited', 'x', { model, retryAfterMs });
    expect(retryDelayMs(limited(3000), 1, defaultRetryLimits, random)).toBeGreaterThanOrEqual(3000);
    expect(retryDelayMs(limited(3000), 1, defaultRetryLimits, random)).toBeLessThan(3500);
    expect(retryDelayMs(limited(30_001), 1, defaultRetryLimits, random)).toBeUndefined();
  });

  test('nothing after the last try, nor for what will not change', () => {
    expect(retryDelayMs(server, 4, defaultRetryLimits, random)).toBeUndefined();
    expect(retryDelayMs(lmError('lm/auth', 'x', { model }), 1, defaultRetryLimits, random)).toBeUndefined();
  });

  test('a call that waited in vain is not repeated, one that the server gave up on is', () => {
    const waited = lmError('lm/timeout', 'x', { model });
    const refused = lmError('lm/timeout', 'x', { model, status: 408 });
    expect(retryDelayMs(waited, 1, defaultRetryLimits, random)).toBeUndefined();
    expect(retryDelayMs(refused, 1, defaultRetryLimits, random)).toBeGreaterThan(0);
  });
});

describe('withRetries', () => {
  const setUp = (timeoutMs = 60_000) => {
    const clock = new SimulatedClock();
    const call = new CallLimit(clock, model, timeoutMs, {});
    const delays: number[] = [];
    const context = {
      call,
      random: seededRandom(2),
      limits: defaultRetryLimits,
      onRetry: (_: number, delayMs: number) => void delays.push(delayMs),
    };
    return { clock, call, delays, context };
  };
  const failing = lmError('lm/server', 'down', { model });

  test('waits the announced pauses on the clock, then gives the last error', async () => {
    const { clock, context, delays } = setUp();
    let tries = 0;
    // oxlint-disable-next-line require-yield
    const attempts = withRetries(context, async function* () {
      tries += 1;
      throw failing;
    });
    const outcome = attempts.next().catch((error: unknown) => error);
    for (let second = 0; second < 10; second++) await clock.advance(1000);
    expect(await outcome).toBe(failing);
    expect(tries).toBe(4);
    expect(delays).toHaveLength(3);
  });

  test('never asks again once a piece was delivered', async () => {
    const { context } = setUp();
    let tries = 0;
    const attempts = withRetries(context, async function* () {
      tries += 1;
      yield 'piece';
      throw failing;
    });
    expect((await attempts.next()).value).toBe('piece');
    await expect(attempts.next()).rejects.toBe(failing);
    expect(tries).toBe(1);
  });

  test('a pause past the deadline shows the cause instead of a timeout', async () => {
    const { context, delays } = setUp(100);
    // oxlint-disable-next-line require-yield
    const attempts = withRetries(context, async function* () {
      throw failing;
    });
    await expect(attempts.next()).rejects.toBe(failing);
    expect(delays).toEqual([]);
  });

  test('a cancelled call ends in the middle of a pause', async () => {
    const { clock, call, context } = setUp();
    // oxlint-disable-next-line require-yield
    const attempts = withRetries(context, async function* () {
      throw failing;
    });
    const outcome = attempts.next().catch((error: unknown) => error);
    await clock.advance(10);
    call.cancel();
    expect(await outcome).toMatchObject({ code: 'lm/cancelled' });
  });
});
