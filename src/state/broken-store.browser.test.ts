/** Stores that break their promises in the usual ways. Each must be caught: else the laws prove nothing. */
import { openDB, unwrap } from 'idb';
import { describe, expect, test } from 'vitest';
import { faultLaws } from './backend/fault.contract.ts';
import { openIndexedDbStore } from './backend/indexeddb.ts';
import { storeLaws } from './contract/store.contract.ts';
import { appendedKey, appendedNumberOf } from './key.ts';
import { commitAlone } from './requests.ts';
import type { Committed, GroupOutcome, Put, Store, Write } from './store.ts';

type Break = (inner: Store) => Partial<Store>;

/** A good store with some methods replaced by bad ones. */
function broken(inner: Store, replace: Break): Store {
  const bad = replace(inner);
  return new Proxy(inner, {
    get(target, property) {
      const member: unknown = Reflect.get(property in bad ? bad : target, property);
      return typeof member === 'function' ? (member.bind(target) as unknown) : member;
    },
  });
}

const withoutExpectation = (writes: readonly Write[]): Write[] =>
  writes
    .filter(({ type }) => type !== 'check')
    .map((write) => {
      if (write.type === 'append') return write;
      return write.type === 'put'
        ? { type: 'put', key: write.key, value: write.value }
        : { type: 'delete', key: write.key };
    });

/** Writes whatever the revision is. */
const noCas: Break = (inner) => ({
  commit: (writes, options) => inner.commit(withoutExpectation(writes), options),
  commitEach: (groups, options) => inner.commitEach(groups.map(withoutExpectation), options),
});

/** One transaction per write. */
const tornCommit: Break = (inner) => ({
  async commit(writes, options) {
    const all: Committed[] = [];
    for (const write of writes) all.push(...(await inner.commit([write], options)));
    return all;
  },
});

/** Answers as soon as the writes were sent. */
const ackBeforeComplete: Break = (inner) => {
  const acknowledge = (writes: readonly Write[]): Committed[] =>
    writes.map(({ key }) => ({ key, revision: 1, atMs: 0 }));
  return {
    commit(writes, options) {
      void inner.commit(writes, options).catch(() => undefined);
      return Promise.resolve(acknowledge(writes));
    },
    commitEach(groups, options) {
      void inner.commitEach(groups, options).catch(() => undefined);
      return Promise.resolve(
        groups.map((writes): GroupOutcome => ({ ok: true, value: acknowledge(writes) })),
      );
    },
  };
};

/** Listens for complete and error, as most wrappers do: a failure at commit time is neither. */
const ignoresAbort: Break = (inner) => ({
  async commit(writes) {
    const database = unwrap(await openDB(inner.name));
    const transaction = database.transaction(['entry', 'tombstone', 'mark'], 'readwrite');
    const first = writes.find(({ type }) => type === 'put') as Put;
    const key = `${first.key.join('\u0000')}\u0000`;
    transaction.objectStore('entry').put({ value: first.value, revision: 2, atMs: 0 }, key);
    return new Promise<Committed[]>((resolve, reject) => {
      transaction.oncomplete = () =>
        resolve(writes.map((write) => ({ key: write.key, revision: 2, atMs: 0 })));
      transaction.onerror = () => reject(new Error('an error event'));
    }).finally(() => database.close());
  },
});

/** Reads the highest number, then puts the next. */
const appendByReading: Break = (inner) => {
  const toPut = async (write: Write): Promise<Write> => {
    if (write.type !== 'append') return write;
    const last = (await inner.list(write.key)).at(-1);
    const number = (last ? (appendedNumberOf(last.key) ?? 0) : 0) + 1;
    return { type: 'put', key: appendedKey(write.key, number), value: write.value };
  };
  const commitEach: Store['commitEach'] = async (groups, options) =>
    inner.commitEach(await Promise.all(groups.map((writes) => Promise.all(writes.map(toPut)))), options);
  return {
    commitEach,
    commit: (writes, options) => commitAlone({ commitEach }, writes, options),
  };
};

/** Reads whatever there is. */
const unboundedLists: Break = (inner) => ({
  list: (prefix, options = {}) => {
    const { maxBytes: _, ...others } = options;
    return inner.list(prefix, others);
  },
});

const open = (name: string): Promise<Store> => openIndexedDbStore({ name });
const openFresh = (): Promise<Store> => open(`broken-${crypto.randomUUID()}`);

async function failedLaws(replace: Break): Promise<string[]> {
  const failed: string[] = [];
  const attempt = async (name: string, work: Promise<void>): Promise<void> => {
    await work.catch(() => failed.push(name));
  };
  for (const law of storeLaws) {
    // those take a second each and say nothing about commits
    if (law.name.includes('bounds')) continue;
    await attempt(
      law.name,
      law.check(async () => broken(await openFresh(), replace)),
    );
  }
  for (const law of faultLaws)
    await attempt(
      law.name,
      law.check(async (name) => broken(await open(name), replace)),
    );
  return failed;
}

const abortLaw = 'an abort at any step, the last one included, refuses the commit and leaves nothing';
const cases: readonly [string, Break, string[]][] = [
  [
    'compare and set',
    noCas,
    [
      'a write with the wrong revision is refused and says what is there',
      'racing writers lose no update',
      'concurrent commits are linearizable per key',
    ],
  ],
  ['atomicity', tornCommit, ['one conflict among many writes applies none of them', abortLaw]],
  [
    'waiting for complete',
    ackBeforeComplete,
    [abortLaw, 'a commit resolves only after its transaction is complete'],
  ],
  [
    'numbering in the transaction',
    appendByReading,
    [
      'concurrent appenders never share a number, and leave no gap',
      'a number is never given twice, even when what it was given to is gone',
    ],
  ],
  [
    'the bytes of a list',
    unboundedLists,
    ['a list keeps to the bytes that it was asked for, and says that there is more'],
  ],
  ['listening to abort', ignoresAbort, [abortLaw]],
];

describe('a store that breaks its promises is caught', () => {
  test('the same laws find no fault with a store that leaves out nothing', { timeout: 120_000 }, async () => {
    expect(await failedLaws(() => ({}))).toEqual([]);
  });

  test.each(cases)('leaving out %s', { timeout: 120_000 }, async (_, replace, expected) => {
    expect(await failedLaws(replace)).toEqual(expect.arrayContaining(expected));
  });
});
