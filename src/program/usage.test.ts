import { expect, test } from 'vitest';
import { programLimits } from './limits.ts';
import { Trace } from './trace.ts';
import type { TraceEntry } from './trace.ts';
import { Usage } from './usage.ts';

const one = { inputTokens: 1, outputTokens: 2, totalTokens: 3 };

test('a call counts for itself and for every call around it', () => {
  const outer = new Usage();
  const [left, right] = [new Usage(outer), new Usage(outer)];
  left.add('a', one);
  right.add('a', one);
  right.add('b', one);
  expect(left.byModel).toEqual({ a: one });
  expect(right.total).toEqual({ inputTokens: 2, outputTokens: 4, totalTokens: 6 });
  expect(outer.byModel).toEqual({ a: { inputTokens: 2, outputTokens: 4, totalTokens: 6 }, b: one });
  expect([left.calls, right.calls, outer.calls]).toEqual([1, 2, 3]);
});

test('beyond 100 models the rest is counted under other, and no token is lost', () => {
  const usage = new Usage();
  for (let index = 0; index < 1000; index += 1) usage.add(`model ${index}`, one);
  expect(Object.keys(usage.byModel)).toHaveLength(programLimits.usageModels + 1);
  expect(usage.byModel.other?.inputTokens).toBe(1000 - programLimits.usageModels);
  expect(usage.total.totalTokens).toBe(3000);
});

test('a trace keeps 10,000 entries unless said otherwise', () => {
  const trace = new Trace();
  const entry = (path: string): TraceEntry => ({ path }) as TraceEntry;
  for (let index = 0; index < 10_005; index += 1) trace.add(entry(String(index)));
  expect([trace.entries.length, trace.dropped, trace.entries[0]?.path]).toEqual([10_000, 5, '5']);
  const none = new Trace(0);
  none.add(entry('x'));
  expect([...none]).toEqual([]);
});
