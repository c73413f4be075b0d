/** What the store held of a program at an earlier time: only what was ever changed by then. */
import type { ModuleState, ParameterStates } from '../../program/index.ts';
import { stateAt } from '../../state/index.ts';
import type { KeyedValue, StateSource, Store } from '../../state/index.ts';
import type { HostedModuleRecord } from '../host/hosted.ts';
import type { StoredMeta } from '../journal/journal-disk.ts';
import { withPart } from '../journal/whole-state.ts';
import type { WholeState } from '../journal/whole-state.ts';
import type { StoredParameter } from '../parameter/parameter-record.ts';

function parametersOf(entries: readonly KeyedValue[]): ParameterStates {
  const stored = entries.filter(({ key }) => key[2] === 'parameter');
  // written by the journal of a module alone
  return Object.fromEntries(
    stored.map(({ key, value }) => [key[3] as string, (value as StoredParameter).state]),
  );
}

/** What one actor has stored; nothing changed yet: what its class declares. */
function stateOf(entries: readonly KeyedValue[], now: ModuleState): ModuleState {
  const meta = entries.find(({ key }) => key[2] === 'meta')?.value as StoredMeta | undefined;
  const untouched: ModuleState = { ...now, mode: 'eval', predictors: {}, compiled: [] };
  return { ...(meta?.state ?? untouched), parameters: parametersOf(entries) };
}

/** What one actor had stored, by its id. */
export type PastReader = (id: string) => readonly KeyedValue[] | Promise<readonly KeyedValue[]>;

/** Reads the store, for one actor at a time. @throws as `stateAt` */
export function pastReader(store: Store, source: StateSource): PastReader {
  return async (id) => (await stateAt(store, source, ['module', id])).entries;
}

/**
 * The state of the program at that time, with the actors inside it, under the names of the outermost.
 * @throws what `read` throws
 */
export async function readPastState(read: PastReader, module: HostedModuleRecord): Promise<WholeState> {
  return (await readPast(read, module)).state;
}

async function readPast(
  read: PastReader,
  module: HostedModuleRecord,
): Promise<{ readonly state: WholeState; readonly isUntouched: boolean }> {
  const entries = await read(module.id);
  const now = module.journal.state ?? ((await module.call('state-dump', null)) as ModuleState);
  let state: WholeState = stateOf(entries, now);
  for (const part of module.parts.values()) {
    const inside = await readPast(read, part.module);
    // what was never changed is as the program around it declares it
    const { mode } = state;
    const asDeclared = { version: part.names.version, mode };
    state = withPart(state, part, inside.isUntouched ? { ...inside.state, ...asDeclared } : inside.state);
  }
  return { state, isUntouched: entries.length === 0 };
}
