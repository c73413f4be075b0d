// Records: every acknowledged version is there and whole, none was given twice, none is missing in between.
import { fateOf } from './log.mjs';

/** @typedef {{ id: string, version: number | 'latest', op: string | null, isIntact: boolean, code?: string }} FoundVersion */

/**
 * @param {string} place
 * @param {FoundVersion} found
 * @param {import('./history.mjs').History} history
 * @param {import('./check-keys.mjs').Complain} complain
 */
function checkVersion(place, found, history, complain) {
  if (found.code || !found.isIntact)
    return complain('damaged record', `${place}: ${found.code ?? 'another state'}`);
  const writer = history.operations.get(found.op ?? '');
  if (!writer || writer.kind !== 'record' || writer.id !== found.id)
    return complain('from nowhere', `${place} is of ${found.op}`);
  if (fateOf(writer) === 'refused') return complain('applied although refused', `${place} is of ${found.op}`);
  return undefined;
}

/** Of acknowledged saves. @param {import('./history.mjs').History} history @param {Map<string, FoundVersion[]>} byId @param {import('./check-keys.mjs').Complain} complain */
function checkSaved(history, byId, complain) {
  for (const operation of history.operations.values()) {
    const { op, kind, id = '', version = 0 } = operation;
    if (kind !== 'record' || fateOf(operation) !== 'acknowledged') continue;
    const found = byId.get(id)?.[version - 1]?.op;
    if (found !== op)
      complain('acknowledged, then lost', `${id} version ${version} of ${op}; found ${found ?? 'nothing'}`);
  }
}

/**
 * @param {import('./history.mjs').History} history
 * @param {readonly FoundVersion[]} versions of all ids, each in order
 * @param {import('./check-keys.mjs').Complain} complain
 */
export function checkRecords(history, versions, complain) {
  /** @type {Map<string, FoundVersion[]>} */
  const byId = new Map();
  for (const found of versions) byId.set(found.id, [...(byId.get(found.id) ?? []), found]);
  for (const [id, list] of byId) {
    for (const [at, found] of list.entries()) {
      const place = `${id} version ${found.version}`;
      if (found.version !== at + 1) complain('number skipped', `${place} stands at place ${at + 1}`);
      checkVersion(place, found, history, complain);
      if (list.slice(0, at).some(({ op }) => op === found.op))
        complain('applied twice', `${found.op} at ${place}`);
    }
  }
  checkSaved(history, byId, complain);
}
