import { expect, test } from 'vitest';
import { readWhole } from './read-whole.ts';

/** A stream of pieces of two bytes. */
function streamOf(pieces: number) {
  const told = { read: 0, cancelled: 0 };
  const stream = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        if (told.read === pieces) return controller.close();
        told.read += 1;
        controller.enqueue(Uint8Array.of(told.read, 0));
      },
      cancel: () => void (told.cancelled += 1),
    },
    { highWaterMark: 0 },
  );
  return { stream, told };
}

test('a stream is read whole, and each piece is told before', async () => {
  const sizes: (readonly number[])[] = [];
  const bytes = await readWhole(streamOf(3).stream, (...given) => void sizes.push(given));
  expect([...bytes]).toEqual([1, 0, 2, 0, 3, 0]);
  expect(sizes).toEqual([
    [2, 2],
    [4, 2],
    [6, 2],
  ]);
});

test('what is no stream has nothing', async () => {
  expect(await readWhole(null, () => undefined)).toEqual(new Uint8Array());
});

test('what the check throws ends a stream without end, there', async () => {
  const { stream, told } = streamOf(Infinity);
  const tooMuch = new Error('more than 4 bytes');
  const check = (wholeBytes: number): void => {
    if (wholeBytes > 4) throw tooMuch;
  };
  await expect(readWhole(stream, check)).rejects.toBe(tooMuch);
  expect(told).toEqual({ read: 3, cancelled: 1 });
});

test('a stream that fails is told as it fails', async () => {
  const broken = new Error('broken');
  const stream = new ReadableStream<Uint8Array>({ pull: (controller) => controller.error(broken) });
  await expect(readWhole(stream, () => undefined)).rejects.toBe(broken);
});
