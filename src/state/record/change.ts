/** Changes of a record, one after the other. */
import { CodedError, isCodedError } from '../../base/index.ts';
import { cancellation } from '../../platform/index.ts';
import { recordLimits } from '../limits.ts';
import type { CommitOptions, Store, Write } from '../store.ts';
import { readHead, sealHead } from './head.ts';
import type { RecordHead } from './head.ts';
import { isHeadMissing, lastWholeVersion } from './load.ts';
import { headKey } from './record-key.ts';
import { recordDamaged } from './record.ts';

/** What is to become of a record; without `head` nothing is written. */
export interface RecordChange<R> {
  readonly head?: RecordHead;
  readonly writes?: readonly Write[];
  readonly result: R;
}

/** What a plan gives back when it saw that somebody changed the record since it was called. */
export const overtaken: unique symbol = Symbol('overtaken');

/**
 * Reads the head, lets `plan` decide, and commits what it decided, all of it or nothing, if nobody changed the record meanwhile.
 * Otherwise it begins again, so what `plan` read of the record under this head is true.
 * @throws `state/conflict` when others were faster 16 times; `state/checksum-failed` when the head is damaged or lost; what `plan`
 *   and `Store.commit` throw
 */
export async function changeRecord<R>(
  store: Store,
  id: string,
  options: CommitOptions,
  plan: (head: RecordHead) => Promise<RecordChange<R> | typeof overtaken>,
): Promise<R> {
  let faster: unknown;
  for (let attempt = 1; attempt <= recordLimits.maxAttempts; attempt++) {
    if (options.signal?.aborted) throw cancellation(options.signal);
    const { head, revision } = await readHead(store, id);
    const isLost = revision === 0 && (await isHeadMissing(store, id));
    if (!head || isLost) throw recordDamaged(id, null, await lastWholeVersion(store, id, Infinity));
    const change = await plan(head);
    if (change === overtaken) continue;
    if (!change.head) return change.result;
    const value = await sealHead(change.head);
    try {
      const put: Write = { type: 'put', key: headKey(id), value, expectedRevision: revision };
      await store.commit([put, ...(change.writes ?? [])], options);
      return change.result;
    } catch (error) {
      if (!isCodedError(error, 'state/conflict')) throw error;
      faster = error;
    }
  }
  throw new CodedError(
    'state/conflict',
    `the record ${id} was changed by others whenever it was to be changed`,
    {
      fields: { id, attempts: recordLimits.maxAttempts },
      cause: faster,
      isRetryable: true,
    },
  );
}
