/** What a law of `Store` is, and the words that laws are written in. */
import { isCodedError } from '../../base/index.ts';
import type { CodedError } from '../../base/index.ts';
import type { Key } from '../key.ts';
import type { Store, Write } from '../store.ts';

/** Opens an empty store; the law closes it. */
export type OpenStore = () => Promise<Store>;

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

/** A law that needs one empty store, which is closed behind it. */
export function law(name: string, check: (store: Store) => Promise<void>): StoreLaw {
  return {
    name,
    async check(open) {
      const store = await open();
      try {
        await check(store);
      } finally {
        await store.close();
      }
    },
  };
}
