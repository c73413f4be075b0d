import { expect, test, vi } from 'vitest';
import { CodedError } from '../base/index.ts';
import { Stopper } from './stopper.ts';

const first = new CodedError('program/first', 'first');
const second = new CodedError('program/second', 'second');
const never = (): Promise<never> => new Promise(() => undefined);

test('the first reason stays, everybody is told once, and a late asker at once', async () => {
  const stopper = new Stopper();
  const [early, late, gone] = [vi.fn(), vi.fn(), vi.fn()];
  stopper.onStop(early);
  stopper.onStop(gone)();
  const { signal } = stopper;
  const race = stopper.race(never);
  stopper.stop(() => first);
  stopper.stop(() => second);
  stopper.onStop(late);
  await expect(race).rejects.toBe(first);
  expect([early.mock.calls, late.mock.calls, gone.mock.calls]).toEqual([[[first]], [[first]], []]);
  expect([signal.aborted, signal.reason, stopper.signal]).toEqual([true, first, signal]);
});

test('after the stop no work begins, and a signal that nobody had asked for is aborted', async () => {
  const stopper = new Stopper();
  stopper.stop(() => first);
  const work = vi.fn(never);
  await expect(stopper.race(work)).rejects.toBe(first);
  expect(work).not.toHaveBeenCalled();
  expect(stopper.signal.reason).toBe(first);
});

test('work that settles first wins, and the reason is made for nobody', async () => {
  const stopper = new Stopper();
  expect(await stopper.race(() => Promise.resolve(1))).toBe(1);
  await expect(stopper.race(() => Promise.reject(second))).rejects.toBe(second);
  const why = vi.fn(() => first);
  stopper.stop(why);
  expect(why).not.toHaveBeenCalled();
});

test('work that goes on after the stop is told of before the race ends; work that has settled is not', async () => {
  const stopper = new Stopper();
  const left: Promise<unknown>[] = [];
  let end: (value: number) => void = () => undefined;
  const onLeave = (work: Promise<unknown>): void => void left.push(work);
  expect(await stopper.race(() => Promise.resolve(1), onLeave)).toBe(1);
  const race = stopper.race(() => new Promise<number>((resolve) => (end = resolve)), onLeave);
  await Promise.resolve();
  stopper.stop(() => first);
  expect(left).toHaveLength(1);
  await expect(race).rejects.toBe(first);
  end(2);
  expect(await left[0]).toBe(2);
  await expect(stopper.race(never, onLeave)).rejects.toBe(first);
  expect(left).toHaveLength(1);
});
