/** Where the fences of leases are: keys whose revisions are tokens. */
import type { Key } from './key.ts';

const fenceRoot = 'fence';

/** The key whose revision is the token of the lease called `name`. */
export const fenceKey = (name: string): Key => [fenceRoot, name];

/** Whether `key` is the fence of a lease. Its revision says who may write: whoever writes it takes the lease from its holder. */
export function isFenceKey(key: Key): boolean {
  return key.length === 2 && key[0] === fenceRoot;
}
