/**
 * The bytes of snapshots, in parts. Parts are written before the snapshot that they belong to is there; until then a marker
 * names them. A marker that nobody touched for a while is what a killed writer left: its parts are swept. A marker also names
 * the parts of what was deleted. So at every moment parts belong to something listed, or to a marker.
 */
import { CodedError, isCodedError } from '../../base/index.ts';
import { randomHex, sha256Hex } from '../../platform/index.ts';
import type { Clock, Random } from '../../platform/index.ts';
import type { Key } from '../key.ts';
import { LostValue } from '../lost-value.ts';
import { toGivenPut } from '../plan-commit.ts';
import type { Durability, Store, Write } from '../store.ts';
import { markerKey, markerPrefix, partKey } from './layout.ts';
import { sweepStep } from './limits.ts';
import type { SnapshotLimits } from './limits.ts';
import { fromRecordBytes, toRecordBytes } from './records.ts';
import type { BytesRecord } from './records.ts';
import { isMarker } from './stored-shape.ts';

/** Bytes of parts in one commit: each commit is flushed, and holds its parts in memory. */
const commitBytes = 16 * 2 ** 20;
/** Parts that are read at once: most of reading one is waiting, but each is held in memory. */
const readAtOnce = 2;

/** What is needed to write snapshots. */
export interface SnapshotContext {
  readonly clock: Clock;
  readonly random: Random;
  readonly limits: SnapshotLimits;
}

/** Where the bytes of a snapshot are, and what they must be. */
export interface SnapshotBody {
  readonly id: string;
  readonly parts: number;
  readonly keys: number;
  readonly sizeBytes: number;
  /** SHA-256 in hex over the bytes: keys in order, each with the bytes of its value. Equal states have equal checksums. */
  readonly checksum: string;
}

export interface Marker {
  /** When its writer was last seen; what is garbage already has -Infinity. */
  readonly touchedAtMs: number;
  /** Parts that may be there; null: as many as are found. */
  readonly parts: number | null;
}

/** Parts that are stored and belong to nothing yet. */
export interface PendingBody {
  readonly body: SnapshotBody;
  /** Goes into the commit that makes the parts belong to something; a conflict on it: they were swept. */
  readonly adoption: Write;
}

function markerPut(id: string, marker: Marker, expectedRevision: number): Write {
  return { type: 'put', key: markerKey(id), value: marker, expectedRevision };
}

/** The write that gives up what belonged to something; the next sweep deletes it. */
export function abandonment({ id, parts }: SnapshotBody): Write {
  return markerPut(id, { touchedAtMs: -Infinity, parts }, 0);
}

/** The write that gives up what nothing names, nor says how many parts it has. */
export function orphanMark(id: string): Write {
  return markerPut(id, { touchedAtMs: -Infinity, parts: null }, 0);
}

function partPuts(id: string, bytes: Uint8Array<ArrayBuffer>, partBytes: number): readonly Write[] {
  const parts = Math.ceil(bytes.length / partBytes);
  const isWhole = parts === 1 && bytes.length === bytes.buffer.byteLength;
  return Array.from({ length: parts }, (_, index) => {
    // a view would be stored with all of the bytes behind it
    const part = isWhole ? bytes : bytes.slice(index * partBytes, (index + 1) * partBytes);
    return toGivenPut(partKey(id, index), part);
  });
}

/**
 * Stores records, not yet seen by anybody.
 * @throws `state/snapshot-interrupted` when it took so long that others took it for abandoned; what `Store.commit` throws
 */
export async function writeBody(
  store: Store,
  records: readonly BytesRecord[],
  context: SnapshotContext,
  durability: Durability = 'strict',
): Promise<PendingBody> {
  const bytes = toRecordBytes(records, context.limits.maxSnapshotBytes);
  const checksum = await sha256Hex(bytes);
  const { id, parts, adoption } = await writeParts(store, bytes, context, durability);
  return { body: { id, parts, keys: records.length, sizeBytes: bytes.length, checksum }, adoption };
}

/** The bytes of a body that are stored: where, and what makes them belong to something. */
export interface PendingParts extends Pick<SnapshotBody, 'id' | 'parts'>, Pick<PendingBody, 'adoption'> {}

/**
 * The encoded body alone, which must not be changed any more.
 * @throws as {@link writeBody}
 * @internal
 */
export async function writeParts(
  store: Store,
  bytes: Uint8Array<ArrayBuffer>,
  { clock, random, limits }: SnapshotContext,
  durability: Durability = 'strict',
): Promise<PendingParts> {
  const id = randomHex(random, 16);
  const puts = partPuts(id, bytes, limits.partBytes);
  const perCommit = Math.max(1, Math.floor(commitBytes / limits.partBytes));
  let revision = 0;
  for (let start = 0; start < puts.length; start += perCommit) {
    const some = puts.slice(start, start + perCommit);
    const marker = markerPut(id, { touchedAtMs: clock.now(), parts: start + some.length }, revision);
    const [committed] = await unlessSwept(store.commit([marker, ...some], { durability }));
    revision = committed?.revision ?? 0;
  }
  const adoption: Write = { type: 'delete', key: markerKey(id), expectedRevision: revision, forget: true };
  return { id, parts: puts.length, adoption };
}

