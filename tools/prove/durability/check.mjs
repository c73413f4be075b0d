// Goes over the log of an epoch with what is found in the store afterwards: what was promised and not kept, by name.
import { checkConditions, checkNumbers, checkReceipts, checkTokens } from './check-commits.mjs';
import { checkKey, isTorn } from './check-keys.mjs';
import { checkReads } from './check-reads.mjs';
import { checkRecords } from './check-records.mjs';
import { History, nameOf, receiptOf } from './history.mjs';
import { fateOf } from './log.mjs';

/**
 * @typedef {{ reason: string, detail: string }} Violation
 * @typedef {object} FoundState
 * @property {readonly { key: string[], revision: number, op: string | null, isIntact: boolean }[]} entries
 * @property {readonly { key: string[], revision: number }[]} absent keys that are missing, with the revision they were deleted at
 * @property {readonly import('./check-records.mjs').FoundVersion[]} records
 */

/** The store gave the number; of entries that nobody was answered for, the log does not know it. */
const isNumbered = ({ key }) => key[1] === 'log' || key[1] === 'led';

/** A list of any length; the rest of the same reason says nothing new. */
const maxDetails = 5;

/** @param {FoundState} state */
function byKey({ entries, absent }) {
  const found = new Map();
  for (const { key, ...entry } of entries) found.set(nameOf(key), entry);
  for (const { key, revision } of absent) found.set(nameOf(key), { revision, op: undefined });
  return found;
}

/** What is wrong with the transaction, as it was at the acknowledgement. @param {string} level @param {import('./log.mjs').Operation['transaction']} transaction */
function whyNotPromised(level, transaction) {
  if (!transaction) return 'acknowledged before it was written';
  if (transaction.isAborted) return 'acknowledged although aborted';
  if (!transaction.isComplete) return 'acknowledged before complete';
  return level === 'strict' && transaction.durability !== 'strict' ? 'weaker than asked' : undefined;
}

/** @param {History} history @param {import('./check-keys.mjs').Complain} complain */
function checkAcknowledgements(history, complain) {
  for (const operation of history.operations.values()) {
    const { op, level, transaction, code, kind } = operation;
    if (code?.startsWith('untyped')) complain('untyped error', `${op}: ${code}`);
    // without a key of its own, what it wrote may have been overwritten within the same transaction, and never be seen
    const isNamed = kind === 'record' || receiptOf(operation) || transaction;
    if (!level || !isNamed || fateOf(operation) !== 'acknowledged') continue;
    const reason = whyNotPromised(level, transaction);
    if (reason)
      complain(reason, `${op}, asked for ${level}, in a transaction that was ${transaction?.durability}`);
  }
}

/** @param {Map<string, any>} found @param {Map<string, any> | undefined} previous @param {import('./check-keys.mjs').Complain} complain */
function checkMonotone(found, previous, complain) {
  for (const [name, before] of previous ?? []) {
    const now = found.get(name) ?? { revision: 0 };
    const isSame = now.revision !== before.revision || now.op === before.op;
    if (now.revision < before.revision || !isSame)
      complain(
        'revision went back',
        `${name}: ${before.revision} of ${before.op}, then ${now.revision} of ${now.op}`,
      );
  }
}

/** @param {FoundState} state @param {Map<string, any>} found @param {History} history @param {import('./check-keys.mjs').Complain} complain */
function checkGroups(state, found, history, complain) {
  const names = new Map();
  for (const { key } of history.keys.values()) {
    const prefix = nameOf(key.slice(0, -1));
    if (key[1] === 'group') names.set(prefix, [...(names.get(prefix) ?? []), key]);
  }
  for (const [prefix, keys] of names) {
    const members = keys.map((/** @type {string[]} */ key) => found.get(nameOf(key)) ?? { revision: 0 });
    if (isTorn(members))
      complain(
        'torn commit',
        `${prefix}: ${members.map((/** @type {any} */ { op, revision }) => `${op ?? 'nothing'} at ${revision}`).join(', ')}`,
      );
  }
  const logs = new Map();
  for (const entry of state.entries) {
    const prefix = nameOf(entry.key.slice(0, -1));
    if (isNumbered(entry)) logs.set(prefix, [...(logs.get(prefix) ?? []), entry]);
  }
  for (const entries of logs.values()) checkNumbers(entries, history, complain);
  const led = state.entries.filter(({ key }) => key[1] === 'led');
  checkTokens(led, history, complain);
}

/** Operations that nobody can apply any more and that left nothing: what they wrote must not appear later. */
function settle(history, found) {
  for (const operation of history.operations.values()) {
    const receipt = receiptOf(operation);
    if (receipt && fateOf(operation) === 'maybe')
      operation.isOut = found.get(nameOf(receipt.key))?.op !== operation.op;
  }
}

/** One epoch, checked again and again: each time with everything that was logged of it and found in the store by then. */
export class EpochChecker {
  /** @type {Map<string, any> | undefined} */
  #previous;
  #checkedReadsTo = 0;

  /**
   * @param {readonly import('./log.mjs').Operation[]} operations of the epoch; all their clients are gone
   * @param {FoundState} state
   * @returns {Violation[]}
   */
  check(operations, state) {
    /** @type {Map<string, string[]>} */
    const byReason = new Map();
    const complain = (/** @type {string} */ reason, /** @type {string} */ detail) => {
      byReason.set(reason, [...(byReason.get(reason) ?? []), detail]);
    };
    const history = new History(operations);
    const found = byKey(state);
    for (const of of history.keys.values())
      checkKey(history, of, found.get(nameOf(of.key)) ?? { revision: 0, op: undefined }, complain);
    for (const { key, op } of state.entries)
      if (!isNumbered({ key }) && !history.keys.has(nameOf(key)))
        complain('from nowhere', `${op} at ${nameOf(key)}`);
    checkConditions(history, complain);
    checkReceipts(history, found, complain);
    checkGroups(state, found, history, complain);
    checkRecords(history, state.records, complain);
    checkAcknowledgements(history, complain);
    checkMonotone(found, this.#previous, complain);
    const reads = operations.filter(({ entries, beganAt }) => entries && beganAt > this.#checkedReadsTo);
    checkReads(history, reads, complain);
    this.#checkedReadsTo = Math.max(this.#checkedReadsTo, ...reads.map(({ beganAt }) => beganAt));
    settle(history, found);
    this.#previous = found;
    return [...byReason].flatMap(([reason, details]) =>
      details.slice(0, maxDetails).map((detail) => ({ reason, detail })),
    );
  }
}
