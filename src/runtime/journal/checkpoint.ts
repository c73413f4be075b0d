/** A module's state as one checked record in the store. */
import { CodedError } from '../../base/index.ts';
import type { Clock } from '../../platform/index.ts';
import { loadRecord, saveRecord } from '../../state/index.ts';
import type { Store } from '../../state/index.ts';
import type { WholeState } from './whole-state.ts';

export interface Checkpoint {
  /** Names it for `restore`. */
  readonly id: string;
  readonly module: string;
  readonly atMs: number;
}

const recordOf = (module: string): string => `module/${module}`;

export async function saveCheckpoint(
  store: Store,
  from: { readonly module: string; readonly state: WholeState; readonly clock: Clock },
): Promise<Checkpoint> {
  const record = await saveRecord(store, recordOf(from.module), from.state, {
    clock: from.clock,
    metadata: { module: from.module, version: from.state.version },
  });
  return { id: String(record.version), module: from.module, atMs: record.atMs };
}

/** @throws `runtime/checkpoint-not-found`, `state/checksum-failed` */
export async function loadCheckpoint(store: Store, module: string, id: string): Promise<WholeState> {
  const version = Number(id);
  const isVersion = Number.isSafeInteger(version) && String(version) === id;
  const record = isVersion && (await loadRecord<WholeState>(store, recordOf(module), version));
  if (record) return record.state;
  throw new CodedError('runtime/checkpoint-not-found', `module "${module}" has no checkpoint "${id}"`, {
    fields: { module, checkpoint: id },
  });
}
