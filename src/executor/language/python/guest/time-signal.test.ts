import { expect, test } from 'vitest';
import { SimulatedClock } from '../../../../platform/index.ts';
import { TimeSignal } from './time-signal.ts';

test('it is raised once when the time of a run is up, and cleared by Python', async () => {
  const clock = new SimulatedClock();
  const signal = new TimeSignal(clock);
  expect(signal[0]).toBe(0);
  signal.begin(100);
  await clock.advance(99);
  expect(signal[0]).toBe(0);
  await clock.advance(1);
  expect([signal[0], signal[0]]).toEqual([2, 2]);
  signal[0] = 0;
  await clock.advance(1000);
  expect(signal[0]).toBe(0);
  expect(signal.end()).toBe(true);
});

test('a run that ends in time leaves nothing for the next one', async () => {
  const clock = new SimulatedClock();
  const signal = new TimeSignal(clock);
  signal.begin(100);
  expect(signal.end()).toBe(false);
  await clock.advance(1000);
  expect(signal[0]).toBe(0);
  signal.begin(100);
  await clock.advance(100);
  expect(signal[0]).toBe(2);
  // Python had no time to see it
  signal.end();
  expect(signal[0]).toBe(0);
  signal.begin(100);
  expect([signal[0], signal.end()]).toEqual([0, false]);
});
