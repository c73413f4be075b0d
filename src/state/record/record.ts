/** What a record is, and the checksums that tell whether it is whole. */
import { CodedError, isCodedError } from '../../base/index.ts';
import type { JsonObject } from '../../base/index.ts';
import { sha256Hex } from '../../platform/index.ts';
import { toCanonicalBytes } from '../format/canonical.ts';

/** Which version: its name, or its sequence number. */
export type RecordVersion = string | number;

/** What is known of a version without loading its state. */
export interface RecordInfo {
  readonly id: string;
  /** Orders versions whatever they are called: 1 for the first, then one more for each, never given twice. */
  readonly sequence: number;
  /** Its name, as the strategy gives it. */
  readonly version: string;
  /** When it was saved, by the saver's wall clock, in milliseconds since 1970. */
  readonly atMs: number;
  /** The saver's own notes. */
  readonly metadata: JsonObject;
  /** Kept whatever the retention rules say. */
  readonly isPinned: boolean;
  /** Bytes of the state in its canonical form. */
  readonly sizeBytes: number;
  /** SHA-256 in hex over the canonical bytes of the state. */
  readonly stateChecksum: string;
  /** SHA-256 in hex over the canonical bytes of all the other fields. */
  readonly checksum: string;
}

export interface StateRecord<T = unknown> extends RecordInfo {
  readonly state: T;
}

/** A state's checksum with the number of bytes that it was made of. */
export interface StateDigest {
  readonly sizeBytes: number;
  readonly stateChecksum: string;
}

/** @throws `state/not-encodable`, `state/value-too-large` */
export async function digestState(state: unknown): Promise<StateDigest> {
  const bytes = toCanonicalBytes(state);
  return { sizeBytes: bytes.length, stateChecksum: await sha256Hex(bytes) };
}

/** Puts the checksum on an info, and nothing else: a state or a stranger's field would not be covered. */
export async function sealInfo(info: Omit<RecordInfo, 'checksum'>): Promise<RecordInfo> {
  const { id, sequence, version, atMs, metadata, isPinned, sizeBytes, stateChecksum } = info;
  const body = { id, sequence, version, atMs, metadata, isPinned, sizeBytes, stateChecksum };
  return { ...body, checksum: await sha256Hex(toCanonicalBytes(body)) };
}

/** Resolves to undefined when `work` fails because what was read cannot have been saved by us. */
export async function orDamaged<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (isCodedError(error, 'state/not-encodable') || isCodedError(error, 'state/value-too-large'))
      return undefined;
    throw error;
  }
}

/** The info if it is whole and belongs here; undefined if it is missing, damaged or another's. */
export async function readInfo(
  value: unknown,
  id: string,
  sequence: number,
): Promise<RecordInfo | undefined> {
  if (typeof value !== 'object' || value === null) return undefined;
  const stored = value as RecordInfo; // proven by its checksum
  const sealed = await orDamaged(() => sealInfo(stored));
  return sealed?.checksum === stored.checksum && sealed.id === id && sealed.sequence === sequence
    ? sealed
    : undefined;
}

/** The record if the state is the one that `info` was saved with. */
export async function joinState<T>(info: RecordInfo, state: T): Promise<StateRecord<T> | undefined> {
  const digest = await orDamaged(() => digestState(state));
  return digest?.stateChecksum === info.stateChecksum ? { ...info, state } : undefined;
}

/** @param sequence null when the record's head is damaged, so that nothing says which version is the latest */
export function recordDamaged(
  id: string,
  sequence: number | null,
  lastGoodVersion: number | undefined,
): CodedError {
  const what = sequence === null ? `the head of ${id}` : `version ${sequence} of ${id}`;
  return new CodedError('state/checksum-failed', `${what} is not what was saved`, {
    fields: { id, version: sequence, lastGoodVersion: lastGoodVersion ?? null },
  });
}
