import { expect, test } from 'vitest';
import { SimulatedClock } from '../../platform/index.ts';
import { HistoryWriter } from './history-writer.ts';

function open(write: (names: readonly string[]) => Promise<void>): {
  clock: SimulatedClock;
  writer: HistoryWriter;
  failures: unknown[];
} {
  const clock = new SimulatedClock();
  const failures: unknown[] = [];
  const writer = new HistoryWriter({
    clock,
    delayMs: 250,
    write,
    onFailure: (error) => failures.push(error),
  });
  return { clock, writer, failures };
}

test('changes within the delay share one write, and later ones get another', async () => {
  const written: (readonly string[])[] = [];
  const { clock, writer } = open(async (names) => void written.push(names));
  writer.touch('a');
  await clock.advance(200);
  writer.touch('b');
  writer.touch('a');
  expect(written).toEqual([]);
  await clock.advance(50);
  expect(written).toEqual([['a', 'b']]);
  writer.touch('a');
  await clock.advance(250);
  expect(written).toEqual([['a', 'b'], ['a']]);
});

test('a flush writes at once and leaves no timer behind', async () => {
  const written: (readonly string[])[] = [];
  const { clock, writer } = open(async (names) => void written.push(names));
  writer.touch('a');
  await writer.flush();
  expect(written).toEqual([['a']]);
  await clock.advance(1000);
  await writer.flush();
  expect(written).toEqual([['a']]);
});

test('a failure is reported and does not stop the next write', async () => {
  let isBroken = true;
  const { clock, writer, failures } = open(() =>
    isBroken ? Promise.reject(new Error('full')) : Promise.resolve(),
  );
  writer.touch('a');
  await clock.advance(250);
  expect(failures).toHaveLength(1);
  isBroken = false;
  writer.touch('a');
  await clock.advance(250);
  expect(failures).toHaveLength(1);
});