async function unlessSwept<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (isConflictOn(error, markerPrefix)) throw interrupted(error);
    throw error;
  }
}

/** Whether a commit was refused because of a key under `prefix`. */
export function isConflictOn(error: unknown, prefix: Key): boolean {
  if (!isCodedError(error, 'state/conflict')) return false;
  const { key } = error.fields;
  return Array.isArray(key) && prefix.every((segment, index) => key[index] === segment);
}

/** The snapshot took so long that it was taken for abandoned. */
export function interrupted(cause: unknown): CodedError {
  return new CodedError('state/snapshot-interrupted', 'a snapshot was swept before it was whole', {
    cause,
    isRetryable: true,
  });
}

/** The error of what is not as it was stored. */
export function checksumFailed(what: string, cause?: unknown): CodedError {
  return new CodedError('state/checksum-failed', `${what} is not what was saved`, {
    fields: { what },
    cause,
  });
}

function isBytes(value: unknown): value is Uint8Array<ArrayBuffer> {
  return value instanceof Uint8Array && value.buffer instanceof ArrayBuffer;
}

/** Undefined where no realm has so many: they were never written. */
function allocate(sizeBytes: number): Uint8Array<ArrayBuffer> | undefined {
  try {
    return new Uint8Array(sizeBytes);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/**
 * The bytes of a body, unless a part is missing or has another length.
 * @internal
 */
export async function readParts(
  { id, parts, sizeBytes }: Pick<SnapshotBody, 'id' | 'parts' | 'sizeBytes'>,
  store: Store,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  if (parts === 1) {
    const part: unknown = (await store.get(partKey(id, 0)))?.value;
    return isBytes(part) && part.length === sizeBytes ? part : undefined;
  }
  const bytes = allocate(sizeBytes);
  if (!bytes) return undefined;
  let length = 0;
  for (let start = 0; start < parts; start += readAtOnce) {
    const count = Math.min(readAtOnce, parts - start);
    const some = await Promise.all(
      Array.from({ length: count }, (_, index) => store.get(partKey(id, start + index))),
    );
    for (const entry of some) {
      const part: unknown = entry?.value;
      if (!isBytes(part) || length + part.length > sizeBytes) return undefined;
      bytes.set(part, length);
      length += part.length;
    }
  }
  return length === sizeBytes ? bytes : undefined;
}

/**
 * The records of a stored body.
 * @param what named in the error
 * @throws `state/checksum-failed` (fields what) when a part is missing or is not what was written; what `Store.get` throws
 */
export async function readBody(
  store: Store,
  body: SnapshotBody,
  what: string,
): Promise<readonly BytesRecord[]> {
  const bytes = await readParts(body, store);
  if (!bytes || (await sha256Hex(bytes)) !== body.checksum) throw checksumFailed(what);
  try {
    return fromRecordBytes(bytes);
  } catch (error) {
    throw checksumFailed(what, error);
  }
}

/** Deletes parts that belong to nothing, step by step, the marker last. */
async function sweepOne(store: Store, id: string, parts: number | null): Promise<void> {
  const durability = 'relaxed';
  let isMore = true;
  for (let start = 0; isMore; start += sweepStep) {
    const length = Math.min(sweepStep, (parts ?? Infinity) - start);
    const deletes = Array.from({ length }, (_, index): Write => ({
      type: 'delete',
      key: partKey(id, start + index),
      forget: true,
    }));
    const deleted = deletes.length > 0 ? await store.commit(deletes, { durability }) : [];
    // parts are numbered without a gap, but some may be lost
    isMore = parts === null ? deleted.some(({ revision }) => revision > 0) : start + length < parts;
  }
  await store.commit([{ type: 'delete', key: markerKey(id), forget: true }], { durability });
}

/** Takes a marker, so that its writer, if it wakes up, is refused; false when the writer was faster. */
async function takeMarker(
  store: Store,
  id: string,
  parts: number | null,
  revision: number,
): Promise<boolean> {
  try {
    await store.commit([markerPut(id, { touchedAtMs: -Infinity, parts }, revision)]);
    return true;
  } catch (error) {
    if (isCodedError(error, 'state/conflict')) return false;
    throw error;
  }
}

/** Deletes the parts that killed writers and deleted snapshots left. Harmless at any time, and when it is cut short. */
export async function sweepParts(store: Store, { clock, limits }: SnapshotContext): Promise<void> {
  for (const { key, value, revision } of await store.list<Marker>(markerPrefix)) {
    const id = key.at(-1) ?? '';
    // what it named is not known any more
    if (value instanceof LostValue || !isMarker(value)) continue;
    const isGarbage = value.touchedAtMs === -Infinity;
    const isAbandoned = clock.now() - value.touchedAtMs > limits.abandonedAfterMs;
    if (!isGarbage && !isAbandoned) continue;
    if (isGarbage || (await takeMarker(store, id, value.parts, revision)))
      await sweepOne(store, id, value.parts);
  }
}
