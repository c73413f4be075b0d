import { expect, test } from 'vitest';
import { beginRun, createInterruptFlag, pythonSignalOf, raiseInterrupt } from './interrupt-flag.ts';

test('an interrupt reaches its run, whichever of the two is first', () => {
  const late = createInterruptFlag();
  expect(beginRun(late, 1)).toBe(false);
  raiseInterrupt(late, 1);
  expect(pythonSignalOf(late)[0]).toBe(2);
  const early = createInterruptFlag();
  raiseInterrupt(early, 1);
  expect(beginRun(early, 1)).toBe(true);
});

test('no later run is hit by it', () => {
  const flag = createInterruptFlag();
  raiseInterrupt(flag, 1);
  for (const run of [2, 3]) {
    expect(beginRun(flag, run)).toBe(false);
    expect(pythonSignalOf(flag)[0]).toBe(0);
  }
});

test('a signal that falls between the two steps of Python reading it is not lost', () => {
  const flag = createInterruptFlag();
  const signal = pythonSignalOf(flag);
  expect(signal[0]).toBe(0);
  raiseInterrupt(flag, 1);
  signal[0] = 0;
  expect(signal[0]).toBe(2);
  signal[0] = 0;
  expect(signal[0]).toBe(0);
});
