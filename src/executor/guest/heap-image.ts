/**
 * An interpreter's memory as bytes. Most of a heap has never been written; only pages are kept that hold something, or do before an
 * interpreter boots: the others are empty already where the image is written, and to look at each of them would be 5,000 faults.
 *
 * Numbers of 32 bits, little-endian: magic, length of the header, length of the heap, count of pages; then the place of each page in the heap
 * (in pages, rising), the header, and the pages.
 */
import { CodedError } from '../../base/index.ts';

/** Small enough to skip most of what is empty, large enough that few are counted. */
export const pageBytes: number = 16_384;

const magic = 0x31_49_48_56;
const prefixNumbers = 4;
/** What 32-bit memory can have. */
const mostHeapBytes = 2 ** 32;

/** An image, opened: views into its bytes. */
export interface HeapImage {
  /** What the interpreter's loader wants to know of its own objects. */
  readonly header: Uint8Array;
  readonly heapBytes: number;
  /** Place of each page, in pages. */
  readonly places: Uint32Array;
  /** The pages, one after the other. */
  readonly pages: Uint8Array;
}

function invalid(why: string): CodedError {
  return new CodedError('executor/snapshot-invalid', `the snapshot cannot be used: ${why}`, {
    fields: { why },
  });
}

/** Four words at a time, with their signs: most of a heap is looked at and found empty. */
function isEmpty(words: Int32Array, start: number, end: number): boolean {
  for (let index = start; index < end; index += 4) {
    const one = (words[index] as number) | (words[index + 1] as number);
    const other = (words[index + 2] as number) | (words[index + 3] as number);
    if ((one | other) !== 0) return false;
  }
  return true;
}

const wordsPerPage = pageBytes / 4;

/** Pages that hold something. @param heap a whole number of pages, at a position that is one of words */
export function findPages(heap: Uint8Array): readonly number[] {
  if (heap.length % pageBytes !== 0) throw invalid('the heap is no whole number of pages');
  const words = new Int32Array(heap.buffer, heap.byteOffset, heap.length / 4);
  const places: number[] = [];
  for (let page = 0; page < heap.length / pageBytes; page += 1) {
    if (!isEmpty(words, page * wordsPerPage, (page + 1) * wordsPerPage)) places.push(page);
  }
  return places;
}

/**
 * @param header has a length in words
 * @param heap as for {@link findPages}
 * @param before the pages that held something before the interpreter booted
 */
export function packHeapImage(
  header: Uint8Array,
  heap: Uint8Array,
  before: readonly number[],
): Uint8Array<ArrayBuffer> {
  return packPages(
    header,
    heap,
    [...new Set([...before, ...findPages(heap)])].toSorted((a, b) => a - b),
  );
}

/** @param places of the pages to keep, rising */
export function packPages(
  header: Uint8Array,
  heap: Uint8Array,
  places: readonly number[],
): Uint8Array<ArrayBuffer> {
  if (header.length % 4 !== 0) throw invalid('the header is no whole number of words');
  const headerStart = (prefixNumbers + places.length) * 4;
  const pagesStart = headerStart + header.length;
  const image = new Uint8Array(pagesStart + places.length * pageBytes);
  new Uint32Array(image.buffer, 0, prefixNumbers).set([magic, header.length, heap.length, places.length]);
  new Uint32Array(image.buffer, prefixNumbers * 4, places.length).set(places);
  image.set(header, headerStart);
  places.forEach((place, index) => {
    const page = heap.subarray(place * pageBytes, (place + 1) * pageBytes);
    image.set(page, pagesStart + index * pageBytes);
  });
  return image;
}

function arePlaces(places: Uint32Array, heapBytes: number): boolean {
  return places.every(
    (place, index) => place * pageBytes < heapBytes && (index === 0 || place > (places[index - 1] as number)),
  );
}

/** Throws `executor/snapshot-invalid` for bytes that {@link packHeapImage} did not write. */
export function openHeapImage(image: ArrayBuffer): HeapImage {
  if (image.byteLength < prefixNumbers * 4 || image.byteLength % 4 !== 0) throw invalid('it ends early');
  const prefix = new Uint32Array(image, 0, prefixNumbers);
  const [found, headerBytes = 0, heapBytes = 0, count = 0] = prefix;
  if (found !== magic) throw invalid('it is none');
  const headerStart = (prefixNumbers + count) * 4;
  const pagesStart = headerStart + headerBytes;
  if (headerBytes % 4 !== 0 || heapBytes % pageBytes !== 0 || heapBytes >= mostHeapBytes)
    throw invalid('a length is impossible');
  if (image.byteLength !== pagesStart + count * pageBytes) throw invalid('it is not as long as it says');
  const places = new Uint32Array(image, prefixNumbers * 4, count);
  if (!arePlaces(places, heapBytes)) throw invalid('a page is out of place');
  return {
    header: new Uint8Array(image, headerStart, headerBytes),
    heapBytes,
    places,
    pages: new Uint8Array(image, pagesStart),
  };
}

/** Makes `heap` what it was. It must be as long as the image says, and empty where nothing was before the interpreter booted. */
export function writeHeapImage(image: HeapImage, heap: Uint8Array): void {
  if (heap.length !== image.heapBytes) {
    throw invalid(`the heap has ${heap.length} bytes, ${image.heapBytes} are expected`);
  }
  image.places.forEach((place, index) => {
    const page = image.pages.subarray(index * pageBytes, (index + 1) * pageBytes);
    heap.set(page, place * pageBytes);
  });
}
