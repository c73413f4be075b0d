import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { CodedError } from '../base/index.ts';
import { maxBatchFrames } from './envelope.ts';
import type { IncomingCall } from './incoming-call.ts';
import { defaultPortLimits } from './limits.ts';
import { Peer } from './peer.ts';
import type { PeerOptions } from './peer.ts';
import { createLoopback, notCloneable } from './port.ts';
import type { Port } from './port.ts';

type Message = { readonly type: string; readonly id?: number; readonly frames?: readonly Message[] };

/** A loopback that keeps what crosses it. */
function wire(): { readonly near: Port; readonly far: Port; readonly crossed: Message[] } {
  const [left, right] = createLoopback();
  const crossed: Message[] = [];
  const watched = (port: Port): Port => ({
    ...port,
    post(message, transfer) {
      crossed.push(message as Message);
      port.post(message, transfer);
    },
  });
  return { near: watched(left), far: watched(right), crossed };
}

function pair(onCall: (call: IncomingCall) => unknown, options: PeerOptions = {}) {
  const { near, far, crossed } = wire();
  return { near: new Peer(near, options), far: new Peer(far, { onCall }), crossed };
}

const holed: unknown[] = [];
holed[2] = 'behind a hole';

const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));
const sizes = (messages: readonly Message[]): number[] => messages.map(({ frames }) => frames?.length ?? 1);

test('the first call of a turn goes at once, the others together, and so do the answers', async () => {
  const { near, crossed } = pair(async (call) => call.body);
  const calls = Array.from({ length: 10 }, (_, index) => near.call('x', 'echo', index));
  expect(sizes(crossed)).toEqual([1]);
  expect(await Promise.all(calls)).toEqual(calls.map((_, index) => index));
  expect(sizes(crossed)).toEqual([1, 9, 1, 9]);
});

test('whoever waits for nothing else never waits for company', () => {
  const { near, crossed } = pair((call) => call.body);
  void near.call('x', 'echo', 1);
  expect(crossed).toMatchObject([{ type: 'call-start', body: 1 }]);
});

test('a batch is bounded in frames and in bytes', async () => {
  const { near, crossed } = pair((call) => call.body);
  const many = Array.from({ length: 100 }, (_, index) => near.call('x', 'echo', index));
  expect(sizes(crossed)).toEqual([1, maxBatchFrames, maxBatchFrames, maxBatchFrames]);
  await Promise.all(many);
  expect(Math.max(...sizes(crossed))).toBe(maxBatchFrames);
  crossed.length = 0;
  const large = Array.from({ length: 10 }, () => near.call('x', 'echo', 'x'.repeat(7_000)));
  // 14,000 bytes each, and 64 KiB are full with the fifth
  expect(sizes(crossed)).toEqual([1, 5]);
  await Promise.all(large);
});

test('order is the order of sending, whatever goes at once and whatever waits', async () => {
  const body = fc.oneof(
    fc.constant('small'),
    fc.constant('x'.repeat(20_000)),
    fc.constant(new Map([[1, 2]])),
    fc.constant(Array.from({ length: 2 })),
    fc.constant(holed),
    fc.constant({ deep: [{ er: null }] }),
  );
  const step = fc.record({ how: fc.constantFrom('call', 'send', 'turn'), body });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 120 }), async (steps) => {
      const heard: number[] = [];
      const { near: left, far: right } = wire();
      const hear = ({ body }: { readonly body: unknown }) => heard.push((body as { n: number }).n);
      new Peer(right, { onCall: (call) => (hear(call), call.body), onMessage: hear });
      const near = new Peer(left);
      const calls: Promise<unknown>[] = [];
      const sent: unknown[] = [];
      for (const [n, { how, body }] of steps.entries()) {
        if (how === 'turn') await turn();
        else if (how === 'send') near.send('x', 'm', { n, body });
        else calls.push(near.call('x', 'm', sent[sent.push({ n, body }) - 1]));
      }
      expect(await Promise.all(calls)).toEqual(sent);
      await turn();
      expect(heard).toEqual(heard.toSorted((a, b) => a - b));
      expect(heard).toHaveLength(steps.filter(({ how }) => how !== 'turn').length);
    }),
    { numRuns: 60 },
  );
});

test('what is changed after it was handed over is not what arrives', async () => {
  const answers: { n: number }[] = [];
  const { near } = pair((call) => {
    const answer = { n: (call.body as { list: number[] }).list.length };
    answers.push(answer);
    queueMicrotask(() => (answer.n = -1));
    return answer;
  });
  const body = { list: [1] };
  const calls = [1, 2, 3].map(() => {
    const call = near.call('x', 'm', body);
    body.list.push(0);
    return call;
  });
  expect(await Promise.all(calls)).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }]);
  expect(answers).toHaveLength(3);
});

test.each([
  ['a function', { bad: () => undefined }, 'port/not-cloneable'],
  ['too large', 'x'.repeat(6_000), 'port/message-too-large'],
  ['too deep', [[[[[[]]]]]], 'port/message-too-deep'],
])('among many, a body that is %s fails alone with %s', async (_, bad, code) => {
  const limits = { ...defaultPortLimits, maxMessageBytes: 10_000, maxMessageDepth: 4 };
  const { near } = pair((call) => call.body, { limits });
  const calls = [1, 2, bad, 4].map((body) => near.call('x', 'm', body).catch((error: unknown) => error));
  expect(await Promise.all(calls)).toMatchObject([1, 2, { code }, 4]);
});

