/** Whether what lies where a journal or a snapshot keeps what it knows is what was written there: others can write into a database, too. */
import { isCodedError } from '../../base/index.ts';
import { encodeKey } from '../key.ts';
import type { BaseStretch } from './journal-base.ts';
import type { JournalHead, JournalPoint } from './journal-read.ts';
import { maxBodyParts } from './limits.ts';
import { isMetadata } from './metadata.ts';
import type { Marker, SnapshotBody } from './snapshot-parts.ts';
import type { StoredSnapshot } from './snapshot.ts';

type Unknown<T> = { readonly [Name in keyof T]?: unknown };

/** Its fields, whatever they are. */
function fieldsOf<T>(value: unknown): Unknown<T> {
  return typeof value === 'object' && value !== null ? value : {};
}

const isCount = (value: unknown, most: number = Number.MAX_SAFE_INTEGER): value is number =>
  Number.isSafeInteger(value) && Number(value) >= 0 && Number(value) <= most;

function isKey(value: unknown): boolean {
  try {
    encodeKey(value);
    return true;
  } catch (error) {
    if (isCodedError(error, 'state/key-invalid')) return false;
    throw error;
  }
}

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';

function isBody(value: unknown): value is SnapshotBody {
  const { id, parts, keys, sizeBytes, checksum } = fieldsOf<SnapshotBody>(value);
  const isPlaced = isText(id) && isKey([id]) && isCount(parts, maxBodyParts);
  return isPlaced && isCount(keys) && isCount(sizeBytes) && isText(checksum);
}

function isPoint(value: unknown): value is JournalPoint {
  const { position, atMs } = fieldsOf<JournalPoint>(value);
  return isCount(position) && Number.isFinite(atMs);
}

function arePrefixes(value: unknown): boolean {
  return Array.isArray(value) && value.every((prefix) => isEmptyList(prefix) || isKey(prefix));
}

const isEmptyList = (value: unknown): boolean => Array.isArray(value) && value.length === 0;

function isStretch(value: unknown): value is BaseStretch {
  const { from, body } = fieldsOf<BaseStretch>(value);
  return (isEmptyList(from) || isKey(from)) && isBody(body);
}

export function isJournalHead(value: unknown): value is JournalHead {
  const { prefixes, base } = fieldsOf<JournalHead>(value);
  return isPoint(value) && arePrefixes(prefixes) && Array.isArray(base) && base.every(isStretch);
}

export function isMarker(value: unknown): value is Marker {
  const { touchedAtMs, parts } = fieldsOf<Marker>(value);
  const isTime = Number.isFinite(touchedAtMs) || touchedAtMs === -Infinity;
  return isTime && (parts === null || isCount(parts, maxBodyParts));
}

/** @param name under which it lies */
export function isStoredSnapshot(value: unknown, name: string): value is StoredSnapshot {
  const { format, info, body, journal } = fieldsOf<StoredSnapshot>(value);
  const known = fieldsOf<StoredSnapshot['info']>(info);
  const isPlaced = known.name === name && Number.isFinite(known.atMs) && arePrefixes(known.prefixes);
  const isTold = isMetadata(known.metadata) && isCount(known.keys) && isCount(known.sizeBytes);
  const isKept = format === 1 && isText(known.checksum) && isBody(body);
  return isPlaced && isTold && isKept && (journal === undefined || isPlace(journal));
}

function isPlace(value: unknown): boolean {
  return isPoint(value) && isText(fieldsOf<{ readonly name: string }>(value).name);
}

/** Whether newer code wrote a snapshot, in a way that is not known here. */
export function isNewer(value: unknown): value is { readonly format: number } {
  const { format } = (value ?? {}) as { readonly format?: unknown };
  return typeof format === 'number' && format > 1;
}
