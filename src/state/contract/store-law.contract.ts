/** What a law of `Store` is, and the words that laws are written in. */
import { isCodedError } from '../../base/index.ts';
import type { CodedError } from '../../base/index.ts';
import type { Key } from '../key.ts';
import type { Store, Write } from '../store.ts';

/** What a law would like the store to be; a store that cannot be says so in its `capabilities`. */
export interface WantedStore {
  /** As `capabilities.history`. */
  readonly keepHistory?: number;
}

/** Opens an empty store; the law closes it. */
export type OpenStore = (wanted?: WantedStore) => Promise<Store>;

/** One promise of a store. */
export interface StoreLaw {
  readonly name: string;
  /** Rejects when the store breaks the law. */
  check(open: OpenStore): Promise<void>;
}

/** A put; without `expectedRevision` whatever is there. */
export const put = (key: Key, value: unknown, expectedRevision?: number): Write =>
  expectedRevision === undefined
    ? { type: 'put', key, value }
    : { type: 'put', key, value, expectedRevision };

/** The code of the error that `work` ends with, or words that are no code. */
export async function codeOf(work: Promise<unknown>): Promise<string> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return isCodedError(error) ? error.code : `not a coded error: ${String(error)}`;
}

/** The error that `work` ends with; throws when that is not a coded one. */
export async function errorOf(work: Promise<unknown>): Promise<CodedError> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!isCodedError(error)) throw new Error(`expected a coded error, got ${String(error)}`);
  return error;
}

/** Seeds a store: in one commit, or one by one where that is all that the store can do. */
export async function putAll(store: Store, writes: readonly Write[]): Promise<void> {
  if (store.capabilities.atomicCommits) await store.commit(writes);
  else for (const write of writes) await store.commit([write]);
}

/** A law that needs one empty store, which is closed behind it. */
export function law(
  name: string,
  check: (store: Store) => Promise<void>,
  wanted: WantedStore = {},
): StoreLaw {
  return {
    name,
    async check(open) {
      const store = await open(wanted);
      try {
        await check(store);
      } finally {
        await store.close();
      }
    },
  };
}

/**
 * A law of commits of several writes. Where a store cannot keep them whole it must refuse them: then that is checked.
 */
export function atomicLaw(name: string, check: (store: Store) => Promise<void>): StoreLaw {
  return law(name, async (store) => {
    if (store.capabilities.atomicCommits) return check(store);
    const writes = [put(['a'], 1), put(['b'], 1)];
    if ((await codeOf(store.commit(writes))) !== 'state/write-invalid') {
      throw new Error('a store without atomic commits took a commit of two writes');
    }
    if ((await store.list([])).length > 0) throw new Error('a refused commit left something behind');
  });
}
