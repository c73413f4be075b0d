import { expect, test } from 'vitest';
import { SimulatedClock } from '../../platform/index.ts';
import type { StampedEvent } from '../../telemetry/index.ts';
import { EventBuffer } from './event-buffer.ts';

const note = (text: string): StampedEvent => ({ type: 'note', text, atMs: 0 });

test('a burst is one batch, and memory is bounded', async () => {
  const clock = new SimulatedClock();
  const batches: (readonly StampedEvent[])[] = [];
  const buffer = new EventBuffer(clock, (events) => batches.push(events));
  for (let at = 0; at < 5_000; at++) buffer.add(note(String(at)));
  expect(batches).toHaveLength(0);
  await clock.advance(100);
  expect(batches).toHaveLength(1);
  expect(batches[0]).toHaveLength(1_000);
  expect(batches[0]?.at(-1)).toEqual(note('4999'));
  buffer.add(note('later'));
  await clock.advance(100);
  expect(batches[1]).toHaveLength(1_000);
  expect(batches[1]?.at(-1)).toEqual(note('later'));
});
