/** Reads of many values, in pages that stay near a number of bytes. */
import type { Key } from '../key.ts';
import { defaultStoreLimits } from '../limits.ts';
import type { StoreLimits } from '../limits.ts';
import { LostValue } from '../lost-value.ts';
import type { Entry, Store } from '../store.ts';
import { measureValue } from '../value.ts';
import { maxPageEntries, pageBytes } from './limits.ts';

/** With the largest values that a store takes by default this is half of what its largest commit may hold. */
const firstPage = 2;

/** What is stored was within the bounds of whoever wrote it. */
const unbounded: StoreLimits = { ...defaultStoreLimits, maxValueBytes: Infinity, maxValueDepth: Infinity };

/** Bytes of an entry's value, as a store counts them. */
export function sizeOfEntry({ value }: Entry): number {
  return value instanceof LostValue ? 0 : measureValue(value, unbounded);
}

/**
 * Entries in the next page: neighbours are alike, so as many as fit at the size of those in the page before. At most twice as many as
 * that one had, so that what grows from key to key is noticed on the way.
 */
function nextLimit(entries: number, bytes: number): number {
  const fitting = Math.floor((pageBytes * entries) / Math.max(bytes, 1));
  return Math.max(1, Math.min(maxPageEntries, fitting, 2 * entries));
}

/**
 * All entries under a prefix after `after`, page by page, an empty one last where the one before was full; each page is from one
 * moment, unless a value in it is lost.
 * @param sizeOf bytes of an entry, for the size of the page that follows
 */
export async function* pagesOf<T>(
  store: Store,
  prefix: Key,
  sizeOf: (entry: Entry<T>) => number,
  after?: Key,
): AsyncGenerator<readonly Entry<T>[]> {
  let limit = firstPage;
  for (let last = after; ;) {
    const page = await store.list<T>(prefix, { limit, ...(last ? { after: last } : {}) });
    yield page;
    if (page.length < limit) return;
    limit = nextLimit(
      page.length,
      page.reduce((bytes, entry) => bytes + sizeOf(entry), 0),
    );
    last = page.at(-1)?.key;
  }
}
