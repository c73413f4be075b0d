/** Reads of many values, in pages that stay near a number of bytes. */
import type { Key } from '../key.ts';
import type { Entry, Store } from '../store.ts';
import { maxPageEntries, pageBytes } from './limits.ts';

const firstPage = 32;

/** Entries in the next page, after some of which the size is known. */
function nextLimit(entries: number, bytes: number): number {
  if (entries === 0) return firstPage;
  const fitting = Math.floor((pageBytes * entries) / Math.max(bytes, 1));
  // not more than twice as many as were seen: the first ones may be the small ones
  return Math.max(1, Math.min(maxPageEntries, fitting, 2 * entries));
}

/**
 * All entries under a prefix after `after`, page by page; each page is from one moment.
 * @param sizeOf bytes of an entry, for the size of the pages that follow
 */
export async function* pagesOf<T>(
  store: Store,
  prefix: Key,
  sizeOf: (entry: Entry<T>) => number,
  after?: Key,
): AsyncGenerator<readonly Entry<T>[]> {
  let [entries, bytes] = [0, 0];
  for (let last = after; ;) {
    const limit = nextLimit(entries, bytes);
    const page = await store.list<T>(prefix, { limit, ...(last ? { after: last } : {}) });
    if (page.length > 0) yield page;
    if (page.length < limit) return;
    for (const entry of page) bytes += sizeOf(entry);
    entries += page.length;
    last = page.at(-1)?.key;
  }
}
