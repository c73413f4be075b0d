// The log of one epoch, key by key.
import { fateOf } from './log.mjs';

/**
 * @typedef {import('./log.mjs').Operation} Operation
 * @typedef {{ revision: number, type: 'put' | 'delete', operation: Operation, expected: number | undefined }} Change
 * @typedef {object} KeyHistory
 * @property {string[]} key
 * @property {Change[]} acknowledged with the revisions that were answered
 * @property {Operation[]} maybe operations that may have changed it
 * @property {boolean} isExact it is only ever compared and set, with receipts
 */

export const nameOf = (key) => JSON.stringify(key);

/** The write that vouches for all of the operation's. @param {Operation} operation */
export const receiptOf = ({ writes }) => writes.find(({ key }) => key[1] === 'receipt');

/** Whether the operation, if it was applied, wrote this key. @param {Operation} operation @param {readonly string[]} key */
export function canHaveWritten({ writes }, key) {
  return writes.some(({ type, key: written }) =>
    type === 'append'
      ? nameOf(written) === nameOf(key.slice(0, -1))
      : type === 'put' && nameOf(written) === nameOf(key),
  );
}

export class History {
  /** @type {Map<string, KeyHistory>} */
  keys = new Map();
  /** @type {Map<string, Operation>} */
  operations = new Map();

  /** @param {readonly Operation[]} operations */
  constructor(operations) {
    for (const operation of operations) {
      this.operations.set(operation.op, operation);
      const fate = fateOf(operation);
      for (const [at, write] of operation.writes.entries()) {
        if (write.type === 'check') this.#key(write.key);
        else if (fate === 'acknowledged') this.#acknowledge(operation, write, operation.committed?.[at]);
        // the number of an append that nobody heard of is not known
        else if (write.type !== 'append') this.#key(write.key, fate === 'maybe' ? operation : undefined);
      }
    }
  }

  /** Keys whose state is wanted even where they are missing. @returns {string[][]} */
  wanted() {
    return [...this.keys.values()].map(({ key }) => key);
  }

  /** @param {string[]} key @param {Operation} [maybe] */
  #key(key, maybe) {
    const name = nameOf(key);
    const known = this.keys.get(name) ?? { key, acknowledged: [], maybe: [], isExact: key[1] === 'exact' };
    this.keys.set(name, known);
    if (maybe) known.maybe.push(maybe);
    return known;
  }

  /** @param {Operation} operation @param {import('./log.mjs').LoggedWrite} write @param {{ key: string[], revision: number } | undefined} committed */
  #acknowledge(operation, { type, key, expectedRevision }, committed) {
    const known = this.#key(committed?.key ?? key);
    known.acknowledged.push({
      revision: committed?.revision ?? Number.NaN,
      type: type === 'delete' ? 'delete' : 'put',
      operation,
      expected: expectedRevision,
    });
  }
}
