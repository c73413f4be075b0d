import { expect, test } from 'vitest';
import { Slots } from './slots.ts';

test('places are taken, waited for in order, and given back once', async () => {
  const slots = new Slots(1, 2);
  const order: string[] = [];
  const leave = await slots.enter();
  const waiting = ['b', 'c'].map(async (name) => {
    const leaveNext = await slots.enter();
    order.push(name);
    return leaveNext;
  });
  await expect(slots.enter()).rejects.toMatchObject({ code: 'executor/queue-full', isRetryable: true });
  leave?.();
  leave?.();
  (await waiting[0])?.();
  (await waiting[1])?.();
  expect(order).toEqual(['b', 'c']);
  expect(await slots.enter()).toBeTypeOf('function');
});

test('a signal takes one out of the queue, and makes room in it', async () => {
  const slots = new Slots(1, 1);
  const leave = await slots.enter();
  const controller = new AbortController();
  const first = slots.enter(controller.signal);
  controller.abort();
  expect(await first).toBe(undefined);
  const second = slots.enter();
  leave?.();
  expect(await second).toBeTypeOf('function');
});

test('who has waited elsewhere is let into a full queue', async () => {
  const slots = new Slots(1, 0);
  const leave = await slots.enter();
  await expect(slots.enter()).rejects.toMatchObject({ code: 'executor/queue-full' });
  const waiting = slots.enter(undefined, 1);
  leave?.();
  expect(await waiting).toBeTypeOf('function');
});

test('closing tells all who wait, and all who come later', async () => {
  const slots = new Slots(1, 5);
  await slots.enter();
  const waiting = [slots.enter(), slots.enter()];
  slots.close();
  expect(await Promise.all(waiting)).toEqual([undefined, undefined]);
  expect(await slots.enter()).toBe(undefined);
});
