// Broken: takes every acknowledgement to be worth the same, and asks for the cheapest.
import { openIndexedDbStore } from '../../../../src/state/index.ts';
import { replaceIn } from './replace.mjs';

export async function openWeaker(name) {
  const inner = await openIndexedDbStore({ name });
  return replaceIn(inner, {
    commit: (writes, options) => inner.commit(writes, { ...options, durability: 'relaxed' }),
    commitEach: (groups, options) => inner.commitEach(groups, { ...options, durability: 'relaxed' }),
  });
}
