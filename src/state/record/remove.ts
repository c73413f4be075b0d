/** Deleting, pinning and pruning versions. */
import { recordLimits } from '../limits.ts';
import { LostValue } from '../lost-value.ts';
import type { Key } from '../key.ts';
import type { CommitOptions, Store, Write } from '../store.ts';
import { changeRecord } from './change.ts';
import { dropOldest, dropWrites, readLoosely } from './drop.ts';
import type { RecordHead } from './head.ts';
import { allVersionKeys, infosBefore } from './list-infos.ts';
import { findVersion } from './load.ts';
import { headKey, idKey, infoKey, sequenceOfVersionKey, stateKey } from './record-key.ts';
import { readInfo, sealInfo } from './record.ts';
import type { RecordInfo, RecordVersion } from './record.ts';
import type { Retention } from './retention.ts';
import { checkPinned } from './save.ts';
import { sequenceOf } from './version.ts';

/** States that are looked at in one listing: each may be as big as a value can be. */
const statesPerPage = 4;

/**
 * Lets go of what was erased and of what exceeds the rules, in transactions of bounded size.
 * @returns how many versions went
 */
export async function pruneRecord(
  store: Store,
  id: string,
  rules: { readonly retention: Retention; now(): number },
  options: CommitOptions,
): Promise<number> {
  for (let total = 0; ;) {
    const count = await changeRecord(store, id, options, async (head) => {
      const dropped = await dropOldest(store, head, {
        retention: rules.retention,
        nowMs: rules.now(),
        maxDropped: recordLimits.maxDroppedPerCommit,
      });
      const isChange = dropped.count > 0 || dropped.head.isSwept !== head.isSwept;
      return isChange ? { ...dropped, result: dropped.count } : { result: 0 };
    });
    if (count === 0) return total;
    total += count;
  }
}

/** What is left of erased versions whose infos were lost. */
async function remainsOf(store: Store, { id, erasedThrough }: RecordHead): Promise<readonly Key[]> {
  const states = await store.list(headKey(id), {
    limit: statesPerPage,
    after: stateKey(id, erasedThrough + 1),
  });
  const names: Key[] = [];
  for await (const key of allVersionKeys(store, id)) {
    if (sequenceOfVersionKey(key) <= erasedThrough) names.push(key);
    if (names.length >= recordLimits.maxDroppedPerCommit) break;
  }
  return [...states.map(({ key }) => key), ...names];
}

async function sweepRemains(store: Store, id: string, options: CommitOptions): Promise<void> {
  for (let count = 1; count > 0;) {
    count = await changeRecord(store, id, options, async (head) => {
      const keys = await remainsOf(store, head);
      const writes = keys.map((key): Write => ({ type: 'delete', key, forget: true }));
      return writes.length > 0 ? { head, writes, result: writes.length } : { result: 0 };
    });
  }
}

function erased(head: RecordHead): RecordHead {
  return {
    ...head,
    latest: null,
    count: 0,
    sizeBytes: 0,
    pinnedCount: 0,
    erasedThrough: head.sequence,
    isSwept: false,
  };
}

/**
 * One transaction makes all versions gone, pinned ones too; further ones of bounded size free their room. Whoever is stopped in
 * between leaves a record that is gone, and room that the next save, prune or delete frees.
 * @returns whether there was a version
 */
export async function deleteRecord(store: Store, id: string, options: CommitOptions): Promise<boolean> {
  const { isFound, isSwept } = await changeRecord(store, id, options, async (head) => {
    if (!head.latest) return { result: { isFound: false, isSwept: head.isSwept } };
    const writes: Write[] = [{ type: 'delete', key: idKey(id) }];
    return { head: erased(head), writes, result: { isFound: true, isSwept: false } };
  });
  if (!isSwept) {
    await pruneRecord(store, id, { retention: {}, now: () => 0 }, options);
    await sweepRemains(store, id, options);
  }
  return isFound;
}

async function sequenceUnder(
  store: Store,
  head: RecordHead,
  version: RecordVersion,
): Promise<number | undefined> {
  const known = sequenceOf(version);
  if (known === undefined) return (await findVersion(store, head, String(version)))?.sequence;
  return Number.isInteger(known) && known > head.erasedThrough && known <= head.sequence ? known : undefined;
}

/** The newest whole info besides that of `sequence`. */
async function newestInfo(store: Store, head: RecordHead, except: number): Promise<RecordInfo | null> {
  const { id, sequence, erasedThrough: after } = head;
  const range = { before: sequence + 1, after, limit: recordLimits.maxVersionsTried };
  for (const stored of await infosBefore(store, id, range)) {
    const info = await readInfo(stored.value, id, stored.sequence);
    if (info && info.sequence !== except) return info;
  }
  return null;
}

/** @returns whether there was such a version */
export function deleteVersion(
  store: Store,
  id: string,
  version: RecordVersion,
  options: CommitOptions,
): Promise<boolean> {
  return changeRecord(store, id, options, async (head) => {
    const sequence = await sequenceUnder(store, head, version);
    if (sequence === undefined) return { result: false };
    const isLatest = sequence === head.latest?.sequence;
    const stored = await store.get(infoKey(id, sequence));
    if (!stored && !isLatest) return { result: false };
    const value = stored && !(stored.value instanceof LostValue) ? stored.value : isLatest && head.latest;
    const gone = readLoosely({ sequence, value });
    const latest = isLatest ? await newestInfo(store, head, sequence) : head.latest;
    const unlisted: Write[] = latest ? [] : [{ type: 'delete', key: idKey(id) }];
    return {
      head: { ...head, latest, ...countsWithout(head, gone) },
      writes: [...dropWrites(id, sequence, gone.version), ...unlisted],
      result: true,
    };
  });
}

function countsWithout(
  head: RecordHead,
  { isPinned, sizeBytes }: { readonly isPinned: boolean; readonly sizeBytes: number },
): Pick<RecordHead, 'count' | 'sizeBytes' | 'pinnedCount'> {
  const { count, pinnedCount } = head;
  if (isPinned) return { count, sizeBytes: head.sizeBytes, pinnedCount: Math.max(0, pinnedCount - 1) };
  return {
    pinnedCount,
    count: Math.max(0, count - 1),
    sizeBytes: Math.max(0, head.sizeBytes - sizeBytes),
  };
}

/**
 * Pins or unpins a version.
 * @returns false when there is no such version
 * @throws `state/pin-limit`
 */
export function setPinned(
  store: Store,
  id: string,
  pin: { readonly version: RecordVersion; readonly isPinned: boolean },
  options: CommitOptions,
): Promise<boolean> {
  const { version, isPinned } = pin;
  return changeRecord(store, id, options, async (head) => {
    const sequence = await sequenceUnder(store, head, version);
    const stored = sequence === undefined ? undefined : await store.get(infoKey(id, sequence));
    const info = sequence === undefined ? undefined : await readInfo(stored?.value, id, sequence);
    if (!info) return { result: false };
    if (info.isPinned === isPinned) return { result: true };
    if (isPinned) checkPinned(head);
    const changed = await sealInfo({ ...info, isPinned });
    const sign = isPinned ? 1 : -1;
    const pinned: RecordHead = {
      ...head,
      latest: head.latest?.sequence === info.sequence ? changed : head.latest,
      count: head.count - sign,
      sizeBytes: head.sizeBytes - sign * info.sizeBytes,
      pinnedCount: head.pinnedCount + sign,
    };
    return {
      head: pinned,
      writes: [{ type: 'put', key: infoKey(id, info.sequence), value: changed }],
      result: true,
    };
  });
}
