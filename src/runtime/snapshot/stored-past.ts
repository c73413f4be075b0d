/** What the store holds of a runtime, or held: modules by id and shared parameters by name, checked, because files bring it too. */
import { CodedError } from '../../base/index.ts';
import { stateAt } from '../../state/index.ts';
import type { Entry, Key, KeyedValue, StateSource, Store } from '../../state/index.ts';
import { listAll } from '../journal/list-all.ts';

/** Under which a runtime keeps its modules and its shared parameters. Checkpoints are records, which never change. */
export const runtimePrefixes: readonly Key[] = [['module'], ['shared']];

/** Everything at one moment. */
export interface RuntimePast<T extends KeyedValue = KeyedValue> {
  readonly modules: ReadonlyMap<string, readonly T[]>;
  readonly shared: ReadonlyMap<string, T>;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const isState = (value: unknown): boolean => isObject(value) && isObject(value['state']);

/** What a value of a module must be, by the third segment of its key. */
const shapes: Readonly<Record<string, (value: unknown) => boolean>> = {
  meta: (value) => isState(value) && typeof (value as Record<string, unknown>)['kind'] === 'string',
  parameter: isState,
  history: Array.isArray,
  previous: isObject,
};

/** What others keep under the same prefix is not this runtime's to judge. */
function isOfRuntime({ key }: KeyedValue): boolean {
  const [what, , part = ''] = key;
  return what === 'shared' ? key.length === 2 : key.length > 2 && Object.hasOwn(shapes, part);
}

/** @throws `program/state-invalid` for what no runtime has written */
function check({ key, value }: KeyedValue): void {
  const [what, , part = ''] = key;
  const isRight = what === 'shared' ? isObject : shapes[part];
  if (isRight?.(value)) return;
  const name = key.join('/').slice(0, 200);
  throw new CodedError('program/state-invalid', `"${name}" is not what a runtime stores under such a key`, {
    fields: { key: name },
  });
}

function toPast<T extends KeyedValue>(modules: readonly T[], shared: readonly T[]): RuntimePast<T> {
  const byId = new Map<string, T[]>();
  for (const entry of modules.filter(isOfRuntime)) {
    const id = entry.key[1] as string;
    const known = byId.get(id);
    if (known) known.push(entry);
    else byId.set(id, [entry]);
  }
  const named = shared.filter(isOfRuntime).map((entry) => [entry.key[1] as string, entry] as const);
  return { modules: byId, shared: new Map(named) };
}

/** @throws as `stateAt`, `program/state-invalid` */
export async function readStoredPast(store: Store, source: StateSource): Promise<RuntimePast> {
  const { entries: modules } = await stateAt(store, source, ['module']);
  const { entries: shared } = await stateAt(store, source, ['shared']);
  const past = toPast(modules, shared);
  for (const entry of [...past.modules.values()].flat()) check(entry);
  for (const entry of past.shared.values()) check(entry);
  return past;
}

/** What is stored now, with its revisions; of several moments while others write. @throws as `Store.list` */
export async function readStored(store: Store): Promise<RuntimePast<Entry>> {
  const [modules, shared] = await Promise.all([listAll(store, ['module']), listAll(store, ['shared'])]);
  return toPast(modules, shared);
}
