/** Checks that every store makes on what it is asked. */
import { CodedError } from '../base/index.ts';
import { encodeKey, encodePrefix } from './key.ts';
import type { Key } from './key.ts';
import { defaultListEntries } from './limits.ts';
import type { StoreLimits } from './limits.ts';
import type { CommitOptions, Committed, ListOptions, Store, Write } from './store.ts';

/** A checked `list`: encoded keys from `from` (itself included only if `isFromIncluded`), below `below`. */
export interface ListRange {
  readonly from: string | undefined;
  readonly isFromIncluded: boolean;
  readonly below: string | undefined;
  readonly limit: number;
  /** The range holds no key at all. */
  readonly isEmpty: boolean;
}

function checkListLimit(limit: number, limits: StoreLimits): void {
  if (Number.isInteger(limit) && limit >= 1 && limit <= limits.maxListEntries) return;
  throw new CodedError(
    'state/limit-invalid',
    `limit is ${limit}, expected an integer from 1 to ${limits.maxListEntries}`,
    {
      fields: { limit: String(limit), maxListEntries: limits.maxListEntries },
    },
  );
}

/** @throws `state/key-invalid`, `state/limit-invalid` */
export function toListRange(prefix: Key, options: ListOptions, limits: StoreLimits): ListRange {
  const limit = options.limit ?? defaultListEntries;
  checkListLimit(limit, limits);
  const range = encodePrefix(prefix);
  const after = options.after === undefined ? undefined : encodeKey(options.after);
  const isAfterFirst = after !== undefined && (range === undefined || after >= range.from);
  return {
    from: isAfterFirst ? after : range?.from,
    isFromIncluded: !isAfterFirst,
    below: range?.below,
    limit,
    isEmpty: isAfterFirst && range !== undefined && after >= range.below,
  };
}

/** What any method of a closed store rejects with. */
export function storeClosed(store: string): CodedError {
  return new CodedError('state/closed', `the store ${store} is closed`, { fields: { store } });
}

/** `commit` as the one group of `commitEach`. */
export async function commitAlone(
  store: Pick<Store, 'commitEach'>,
  writes: readonly Write[],
  options: CommitOptions | undefined,
): Promise<readonly Committed[]> {
  const [outcome] = await store.commitEach([writes], options);
  if (!outcome) return [];
  if (!outcome.ok) throw outcome.error;
  return outcome.value;
}
