/** What differs between two states of a runtime, in the words of its modules. */
import type { ModuleState, ParameterState } from '../../program/index.ts';
import type { KeyedValue, StateSource } from '../../state/index.ts';
import type { StoredMeta } from '../journal/journal-disk.ts';
import { sameData } from '../parameter/same-data.ts';
import type { StoredParameter } from '../parameter/parameter-record.ts';
import { writeLate } from './past-host.ts';
import type { PastHost } from './past-host.ts';
import { readStored, readStoredPast } from './stored-past.ts';
import type { RuntimePast } from './stored-past.ts';

/** One thing that is different. */
export interface RuntimeChange {
  /** `program`: predictors, and what is frozen by a compilation. */
  readonly what: 'parameter' | 'shared' | 'mode' | 'version' | 'program';
  /** Undefined for a shared parameter. */
  readonly module: string | undefined;
  /** Of the parameter. */
  readonly name: string | undefined;
  /** Undefined: nothing was stored, it was as it is declared. */
  readonly before: unknown;
  readonly after: unknown;
}

export interface RuntimeDiff {
  /** By module, then by name; at most `maxChanges`. */
  readonly changes: readonly RuntimeChange[];
  /** How many there are in all. */
  readonly total: number;
}

export interface RuntimeDiffOptions {
  /** Changes that are told at most. Default 1,000. */
  readonly maxChanges?: number;
}

type Part = Pick<RuntimeChange, 'what' | 'name'> & { readonly value: unknown };
type Parts = ReadonlyMap<string, Part>;

function partsOfMeta(state: Partial<ModuleState>): Parts {
  const { mode, version, predictors, compiled } = state;
  const isChanged = Object.keys(predictors ?? {}).length > 0 || (compiled ?? []).length > 0;
  const program = isChanged ? { predictors, compiled } : undefined;
  const values = { mode, version, program };
  return new Map(
    (['mode', 'version', 'program'] as const).map((what) => [
      what,
      { what, name: undefined, value: values[what] },
    ]),
  );
}

/** Everything of one module that somebody would call different. */
function partsOf(entries: readonly KeyedValue[]): Parts {
  return new Map(
    entries.flatMap(({ key, value }): readonly (readonly [string, Part])[] => {
      if (key[2] === 'meta') return [...partsOfMeta((value as StoredMeta).state)];
      if (key[2] !== 'parameter') return [];
      const name = key[3] as string;
      const { state } = value as StoredParameter;
      return [[`parameter ${name}`, { what: 'parameter', name, value: state.value }]];
    }),
  );
}

/** A mode and a version that were not stored yet are no difference: whoever changes something stores them too. */
function isTold(what: RuntimeChange['what'], before: unknown, after: unknown): boolean {
  const isBeside = what === 'mode' || what === 'version';
  if (isBeside && (before === undefined || after === undefined)) return false;
  return !sameData(before, after);
}

function changesOf(module: string | undefined, before: Parts, after: Parts): readonly RuntimeChange[] {
  const names = [...new Set([...before.keys(), ...after.keys()])].toSorted();
  return names.flatMap((key) => {
    const [left, right] = [before.get(key), after.get(key)];
    const { what, name } = left ?? right ?? { what: 'program', name: undefined };
    if (!isTold(what, left?.value, right?.value)) return [];
    return [{ what, module, name, before: left?.value, after: right?.value }];
  });
}

function sharedParts({ shared }: RuntimePast): Parts {
  return new Map(
    [...shared].map(([name, { value }]) => [
      name,
      { what: 'shared', name, value: (value as ParameterState).value },
    ]),
  );
}

/** @param after default: what is stored now @throws as `stateAt`, `program/state-invalid` */
export async function diffRuntime(
  host: PastHost,
  before: StateSource,
  after?: StateSource,
  { maxChanges = 1000 }: RuntimeDiffOptions = {},
): Promise<RuntimeDiff> {
  const { store } = host;
  const left = await readStoredPast(store, before);
  if (after === undefined) await writeLate(host);
  const right = after === undefined ? await readStored(store) : await readStoredPast(store, after);
  const ids = [...new Set([...left.modules.keys(), ...right.modules.keys()])].toSorted();
  const changes = [
    ...ids.flatMap((id) =>
      changesOf(id, partsOf(left.modules.get(id) ?? []), partsOf(right.modules.get(id) ?? [])),
    ),
    ...changesOf(undefined, sharedParts(left), sharedParts(right)),
  ];
  return { changes: changes.slice(0, maxChanges), total: changes.length };
}
