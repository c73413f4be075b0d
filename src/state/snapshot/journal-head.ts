/** How a journal begins: with a base of what its prefixes hold, which one commit makes valid. */
import { CodedError } from '../../base/index.ts';
import { compareKeys } from '../key.ts';
import type { Key } from '../key.ts';
import type { Store, Write } from '../store.ts';
import { collectTwice } from './collect.ts';
import { findEnd, readHead } from './journal-read.ts';
import type { HeadEntry, JournalHead, JournalPoint } from './journal-read.ts';
import type { JournalSettings } from './journal-options.ts';
import { headKey, markerPrefix } from './layout.ts';
import { abandonment, interrupted, isConflictOn, sweepParts, writeBody } from './snapshot-parts.ts';
import type { Records } from './records.ts';

/**
 * Makes `records` the base of the journal, in place of `previous`; false when another tab moved the head first.
 * @throws `state/snapshot-interrupted`, what `Store.commit` throws
 */
export async function moveHead(
  store: Store,
  { name, prefixes, context }: JournalSettings,
  next: { readonly records: Records; readonly point: JournalPoint; readonly previous: HeadEntry | undefined },
): Promise<HeadEntry | undefined> {
  const { records, point, previous } = next;
  const { body, adoption } = await writeBody(store, records.sorted(), context);
  const head: JournalHead = { format: 1, prefixes, base: body, ...point };
  const key = headKey(name);
  const writes: Write[] = [
    { type: 'put', key, value: head, expectedRevision: previous?.revision ?? 0 },
    adoption,
  ];
  if (previous) writes.push(abandonment(previous.head.base));
  try {
    const [committed] = await store.commit(writes);
    return { head, revision: committed?.revision ?? 0 };
  } catch (error) {
    if (isConflictOn(error, markerPrefix)) throw interrupted(error);
    if (!isConflictOn(error, key)) throw error;
    // what was written for nothing is garbage at once
    await store.commit([adoption, abandonment(body)]);
    await sweepParts(store, context);
    return undefined;
  }
}

function isSamePrefixes(a: readonly Key[], b: readonly Key[]): boolean {
  return a.length === b.length && a.every((prefix, index) => compareKeys(prefix, b[index] ?? []) === 0);
}

/**
 * The head of the journal, after it was made if there was none.
 * @throws `state/journal-mismatch` when the journal is kept for other prefixes; `state/version-too-new`
 */
export async function openHead(store: Store, settings: JournalSettings): Promise<HeadEntry> {
  const { name, prefixes, context } = settings;
  for (;;) {
    const found = await readHead(store, name);
    if (!found) {
      const records = await collectTwice(store, prefixes, context.limits.maxSnapshotBytes);
      const position = await findEnd(store, name, 0);
      const point = { position, atMs: context.clock.now() };
      const made = await moveHead(store, settings, { records, point, previous: undefined });
      if (made) return made;
      continue;
    }
    if (isSamePrefixes(found.head.prefixes, prefixes)) return found;
    throw new CodedError(
      'state/journal-mismatch',
      `the journal ${name} is kept for other prefixes: name these, or another journal`,
      { fields: { journal: name, stored: found.head.prefixes, given: prefixes } },
    );
  }
}
