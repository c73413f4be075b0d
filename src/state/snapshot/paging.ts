/** Reads of many values, in pages of a number of bytes. */
import type { Key } from '../key.ts';
import { LostValue } from '../lost-value.ts';
import type { Entry, Listing, Store } from '../store.ts';
import { sizeOfStored } from '../value.ts';
import { maxPageEntries, pageBytes } from './limits.ts';

/** Bytes of an entry's value, as a store counts them. */
export function sizeOfEntry({ value }: Entry): number {
  return value instanceof LostValue ? 0 : sizeOfStored(value);
}

/**
 * All entries under a prefix after `after`, page by page, an empty one last where the one before was full; each page is from one
 * moment, unless a value in it is lost. A page ends with the value with which it comes to 4 MiB.
 */
export async function* pagesOf<T>(store: Store, prefix: Key, after?: Key): AsyncGenerator<Listing<T>> {
  const options = { limit: maxPageEntries, maxBytes: pageBytes };
  for (let last = after; ;) {
    const page = await store.list<T>(prefix, { ...options, ...(last ? { after: last } : {}) });
    yield page;
    if (page.length < maxPageEntries && !page.isCut) return;
    last = page.at(-1)?.key;
  }
}
