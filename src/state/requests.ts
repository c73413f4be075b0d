/** Checks that every store makes on what it is asked. */
import { CodedError } from '../base/index.ts';
import { encodeKey, encodePrefix } from './key.ts';
import type { Key } from './key.ts';
import { defaultListEntries, maxKeepHistory } from './limits.ts';
import type { StoreLimits } from './limits.ts';
import type {
  CommitOptions,
  Committed,
  Entry,
  HistoryOptions,
  Listing,
  ListOptions,
  Store,
  Write,
} from './store.ts';

/** A checked `list`: encoded keys from `from` (itself included only if `isFromIncluded`), below `below`. */
export interface ListRange {
  readonly from: string | undefined;
  readonly isFromIncluded: boolean;
  readonly below: string | undefined;
  readonly limit: number;
  /** Infinity when there is no such bound. */
  readonly maxBytes: number;
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

function checkMaxBytes(maxBytes: number): void {
  if (maxBytes === Infinity || (Number.isSafeInteger(maxBytes) && maxBytes >= 1)) return;
  throw new CodedError('state/limit-invalid', `maxBytes is ${maxBytes}, expected a whole number from 1`, {
    fields: { maxBytes: String(maxBytes) },
  });
}

/** Takes values until they come to a number of bytes. */
export class ByteBudget {
  readonly #maxBytes: number;
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Whether another may follow. */
  take(sizeBytes: number): boolean {
    this.#bytes += sizeBytes;
    return this.#bytes < this.#maxBytes;
  }
}

/** Entries with the mark of a page that ended because of its bytes. */
export function toListing<T>(entries: readonly Entry<T>[], isCut: boolean | undefined): Listing<T> {
  return isCut ? Object.assign([...entries], { isCut }) : entries;
}

/** @throws `state/key-invalid`, `state/limit-invalid` */
export function toListRange(prefix: Key, options: ListOptions, limits: StoreLimits): ListRange {
  const limit = options.limit ?? defaultListEntries;
  checkListLimit(limit, limits);
  const { maxBytes = Infinity } = options;
  checkMaxBytes(maxBytes);
  const range = encodePrefix(prefix);
  const after = options.after === undefined ? undefined : encodeKey(options.after);
  const isAfterFirst = after !== undefined && (range === undefined || after >= range.from);
  return {
    from: isAfterFirst ? after : range?.from,
    isFromIncluded: !isAfterFirst,
    below: range?.below,
    limit,
    maxBytes,
    isEmpty: isAfterFirst && range !== undefined && after >= range.below,
  };
}

/**
 * How many revisions `history` answers with.
 * @throws `state/limit-invalid`
 */
export function toHistoryLimit({ limit = maxKeepHistory }: HistoryOptions): number {
  return checkRevisions('limit', limit);
}

/**
 * How many revisions of a key a store keeps.
 * @throws `state/limit-invalid`
 */
export function toKeepHistory(keepHistory: number = 1): number {
  return checkRevisions('keepHistory', keepHistory);
}

function checkRevisions(field: string, value: number): number {
  if (Number.isInteger(value) && value >= 1 && value <= maxKeepHistory) return value;
  throw new CodedError(
    'state/limit-invalid',
    `${field} is ${value}, expected an integer from 1 to ${maxKeepHistory}`,
    { fields: { [field]: String(value), maxKeepHistory } },
  );
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
