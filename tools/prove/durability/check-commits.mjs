// Whole commits: all of what was applied is there, conditions held, numbers have no gap.
import { checkWriter, told } from './check-keys.mjs';
import { nameOf, receiptOf } from './history.mjs';
import { fateOf } from './log.mjs';

/**
 * Of what was applied, all is there: where there is a receipt, every key it vouches for has its change, and where there is none, nothing.
 * @param {import('./history.mjs').History} history
 * @param {Map<string, import('./check-keys.mjs').Found>} found
 * @param {import('./check-keys.mjs').Complain} complain
 */
export function checkReceipts(history, found, complain) {
  /** @type {Map<string, number>} */
  const vouched = new Map();
  const opAt = (/** @type {string[]} */ key) => found.get(nameOf(key))?.op;
  for (const operation of history.operations.values()) {
    const { op, writes } = operation;
    const receipt = receiptOf(operation);
    const keys = writes.filter(({ type }) => type !== 'check').map(({ key }) => key);
    if (receipt && opAt(receipt.key) === op)
      for (const key of keys) vouched.set(nameOf(key), (vouched.get(nameOf(key)) ?? 0) + 1);
    else if (receipt)
      for (const key of keys.filter((each) => opAt(each) === op))
        complain('torn commit', `${nameOf(key)} has the value of ${op}, whose receipt is missing`);
  }
  checkVouched(history, found, vouched, complain);
}

function checkVouched(history, found, vouched, complain) {
  for (const { key, isExact } of history.keys.values()) {
    const revision = found.get(nameOf(key))?.revision ?? 0;
    const changes = vouched.get(nameOf(key)) ?? 0;
    if (isExact && revision !== changes)
      complain('torn commit', `${nameOf(key)} is at revision ${revision}, receipts vouch for ${changes}`);
  }
}

/**
 * Numbers that the store gives: no gap, no number twice, each with an entry of who asked.
 * @param {readonly { key: string[], op: string | null }[]} entries under one prefix
 * @param {import('./history.mjs').History} history
 * @param {import('./check-keys.mjs').Complain} complain
 */
export function checkNumbers(entries, history, complain) {
  const numbers = entries.map(({ key }) => Number(key.at(-1)));
  const seen = new Set();
  for (const [at, { key, op }] of entries.entries()) {
    if (at > 0 && numbers[at] !== numbers[at - 1] + 1)
      complain('number skipped', `${nameOf(key)} follows ${numbers[at - 1]}`);
    if (seen.has(op)) complain('applied twice', `${op} at ${nameOf(key)}`);
    seen.add(op);
    checkWriter(history, op, key, (reason) => complain(reason, `${op} at ${nameOf(key)}`));
  }
  if (numbers.length > 0 && numbers[0] !== 1)
    complain('number skipped', `${nameOf(entries[0].key)} is the first`);
}

/**
 * Of those who had a lease, each wrote before the next one did: tokens rise in the order of the numbers.
 * @param {readonly { key: string[], op: string | null }[]} entries under the prefix of a lease
 * @param {import('./history.mjs').History} history
 * @param {import('./check-keys.mjs').Complain} complain
 */
export function checkTokens(entries, history, complain) {
  let newest = { token: 0, op: /** @type {string | null} */ (null) };
  for (const { key, op } of entries) {
    const token = history.operations.get(op ?? '')?.token ?? 0;
    if (token < newest.token)
      complain(
        'an older token after a newer',
        `${nameOf(key)} of ${op} with token ${token}, after ${newest.op} with ${newest.token}`,
      );
    else newest = { token, op };
  }
}

/**
 * A condition held when its commit did: what was acknowledged before it began cannot be newer than what it expected.
 * @param {import('./history.mjs').History} history
 * @param {import('./check-keys.mjs').Complain} complain
 */
export function checkConditions(history, complain) {
  for (const operation of history.operations.values()) {
    if (fateOf(operation) !== 'acknowledged') continue;
    for (const { type, key, expectedRevision = 0 } of operation.writes) {
      if (type !== 'check') continue;
      const newer = newerThan(history.keys.get(nameOf(key)), operation, expectedRevision);
      if (!newer) continue;
      const held = `${operation.op} held ${nameOf(key)} to be at ${expectedRevision}`;
      complain('compared wrongly', `${held}, after ${told(newer)}`);
    }
  }
}

/** A change that an operation must have seen and that belies what it expected. */
function newerThan({ acknowledged, maybe } = { acknowledged: [], maybe: [] }, operation, expected) {
  const seen = acknowledged.filter((change) => change.operation.endedAt < operation.beganAt);
  if (expected > 0) return seen.find(({ revision }) => revision > expected);
  const isDeletedAfter = ({ revision }) =>
    acknowledged.some((later) => later.type === 'delete' && later.revision > revision);
  return maybe.length > 0
    ? undefined
    : seen.find((change) => change.type === 'put' && !isDeletedAfter(change));
}
