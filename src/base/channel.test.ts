import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Channel } from './channel.ts';

async function readAll<T>(channel: Channel<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of channel) items.push(item);
  return items;
}

test('whatever is pushed is read in order, before, between and after reads', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.anything()),
      fc.array(fc.anything()),
      fc.nat(20),
      async (early, late, readers) => {
        const channel = new Channel<unknown>(1000);
        for (const item of early) channel.push(item);
        const iterator = channel[Symbol.asyncIterator]();
        const reads = Array.from({ length: readers }, () => iterator.next());
        for (const item of late) channel.push(item);
        channel.close();
        const rest = await readAll(channel);
        const read = (await Promise.all(reads)).flatMap((result) =>
          result.done ? [] : [result.value as unknown],
        );
        expect([...read, ...rest]).toEqual([...early, ...late]);
      },
    ),
    { numRuns: 200 },
  );
});

test('a full channel refuses and keeps what it has; a closed one refuses', async () => {
  const channel = new Channel<number>(2);
  expect([1, 2, 3].map((item) => channel.push(item))).toEqual([true, true, false]);
  expect(channel.size).toBe(2);
  channel.close();
  expect(channel.push(4)).toBe(false);
  expect(await readAll(channel)).toEqual([1, 2]);
});

test('an error is thrown after what was pushed before it', async () => {
  const channel = new Channel<number>(2);
  channel.push(1);
  channel.close(new Error('broken'));
  const iterator = channel[Symbol.asyncIterator]();
  expect(await iterator.next()).toEqual({ done: false, value: 1 });
  await expect(iterator.next()).rejects.toThrow('broken');
});

test('every reader that waits hears of the end', async () => {
  const channel = new Channel<number>(1);
  const iterator = channel[Symbol.asyncIterator]();
  const reads = [iterator.next(), iterator.next()];
  channel.close();
  expect(await Promise.all(reads)).toEqual([
    { done: true, value: undefined },
    { done: true, value: undefined },
  ]);
});

test('a reader that leaves closes the channel for its producer', async () => {
  const channel = new Channel<number>(5);
  for (const item of [1, 2, 3]) channel.push(item);
  for await (const item of channel) if (item === 2) break;
  expect(channel.push(4)).toBe(false);
  expect(channel.size).toBe(0);
});

test.each([0, -1, 1.5, Number.NaN, Infinity])('a capacity of %d is refused', (capacity) => {
  expect(() => new Channel(capacity)).toThrow(
    expect.objectContaining({ code: 'base/channel-capacity' }) as Error,
  );
});
