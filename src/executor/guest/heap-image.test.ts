import fc from 'fast-check';
import { expect, test } from 'vitest';
import { findPages, openHeapImage, packHeapImage, pageBytes, writeHeapImage } from './heap-image.ts';

/** Pages of which most are empty, as in a heap. */
const heaps = fc
  .array(
    fc.oneof(
      { weight: 3, arbitrary: fc.constant(undefined) },
      fc.uint8Array({ minLength: 1, maxLength: 64 }),
    ),
    {
      maxLength: 12,
    },
  )
  .map((pages) => {
    const heap = new Uint8Array(pages.length * pageBytes);
    pages.forEach((page, index) => page && heap.set(page, index * pageBytes + 100));
    return heap;
  });
const headers = fc.uint8Array({ maxLength: 16 }).map((bytes) => new Uint8Array(bytes.length * 4).fill(7));

const pack = (header: Uint8Array, heap: Uint8Array, before: readonly number[] = []): ArrayBuffer =>
  packHeapImage(header, heap, before).buffer;

test('a heap comes back as it was, whatever the interpreter that boots begins with', () => {
  fc.assert(
    fc.property(headers, heaps, fc.array(fc.nat(12 * pageBytes)), (header, heap, dirt) => {
      const target = new Uint8Array(heap.length);
      for (const at of dirt) if (at < target.length) target[at] = 9;
      const image = openHeapImage(pack(header, heap, findPages(target)));
      writeHeapImage(image, target);
      expect(Buffer.compare(target, heap)).toBe(0);
      expect(image.header).toEqual(header);
    }),
  );
});

test('what is empty is not kept', () => {
  const heap = new Uint8Array(64 * pageBytes);
  heap[5 * pageBytes] = 1;
  expect(pack(new Uint8Array(), heap).byteLength).toBeLessThan(pageBytes + 100);
});

const refusal = { code: 'executor/snapshot-invalid' };
const codeOf = (work: () => unknown): unknown => {
  try {
    return void work();
  } catch (error) {
    return error;
  }
};

test('what was cut or changed in its numbers is refused, or is another heap within its bounds', () => {
  const heap = new Uint8Array(8 * pageBytes);
  heap[pageBytes] = heap[6 * pageBytes] = 1;
  const image = new Uint8Array(pack(new Uint8Array(8), heap));
  fc.assert(
    fc.property(fc.nat(image.length - 1), (length) => {
      expect(codeOf(() => openHeapImage(image.slice(0, length).buffer))).toMatchObject(refusal);
    }),
  );
  fc.assert(
    fc.property(fc.nat(5), fc.nat(0xffff_ffff), (index, value) => {
      const changed = image.slice();
      new Uint32Array(changed.buffer)[index] = value;
      const error = codeOf(() => {
        const opened = openHeapImage(changed.buffer);
        if (opened.heapBytes <= 2 ** 24) writeHeapImage(opened, new Uint8Array(opened.heapBytes));
      });
      expect(error ?? refusal).toMatchObject(refusal);
    }),
  );
});

test.each([
  ['noise', [1, 2, 3, 4]],
  ['more pages than there are bytes', [0x31_49_48_56, 0, pageBytes, 0xffff_ffff]],
  ['a page beyond the heap', [0x31_49_48_56, 0, pageBytes, 1, 1]],
])('%s is refused', (_name, numbers) => {
  const image = new Uint8Array(numbers.length * 4 + pageBytes);
  new Uint32Array(image.buffer).set(numbers);
  expect(codeOf(() => openHeapImage(image.buffer))).toMatchObject(refusal);
});

test('a heap of another length is refused', () => {
  const image = openHeapImage(pack(new Uint8Array(), new Uint8Array(pageBytes)));
  expect(codeOf(() => writeHeapImage(image, new Uint8Array(2 * pageBytes)))).toMatchObject(refusal);
  expect(codeOf(() => pack(new Uint8Array(), new Uint8Array(100)))).toMatchObject(refusal);
});
