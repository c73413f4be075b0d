/** Infos of a record, page by page. */
import type { Entry, Store } from '../store.ts';
import type { Key } from '../key.ts';
import { infoKey, infoPrefix, sequenceOfInfoKey, versionsPrefix } from './record-key.ts';

/** One listing of a store at most. */
export const infosPerPage = 1000;

/** As stored; not checked. */
export interface StoredInfo {
  readonly sequence: number;
  readonly value: unknown;
}

const toStoredInfo = ({ key, value }: Entry): StoredInfo => ({ sequence: sequenceOfInfoKey(key), value });

/** The oldest first, those after `after`. */
export async function infosAfter(
  store: Store,
  id: string,
  after: number,
  limit: number,
): Promise<readonly StoredInfo[]> {
  const entries = await store.list(infoPrefix(id), {
    limit,
    ...(after > 0 ? { after: infoKey(id, after) } : {}),
  });
  return entries.map(toStoredInfo);
}

/**
 * The newest first, those before `before` and after `after`. A store lists forwards only: stretches of it are read, longer ones where
 * little is left of what there was.
 */
export async function infosBefore(
  store: Store,
  id: string,
  range: { readonly before: number; readonly after: number; readonly limit: number },
): Promise<readonly StoredInfo[]> {
  const { after, limit } = range;
  const found: StoredInfo[] = [];
  let before = range.before;
  let span = limit;
  while (found.length < limit && before - 1 > after) {
    const from = Math.max(after, before - 1 - span);
    const page = await infosAfter(store, id, from, Math.min(infosPerPage, span));
    const stretch = page.filter(({ sequence }) => sequence < before);
    if (span > infosPerPage && stretch.length === infosPerPage) {
      // it may hold more than one page: its end is what is wanted
      span = infosPerPage;
      continue;
    }
    found.push(...stretch.toReversed());
    before = from + 1;
    span *= 4;
  }
  return found.slice(0, limit);
}

/** Every info, the oldest first. */
export async function* allInfos(store: Store, id: string, after: number): AsyncGenerator<StoredInfo> {
  for (let last = after; ;) {
    const page = await infosAfter(store, id, last, infosPerPage);
    yield* page;
    if (page.length < infosPerPage) return;
    last = page.at(-1)?.sequence ?? last;
  }
}

/** Keys of all named versions. */
export async function* allVersionKeys(store: Store, id: string): AsyncGenerator<Key> {
  for (let after: Key | undefined; ;) {
    const page = await store.list(versionsPrefix(id), { limit: infosPerPage, ...(after ? { after } : {}) });
    for (const { key } of page) yield key;
    after = page.at(-1)?.key;
    if (page.length < infosPerPage) return;
  }
}
