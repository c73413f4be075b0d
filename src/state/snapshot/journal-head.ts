/** How a journal begins: with a base of what its prefixes hold, which one commit makes valid. */
import { CodedError } from '../../base/index.ts';
import { appendedNumberOf, compareKeys } from '../key.ts';
import type { Key } from '../key.ts';
import type { Store, Write } from '../store.ts';
import { collectTwice, livePages } from './collect.ts';
import { adoptionOf, BaseWriter, changeBase, Changes } from './journal-base.ts';
import type { PendingBase } from './journal-base.ts';
import { toEntryParts } from './journal-entry.ts';
import { entriesAfter, findHead } from './journal-read.ts';
import type { HeadEntry, JournalHead, JournalPoint, StoredHead } from './journal-read.ts';
import type { JournalSettings } from './journal-options.ts';
import { entryPrefix, headKey, markerPrefix } from './layout.ts';
import { sweepOrphans } from './orphans.ts';
import { interrupted, isConflictOn, sweepParts } from './snapshot-parts.ts';

/**
 * Makes `base` the base of the journal; undefined when another tab moved the head first.
 * @throws `state/snapshot-interrupted`, what `Store.commit` throws
 */
export async function moveHead(
  store: Store,
  { name, prefixes, context }: JournalSettings,
  next: { readonly base: PendingBase; readonly point: JournalPoint; readonly previousRevision: number },
): Promise<HeadEntry | undefined> {
  const { base, point, previousRevision } = next;
  const head: JournalHead = { format: 2, prefixes, base: base.stretches, ...point };
  const key = headKey(name);
  const put: Write = { type: 'put', key, value: head, expectedRevision: previousRevision };
  try {
    const [committed] = await store.commit([put, ...adoptionOf(base)]);
    return { head, revision: committed?.revision ?? 0 };
  } catch (error) {
    if (isConflictOn(error, markerPrefix)) throw interrupted(error);
    if (!isConflictOn(error, key)) throw error;
    // what was written for nothing is garbage at once
    const { written } = base;
    await store.commit(adoptionOf({ written, replaced: written.map(({ body }) => body) }));
    await sweepParts(store, context);
    return undefined;
  }
}

/**
 * The number of the last entry, found by appending one that says nothing: there may have been others that are gone already, and it is
 * their numbers that the next one follows.
 */
async function appendEmpty(store: Store, { name, context }: JournalSettings): Promise<number> {
  const [value] = toEntryParts([], context.clock.now(), { partBytes: Infinity, maxBytes: Infinity });
  const [committed] = await store.commit([{ type: 'append', key: entryPrefix(name), value }]);
  return appendedNumberOf(committed?.key ?? []) ?? 0;
}

/** The first base of a journal, which nobody writes yet, or whose head is gone without a trace. */
async function begin(store: Store, settings: JournalSettings): Promise<HeadEntry | undefined> {
  const { prefixes, context } = settings;
  const writer = await collectTwice(store, prefixes, () => new BaseWriter(store, context));
  const position = await appendEmpty(store, settings);
  const point = { position, atMs: context.clock.now() };
  const base = { ...(await writer.finish()), replaced: [] };
  const made = await moveHead(store, settings, { base, point, previousRevision: 0 });
  // there was one before, with a base that only it named
  if (position > 1) await sweepOrphans(store, context);
  return made;
}

/**
 * Begins again with what is stored now, in the place of a journal that cannot be read; others may write to it meanwhile.
 * @returns undefined when another tab was faster
 */
export async function beginAnew(
  store: Store,
  { head, revision }: StoredHead,
  settings: JournalSettings,
): Promise<HeadEntry | undefined> {
  const { name, context, prefixes } = settings;
  const position = await appendEmpty(store, settings);
  let point: JournalPoint = { position, atMs: Math.max(head?.atMs ?? 0, context.clock.now()) };
  const writer = new BaseWriter(store, context);
  for await (const page of livePages(store, prefixes)) for (const entry of page) await writer.put(entry);
  const read = await writer.finish();
  const changes = new Changes(prefixes);
  for await (const { number, atMs, writes } of entriesAfter(store, name, point)) {
    changes.add(writes);
    point = { position: number, atMs };
  }
  const what = `the base of the journal ${name}`;
  const changed = await changeBase(store, read.stretches, changes, { context, what });
  const base: PendingBase = {
    stretches: changed.stretches,
    written: [...read.written, ...changed.written],
    replaced: [...changed.replaced, ...(head?.base ?? []).map(({ body }) => body)],
  };
  return moveHead(store, settings, { base, point, previousRevision: revision });
}

function isSamePrefixes(a: readonly Key[], b: readonly Key[]): boolean {
  return a.length === b.length && a.every((prefix, index) => compareKeys(prefix, b[index] ?? []) === 0);
}

/**
 * The head of the journal, after it was made if there was none, or what there was is lost: then the past is, too, which is told as the
 * event `store-fail`.
 * @throws `state/journal-mismatch` when the journal is kept for other prefixes; `state/version-too-new`
 */
export async function openHead(store: Store, settings: JournalSettings): Promise<HeadEntry> {
  const { name, prefixes, hub } = settings;
  for (;;) {
    const found = await findHead(store, name);
    const { head, revision = 0 } = found ?? {};
    if (!head) {
      const made = await (found ? beginAnew(store, found, settings) : begin(store, settings));
      if (!made) continue;
      if (found) {
        await sweepOrphans(store, settings.context);
        const error = {
          code: 'state/journal-damaged',
          message: `the journal ${name} was lost and begins anew`,
        };
        hub.emit({ type: 'store-fail', store: store.name, error });
      }
      return made;
    }
    if (isSamePrefixes(head.prefixes, prefixes)) return { head, revision };
    throw new CodedError(
      'state/journal-mismatch',
      `the journal ${name} is kept for other prefixes: name these, or another journal`,
      { fields: { journal: name, stored: head.prefixes, given: prefixes } },
    );
  }
}
