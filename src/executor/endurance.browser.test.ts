/** The short form of `npm run prove -- endurance`: runs leave nothing behind, and callers are served in turn. */
import { expect, test } from 'vitest';
import { createHub, createMemorySink } from '../telemetry/index.ts';
import { createExecutor } from './create-executor.ts';
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

test('a hundred callers at once are served in turn; one more is told that the queue is full', async () => {
  const limits = { concurrentExecutions: 4, queuedExecutions: 96 };
  await using executor = createExecutor({ language: 'javascript', ...files, limits });
  await valueOf(executor, '1');
  const begun: { readonly index: number; readonly atMs: number }[] = [];
  const runs = Array.from({ length: 100 }, async (_, index) => {
    const outcome = await executor.execute(`${index}`);
    expect(outcome).toMatchObject({ value: index });
    begun.push({ index, atMs: performance.now() - outcome.durationMs });
  });
  expect(await codeOf(executor.execute('0'))).toBe('executor/queue-full');
  await Promise.all(runs);
  const inTurn = begun.toSorted((one, other) => one.atMs - other.atMs);
  expect(Math.max(...inTurn.map(({ index }, place) => Math.abs(place - index)))).toBeLessThanOrEqual(8);
});