test('among many, an answer that cannot cross fails its call and no other', async () => {
  const { near } = pair((call) => (call.body === 2 ? () => undefined : call.body));
  const calls = [1, 2, 3].map((body) => near.call('x', 'm', body).catch((error: unknown) => error));
  expect(await Promise.all(calls)).toMatchObject([1, { code: 'port/not-cloneable' }, 3]);
});

test('a message that waited and is not taken fails its own calls only', async () => {
  const [left, right] = createLoopback();
  const refusing: Port = {
    ...left,
    post(message, transfer) {
      const text = JSON.stringify(message);
      if (text.includes('poison')) throw notCloneable(undefined);
      left.post(message, transfer);
    },
  };
  new Peer(right, { onCall: (call) => call.body });
  const near = new Peer(refusing);
  const calls = ['a', 'b', 'poison', 'c'].map((body) =>
    near.call('x', 'm', body).catch((error: unknown) => error),
  );
  expect(await Promise.all(calls)).toMatchObject(['a', 'b', { code: 'port/not-cloneable' }, 'c']);
  expect(near.pendingCalls).toBe(0);
});

test('what waits when a peer closes is sent first', async () => {
  const { near, crossed } = pair(() => new Promise(() => undefined));
  const calls = [1, 2, 3].map((body) => near.call('x', 'm', body));
  near.close(new CodedError('actor/peer-died', 'over'));
  for (const call of calls) await expect(call).rejects.toMatchObject({ code: 'actor/peer-died' });
  expect(sizes(crossed)).toEqual([1, 2]);
});

test('a cancelled call is told of after it was asked for', async () => {
  const heard: string[] = [];
  const { near } = pair((call) => {
    heard.push(`start ${String(call.body)}`);
    call.onAbort(() => heard.push(`end ${String(call.body)}`));
    return new Promise(() => undefined);
  });
  const cancel = new AbortController();
  const calls = [1, 2].map((body) =>
    near.call('x', 'm', body, { signal: cancel.signal }).catch((error: unknown) => error),
  );
  cancel.abort();
  expect(await Promise.all(calls)).toMatchObject([{ code: 'port/cancelled' }, { code: 'port/cancelled' }]);
  await vi.waitFor(() => expect(heard).toHaveLength(4));
  expect(heard).toEqual(['start 1', 'start 2', 'end 1', 'end 2']);
});

const frame = { vivarium: 1, type: 'call-start', id: 1, to: 'x', method: 'm', body: null };
const batchOf = (frames: unknown): unknown => ({ vivarium: 1, type: 'batch-send', frames });

test.each([
  ['not a list', batchOf({ length: 1, 0: frame }), 1],
  ['empty', batchOf([]), 1],
  ['too long', batchOf(Array.from({ length: maxBatchFrames + 1 }, (_, id) => ({ ...frame, id }))), 1],
  ['nested', batchOf([batchOf([frame]), batchOf([batchOf([frame])])]), 2],
  ['of foreign messages', batchOf(['hello', null, { type: 'call-start' }]), 3],
  ['of garbage', batchOf([{ vivarium: 2 }, { vivarium: 1, type: 'none' }]), 2],
])('a batch that is %s is refused', async (_, message, count) => {
  const [left, right] = createLoopback();
  const violations: string[] = [];
  const served: unknown[] = [];
  new Peer(left, { onCall: (call) => served.push(call), onViolation: (reason) => violations.push(reason) });
  right.post(message);
  await turn();
  expect(violations).toHaveLength(count);
  expect(served).toEqual([]);
});

test('a hostile batch closes the port in its midst, and nothing after that is heard', async () => {
  const [left, right] = createLoopback();
  const served: number[] = [];
  const limits = { ...defaultPortLimits, maxViolations: 2 };
  const peer = new Peer(left, { limits, onCall: (call) => served.push(call.body as number) });
  const call = (id: number): unknown => ({ ...frame, id, body: id });
  right.post(batchOf([call(1), 'bad', call(2), 'worse', call(3)]));
  await turn();
  expect(served).toEqual([1, 2]);
  expect(peer.isClosed).toBe(true);
});

test('arbitrary batches never throw, and good frames among bad ones are served', async () => {
  const part = fc.oneof(
    fc.anything(),
    fc.object().map((object) => ({ ...object, vivarium: 1 })),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(part, { maxLength: maxBatchFrames - 1 }), async (parts) => {
      const [left, right] = createLoopback();
      const served: unknown[] = [];
      new Peer(left, {
        limits: { ...defaultPortLimits, maxViolations: 1000 },
        onCall: (call) => served.push(call.body),
      });
      let message: unknown;
      try {
        message = structuredClone(batchOf([...parts, { ...frame, id: 7, body: 'good' }]));
      } catch {
        return;
      }
      right.post(message);
      await turn();
      expect(served).toContain('good');
    }),
    { numRuns: 100 },
  );
});
