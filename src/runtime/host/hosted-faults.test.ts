import { expect, test } from 'vitest';
import { faultTestModules as modules } from './fault-test-modules.ts';
import type { Answer } from './fault-test-modules.ts';
import { defaultRuntimeLimits } from '../limits.ts';
import { codeOf, runtimesOf } from '../runtime-test-scene.ts';

const createTestRuntime = runtimesOf({ modules });

function count(codes: readonly string[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const code of codes) counts[code] = (counts[code] ?? 0) + 1;
  return counts;
}

test('forwards that await hold up nothing: parameters, modes, states and other forwards are served meanwhile', async () => {
  const runtime = createTestRuntime();
  const waiter = await runtime.start('waiter');
  const stop = new AbortController();
  const waiting = Array.from({ length: 500 }, () => codeOf(waiter.call('wait', { signal: stop.signal })));
  await waiter.parameters.limit.set(2, { level: 'memory' });
  expect(await waiter.parameters.limit.get()).toBe(2);
  expect(waiter.parameters.limit.value).toBe(2);
  await waiter.train('memory');
  expect(await waiter.call('go')).toBe('train 2');
  const checkpoint = await waiter.checkpoint();
  await waiter.parameters.limit.set(3);
  await waiter.restore(checkpoint);
  expect(await waiter.call('go')).toBe('train 2');
  expect(runtime.inspect().modules[0]?.openCalls).toBe(500);
  stop.abort();
  expect(count(await Promise.all(waiting))).toEqual({ 'port/cancelled': 500 });
});

test('a flood beyond the mailbox is refused call by call; what was taken is served, and nothing is dropped', async () => {
  const maxMailbox = 200;
  const runtime = createTestRuntime({
    actorLimits: { maxMailbox, pingIntervalMs: 1_000, hangTimeoutMs: 5_000 },
  });
  const waiter = await runtime.start('waiter');
  const stop = new AbortController();
  const flood = Array.from({ length: 1_000 }, () => codeOf(waiter.call('wait', { signal: stop.signal })));
  // the refused ones have ended while the others still wait
  await expect.poll(() => runtime.inspect().modules[0]?.openCalls).toBe(maxMailbox);
  expect(await codeOf(waiter.call('go'))).toBe('actor/mailbox-full');
  stop.abort();
  expect(count(await Promise.all(flood))).toEqual({ 'actor/mailbox-full': 800, 'port/cancelled': 200 });
  await expect.poll(() => codeOf(waiter.call('go'))).toBe('resolved');
  expect(waiter.metrics.calls).toBeGreaterThanOrEqual(1_001);
});

test('a flood of calls that cannot even be sent is refused by the port', async () => {
  const portLimits = {
    callTimeoutMs: 60_000,
    maxPendingCalls: 50,
    maxMessageBytes: 2 ** 20,
    maxMessageDepth: 100,
    maxViolations: 100,
  };
  const runtime = createTestRuntime({ portLimits });
  const waiter = await runtime.start('waiter');
  const stop = new AbortController();
  const flood = Array.from({ length: 80 }, () => codeOf(waiter.call('wait', { signal: stop.signal })));
  stop.abort();
  expect(count(await Promise.all(flood))).toEqual({ 'port/too-many-calls': 30, 'port/cancelled': 50 });
});

test.each<[Answer, string]>([
  ['function', 'port/not-cloneable'],
  ['symbol', 'port/not-cloneable'],
  ['weak', 'port/not-cloneable'],
  ['deep', 'port/message-too-deep'],
  ['getter', 'port/callee-threw'],
  ['cyclic', 'resolved'],
  ['large', 'port/message-too-large'],
  ['huge-list', 'port/message-too-large'],
])('an answer that is odd (%s) ends its call alone, with %s', async (answer, code) => {
  const runtime = createTestRuntime();
  const odd = await runtime.start('odd');
  expect(await codeOf(odd.call(answer))).toBe(code);
  expect(await odd.call({ blob: new Uint8Array(3) })).toBe(3);
  expect(runtime.inspect().supervisor.restartsLeft).toBe(3);
});

test('a message of 100 MB is refused before it is copied, whatever it is for', async () => {
  const runtime = createTestRuntime();
  const odd = await runtime.start('odd');
  const waiter = await runtime.start('waiter');
  const blob = new Uint8Array(100 * 2 ** 20);
  expect(await codeOf(odd.call({ blob }))).toBe('port/message-too-large');
  const text = 'x'.repeat(50 * 2 ** 20);
  expect(await codeOf(waiter.call(text as 'go'))).toBe('port/message-too-large');
  expect(await codeOf(waiter.parameters.limit.set(text as never))).not.toBe('resolved');
  expect(await waiter.parameters.limit.get()).toBe(1);
  expect(await waiter.call('go')).toBe('eval 1');
});

test('wasm memory that reaches its limit fails the call that asked for more, and nothing else', async () => {
  const runtime = createTestRuntime();
  const leak = await runtime.start('leak');
  const waiter = await runtime.start('waiter');
  const codes: string[] = [];
  for (let round = 0; round < 10; round++) codes.push(await codeOf(leak.call({ pages: 9 })));
  expect(count(codes)).toEqual({ resolved: 7, 'port/callee-threw': 3 });
  expect(await leak.parameters.limit.get()).toBe(1);
  expect(await waiter.call('go')).toBe('eval 1');
});

test('what the page remembers of calls is bounded in bytes, whatever is sent', async () => {
  const runtime = createTestRuntime({ limits: { executionHistoryBytes: 2 ** 20 } });
  const odd = await runtime.start('odd');
  for (let round = 0; round < 50; round++) await odd.call({ blob: new Uint8Array(100 * 1024) });
  const kept = odd.history.length;
  expect(kept).toBeGreaterThan(5);
  expect(kept).toBeLessThanOrEqual(10);
  expect(odd.metrics.calls).toBe(50);
  expect(defaultRuntimeLimits.executionHistoryBytes).toBe(4 * 2 ** 20);
});
