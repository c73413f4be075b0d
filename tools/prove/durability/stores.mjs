// The store under test, and those that are broken on purpose.
import { openIndexedDbStore } from '../../../src/state/index.ts';
import { openDeafToAbort } from './broken/deaf-to-abort.mjs';
import { openEarlyAcknowledging } from './broken/early-acknowledging.mjs';
import { openTorn } from './broken/torn.mjs';
import { openUnfenced } from './broken/unfenced.mjs';
import { openWeaker } from './broken/weaker.mjs';
import { openWithoutCompare } from './broken/without-compare.mjs';

const openers = {
  good: (name) => openIndexedDbStore({ name }),
  'early-acknowledging': openEarlyAcknowledging,
  'without-compare': openWithoutCompare,
  torn: openTorn,
  unfenced: openUnfenced,
  weaker: openWeaker,
  'deaf-to-abort': openDeafToAbort,
};

/** @param {string} kind @param {string} name of the database @returns {Promise<import('../../../src/state/index.ts').Store>} */
export function openNamedStore(kind, name) {
  const open = openers[/** @type {keyof typeof openers} */ (kind)];
  if (!open) throw new Error(`there is no store "${kind}"`);
  return open(name);
}
