/** The short form of `npm run prove -- endurance`: runs leave nothing behind, and callers are served in turn. */
import { expect, test } from 'vitest';
import { systemClock } from '../platform/index.ts';
import type { Clock } from '../platform/index.ts';
import { createHub, createMemorySink } from '../telemetry/index.ts';
import { createExecutor } from './create-executor.ts';
import { defaultLimits } from './limits.ts';
import { codeOf, valueOf } from './laws/open-executor.contract.ts';

const files = { assets: { baseUrl: '/sandbox/' }, frame: 'srcdoc' } as const;

test('hundreds of runs leave no interpreter and no frame beyond the pool', async () => {
  const hub = createHub();
  using sink = createMemorySink(hub);
  const limits = { concurrentExecutions: 2, warmSandboxes: 1 };
  await using executor = createExecutor({ language: 'javascript', ...files, hub, limits });
  await using session = await executor.createSession();
  const frames = document.querySelectorAll('iframe').length;
  for (let index = 0; index < 300; index += 1) expect(await valueOf(session, `${index}`)).toBe(index);
  for (let index = 0; index < 60; index += 1) expect(await valueOf(executor, `${index}`)).toBe(index);
  const alive = sink.ofType('sandbox-start').length - sink.ofType('sandbox-kill').length;
  // the session's, the one that waits, and as many as may run at a time
  expect(alive).toBeLessThanOrEqual(4);
  expect(document.querySelectorAll('iframe')).toHaveLength(frames);
});

test('as many callers at once as the limits serve, a hundred and more, begin in order of call; one more is told that the queue is full', async () => {
  const callers = defaultLimits.concurrentExecutions + defaultLimits.queuedExecutions;
  expect(callers).toBeGreaterThanOrEqual(100);
  const turnMs = 21_000;
  const begun: number[] = [];
  // caller n has this time limit and n milliseconds, and nobody else asks for as much: the clock hears who begins
  const clock: Clock = {
    ...systemClock,
    after(delayMs, callback) {
      if (delayMs >= turnMs && delayMs < turnMs + callers) begun.push(delayMs - turnMs);
      return systemClock.after(delayMs, callback);
    },
  };
  const limits = { wallTimeMs: 2 * turnMs };
  await using executor = createExecutor({ language: 'javascript', ...files, limits, clock });
  await valueOf(executor, '1');
  const order = Array.from({ length: callers }, (_, index) => index);
  const runs = order.map((index) => executor.execute(`${index}`, {}, { timeoutMs: turnMs + index }));
  expect(await codeOf(executor.execute('0'))).toBe('executor/queue-full');
  expect(await Promise.all(runs)).toMatchObject(order.map((value) => ({ value })));
  expect(begun).toEqual(order);
});
