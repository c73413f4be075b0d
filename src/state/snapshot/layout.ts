/** Where journals and snapshots keep what is theirs: keys behind all others, which no journaled store shows. */
import { CodedError } from '../../base/index.ts';
import { appendedKey, encodeKey, encodePrefix, hasPrefix } from '../key.ts';
import type { Key } from '../key.ts';
import { maxNameLength, maxPrefixes } from './limits.ts';

/** The first segment of every key of ours. U+FFFF is no character: nobody's text begins with it. */
const root = '\uffffvivarium';

/** Whether `key` is ours, or lies behind ours, where a listing could not leave ours out in one read. */
export function isHidden(key: Key): boolean {
  return (key[0] ?? '') >= root;
}

/** @throws `state/key-invalid` */
export function checkNotHidden(key: Key): void {
  if (!isHidden(key)) return;
  throw new CodedError(
    'state/key-invalid',
    'a key begins with U+FFFF, which is kept for journals and snapshots',
    {
      fields: { index: 0 },
    },
  );
}

/** Under which journal entries are appended. */
export function entryPrefix(journal: string): Key {
  return [root, 'journal', journal, 'entry'];
}

export const journalPrefix: Key = [root, 'journal'];

/** What the journal begins with. */
export function headKey(journal: string): Key {
  return [root, 'journal', journal, 'head'];
}

/** Who keeps others from writing to the journal at the moment, see `Claims`. */
export function claimKey(journal: string): Key {
  return [root, 'journal', journal, 'claim'];
}

/** What is known of a named snapshot; while it is there, the snapshot is whole. */
export function infoKey(name: string): Key {
  return [root, 'snapshot', name];
}

export const infoPrefix: Key = [root, 'snapshot'];

export const partPrefix: Key = [root, 'part'];

/** One part of the bytes of a snapshot, from 0. */
export function partKey(id: string, index: number): Key {
  return appendedKey([...partPrefix, id], index);
}

/** Says that the parts of `id` belong to nothing yet, or no more. */
export function markerKey(id: string): Key {
  return [root, 'marker', id];
}

export const markerPrefix: Key = [root, 'marker'];

function invalid(message: string, fields: Record<string, string | number>): CodedError {
  return new CodedError('state/snapshot-invalid', message, { fields });
}

/** @throws `state/snapshot-invalid` */
export function checkName(what: string, name: unknown): asserts name is string {
  const isName = typeof name === 'string' && name !== '' && name.length <= maxNameLength;
  if (!isName) {
    throw invalid(
      `the name of a ${what} is ${String(name).slice(0, 80)}, expected 1 to ${maxNameLength} characters`,
      {
        what,
        maxNameLength,
      },
    );
  }
  encodeKey([name]); // half a surrogate pair
}

/**
 * The prefixes in order, without those that lie under another.
 * @throws `state/snapshot-invalid`, `state/key-invalid`
 */
export function toPrefixes(prefixes: readonly Key[]): readonly Key[] {
  if (prefixes.length === 0 || prefixes.length > maxPrefixes) {
    throw invalid(`there are ${prefixes.length} prefixes, expected 1 to ${maxPrefixes}`, { maxPrefixes });
  }
  for (const prefix of prefixes) {
    encodePrefix(prefix);
    checkNotHidden(prefix);
  }
  const outermost = prefixes.filter(
    (prefix, index) =>
      !prefixes.some(
        (other, place) =>
          place !== index && hasPrefix(prefix, other) && (other.length < prefix.length || place < index),
      ),
  );
  return outermost
    .map((prefix) => Object.freeze([...prefix]))
    .toSorted((a, b) => ((encodePrefix(a)?.from ?? '') < (encodePrefix(b)?.from ?? '') ? -1 : 1));
}

/** Whether every key under `prefix` lies under one of `prefixes`. */
export function isCovered(prefix: Key, prefixes: readonly Key[]): boolean {
  return prefixes.some((outer) => hasPrefix(prefix, outer));
}

/** Whether one lies under the other. What an append will be called is not known: it overlaps with all that it could be. */
export function overlaps(prefix: Key, other: Key): boolean {
  return hasPrefix(other, prefix) || hasPrefix(prefix, other);
}
