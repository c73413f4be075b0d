/** A store of which a test decides how its commits end. */
import { CodedError } from '../../base/index.ts';
import type { ErrorCode } from '../../base/index.ts';
import { createMemoryStore } from '../../state/index.ts';
import type { Store } from '../../state/index.ts';

type Commit = Store['commitEach'];

export interface HeldStore {
  readonly store: Store;
  /** What the memory below it does. */
  readonly commit: Commit;
  /** In place of {@link commit}, for as long as it is there. */
  instead: Commit | undefined;
}

export function createHeldStore(): HeldStore {
  const memory = createMemoryStore();
  const commit: Commit = memory.commitEach.bind(memory);
  const commitEach: Commit = (...given) => (held.instead ?? commit)(...given);
  const store = new Proxy(memory, {
    get(target, name) {
      if (name === 'commitEach') return commitEach;
      const member: unknown = Reflect.get(target, name, target);
      return typeof member === 'function' ? (member.bind(target) as unknown) : member;
    },
  });
  const held: HeldStore = { store, commit, instead: undefined };
  return held;
}

/** The next commit does not come in, and nobody knows. */
export function failOnce(held: HeldStore, code: ErrorCode = 'state/write-failed'): void {
  held.instead = () => {
    held.instead = undefined;
    return Promise.reject(new CodedError(code, 'as asked'));
  };
}

/** What the store holds of a parameter. */
export async function storedValue(store: Store, module: string, name: string): Promise<unknown> {
  const entry = await store.get<{ readonly state: { readonly value: unknown } }>([
    'module',
    module,
    'parameter',
    name,
  ]);
  return entry?.value.state.value;
}
