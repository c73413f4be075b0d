import { expect, inject, test } from 'vitest';
import type { Executor } from '../executor.ts';
import type { FrameKind } from '../sandbox/frame.ts';
import { createPythonExecutor } from '../language/python/python-executor.ts';
import { escapeAttempts } from './attempts.ts';
import { createUnprotectedPythonExecutor, createUnstrippedPythonExecutor } from './control.ts';
import { formatEscapeRows, runEscapeSuite } from './escape-suite.ts';

const listenerUrl = inject('listenerUrl');
const assets = { baseUrl: '/sandbox/' };
const byUrl: FrameKind = { url: `${listenerUrl}/sandbox/frame.html` };
const suiteTimeoutMs = 280_000;

const run = (executor: Executor) =>
  runEscapeSuite({ executor, listenerUrl, channelName: `escape-${Math.random()}` });
const leaksOf = (rows: Awaited<ReturnType<typeof run>>) => formatEscapeRows(rows.filter((row) => row.leaked));

test('there are more than fifty attempts, each named once', () => {
  const ids = escapeAttempts.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids.length).toBeGreaterThan(50);
});

test('without walls the suite sees the escapes', { timeout: suiteTimeoutMs }, async () => {
  await using executor = createUnprotectedPythonExecutor({ assets });
  const rows = await run(executor);
  const wrong = rows.filter((row) => row.leaked !== row.leaksUnprotected);
  expect(formatEscapeRows(wrong)).toBe('');
});

test('a sandbox lets nothing out', { timeout: suiteTimeoutMs }, async () => {
  await using executor = createPythonExecutor({ assets, frame: 'srcdoc' });
  expect(leaksOf(await run(executor))).toBe('');
});

// with the globals gone nearly every attempt ends at a missing name; this one shows that the frame's rules hold by themselves
test('the frame alone lets nothing out', { timeout: suiteTimeoutMs }, async () => {
  await using executor = createUnstrippedPythonExecutor({ assets, frame: byUrl });
  expect(leaksOf(await run(executor))).toBe('');
});
