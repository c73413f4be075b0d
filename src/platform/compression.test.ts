import { deflateSync, gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { deflateBytes, inflateBytes } from './compression.ts';

const failed = { code: 'platform/inflate-failed' };

test('any bytes come back, here and in zlib', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 20_000 }), async (bytes) => {
      const packed = await deflateBytes(bytes, 'gzip');
      expect(gunzipSync(packed).equals(bytes)).toBe(true);
      expect(await inflateBytes(packed, 'gzip', bytes.length)).toEqual(bytes);
      expect(await inflateBytes(deflateSync(bytes), 'deflate', bytes.length)).toEqual(bytes);
    }),
    { numRuns: 30 },
  );
});

test('what is cut short or damaged is refused', async () => {
  const packed = gzipSync('some text '.repeat(50));
  for (let length = 0; length < packed.length; length++) {
    await expect(inflateBytes(packed.subarray(0, length), 'gzip', 10_000)).rejects.toMatchObject(failed);
  }
  for (const index of [0, 1, 2, 15, packed.length - 1, packed.length - 5]) {
    const damaged = Uint8Array.from(packed);
    damaged[index] = (damaged[index] ?? 0) ^ 1;
    await expect(inflateBytes(damaged, 'gzip', 10_000)).rejects.toMatchObject(failed);
  }
});

test('a bomb is left at the bound: neither its time nor its memory is spent', async () => {
  const bomb = gzipSync(new Uint8Array(256 * 2 ** 20));
  const before = process.memoryUsage().arrayBuffers;
  await expect(inflateBytes(bomb, 'gzip', 2 ** 20)).rejects.toMatchObject({
    code: 'platform/inflated-too-large',
    fields: { limit: 2 ** 20 },
  });
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(32 * 2 ** 20);
});
