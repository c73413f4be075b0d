/** A second module that begins where another one is, or was. */
import { CodedError, isCodedError } from '../../base/index.ts';
import type { Key, KeyedValue, StateSource, Write } from '../../state/index.ts';
import { idTaken } from '../handle/handle.ts';
import { checkModuleId } from '../host/module-id.ts';
import type { StoredMeta } from '../journal/journal-disk.ts';
import { inTurn } from '../parameter/whole-change.ts';
import { left, writeLate } from './past-host.ts';
import type { PastHost } from './past-host.ts';
import { readStored, readStoredPast } from './stored-past.ts';
import type { RuntimePast } from './stored-past.ts';

export interface ForkFrom {
  /** A snapshot's name, or milliseconds since 1970. Default: what is stored now. */
  readonly at?: StateSource;
}

interface Fork {
  readonly from: string;
  readonly to: string;
}

function occupied(id: string, cause?: unknown): CodedError {
  return new CodedError('state/prefix-occupied', `something is stored of module "${id}", expected nothing`, {
    fields: { prefix: ['module', id] },
    cause,
  });
}

function nothingStored(id: string): CodedError {
  return new CodedError('runtime/module-not-found', `nothing is stored of module "${id}"`, {
    fields: { module: id },
  });
}

/** What is stored of one actor, under its new id. */
type Copy = readonly [id: string, key: Key, value: unknown];

/**
 * The module's own, or that of an actor inside it. Another module may have an id that looks like one inside; of what was stored before
 * metadata said what an actor is inside of, the id alone tells.
 */
function copiesOf(id: string, entries: readonly KeyedValue[], { from, to }: Fork): readonly Copy[] {
  const meta = entries.find(({ key }) => key[2] === 'meta')?.value as StoredMeta | undefined;
  const around = meta?.around;
  const isInside = id.startsWith(`${from}/`) && (around?.includes(from) ?? true);
  if (id !== from && !isInside) return [];
  const renamed = (each: string): string => `${to}${each.slice(from.length)}`;
  // what is around the module itself is not around the other one
  const inside = isInside && around?.slice(around.indexOf(from)).map(renamed);
  return entries.map(({ key, value }): Copy => {
    const isMeta = key[2] === 'meta' && around !== undefined;
    return [renamed(id), key, isMeta ? { ...(value as StoredMeta), around: inside || [] } : value];
  });
}

/**
 * Stores what is, or was, stored of a module under another id too, with the actors inside it, in one commit. A module that is started with that id begins with it.
 * @throws `runtime/module-id-invalid`, `runtime/module-not-found` when nothing is stored of it, `runtime/module-already-running` and
 *   `runtime/module-running-elsewhere` for the new id, `state/prefix-occupied`, and as `stateAt`
 */
export async function forkModule(
  host: PastHost,
  from: string,
  to: string,
  { at }: ForkFrom = {},
): Promise<void> {
  checkModuleId(to);
  const { clock, limits, store } = host;
  if (at === undefined) await writeLate(host);
  const past: RuntimePast = at === undefined ? await readStored(store) : await readStoredPast(store, at);
  const entries = [...past.modules].flatMap(([id, each]) => copiesOf(id, each, { from, to }));
  if (entries.length === 0) throw nothingStored(from);
  await inTurn([host.host.reading], { clock, timeoutMs: limits.callTimeoutMs, isAlone: true }, async () => {
    await left(host);
    if (host.host.get(to)) throw idTaken(to);
    const release = await host.host.locks.hold(to);
    try {
      await write(host, to, entries);
    } finally {
      release?.();
    }
  });
}

async function write({ store, committer }: PastHost, to: string, entries: readonly Copy[]): Promise<void> {
  const found = await store.list(['module', to], { limit: 1 });
  if (found.length > 0) throw occupied(to);
  const writes = entries.map(([id, key, value]): Write => ({
    type: 'put',
    key: ['module', id, ...key.slice(2)],
    value,
    expectedRevision: 0,
  }));
  try {
    await committer.commit(writes, 'strict');
  } catch (error) {
    throw isCodedError(error, 'state/conflict') ? occupied(to, error) : error;
  }
}
