/** The part of a restore that concerns nobody who runs: what is to be written so that the store holds again what it held. */
import type { Entry, KeyedValue, Store, Write } from '../../state/index.ts';
import { sameData } from '../parameter/same-data.ts';
import type { RuntimePast } from './stored-past.ts';

export interface StoredPlan {
  /** Each only if nobody wrote since. */
  readonly writes: readonly Write[];
  /** What the writes are of, by whom it belongs to: see {@link undoOf}. */
  readonly changes: readonly (readonly Pair[])[];
  /** Modules of which something is written. */
  readonly ids: readonly string[];
}

type Pair = readonly [past: KeyedValue | undefined, present: Entry | undefined];

function pairsOf(past: readonly KeyedValue[], present: readonly Entry[]): readonly Pair[] {
  const byKey = new Map(present.map((entry) => [JSON.stringify(entry.key), entry]));
  const pairs: Pair[] = past.map((entry) => {
    const name = JSON.stringify(entry.key);
    const found = byKey.get(name);
    byKey.delete(name);
    return [entry, found];
  });
  return [...pairs, ...[...byKey.values()].map((entry): Pair => [undefined, entry])];
}

function writeOf([past, present]: Pair): readonly Write[] {
  const expectedRevision = present?.revision ?? 0;
  if (past) {
    if (present && sameData(past.value, present.value)) return [];
    return [{ type: 'put', key: past.key, value: past.value, expectedRevision }];
  }
  return present ? [{ type: 'delete', key: present.key, expectedRevision }] : [];
}

/**
 * What puts back what was there before the writes of some changes; nothing when they are not in, or somebody has written since.
 * @throws as `Store.get`
 */
export async function undoOf(store: Store, changes: readonly Pair[]): Promise<readonly Write[]> {
  const writes: Write[] = [];
  for (const [past, present] of changes) {
    const { key } = (past ?? present) as KeyedValue;
    const now = await store.get(key);
    if (!sameData(now?.value, past?.value)) return [];
    const expectedRevision = now?.revision ?? 0;
    writes.push(
      present
        ? { type: 'put', key, value: present.value, expectedRevision }
        : { type: 'delete', key, expectedRevision },
    );
  }
  return writes;
}

/** @param isMine what is restored by whoever owns it, by the first two segments of its key */
export function planStored(
  past: RuntimePast,
  present: RuntimePast<Entry>,
  isMine: (what: 'module' | 'shared', name: string) => boolean,
): StoredPlan {
  const modules = [...new Set([...past.modules.keys(), ...present.modules.keys()])].filter(
    (id) => !isMine('module', id),
  );
  const shared = [...new Set([...past.shared.keys(), ...present.shared.keys()])].filter(
    (name) => !isMine('shared', name),
  );
  const changes = [
    ...modules.map((id) => pairsOf(past.modules.get(id) ?? [], present.modules.get(id) ?? [])),
    ...shared.map((name): readonly Pair[] => [[past.shared.get(name), present.shared.get(name)]]),
  ].map((pairs) => pairs.filter((pair) => writeOf(pair).length > 0));
  const writes = changes.flat().flatMap(writeOf);
  const ids = new Set(writes.flatMap(({ key }) => (key[0] === 'module' ? [key[1] as string] : [])));
  return { writes, changes, ids: [...ids] };
}

/** The same with a value that is put whatever is there. */
export function withPut(plan: StoredPlan, put: KeyedValue, present: Entry | undefined): StoredPlan {
  const { writes, changes, ids } = plan;
  return { writes: [...writes, { type: 'put', ...put }], changes: [...changes, [[put, present]]], ids };
}
