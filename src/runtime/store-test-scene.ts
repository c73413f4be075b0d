/** A store that tests break, or hold up, at a commit that they choose. */
import { CodedError } from '../base/index.ts';
import type { Clock } from '../platform/index.ts';
import { createMemoryStore } from '../state/index.ts';
import type { CommitOptions, Store, Write } from '../state/index.ts';

type CommitEach = Store['commitEach'];

export interface HookedStore {
  readonly store: Store;
  /** What a commit does, for as long as it is there. */
  now:
    | ((writes: readonly Write[], commit: () => ReturnType<CommitEach>) => ReturnType<CommitEach>)
    | undefined;
  /** So many of the next reads fail. */
  unreadable: number;
}

/** @param clock of the store. Default: the system's. */
export function createHookedStore(clock?: Clock): HookedStore {
  const memory = createMemoryStore(clock ? { clock } : {});
  const commitEach: CommitEach = (groups, options?: CommitOptions) => {
    const commit = (): ReturnType<CommitEach> => memory.commitEach(groups, options);
    return hooked.now ? hooked.now(groups.flat(), commit) : commit();
  };
  const read: Store['get'] = async (key) => {
    if (hooked.unreadable === 0) return memory.get(key);
    hooked.unreadable--;
    throw new CodedError('state/read-failed', 'the store is gone');
  };
  const own: Partial<Store> = { commitEach, get: read };
  const get = (_: Store, name: keyof Store): unknown => {
    const member: unknown = own[name] ?? memory[name];
    return typeof member === 'function' ? (member.bind(memory) as unknown) : member;
  };
  const store = new Proxy(memory, { get: get as never });
  const hooked: HookedStore = { store, now: undefined, unreadable: 0 };
  return hooked;
}

/** What a store throws of which nobody knows whether it has the writes. */
export function writeFailed(): CodedError {
  return new CodedError('state/write-failed', 'the store is gone', { fields: { outcome: 'unknown' } });
}

/** The value of a module's parameter in the store. */
export async function storedValue(store: Store, module: string, name: string): Promise<unknown> {
  const entry = await store.get<{ readonly state: { readonly value: unknown } }>([
    'module',
    module,
    'parameter',
    name,
  ]);
  return entry?.value.state.value;
}
