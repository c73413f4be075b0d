/** Who wants to hear of changes to which keys. */
import { CodedError } from '../base/index.ts';
import type { CommitPlan } from './plan-commit.ts';
import { encodeKey, encodePrefix, hasPrefix } from './key.ts';
import type { Key } from './key.ts';
import type { Change } from './store.ts';

export class Watchers {
  readonly #watchers = new Set<{ readonly prefix: Key; readonly listener: (change: Change) => void }>();
  readonly #maxWatchers: number;
  readonly #onListenerError: (error: unknown) => void;

  /** @param onListenerError told when a listener throws; the other listeners are still called */
  constructor(maxWatchers: number, onListenerError: (error: unknown) => void) {
    this.#maxWatchers = maxWatchers;
    this.#onListenerError = onListenerError;
  }

  /** @throws `state/key-invalid`, `state/watch-limit` */
  add(prefix: Key, listener: (change: Change) => void): () => void {
    encodePrefix(prefix);
    if (this.#watchers.size >= this.#maxWatchers) {
      throw new CodedError(
        'state/watch-limit',
        `the store has ${this.#maxWatchers} watchers, the most it takes`,
        {
          fields: { maxWatchers: this.#maxWatchers },
        },
      );
    }
    const watcher = { prefix: Object.freeze([...prefix]), listener };
    this.#watchers.add(watcher);
    return () => void this.#watchers.delete(watcher);
  }

  notify(changes: readonly Change[]): void {
    for (const change of changes) {
      for (const { prefix, listener } of this.#watchers) {
        if (!hasPrefix(change.key, prefix)) continue;
        try {
          listener(change);
        } catch (error) {
          this.#onListenerError(error);
        }
      }
    }
  }

  clear(): void {
    this.#watchers.clear();
  }
}

/** The notices of a plan that was committed. */
export function changesOf(plan: CommitPlan, atMs: number): readonly Change[] {
  const heard = [...plan.changes.values()].filter(
    ({ isCounter, isForgotten, before }) => !isCounter && (!isForgotten || before.isLive),
  );
  return heard.map(({ write, revision, isLive }) => ({
    type: isLive ? ('put' as const) : ('delete' as const),
    key: write.key,
    revision,
    atMs,
    isLocal: true,
  }));
}

function isRevision(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0;
}

/** What one realm tells the others of a commit. As text: a channel copies that many times faster than objects. */
export function toNotice(changes: readonly Change[]): {
  readonly type: 'store-change';
  readonly changes: string;
} {
  const rows = changes.map(({ type, revision, atMs, key }) => [type, revision, atMs, key]);
  return { type: 'store-change', changes: JSON.stringify(rows) };
}

function parseChange(row: unknown): Change | undefined {
  if (!Array.isArray(row)) return undefined;
  const [type, revision, atMs, key] = row as readonly unknown[];
  if ((type !== 'put' && type !== 'delete') || !isRevision(revision) || typeof atMs !== 'number')
    return undefined;
  try {
    encodeKey(key);
  } catch {
    return undefined;
  }
  return { type, key: key as Key, revision, atMs, isLocal: false };
}

/** Characters of a notice that are read: a commit of as many long keys as one may have. */
const maxNoticeCharacters = 16 * 2 ** 20;

/** Notices from another realm. Any script of the origin may send anything: what is not a notice is dropped. */
export function parseNotice(message: unknown, maxChanges: number): readonly Change[] {
  if (typeof message !== 'object' || message === null) return [];
  const { type, changes } = message as { readonly type?: unknown; readonly changes?: unknown };
  if (type !== 'store-change' || typeof changes !== 'string' || changes.length > maxNoticeCharacters)
    return [];
  let rows: unknown;
  try {
    rows = JSON.parse(changes);
  } catch {
    return [];
  }
  if (!Array.isArray(rows) || rows.length > maxChanges) return [];
  return rows.map(parseChange).filter((change) => change !== undefined);
}
