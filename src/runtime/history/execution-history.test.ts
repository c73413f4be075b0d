import fc from 'fast-check';
import { expect, test } from 'vitest';
import { estimateBytes } from './estimate-bytes.ts';
import { ExecutionHistory } from './execution-history.ts';
import type { ExecutionRecord } from './execution-history.ts';
import { defaultRuntimeLimits } from '../limits.ts';

const record = (input: unknown, rest: Partial<ExecutionRecord> = {}): ExecutionRecord => ({
  input,
  startedAtMs: 0,
  durationMs: 1,
  traceId: 't',
  ...rest,
});

const idle = { restarts: 0, uptimeMs: 0, mailboxLength: 0 };

test('the newest calls that fit both bounds are kept, whatever comes', () => {
  const limits = { ...defaultRuntimeLimits, executionHistoryEntries: 5, executionHistoryBytes: 1000 };
  fc.assert(
    fc.property(fc.array(fc.string({ maxLength: 700 }), { maxLength: 30 }), (inputs) => {
      const history = new ExecutionHistory(limits);
      const kept: string[] = [];
      for (const input of inputs) {
        history.add(record(input));
        kept.push(input);
        const bytesOf = (text: string): number => estimateBytes(text) + 2 * estimateBytes(undefined);
        const isTooMuch = (): boolean => kept.reduce((sum, text) => sum + bytesOf(text), 0) > 1000;
        while (kept.length > 5 || isTooMuch()) kept.shift();
        expect(history.records.map((one) => one.input)).toEqual(kept);
      }
      expect(history.metrics(idle).calls).toBe(inputs.length);
    }),
  );
});

const megabyte = 2 ** 20;

test.each([
  ['text', 'x'.repeat(megabyte)],
  ['a typed array', new Float64Array(megabyte / 8)],
  ['a typed array inside', { rows: [new Uint8Array(megabyte)] }],
  ['a buffer in a Map', new Map([['a', new ArrayBuffer(megabyte)]])],
  ['a Set', new Set(Array.from({ length: megabyte / 8 }, (_, index) => index))],
  ['a Blob', [new Blob([new Uint8Array(megabyte)])]],
  ['long keys', Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`${index}`.padEnd(500), 0]))],
])('a megabyte of %s counts as about a megabyte', (_, value) => {
  const history = new ExecutionHistory({ ...defaultRuntimeLimits, executionHistoryBytes: 4 * megabyte });
  for (let call = 0; call < 10; call++) history.add(record(value));
  expect(history.records.length).toBeGreaterThanOrEqual(1);
  expect(history.records.length).toBeLessThanOrEqual(4);
});

test('long error messages count too', () => {
  const history = new ExecutionHistory({ ...defaultRuntimeLimits, executionHistoryBytes: 10_000 });
  const error = { code: 'lm/failed', message: 'x'.repeat(2000) } as const;
  for (let call = 0; call < 10; call++) history.add(record(null, { error }));
  expect(history.records).toHaveLength(2);
});

test('values that are shared or cyclic are measured in a time that is bounded', () => {
  let shared: unknown = ['x'];
  for (let depth = 0; depth < 60; depth++) shared = [shared, shared];
  const cyclic: { self?: unknown } = {};
  cyclic.self = cyclic;
  expect(estimateBytes(shared)).toBeLessThan(2000);
  expect(estimateBytes(cyclic)).toBeLessThan(100);
});

test('figures: counts of all calls, times of those that are kept', () => {
  const history = new ExecutionHistory({ ...defaultRuntimeLimits, executionHistoryEntries: 100 });
  expect(history.metrics(idle)).toMatchObject({ calls: 0, successRatio: 1, meanMs: 0, p99Ms: 0 });
  for (let durationMs = 1; durationMs <= 200; durationMs++) {
    const error = durationMs % 4 === 0 ? { error: { code: 'lm/failed', message: 'no' } as const } : {};
    history.add(record(durationMs, { durationMs, ...error }));
  }
  expect(history.metrics({ ...idle, restarts: 3 })).toMatchObject({
    calls: 200,
    successes: 150,
    successRatio: 0.75,
    meanMs: 150.5,
    restarts: 3,
  });
  const { p50Ms, p95Ms, p99Ms } = history.metrics(idle);
  expect([p50Ms, p95Ms, p99Ms].every((ms, index) => Math.abs(ms - [150.5, 195, 199][index]!) <= 1)).toBe(
    true,
  );
});

test('a program that makes codes up fills no memory with them', () => {
  const history = new ExecutionHistory(defaultRuntimeLimits);
  for (let call = 0; call < 250; call++) {
    history.add(record(call, { error: { code: `app/made-up-${call % 200}`, message: 'no' } }));
  }
  const { failures } = history.metrics(idle);
  expect(Object.keys(failures)).toHaveLength(101);
  expect(failures['app/made-up-1']).toBe(2);
  expect(failures.other).toBe(100);
});

test('the last call is the one that ended last, by when it began', () => {
  const history = new ExecutionHistory(defaultRuntimeLimits);
  expect(history.metrics(idle).lastCallAtMs).toBeUndefined();
  for (const startedAtMs of [5, 9]) history.add(record(0, { startedAtMs }));
  expect(history.metrics(idle).lastCallAtMs).toBe(9);
});

test('quantiles are those of the nearest rank', () => {
  const history = new ExecutionHistory(defaultRuntimeLimits);
  for (const durationMs of [30, 10, 20, 40]) history.add(record(0, { durationMs }));
  expect(history.metrics(idle)).toMatchObject({ p50Ms: 20, p95Ms: 40, p99Ms: 40, meanMs: 25 });
});
