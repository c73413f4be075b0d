/** Letting versions go: what retention rules and deletion do in a transaction of the record. */
import { recordLimits } from '../limits.ts';
import type { Store, Write } from '../store.ts';
import type { RecordHead } from './head.ts';
import { infosAfter } from './list-infos.ts';
import type { StoredInfo } from './list-infos.ts';
import { infoKey, stateKey, versionKey } from './record-key.ts';
import type { RecordInfo } from './record.ts';
import { countExceeding, mayExceed } from './retention.ts';
import type { Retention } from './retention.ts';
import { sequenceOf } from './version.ts';

/** A head after some versions went, and the writes that make it true. */
export interface Dropped {
  readonly head: RecordHead;
  readonly writes: readonly Write[];
  readonly count: number;
}

/** Removes all parts of a version. Its keys are never written again, so nothing of them needs to stay. */
export function dropWrites(id: string, sequence: number, version: unknown): readonly Write[] {
  const parts: Write[] = [
    { type: 'delete', key: infoKey(id, sequence), forget: true },
    { type: 'delete', key: stateKey(id, sequence), forget: true },
  ];
  const isNamed = typeof version === 'string' && version !== '' && sequenceOf(version) === undefined;
  if (isNamed && version.length <= recordLimits.maxVersionLength)
    parts.push({ type: 'delete', key: versionKey(id, version, sequence), forget: true });
  return parts;
}

/** What is needed of an info to let it go, whatever became of it. */
export function readLoosely({ sequence, value }: StoredInfo): {
  readonly sequence: number;
  readonly version: unknown;
  readonly isPinned: boolean;
  readonly atMs: number;
  readonly sizeBytes: number;
} {
  const info = (typeof value === 'object' && value !== null ? value : {}) as Partial<RecordInfo>;
  const { version, isPinned, atMs, sizeBytes } = info;
  return {
    sequence,
    version,
    isPinned: isPinned === true,
    // of unknown age: kept as long as the others allow
    atMs: typeof atMs === 'number' ? atMs : Infinity,
    sizeBytes: typeof sizeBytes === 'number' && sizeBytes >= 0 ? sizeBytes : 0,
  };
}

/**
 * Decides what goes of the oldest versions, those that were erased and those that exceed the rules, at most `maxDropped`.
 * @param head as it will be, with what is being saved already counted
 */
export async function dropOldest(
  store: Store,
  head: RecordHead,
  rules: { readonly retention: Retention; readonly nowMs: number; readonly maxDropped: number },
): Promise<Dropped> {
  const { retention, nowMs, maxDropped } = rules;
  if (head.isSwept && !mayExceed(retention, head)) return { head, writes: [], count: 0 };
  const { id, erasedThrough, latest } = head;
  // pinned ones and the latest may stand before those that go
  const infos = await infosAfter(store, id, 0, maxDropped + head.pinnedCount + 1);
  const loose = infos.map(readLoosely);
  const erased = loose.filter(({ sequence }) => sequence <= erasedThrough).slice(0, maxDropped);
  const candidates = loose.filter(
    ({ sequence, isPinned }) => sequence > erasedThrough && !isPinned && sequence !== latest?.sequence,
  );
  const exceeding = candidates.slice(0, countExceeding(candidates, head, retention, nowMs));
  const counted = exceeding.slice(0, maxDropped - erased.length);
  const dropped = [...erased, ...counted];
  return {
    head: {
      ...head,
      count: Math.max(0, head.count - counted.length),
      sizeBytes: Math.max(0, head.sizeBytes - counted.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)),
      isSwept: head.isSwept || erased.length === 0,
    },
    writes: dropped.flatMap(({ sequence, version }) => dropWrites(id, sequence, version)),
    count: dropped.length,
  };
}
