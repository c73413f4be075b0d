import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { CodedError, isCodedError } from '../base/index.ts';
import { SimulatedClock } from '../platform/index.ts';
import type { IncomingCall } from './incoming-call.ts';
import { defaultPortLimits } from './limits.ts';
import { Peer } from './peer.ts';
import type { PeerOptions } from './peer.ts';
import { createLoopback } from './port.ts';

function pair(onCall: (call: IncomingCall) => unknown, options: PeerOptions = {}): { near: Peer; far: Peer } {
  const [left, right] = createLoopback();
  return { near: new Peer(left, options), far: new Peer(right, { onCall }) };
}

const never = (): Promise<never> => new Promise(() => undefined);

test('any clonable body comes back as it went', async () => {
  const { near } = pair((call) => call.body);
  await fc.assert(
    fc.asyncProperty(
      fc.anything({ withBigInt: true, withDate: true, withMap: true, withSet: true, withTypedArray: true }),
      async (body) => {
        let copy: unknown;
        try {
          copy = structuredClone(body);
        } catch {
          return;
        }
        expect(await near.call('x', 'echo', body)).toEqual(copy);
      },
    ),
    { numRuns: 200 },
  );
});

test('replies find their calls whatever order they come in', async () => {
  const gates: (() => void)[] = [];
  const { near } = pair((call) => new Promise((resolve) => gates.push(() => resolve(call.body))));
  const calls = [1, 2, 3].map((body) => near.call('x', 'wait', body));
  await vi.waitFor(() => expect(gates).toHaveLength(3));
  for (const open of gates.toReversed()) open();
  expect(await Promise.all(calls)).toEqual([1, 2, 3]);
});

test('an error keeps its code, fields and retryability', async () => {
  const { near } = pair(() => {
    throw new CodedError('lm/rate-limited', 'slow down', { fields: { retryAfterMs: 5 }, isRetryable: true });
  });
  const error: unknown = await near.call('x', 'm', null).catch((thrown: unknown) => thrown);
  expect(isCodedError(error, 'lm/rate-limited')).toBe(true);
  expect(error).toMatchObject({ message: 'slow down', fields: { retryAfterMs: 5 }, isRetryable: true });
});

test('what is thrown without a code arrives with one, and with its cause', async () => {
  const { near } = pair(() => {
    throw new RangeError('out of range');
  });
  await expect(near.call('x', 'm', null)).rejects.toMatchObject({
    code: 'port/callee-threw',
    cause: { name: 'RangeError', message: 'out of range' },
  });
});

test('a call ends at its limit, and the callee hears of it', async () => {
  const clock = new SimulatedClock();
  const seen: AbortSignal[] = [];
  const { near } = pair((call) => (seen.push(call.signal), never()), { clock });
  const call = near.call('x', 'm', null, { timeoutMs: 50 });
  const outcome = call.catch((error: unknown) => error);
  await clock.advance(50);
  expect(await outcome).toMatchObject({ code: 'port/timeout', fields: { timeoutMs: 50 } });
  await vi.waitFor(() => expect(seen[0]?.aborted).toBe(true));
  expect(near.pendingCalls).toBe(0);
});

test('a caller that cancels is answered at once, and the callee hears of it', async () => {
  const seen: AbortSignal[] = [];
  const { near } = pair((call) => (seen.push(call.signal), never()));
  const controller = new AbortController();
  const call = near.call('x', 'm', null, { signal: controller.signal });
  await vi.waitFor(() => expect(seen).toHaveLength(1));
  controller.abort();
  await expect(call).rejects.toMatchObject({ code: 'port/cancelled' });
  await vi.waitFor(() => expect(seen[0]?.aborted).toBe(true));
});

test('closing ends every open call with the given error', async () => {
  const { near, far } = pair(never);
  const calls = [near.call('x', 'm', 1), near.call('x', 'm', 2)];
  near.close(new CodedError('actor/peer-died', 'gone'));
  for (const call of calls) await expect(call).rejects.toMatchObject({ code: 'actor/peer-died' });
  await expect(near.call('x', 'm', 3)).rejects.toMatchObject({ code: 'actor/peer-died' });
  expect(far.isClosed).toBe(false);
});

test('progress arrives before the end and in order', async () => {
  const { near } = pair(async (call) => {
    for (const part of [1, 2, 3]) call.delta(part);
    await Promise.resolve();
    return 'end';
  });
  const parts: unknown[] = [];
  expect(await near.call('x', 'm', null, { onDelta: (part) => parts.push(part) })).toBe('end');
  expect(parts).toEqual([1, 2, 3]);
});

test('a flood of open calls is refused, not queued without bound', async () => {
  const { near } = pair(never, { limits: { ...defaultPortLimits, maxPendingCalls: 2 } });
  void near.call('x', 'm', 1).catch(() => undefined);
  void near.call('x', 'm', 2).catch(() => undefined);
  await expect(near.call('x', 'm', 3)).rejects.toMatchObject({
    code: 'port/too-many-calls',
    isRetryable: true,
  });
});

