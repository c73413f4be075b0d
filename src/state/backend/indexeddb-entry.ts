/** Stored records as entries: a value that lies in a file is read from there. */
import { CodedError, isCodedError } from '../../base/index.ts';
import { decodeKey } from '../key.ts';
import type { Entry, Revision } from '../store.ts';
import { bodyMissing } from './body.ts';
import type { BodyKeeper } from './body-keeper.ts';
import type { StoredEntry, StoredRevision } from './indexeddb-read.ts';

/** A read that meets so many replaced files in a row gives up: somebody writes faster than it reads. */
const maxReads = 20;

function withValue<T>({ key, revision, atMs }: StoredEntry, value: unknown): Entry<T> {
  // the reader says what it expects, as with any untyped storage
  return { key: decodeKey(key), value: value as T, revision, atMs };
}

/**
 * The entry, at once when its value is in the database.
 * @throws `state/body-missing`, `state/value-damaged`
 */
export function toEntry<T>(
  stored: StoredEntry,
  bodies: BodyKeeper | undefined,
): Entry<T> | Promise<Entry<T>> {
  const { body, key } = stored;
  if (!body) return withValue<T>(stored, stored.value);
  if (!bodies) throw bodyMissing(key, body.file, 'no-folder');
  return bodies.load(body, key).then((value) => withValue<T>(stored, value));
}

/** @throws as {@link toEntry} */
export async function toRevision<T>(
  stored: StoredRevision,
  bodies: BodyKeeper | undefined,
): Promise<Revision<T>> {
  const { key, revision, atMs, isLive } = stored;
  if (!isLive) return { type: 'delete', key: decodeKey(key), revision, atMs };
  return { type: 'put', ...(await toEntry<T>(stored, bodies)) };
}

/** Completes records one after the other: their files together may be large. */
export async function inOrder<S, T>(
  stored: readonly S[],
  complete: (each: S) => T | Promise<T>,
): Promise<readonly T[]> {
  const completed: T[] = [];
  for (const each of stored) {
    const one = complete(each);
    completed.push(one instanceof Promise ? await one : one);
  }
  return completed;
}

function isLost(error: unknown): error is CodedError {
  return isCodedError(error, 'state/body-missing') || isCodedError(error, 'state/value-damaged');
}

/**
 * Reads records and their files. A file that is gone, or going, was replaced since its record was read, so both are read
 * again; one that is met twice is lost.
 */
export async function readWhole<T>(read: () => Promise<T>): Promise<T> {
  let missing: unknown;
  for (let reads = 1; ; reads++) {
    try {
      return await read();
    } catch (error) {
      if (!isLost(error) || error.fields['file'] === missing) throw error;
      if (reads >= maxReads) {
        throw new CodedError('state/read-failed', 'values were replaced faster than they were read', {
          fields: { reads, outcome: 'not-applied' },
          cause: error,
          isRetryable: true,
        });
      }
      missing = error.fields['file'];
    }
  }
}
