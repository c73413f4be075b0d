import { expect, test, vi } from 'vitest';
import { SimulatedClock } from '../platform/index.ts';
import { DeadlineQueue } from './deadline-queue.ts';
import { createLoopback, createMessagePort } from './port.ts';

const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));

test('what was posted before anybody listened arrives once, in order, and nothing else does', async () => {
  const [left, right] = createLoopback();
  left.post(1);
  left.post(2);
  const heard: unknown[] = [];
  right.listen((message) => heard.push(message));
  left.post(3);
  await turn();
  expect(heard).toEqual([1, 2, 3]);
});

test('a closed loopback delivers nothing, and posting to it does nothing', async () => {
  const [left, right] = createLoopback();
  const heard: unknown[] = [];
  right.listen((message) => heard.push(message));
  left.post(1);
  left.close();
  left.post(2);
  await turn();
  expect(heard).toEqual([]);
});

test('a message port copies, refuses functions, and listens no more after close', async () => {
  const { port1, port2 } = new MessageChannel();
  const [near, far] = [createMessagePort(port1 as never), createMessagePort(port2 as never)];
  const heard: unknown[] = [];
  far.listen((message) => heard.push(message));
  near.post({ a: new Map([[1, 2]]) });
  await vi.waitFor(() => expect(heard).toEqual([{ a: new Map([[1, 2]]) }]));
  expect(() => near.post(() => undefined)).toThrow(
    expect.objectContaining({ code: 'port/not-cloneable' }) as Error,
  );
  far.close();
  near.post('late');
  await turn();
  expect(heard).toHaveLength(1);
  port1.close();
});

test('a deadline that is no time is due at once; one without end never is', async () => {
  const clock = new SimulatedClock();
  const due: number[] = [];
  const queue = new DeadlineQueue(clock, (id) => due.push(id));
  for (const [id, timeoutMs] of [Number.NaN, -1, 0, 10, Infinity].entries()) queue.add(id, timeoutMs);
  await clock.advance(0);
  expect(due).toEqual([0, 1, 2]);
  await clock.advance(1e12);
  expect(due).toEqual([0, 1, 2, 3]);
});

test('deadlines fall due in time whatever order they were added in, and not after they were removed', async () => {
  const clock = new SimulatedClock();
  const due: string[] = [];
  const queue = new DeadlineQueue(clock, (id) => due.push(`${id} at ${clock.monotonic()}`));
  for (const [id, timeoutMs] of [50, 10, 30, 20, 40].entries()) queue.add(id, timeoutMs);
  queue.remove(2);
  await clock.advance(100);
  expect(due).toEqual(['1 at 10', '3 at 20', '4 at 40', '0 at 50']);
});
