/** Looking at every part of a record, and making a damaged one whole again from what is left. */
import { CodedError, isCodedError } from '../../base/index.ts';
import { recordLimits } from '../limits.ts';
import type { Key } from '../key.ts';
import type { CommitOptions, Store, Write } from '../store.ts';
import { dropWrites } from './drop.ts';
import { emptyHead, readHead, sealHead } from './head.ts';
import type { HeadRead, RecordHead } from './head.ts';
import { allInfos, allVersionKeys } from './list-infos.ts';
import { headKey, idKey, infoKey, sequenceOfStateKey, stateKey, versionKey } from './record-key.ts';
import { joinState, readInfo } from './record.ts';
import type { RecordInfo } from './record.ts';
import { sequenceOf } from './version.ts';

/** What a look at every part of a record found. */
export interface RecordCheck {
  /** Versions that are whole. */
  readonly wholeCount: number;
  /** Sequence numbers of the others, in order. */
  readonly damaged: readonly number[];
  /** False when what the record is now cannot be read: then nothing can be saved until it is repaired. */
  readonly isHeadWhole: boolean;
}

interface Inspection {
  readonly read: HeadRead;
  readonly isHeadWhole: boolean;
  readonly whole: readonly RecordInfo[];
  /** With the name that its info had. */
  readonly damaged: ReadonlyMap<number, unknown>;
  /** Those whole ones whose info is in the head alone. */
  readonly restored: readonly RecordInfo[];
  /** Of infos that there is a second copy of, and of what leads to versions. */
  readonly corrections: readonly Write[];
}

/** States that are looked at in one listing: each may be as big as a value can be. */
const statesPerPage = 4;

async function* stateSequences(store: Store, id: string): AsyncGenerator<number> {
  for (let after = headKey(id); ;) {
    const page = await store.list(headKey(id), { limit: statesPerPage, after });
    for (const { key } of page) yield sequenceOfStateKey(key) ?? 0;
    const last = page.at(-1);
    if (!last || page.length < statesPerPage) return;
    after = last.key;
  }
}

/** All versions of which anything is there, with the stored info. */
async function findParts(
  store: Store,
  id: string,
  head: RecordHead | undefined,
): Promise<Map<number, unknown>> {
  const erasedThrough = head?.erasedThrough ?? 0;
  const infos = new Map<number, unknown>();
  for await (const { sequence, value } of allInfos(store, id, erasedThrough)) infos.set(sequence, value);
  for await (const sequence of stateSequences(store, id)) {
    if (sequence > erasedThrough && !infos.has(sequence)) infos.set(sequence, undefined);
  }
  const latest = head?.latest?.sequence;
  if (latest !== undefined && !infos.has(latest)) infos.set(latest, undefined);
  return new Map([...infos].toSorted(([a], [b]) => a - b));
}

async function inspect(store: Store, id: string): Promise<Inspection> {
  const read = await readHead(store, id);
  const { head, revision } = read;
  const parts = await findParts(store, id, head);
  const whole: RecordInfo[] = [];
  const damaged = new Map<number, unknown>();
  const restored: RecordInfo[] = [];
  for (const [sequence, value] of parts) {
    const stored = await readInfo(value, id, sequence);
    const info = stored ?? secondCopy(head, sequence);
    const state = info && (await store.get(stateKey(id, sequence)));
    if (state && (await joinState(info, state.value))) {
      whole.push(info);
      if (!stored) restored.push(info);
    } else damaged.set(sequence, (value as Partial<RecordInfo> | undefined)?.version);
  }
  const isHeadWhole = head !== undefined && (revision > 0 || parts.size === 0);
  const infos = restored.map((info): Write => ({
    type: 'put',
    key: infoKey(id, info.sequence),
    value: info,
  }));
  const corrections = [...infos, ...(await correctNames(store, id, whole))];
  return { read, whole, damaged, restored, isHeadWhole, corrections };
}

