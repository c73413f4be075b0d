// Every key: nothing acknowledged is lost, nothing refused is there, one writer to a revision, no revision skipped.
import { fateOf } from './log.mjs';
import { canHaveWritten, nameOf } from './history.mjs';

/**
 * @typedef {import('./history.mjs').KeyHistory} KeyHistory
 * @typedef {import('./history.mjs').Change} Change
 * @typedef {(reason: string, detail: string) => void} Complain
 * @typedef {{ revision: number, op: string | null | undefined, isIntact?: boolean }} Found of a key that is missing, op is undefined
 */

/** @param {Change} change */
export const told = ({ operation, type, revision }) => `${operation.op} (${type}, revision ${revision})`;

/** A delete of what is gone repeats a revision and is no change. @param {Change} change */
const isCertainChange = ({ type, expected }) => type === 'put' || (expected ?? 0) > 0;

/** Two deletes may name one revision if one of them found nothing to delete. @param {Change} one @param {Change} other */
const isClash = (one, other) =>
  one.type !== other.type || one.type === 'put' || (isCertainChange(one) && isCertainChange(other));

/** @param {KeyHistory} history @param {Complain} complain */
function checkWinners({ key, acknowledged }, complain) {
  /** @type {Map<number, Change>} */
  const byRevision = new Map();
  for (const change of acknowledged) {
    const { revision } = change;
    if (!Number.isSafeInteger(revision) || revision < (isCertainChange(change) ? 1 : 0))
      complain('no revision', `${nameOf(key)}: ${told(change)}`);
    const other = byRevision.get(revision);
    if (other && revision > 0 && isClash(change, other))
      complain('two winners of one revision', `${nameOf(key)}: ${told(other)} and ${told(change)}`);
    if (!other || isCertainChange(change)) byRevision.set(revision, change);
  }
  return byRevision;
}

/** Whoever began after another was answered comes after it. @param {string} name @param {Map<number, Change>} byRevision @param {Complain} complain */
function checkOrder(name, byRevision, complain) {
  /** @type {Change | undefined} */
  let earliest;
  for (const [, change] of [...byRevision].toSorted(([a], [b]) => b - a)) {
    if (!isCertainChange(change)) continue;
    const endedAt = earliest?.operation.endedAt ?? Infinity;
    if (earliest && endedAt < change.operation.beganAt)
      complain('out of order', `${name}: ${told(change)} began after ${told(earliest)} had ended`);
    if ((change.operation.endedAt ?? Infinity) < endedAt) earliest = change;
  }
}

/** @param {KeyHistory} history @param {Map<number, Change>} byRevision @param {Complain} complain */
function checkCompared({ key, acknowledged }, byRevision, complain) {
  for (const change of acknowledged) {
    const { expected, revision } = change;
    if (expected === undefined) continue;
    const before = byRevision.get(expected > 0 ? expected : revision - 1);
    const isRight = expected > 0 ? revision === expected + 1 : true;
    const wasAsExpected = before === undefined || before.type === (expected > 0 ? 'put' : 'delete');
    if (!isRight || !wasAsExpected)
      complain('compared wrongly', `${nameOf(key)}: ${told(change)} expected revision ${expected}`);
  }
}

/** What is there must be what the last change left. @param {KeyHistory} history @param {Map<number, Change>} byRevision @param {Found} found */
function isFinal({ key, maybe }, byRevision, { revision, op }) {
  const last = byRevision.get(revision);
  if (last) return last.type === 'delete' ? op === undefined : op === last.operation.op;
  if (op !== undefined)
    return maybe.some((operation) => operation.op === op && canHaveWritten(operation, key));
  return revision === 0 || maybe.some(({ writes }) => writes.some(({ type }) => type === 'delete'));
}

/** @param {import('./history.mjs').History} history @param {string | null | undefined} op */
function whyNotFinal(history, op) {
  const operation = history.operations.get(op ?? '');
  if (op !== undefined && !operation) return 'from nowhere';
  if (operation && fateOf(operation) === 'refused') return 'applied although refused';
  return 'acknowledged, then lost';
}

/** @param {import('./history.mjs').History} history @param {KeyHistory} of @param {Found} found @param {Complain} complain */
export function checkKey(history, of, found, complain) {
  const byRevision = checkWinners(of, complain);
  checkCompared(of, byRevision, complain);
  const acknowledged = [...byRevision.keys()].filter((revision) => revision > 0);
  const highest = Math.max(0, ...acknowledged);
  const name = nameOf(of.key);
  checkOrder(name, byRevision, complain);
  const there = `found ${found.op ?? (found.op === undefined ? 'nothing' : 'a foreign value')} at revision ${found.revision}`;
  if (found.isIntact === false) complain('damaged value', `${name}: ${there}`);
  if (found.revision < highest) {
    const [, lost] = /** @type {[number, Change]} */ (
      [...byRevision].find(([revision]) => revision === highest)
    );
    return complain('acknowledged, then lost', `${name}: ${told(lost)}; ${there}`);
  }
  if (!isFinal(of, byRevision, found)) complain(whyNotFinal(history, found.op), `${name}: ${there}`);
  if (found.revision - acknowledged.length > of.maybe.length)
    complain(
      'revision skipped',
      `${name}: ${there}, ${acknowledged.length} acknowledged, ${of.maybe.length} more possible`,
    );
  return undefined;
}

/** A value must have been written by somebody who asked for it and was not refused. @param {import('./history.mjs').History} history */
export function checkWriter(history, op, key, complain) {
  const writer = history.operations.get(op ?? '');
  if (!writer || !canHaveWritten(writer, key)) complain('from nowhere');
  else if (fateOf(writer) === 'refused') complain('applied although refused');
}

/** Keys of a group are one commit's, all of them. @param {readonly Found[]} members */
export function isTorn(members) {
  const [first, ...others] = members;
  return others.some(({ revision, op }) => revision !== first?.revision || op !== first?.op);
}
