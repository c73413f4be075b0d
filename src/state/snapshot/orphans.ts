/** Parts whose owner is lost: nothing names them any more, so nobody would ever delete them. */
import { isCodedError } from '../../base/index.ts';
import { encodeKey } from '../key.ts';
import type { Key } from '../key.ts';
import type { Store } from '../store.ts';
import { findHead } from './journal-read.ts';
import { infoPrefix, journalPrefix, markerPrefix, partPrefix } from './layout.ts';
import { maxOrphanLooks } from './limits.ts';
import { pagesOf } from './paging.ts';
import { orphanMark, sweepParts } from './snapshot-parts.ts';
import type { SnapshotContext } from './snapshot-parts.ts';
import { isNewer, isStoredSnapshot } from './stored-shape.ts';

interface Names {
  readonly names: readonly string[];
  /** False when there are more than are looked at, or some behind which nobody can look. */
  readonly areAll: boolean;
}

/** The next segment of each key under a prefix, each once. A step reads one value. */
async function namesUnder(store: Store, prefix: Key): Promise<Names> {
  const names: string[] = [];
  let after: Key | undefined;
  for (let look = 0; look < maxOrphanLooks; look++) {
    const [entry] = await store.list(prefix, { limit: 1, ...(after ? { after } : {}) });
    if (!entry) return { names, areAll: true };
    const name = entry.key[prefix.length];
    if (name !== undefined) names.push(name);
    // behind all keys with the name, whoever put them there: no segment comes between it and this one
    after = name === undefined ? entry.key : [...prefix, `${name}\u0000`];
    // a name as long as a segment may be is none of ours
    if (!isKey(after)) return { names, areAll: false };
  }
  return { names, areAll: false };
}

function isKey(key: Key): boolean {
  try {
    encodeKey(key);
    return true;
  } catch {
    return false;
  }
}

async function addNamedByMarkers(store: Store, named: Set<string>): Promise<void> {
  for await (const page of pagesOf(store, markerPrefix))
    for (const { key } of page) named.add(key.at(-1) ?? '');
}

/** False when one says in a way that is not known here what it has. */
async function addNamedBySnapshots(store: Store, named: Set<string>): Promise<boolean> {
  for await (const page of pagesOf<unknown>(store, infoPrefix)) {
    for (const { key, value } of page) {
      if (isStoredSnapshot(value, key.at(-1) ?? '')) named.add(value.body.id);
      else if (isNewer(value)) return false;
    }
  }
  return true;
}

/** As {@link addNamedBySnapshots}; also false when a head cannot be read, or there may be journals that are not looked at. */
async function addNamedByJournals(store: Store, named: Set<string>): Promise<boolean> {
  try {
    const { names, areAll } = await namesUnder(store, journalPrefix);
    if (!areAll) return false;
    for (const journal of names) {
      const found = await findHead(store, journal);
      if (found && !found.head) return false;
      for (const { body } of found?.head?.base ?? []) named.add(body.id);
    }
    return true;
  } catch (error) {
    if (isCodedError(error, 'state/version-too-new')) return false;
    throw error;
  }
}

/** Undefined when it is not known of all. Markers first: what is adopted meanwhile goes from them to what is read behind them. */
async function namedBodies(store: Store): Promise<ReadonlySet<string> | undefined> {
  const named = new Set<string>();
  await addNamedByMarkers(store, named);
  const isKnown = (await addNamedBySnapshots(store, named)) && (await addNamedByJournals(store, named));
  return isKnown ? named : undefined;
}

/**
 * Deletes the parts that nothing names. It reads a part of each body, so it is for when something is known to be lost: 1,000 bodies are
 * looked at, and what is beyond them stays. Nothing is deleted while there are more than 1,000 journals, or one whose head cannot be read. Harmless at any time, and when it is cut short.
 */
export async function sweepOrphans(store: Store, context: SnapshotContext): Promise<void> {
  // before their names: what is written meanwhile is not among them
  const { names: bodies } = await namesUnder(store, partPrefix);
  const named = await namedBodies(store);
  if (!named) return;
  for (const id of bodies.filter((each) => !named.has(each))) {
    try {
      await store.commit([orphanMark(id)]);
    } catch (error) {
      // another tab sweeps it already
      if (!isCodedError(error, 'state/conflict')) throw error;
    }
  }
  await sweepParts(store, context);
}
