// What a client does at random: pure, from a seed. Keys of one epoch lie under its name; several epochs share one store.

const counts = /** @type {const} */ ({ exact: 6, free: 6, group: 3, log: 2, record: 3 });
const groupMembers = ['a', 'b', 'c'];

/** Numbered entries of whoever has the epoch's lease, and of nobody else. */
const ledPrefix = (epoch) => [epoch, 'led'];
/** Keys that are only ever compared and set, each time with a receipt: what was applied to them is known exactly. */
const exactKey = (epoch, at) => [epoch, 'exact', String(at)];
/** Keys that anybody overwrites. */
const freeKey = (epoch, at) => [epoch, 'free', String(at)];
/** Keys that are only ever written together. */
const groupPrefix = (epoch, at) => [epoch, 'group', String(at)];
/** A key of an operation's own, in the same commit. */
const receiptKey = (epoch, op) => [epoch, 'receipt', op];
/** The prefix of numbered entries. */
const logPrefix = (epoch, at) => [epoch, 'log', String(at)];
const recordId = (epoch, at) => `${epoch}-record-${at}`;

export const recordIds = (epoch) => Array.from({ length: counts.record }, (_, at) => recordId(epoch, at));

const kinds = {
  put: 18,
  delete: 4,
  compare: 20,
  group: 18,
  append: 8,
  several: 6,
  cancelled: 4,
  get: 10,
  'list-group': 8,
  record: 4,
};

/** @param {import('./random.mjs').SeededRandom} random */
export const chooseKind = (random) => random.weighted(kinds);

/**
 * The writes of one operation; those with `isOwn` carry the operation's value.
 * @param {string} kind
 * @param {{ epoch: string, op: string, random: import('./random.mjs').SeededRandom }} context
 */
export function makeWrites(kind, { epoch, op, random }) {
  const receipt = { type: 'put', key: receiptKey(epoch, op) };
  switch (kind) {
    case 'put':
      return [{ type: 'put', key: freeKey(epoch, random.below(counts.free)) }];
    case 'delete':
      return [{ type: 'delete', key: freeKey(epoch, random.below(counts.free)) }, receipt];
    case 'append':
      return [{ type: 'append', key: logPrefix(epoch, random.below(counts.log)) }, receipt];
    case 'led':
      return [{ type: 'append', key: ledPrefix(epoch) }, receipt];
    case 'group': {
      const prefix = groupPrefix(epoch, random.below(counts.group));
      const type = random.isHit(0.1) ? 'delete' : 'put';
      const members = random.isHit(0.5) ? groupMembers : groupMembers.toReversed();
      return [...members.map((member) => ({ type, key: [...prefix, member] })), receipt];
    }
    default:
      throw new Error(`no writes for ${kind}`);
  }
}

/**
 * A compare-and-set of the key as it was just read, or a free write on the condition that it still is as it was read; now and then
 * with a revision that is certainly wrong.
 */
export function makeCompare({ epoch, op, random }, key, revision) {
  const isStale = revision > 1 && random.isHit(0.1);
  const expectedRevision = isStale ? revision - 1 : revision;
  const receipt = { type: 'put', key: receiptKey(epoch, op) };
  if (random.isHit(0.2))
    return [
      { type: 'check', key, expectedRevision },
      { type: 'put', key: chooseFreeKey(epoch, random) },
      receipt,
    ];
  const type = revision > 0 && random.isHit(0.2) ? 'delete' : 'put';
  return [{ type, key, expectedRevision }, receipt];
}

export const chooseExactKey = (epoch, random) => exactKey(epoch, random.below(counts.exact));
export const chooseFreeKey = (epoch, random) => freeKey(epoch, random.below(counts.free));
export const chooseGroup = (epoch, random) => groupPrefix(epoch, random.below(counts.group));
export const chooseRecord = (epoch, random) => recordId(epoch, random.below(counts.record));
