// Broken: one transaction for each write of a commit.
import { openIndexedDbStore } from '../../../../src/state/index.ts';
import { replaceIn } from './replace.mjs';

export async function openTorn(name) {
  const inner = await openIndexedDbStore({ name });
  const commit = async (writes, options) => {
    const all = [];
    for (const write of writes) all.push(...(await inner.commit([write], options)));
    return all;
  };
  const commitEach = async (groups, options) => {
    const outcomes = [];
    for (const writes of groups) {
      const outcome = await commit(writes, options).then(
        (value) => ({ ok: true, value }),
        (error) => ({ ok: false, error }),
      );
      outcomes.push(outcome);
    }
    return outcomes;
  };
  return replaceIn(inner, { commit, commitEach });
}
