/**
 * Where the parts of a record lie.
 *
 * States are under the head, the newest first: one listing of two entries gives the head and the newest state as of one moment.
 */
import type { Key } from '../key.ts';

const digits = 12;
/** The largest sequence number. */
export const maxSequence: number = 10 ** digits - 1;

const padded = (sequence: number): string => String(sequence).padStart(digits, '0');

/** The head: what the record is now. It comes before all its states. */
export function headKey(id: string): Key {
  return ['record', id];
}

/** The state of one version. A higher sequence number gives an earlier key. */
export function stateKey(id: string, sequence: number): Key {
  return ['record', id, padded(maxSequence - sequence)];
}

/** Of a key under `headKey(id)`; undefined for the head's own. */
export function sequenceOfStateKey(key: Key): number | undefined {
  return key[2] === undefined ? undefined : maxSequence - Number(key[2]);
}

/** What is known about one version without its state. */
export function infoKey(id: string, sequence: number): Key {
  return ['record-info', id, padded(sequence)];
}

/** Everything under which the infos of one record lie, the oldest first. */
export function infoPrefix(id: string): Key {
  return ['record-info', id];
}

export function sequenceOfInfoKey(key: Key): number {
  return Number(key[2]);
}

/** Says which sequence number has a version that is not a number itself. */
export function versionKey(id: string, version: string, sequence: number): Key {
  return ['record-version', id, version, padded(sequence)];
}

/** Everything under which the sequence numbers of one version lie; more than one only while the older is being dropped. */
export function versionPrefix(id: string, version: string): Key {
  return ['record-version', id, version];
}

/** Everything under which the named versions of one record lie. */
export function versionsPrefix(id: string): Key {
  return ['record-version', id];
}

export function sequenceOfVersionKey(key: Key): number {
  return Number(key[3]);
}

/** There while the record has a version: the listing of ids. */
export function idKey(id: string): Key {
  return ['record-id', id];
}

export const idPrefix: Key = ['record-id'];
