import { expect, test, vi } from 'vitest';
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
