// What clients were about to do, what came of it, and who was killed when: kept outside of all of them.

/**
 * @typedef {{ type: 'put' | 'delete' | 'append' | 'check', key: string[], expectedRevision?: number }} LoggedWrite
 * @typedef {{ key: string[], revision: number, op: string | null }} SeenEntry
 * @typedef {object} Operation
 * @property {string} op
 * @property {string} client
 * @property {string} epoch
 * @property {string} kind
 * @property {number} beganAt position in the log
 * @property {number} [endedAt] missing: nobody knows what came of it
 * @property {'strict' | 'relaxed'} [level]
 * @property {readonly LoggedWrite[]} writes
 * @property {readonly string[]} [key] of a read
 * @property {string} [id] of a record
 * @property {boolean} [isOk]
 * @property {readonly { key: string[], revision: number }[]} [committed]
 * @property {readonly SeenEntry[]} [entries]
 * @property {number} [version]
 * @property {number} [token]
 * @property {{ durability: string, isComplete: boolean, isAborted?: boolean }} [transaction]
 * @property {string} [code]
 * @property {boolean} [isUnknown]
 * @property {boolean} [isOut] found to have left nothing, when nobody could still apply it
 */

export class Log {
  /** @type {Map<string, Operation>} */
  operations = new Map();
  #write;
  #position = 0;

  /** @param {(line: string) => void} write keeps a line for whoever wants to see for himself */
  constructor(write) {
    this.#write = write;
  }

  /** @param {object} event */
  note(event) {
    this.#position++;
    this.#write(`${JSON.stringify({ at: this.#position, ...event })}\n`);
    return this.#position;
  }

  /** @param {string} client @param {string} epoch @param {any} message */
  begin(client, epoch, message) {
    const { type: _, writes = [], ...intention } = message;
    const beganAt = this.note({ client, ...message });
    this.operations.set(message.op, { ...intention, writes, client, epoch, beganAt });
  }

  /** @param {string} client @param {any} message */
  end(client, message) {
    const { type: _, op, ...outcome } = message;
    const endedAt = this.note({ client, ...message });
    const operation = this.operations.get(op);
    if (operation) Object.assign(operation, outcome, { endedAt });
  }

  /** @param {string} epoch */
  of(epoch) {
    return [...this.operations.values()].filter((operation) => operation.epoch === epoch);
  }

  /** Operations of a client that have no end. @param {string} client */
  openOf(client) {
    return [...this.operations.values()].filter(
      (operation) => operation.client === client && operation.endedAt === undefined,
    );
  }
}

/** @param {Operation} operation @returns {'acknowledged' | 'refused' | 'maybe'} */
export function fateOf({ endedAt, isOk, isUnknown, isOut }) {
  if (isOut) return 'refused';
  if (endedAt === undefined || isUnknown) return 'maybe';
  return isOk ? 'acknowledged' : 'refused';
}
