// What clients saw while they worked: only what was written, nothing older than what had been acknowledged, no half of a commit.
import { nameOf } from './history.mjs';
import { checkWriter, isTorn } from './check-keys.mjs';

/** The members of a group, whoever was found. */
const groupMembers = ['a', 'b', 'c'];

/**
 * The newest change of a key that was acknowledged before a moment.
 * @param {import('./history.mjs').KeyHistory | undefined} of
 * @param {number} moment
 */
function newestBefore(of, moment) {
  let newest;
  for (const change of of?.acknowledged ?? []) {
    if ((change.operation.endedAt ?? Infinity) >= moment) continue;
    if (!newest || change.revision > newest.revision) newest = change;
  }
  return newest;
}

/** @param {import('./log.mjs').Operation} read @param {readonly string[]} key */
const entryOf = (read, key) => read.entries?.find((one) => nameOf(one.key) === nameOf(key));

/** @param {import('./history.mjs').KeyHistory} of @param {number} revision */
function mayBeDeletedSince({ key, acknowledged, maybe }, revision) {
  const deletes = ({ writes }) =>
    writes.some((write) => write.type === 'delete' && nameOf(write.key) === nameOf(key));
  return (
    acknowledged.some((change) => change.type === 'delete' && change.revision >= revision) ||
    maybe.some(deletes)
  );
}

/**
 * @param {import('./history.mjs').History} history
 * @param {import('./log.mjs').Operation} read
 * @param {string[]} key
 * @param {import('./check-keys.mjs').Complain} complain
 */
function checkOneKey(history, read, key, complain) {
  const entry = entryOf(read, key);
  const of = history.keys.get(nameOf(key));
  const newest = newestBefore(of, read.beganAt);
  const place = `${read.op} of ${nameOf(key)}`;
  if (!entry) {
    const isStale = of && newest?.type === 'put' && !mayBeDeletedSince(of, newest.revision);
    if (isStale)
      complain('stale read', `${place} found nothing, revision ${newest.revision} had been acknowledged`);
    return;
  }
  if (entry.revision < (newest?.revision ?? 0))
    complain(
      'stale read',
      `${place} found revision ${entry.revision}, ${newest?.revision} had been acknowledged`,
    );
  checkWriter(history, entry.op, key, (reason) => complain(reason, `${place} found ${entry.op}`));
}

/**
 * @param {import('./history.mjs').History} history
 * @param {readonly import('./log.mjs').Operation[]} reads
 * @param {import('./check-keys.mjs').Complain} complain
 */
export function checkReads(history, reads, complain) {
  for (const read of reads) {
    if (!read.isOk || !read.key) continue;
    if (read.kind === 'get') {
      checkOneKey(history, read, [...read.key], complain);
      continue;
    }
    const keys = groupMembers.map((member) => [...(read.key ?? []), member]);
    for (const key of keys) checkOneKey(history, read, key, complain);
    const members = keys.map((key) => {
      const entry = entryOf(read, key);
      return { revision: entry?.revision ?? 0, op: entry?.op };
    });
    if (isTorn(members))
      complain(
        'torn read',
        `${read.op} of ${nameOf(read.key)}: ${members.map(({ op }) => op ?? 'nothing').join(', ')}`,
      );
  }
}