test.each([
  ['too large', 'x'.repeat(600), 'port/message-too-large'],
  ['too deep', Array.from({ length: 30 }).reduce<unknown>((inner) => [inner], 0), 'port/message-too-deep'],
  ['a function', () => undefined, 'port/not-cloneable'],
])('a body that is %s is refused with %s', async (_, body, code) => {
  const limits = { ...defaultPortLimits, maxMessageBytes: 1000, maxMessageDepth: 20 };
  const { near } = pair((call) => call.body, { limits });
  await expect(near.call('x', 'm', body)).rejects.toMatchObject({ code });
  expect(await near.call('x', 'm', 'fine')).toBe('fine');
});

test('a reply that cannot be cloned fails its call', async () => {
  const { near } = pair(() => () => undefined);
  await expect(near.call('x', 'm', null)).rejects.toMatchObject({ code: 'port/not-cloneable' });
});

test('a cyclic body is measured once and crosses', async () => {
  const body: { self?: unknown } = {};
  body.self = body;
  const { near } = pair((call) => (call.body as typeof body).self === call.body);
  expect(await near.call('x', 'm', body)).toBe(true);
});

test('garbage never throws; foreign messages are left alone; hostile frames close the port', async () => {
  const [left, right] = createLoopback();
  const violations: string[] = [];
  const peer = new Peer(left, {
    onViolation: (reason) => violations.push(reason),
    limits: { ...defaultPortLimits, maxViolations: 5 },
  });
  right.post('hello');
  right.post({ type: 'call-end', id: 1 });
  const hostile = [
    { vivarium: 2, type: 'call-end', id: 1 },
    { vivarium: 1, type: 'no-such-type', id: 1 },
    { vivarium: 1, type: 'call-start', id: '1', to: 'x', method: 'm' },
    { vivarium: 1, type: 'call-fail', id: 1, error: { code: 7 } },
    { vivarium: 1, type: 'call-end', id: Number.NaN },
  ];
  for (const frame of hostile) right.post(frame);
  await vi.waitFor(() => expect(violations).toHaveLength(5));
  expect(peer.isClosed).toBe(true);
  await expect(peer.call('x', 'm', null)).rejects.toMatchObject({ code: 'port/protocol-violation' });
});

test('arbitrary frames that claim to be ours never throw and never settle a call that is not theirs', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.object(), { maxLength: 20 }), async (frames) => {
      const [left, right] = createLoopback();
      const near = new Peer(left, { limits: { ...defaultPortLimits, maxViolations: 1000 } });
      const call = near.call('x', 'm', null, { timeoutMs: Infinity });
      let settled = false;
      void call.then(
        () => (settled = true),
        () => undefined,
      );
      for (const frame of frames) right.post({ ...structuredClone(frame), vivarium: 1, id: 999_999 });
      await new Promise((resolve) => setTimeout(resolve, 0));
      expect(settled).toBe(false);
      near.close(new CodedError('actor/peer-died', 'over'));
      await call.catch(() => undefined);
    }),
    { numRuns: 50 },
  );
});

test('a listener of progress that throws ends its own call, and nothing else', async () => {
  const { near } = pair(async (call) => {
    call.delta(1);
    await new Promise((resolve) => setTimeout(resolve, 5));
    return 'end';
  });
  const onDelta = (): never => {
    throw new Error('the listener broke');
  };
  await expect(near.call('x', 'm', null, { onDelta })).rejects.toMatchObject({ code: 'port/listener-threw' });
  expect(await near.call('x', 'm', null)).toBe('end');
});

test('a peer that floods with calls is answered with a refusal beyond the bound', async () => {
  const [left, right] = createLoopback();
  new Peer(right, { onCall: never, limits: { ...defaultPortLimits, maxPendingCalls: 2 } });
  const answers: unknown[] = [];
  left.listen((message) => answers.push(message));
  for (const id of [1, 2, 3])
    left.post({ vivarium: 1, type: 'call-start', id, to: 'x', method: 'm', body: null });
  await vi.waitFor(() =>
    expect(answers).toMatchObject([{ type: 'call-fail', id: 3, error: { code: 'port/too-many-calls' } }]),
  );
});

test('a listener of a call hears what its signal hears, once; at once when it is late; never after it has left', async () => {
  const heard: string[] = [];
  let incoming: IncomingCall | undefined;
  const { near } = pair((call) => {
    incoming = call;
    call.onAbort((error) => heard.push(`early ${error.code}`));
    call.onAbort(() => heard.push('gone'))();
    return never();
  });
  const cancel = new AbortController();
  const ended = near.call('x', 'wait', null, { signal: cancel.signal }).catch((error: unknown) => error);
  await vi.waitFor(() => expect(incoming).toBeDefined());
  cancel.abort();
  expect(await ended).toMatchObject({ code: 'port/cancelled' });
  await vi.waitFor(() => expect(heard).toEqual(['early port/cancelled']));
  incoming?.onAbort((error) => heard.push(`late ${error.code}`));
  expect(heard).toEqual(['early port/cancelled', 'late port/cancelled']);
  expect(incoming?.signal.aborted).toBe(true);
});
