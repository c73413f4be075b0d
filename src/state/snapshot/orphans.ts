/** Parts whose owner is lost: nothing names them any more, so nobody would ever delete them. */
import { isCodedError } from '../../base/index.ts';
import { appendedKey, maxAppendedNumber } from '../key.ts';
import type { Key } from '../key.ts';
import type { Store } from '../store.ts';
import { findHead } from './journal-read.ts';
import { headKey, infoPrefix, journalPrefix, markerPrefix, partPrefix } from './layout.ts';
import { maxOrphanLooks } from './limits.ts';
import { pagesOf } from './paging.ts';
import { orphanMark, sweepParts } from './snapshot-parts.ts';
import type { SnapshotContext } from './snapshot-parts.ts';
import { isNewer, isStoredSnapshot } from './stored-shape.ts';

/** The next segment of each key under a prefix, each once. A step reads one value. */
async function* namesUnder(store: Store, prefix: Key, lastOf: (name: string) => Key): AsyncGenerator<string> {
  let after: Key | undefined;
  for (let look = 0; look < maxOrphanLooks; look++) {
    const [entry] = await store.list(prefix, { limit: 1, ...(after ? { after } : {}) });
    const name = entry?.key[prefix.length];
    if (name === undefined) return;
    yield name;
    after = lastOf(name);
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

/** As {@link addNamedBySnapshots}. */
async function addNamedByJournals(store: Store, named: Set<string>): Promise<boolean> {
  try {
    for await (const journal of namesUnder(store, journalPrefix, headKey)) {
      const { head } = (await findHead(store, journal)) ?? {};
      for (const { body } of head?.base ?? []) named.add(body.id);
    }
    return true;
  } catch (error) {
    if (isCodedError(error, 'state/version-too-new')) return false;
    throw error;
  }
}

/** Undefined when newer code names some. Markers first: what is adopted meanwhile goes from them to what is read behind them. */
async function namedBodies(store: Store): Promise<ReadonlySet<string> | undefined> {
  const named = new Set<string>();
  await addNamedByMarkers(store, named);
  const isKnown = (await addNamedBySnapshots(store, named)) && (await addNamedByJournals(store, named));
  return isKnown ? named : undefined;
}

/**
 * Deletes the parts that nothing names. It reads a part of each body, so it is for when something is known to be lost: 1,000 bodies are
 * looked at, and what is beyond them stays. Harmless at any time, and when it is cut short.
 */
export async function sweepOrphans(store: Store, context: SnapshotContext): Promise<void> {
  const bodies: string[] = [];
  // before their names: what is written meanwhile is not among them
  const lastPart = (id: string): Key => appendedKey([...partPrefix, id], maxAppendedNumber);
  for await (const id of namesUnder(store, partPrefix, lastPart)) bodies.push(id);
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
