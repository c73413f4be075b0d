/**
 * When the whole runtime was restored last: kept under `runtime, 'restored'`, in the transaction of the restore. What another tab has set in memory
 * before that is older than whatever the store holds since, though that may look as if nobody had touched it.
 */
import type { Check, Entry, Key, Store } from '../../state/index.ts';

export const restoreMarkKey: Key = ['runtime', 'restored'];

interface Restored {
  /** By the clock of the page that restored, in milliseconds since 1970. */
  readonly atMs: number;
}

export type RestoreMark = Entry<Restored>;

/** Undefined when it never was. @throws as `Store.get` */
export async function readRestoreMark(store: Store): Promise<RestoreMark | undefined> {
  const mark = await store.get<Partial<Restored> | null>(restoreMarkKey);
  return typeof mark?.value?.atMs === 'number' ? (mark as RestoreMark) : undefined;
}

/** Nobody has restored since. */
export function checkOf(mark: RestoreMark | undefined): Check {
  return { type: 'check', key: restoreMarkKey, expectedRevision: mark?.revision ?? 0 };
}
