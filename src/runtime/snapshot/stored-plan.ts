/** The part of a restore that concerns nobody who runs: what is to be written so that the store holds again what it held. */
import type { Entry, KeyedValue, Write } from '../../state/index.ts';
import { sameData } from '../parameter/same-data.ts';
import type { RuntimePast } from './stored-past.ts';

export interface StoredPlan {
  /** Each only if nobody wrote since. */
  readonly writes: readonly Write[];
  /** What puts back what is there now, whatever came of the writes. */
  readonly undo: readonly Write[];
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

function undoOf([past, present]: Pair): readonly Write[] {
  if (present) return [{ type: 'put', key: present.key, value: present.value }];
  return past ? [{ type: 'delete', key: past.key }] : [];
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
  const pairs = [
    ...modules.flatMap((id) => pairsOf(past.modules.get(id) ?? [], present.modules.get(id) ?? [])),
    ...shared.map((name): Pair => [past.shared.get(name), present.shared.get(name)]),
  ];
  const differing = pairs.filter((pair) => writeOf(pair).length > 0);
  const writes = differing.flatMap(writeOf);
  const ids = new Set(writes.flatMap(({ key }) => (key[0] === 'module' ? [key[1] as string] : [])));
  return { writes, undo: differing.flatMap(undoOf), ids: [...ids] };
}
