/** A list of a store has a limit; what is kept of a module or of all of them has none. */
import type { Entry, Key, Store } from '../../state/index.ts';

const pageEntries = 1000;

/** Everything under `prefix`, in the order of keys; of several moments while others write. @throws as `Store.list` */
export async function listAll<T>(store: Store, prefix: Key): Promise<readonly Entry<T>[]> {
  const all: Entry<T>[] = [];
  for (let last: Key | undefined; ;) {
    const page = await store.list<T>(prefix, { limit: pageEntries, ...(last ? { after: last } : {}) });
    all.push(...page);
    if (page.length < pageEntries) return all;
    last = page.at(-1)?.key;
  }
}
