/** The head of a record: what it is now. Every change of a record passes through it, so that changes have one order. */
import { CodedError } from '../../base/index.ts';
import { sha256Hex } from '../../platform/index.ts';
import { toCanonicalBytes } from '../format/canonical.ts';
import type { Entry, Store } from '../store.ts';
import { headKey } from './record-key.ts';
import { orDamaged } from './record.ts';
import type { RecordInfo } from './record.ts';

export interface RecordHead {
  readonly id: string;
  /** The highest sequence number that was ever given. */
  readonly sequence: number;
  /** Null when there is no version. */
  readonly latest: RecordInfo | null;
  /** Versions that are not pinned, and the bytes of their states. */
  readonly count: number;
  readonly sizeBytes: number;
  readonly pinnedCount: number;
  /** Versions up to this one are gone, whatever of them still lies in the store. */
  readonly erasedThrough: number;
  /** Nothing lies in the store any more of what was erased. */
  readonly isSwept: boolean;
  /** The latest time that was ever given as a version. */
  readonly stampMs: number;
}

/** As it is stored. */
interface SealedHead extends RecordHead {
  readonly format: number;
  readonly checksum: string;
}

/** Of the layout of records in the store. */
const format = 1;

/** The head of a record that never had a version. */
export function emptyHead(id: string): RecordHead {
  return {
    id,
    sequence: 0,
    latest: null,
    count: 0,
    sizeBytes: 0,
    pinnedCount: 0,
    erasedThrough: 0,
    isSwept: true,
    stampMs: 0,
  };
}

/** Puts format and checksum on a head. */
export async function sealHead(head: RecordHead): Promise<unknown> {
  const { id, sequence, latest, count, sizeBytes, pinnedCount, erasedThrough, isSwept, stampMs } = head;
  const body = {
    format,
    id,
    sequence,
    latest,
    count,
    sizeBytes,
    pinnedCount,
    erasedThrough,
    isSwept,
    stampMs,
  };
  return { ...body, checksum: await sha256Hex(toCanonicalBytes(body)) } satisfies SealedHead;
}

/**
 * The head, or undefined when it is damaged or another record's.
 * @throws `state/version-too-new` when a newer version of this library wrote it
 */
export async function parseHead(value: unknown, id: string): Promise<RecordHead | undefined> {
  if (typeof value !== 'object' || value === null) return undefined;
  const stored = value as SealedHead; // proven by its checksum
  if (Number.isSafeInteger(stored.format) && stored.format > format) {
    throw new CodedError('state/version-too-new', `a newer version wrote the record ${id}`, {
      fields: { id, format: stored.format, expected: format },
    });
  }
  const sealed = (await orDamaged(() => sealHead(stored))) as SealedHead | undefined;
  const isWhole = sealed !== undefined && sealed.checksum === stored.checksum && stored.format === format;
  return isWhole && stored.id === id ? stored : undefined;
}

/** A head with the revision that it was read at; `head` is undefined when it is damaged. */
export interface HeadRead {
  readonly head: RecordHead | undefined;
  readonly revision: number;
}

export async function readHead(store: Store, id: string): Promise<HeadRead> {
  const entry: Entry | undefined = await store.get(headKey(id));
  if (!entry) return { head: emptyHead(id), revision: 0 };
  return { head: await parseHead(entry.value, id), revision: entry.revision };
}
