import { expect, test } from 'vitest';
import { SimulatedClock } from './clock.ts';
import { DeadlineQueue } from './deadline-queue.ts';

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
