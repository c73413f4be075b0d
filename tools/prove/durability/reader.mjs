/* oxlint-disable typescript/unbound-method -- a prototype is patched: every call passes its `this` on */
// Reads everything back with a good store, for the checker.
import { isCodedError } from '../../../src/base/index.ts';
import { createRecords, openIndexedDbStore } from '../../../src/state/index.ts';
import { recordIds } from './operations.mjs';
import { isIntact } from './values.mjs';

const pageSize = 2000;

/** What the browser says when it found its own database damaged and threw it away: an attribute that Chromium alone has. */
function watchLoss() {
  const found = { message: undefined };
  const { open } = IDBFactory.prototype;
  IDBFactory.prototype.open = function (...args) {
    const request = open.apply(this, args);
    request.addEventListener('upgradeneeded', (event) => {
      const { dataLoss, dataLossMessage } = event;
      if (dataLoss === 'total') found.message = dataLossMessage;
    });
    return request;
  };
  return found;
}

async function listAll(store, prefix) {
  const found = [];
  for (let after; ; after = found.at(-1).key) {
    const page = await store.list(prefix, { limit: pageSize, ...(after ? { after } : {}) });
    for (const { key, value, revision } of page)
      found.push({ key, revision, op: value?.op ?? null, isIntact: isIntact(value) });
    if (page.length < pageSize) return found;
  }
}

async function readVersion(records, id, version) {
  try {
    const record = await records.load(id, version);
    return { id, version, op: record?.state?.op ?? null, isIntact: isIntact(record?.state) };
  } catch (error) {
    return { id, version, op: null, isIntact: false, code: isCodedError(error) ? error.code : String(error) };
  }
}

async function readRecords(store, epoch) {
  const records = createRecords(store);
  const found = [];
  for (const id of recordIds(epoch)) {
    const latest = await readVersion(records, id, 'latest');
    if (latest.code === undefined && latest.op === null) continue;
    if (latest.code !== undefined) found.push(latest);
    for (let after = 0; ;) {
      const infos = await records.versions(id, { after });
      for (const { sequence } of infos) found.push(await readVersion(records, id, sequence));
      if (infos.length === 0) break;
      after = infos.at(-1).sequence;
    }
  }
  return found;
}

/** Revisions of keys that are not there: a delete that expects nothing changes nothing and tells. */
async function probe(store, keys) {
  if (keys.length === 0) return [];
  const writes = keys.map((key) => ({ type: 'delete', key, expectedRevision: 0 }));
  const committed = await store.commit(writes, { durability: 'relaxed' });
  return committed.map(({ key, revision }) => ({ key, revision }));
}

/**
 * What the store holds of an epoch, or that the browser lost all of it.
 * @param {{ name: string, epoch: string, keys: readonly string[][] }} asked `keys`: their revision is wanted even where they are missing
 */
export async function readBack({ name, epoch, keys }) {
  const loss = watchLoss();
  const store = await openIndexedDbStore({ name });
  if (loss.message !== undefined) {
    await store.close();
    return { loss: loss.message };
  }
  try {
    const entries = await listAll(store, [epoch]);
    const live = new Set(entries.map(({ key }) => JSON.stringify(key)));
    const absent = await probe(
      store,
      keys.filter((key) => !live.has(JSON.stringify(key))),
    );
    return { entries, absent, records: await readRecords(store, epoch) };
  } finally {
    await store.close();
  }
}