/** Names that lead nowhere go, and those that are missing come back. */
async function correctNames(
  store: Store,
  id: string,
  whole: readonly RecordInfo[],
): Promise<readonly Write[]> {
  const named = whole.filter(({ version }) => sequenceOf(version) === undefined);
  const missing = new Map(
    named.map(({ version, sequence }) => [JSON.stringify(versionKey(id, version, sequence)), sequence]),
  );
  const corrections: Write[] = [];
  for await (const key of allVersionKeys(store, id)) {
    if (!missing.delete(JSON.stringify(key))) corrections.push({ type: 'delete', key, forget: true });
  }
  for (const text of missing.keys())
    corrections.push({ type: 'put', key: JSON.parse(text) as Key, value: null });
  const isListed = (await store.get(idKey(id))) !== undefined;
  if (!isListed && whole.length > 0) corrections.push({ type: 'put', key: idKey(id), value: null });
  return corrections;
}

/** The head holds the info of the latest too. */
function secondCopy(head: RecordHead | undefined, sequence: number): RecordInfo | undefined {
  return head?.latest?.sequence === sequence ? head.latest : undefined;
}

/**
 * Reads every version of `id`.
 * @throws `state/conflict` when others changed the record all the time: then what is missing need not be lost
 */
export async function verifyRecord(store: Store, id: string): Promise<RecordCheck> {
  for (let attempt = 1; attempt <= recordLimits.maxAttempts; attempt++) {
    const { read, whole, damaged, restored, isHeadWhole } = await inspect(store, id);
    const { revision } = await readHead(store, id);
    if (revision !== read.revision) continue;
    const sequences = [...damaged.keys(), ...restored.map(({ sequence }) => sequence)];
    return {
      wholeCount: whole.length - restored.length,
      damaged: sequences.toSorted((a, b) => a - b),
      isHeadWhole,
    };
  }
  throw changedByOthers(id, 'read');
}

const stampOf = ({ version }: RecordInfo): number =>
  /^\d{4}-\d\d-\d\dT/.test(version) ? Date.parse(version) || 0 : 0;

function rebuilt(id: string, { read, whole, damaged }: Inspection): RecordHead {
  const head = read.head ?? emptyHead(id);
  const free = whole.filter(({ isPinned }) => !isPinned);
  const latest = whole.find(({ sequence }) => sequence === head.latest?.sequence) ?? whole.at(-1) ?? null;
  const sequences = [...whole.map(({ sequence }) => sequence), ...damaged.keys()];
  return {
    ...head,
    latest,
    sequence: sequences.reduce((highest, sequence) => Math.max(highest, sequence), head.sequence),
    count: free.length,
    sizeBytes: free.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    pinnedCount: whole.length - free.length,
    stampMs: whole.reduce((latestMs, info) => Math.max(latestMs, stampOf(info)), head.stampMs),
  };
}

/**
 * Drops what is damaged and makes the newest whole version the latest, unless the latest is whole.
 * @returns the sequence numbers of the dropped versions
 * @throws `state/conflict` when others changed the record all the time, and what `Store.commit` throws
 */
export async function repairRecord(
  store: Store,
  id: string,
  options: CommitOptions,
): Promise<readonly number[]> {
  const dropped: number[] = [];
  for (let attempt = 1; attempt <= recordLimits.maxAttempts; attempt++) {
    const inspection = await inspect(store, id);
    const { read, isHeadWhole, damaged, corrections } = inspection;
    if (isHeadWhole && damaged.size === 0 && corrections.length === 0) return dropped;
    const now = [...damaged].slice(0, recordLimits.maxDroppedPerCommit);
    const head = rebuilt(id, inspection);
    const { latest } = head;
    const value = await sealHead(head);
    const writes: Write[] = [
      { type: 'put', key: headKey(id), value, expectedRevision: read.revision },
      ...(latest ? [] : [{ type: 'delete', key: idKey(id) } as const]),
      ...corrections.slice(0, recordLimits.maxDroppedPerCommit),
      ...now.flatMap(([sequence, version]) => dropWrites(id, sequence, version)),
    ];
    try {
      await store.commit(writes, options);
      dropped.push(...now.map(([sequence]) => sequence));
      attempt = 0; // whoever makes progress may go on
    } catch (error) {
      if (!isCodedError(error, 'state/conflict')) throw error;
    }
  }
  throw changedByOthers(id, 'to be repaired');
}

function changedByOthers(id: string, what: string): CodedError {
  return new CodedError('state/conflict', `the record ${id} was changed by others whenever it was ${what}`, {
    fields: { id, attempts: recordLimits.maxAttempts },
    isRetryable: true,
  });
}
