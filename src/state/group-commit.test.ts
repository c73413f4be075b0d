import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CodedError } from '../base/index.ts';
import { createMemoryStore } from './backend/memory.ts';
import { withJournal } from './snapshot/journal.ts';
import { createGroupCommitter } from './group-commit.ts';
import type { CommitOptions, Durability, GroupOutcome, Store, Write } from './store.ts';

interface Gate {
  readonly store: Store;
  readonly inner: Store;
  /** Sizes and durabilities of the transactions so far. */
  readonly batches: { readonly size: number; readonly durability: Durability | undefined }[];
  /** Lets the transactions through, or makes each wait. */
  open(): void;
  failNext(error: unknown): void;
}

/** A store whose transactions wait until they are let through. */
function gated(inner: Store = createMemoryStore()): Gate {
  const batches: Gate['batches'] = [];
  const failures: unknown[] = [];
  let release: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => (release = resolve));
  const commitEach = async (
    groups: readonly (readonly Write[])[],
    options?: CommitOptions,
  ): Promise<readonly GroupOutcome[]> => {
    batches.push({ size: groups.length, durability: options?.durability });
    await opened;
    const failure = failures.shift();
    if (failure !== undefined) throw failure;
    return inner.commitEach(groups, options);
  };
  const store = new Proxy(inner, {
    get: (target, property) => {
      if (property === 'commitEach') return commitEach;
      const member: unknown = Reflect.get(target, property);
      return typeof member === 'function' ? (member.bind(target) as unknown) : member;
    },
  });
  return { store, inner, batches, open: () => release(), failNext: (error) => failures.push(error) };
}

const put = (name: string, value: unknown, expectedRevision?: number): Write[] => [
  { type: 'put', key: [name], value, ...(expectedRevision === undefined ? {} : { expectedRevision }) },
];
const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));
const coded = (code: string): unknown => expect.objectContaining({ code });

describe('group commit', () => {
  test('commits asked for in one turn share a transaction; those asked for meanwhile share the next', async () => {
    const gate = gated();
    const committer = createGroupCommitter(gate.store);
    const first = Array.from({ length: 5 }, (_, index) =>
      committer.commit(put(`a${index}`, index), 'relaxed'),
    );
    await settle();
    const second = Array.from({ length: 7 }, (_, index) =>
      committer.commit(put(`b${index}`, index), index === 3 ? 'strict' : 'relaxed'),
    );
    await settle();
    gate.open();
    await Promise.all([...first, ...second]);
    expect(gate.batches).toEqual([
      { size: 5, durability: 'relaxed' },
      { size: 7, durability: 'strict' },
    ]);
    expect((await gate.inner.list([])).length).toBe(12);
  });

  test('nothing is acknowledged before its transaction is', async () => {
    const gate = gated();
    const committer = createGroupCommitter(gate.store);
    let acknowledged = 0;
    const pending = [1, 2, 3].map((value) => committer.commit(put('k', value)).then(() => acknowledged++));
    await settle();
    expect(acknowledged).toBe(0);
    gate.open();
    await Promise.all(pending);
    expect(acknowledged).toBe(3);
  });

  test('order holds, within a batch and across batches', async () => {
    const gate = gated();
    gate.open();
    const committer = createGroupCommitter(gate.store, { maxBatchWrites: 3 });
    const outcomes = await Promise.all(
      Array.from({ length: 10 }, (_, index) => committer.commit(put('k', index))),
    );
    expect(outcomes.map(([one]) => one?.revision)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(gate.batches.map(({ size }) => size)).toEqual([3, 3, 3, 1]);
    expect((await gate.inner.get(['k']))?.value).toBe(9);
  });

  test('conflicts fail exactly the writers they belong to, as one after the other would', async () => {
    const commit = fc.record({
      name: fc.constantFrom('a', 'b'),
      expected: fc.option(fc.integer({ min: 0, max: 4 }), { nil: undefined }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(commit, { minLength: 1, maxLength: 20 }), async (commits) => {
        const [together, alone] = [createMemoryStore(), createMemoryStore()];
        const committer = createGroupCommitter(together, { maxBatchWrites: 6 });
        const endOf = (work: Promise<readonly { readonly revision: number }[]>): Promise<unknown> =>
          work.then(
            ([one]) => one?.revision,
            (error: unknown) => (error as CodedError).fields,
          );
        const grouped = await Promise.all(
          commits.map(({ name, expected }, index) => endOf(committer.commit(put(name, index, expected)))),
        );
        const single: unknown[] = [];
        for (const [index, { name, expected }] of commits.entries())
          single.push(await endOf(alone.commit(put(name, index, expected))));
        expect(grouped).toEqual(single);
        const values = async (store: Store): Promise<unknown> =>
          (await store.list([])).map(({ key, value, revision }) => [key, value, revision]);
        expect(await values(together)).toEqual(await values(alone));
      }),
    );
  });

  test('a value that does not fit fails alone; its neighbours are written, in order', async () => {
    const inner = createMemoryStore({ quotaBytes: 10_000 });
    const committer = createGroupCommitter(inner);
    const ends = await Promise.allSettled(
      Array.from({ length: 20 }, (_, index) =>
        committer.commit(put(`${index}`, index === 13 ? 'x'.repeat(9000) : index)),
      ),
    );
    expect(ends.flatMap(({ status }, index) => (status === 'rejected' ? [index] : []))).toEqual([13]);
    expect(ends[13]).toMatchObject({ reason: { code: 'state/quota-exceeded' } });
    expect((await inner.list([])).length).toBe(19);
  });

  test('a failed transaction fails all its writers and no later one', async () => {
    const gate = gated();
    const committer = createGroupCommitter(gate.store);
    gate.failNext(new CodedError('state/write-failed', 'the engine failed'));
    const first = Promise.allSettled([committer.commit(put('a', 1)), committer.commit(put('b', 1))]);
    await settle();
    const later = committer.commit(put('c', 1));
    gate.open();
    expect(await first).toMatchObject([
      { reason: { code: 'state/write-failed' } },
      { reason: { code: 'state/write-failed' } },
    ]);
    await later;
    expect((await gate.inner.list([])).map(({ key }) => key)).toEqual([['c']]);
  });

  test('the queue is bounded, in commits and in bytes, and drains', async () => {
    for (const options of [{ maxWaitingCommits: 2 }, { maxWaitingBytes: 2500 }]) {
      const gate = gated();
      const committer = createGroupCommitter(gate.store, options);
      const running = committer.commit(put('running', 1));
      await settle();
      const waiting = [
        committer.commit(put('a', 'x'.repeat(500))),
        committer.commit(put('b', 'x'.repeat(500))),
      ];
      await expect(committer.commit(put('c', 'x'.repeat(500)))).rejects.toThrow(
        coded('state/queue-full') as Error,
      );
      gate.open();
      await Promise.all([running, ...waiting]);
      await committer.commit(put('c', 'x'.repeat(500)));
      expect((await gate.inner.list([])).length).toBe(4);
    }
  });

  test('bad input is refused at once and touches nobody else', async () => {
    const committer = createGroupCommitter(createMemoryStore());
    const good = committer.commit(put('good', 1));
    await expect(committer.commit(put('', 1))).rejects.toThrow(coded('state/key-invalid') as Error);
    await expect(committer.commit(put('f', () => 1))).rejects.toThrow(coded('state/not-cloneable') as Error);
    await expect(committer.commit(put('l', new Uint8Array(17 * 2 ** 20)))).rejects.toThrow(
      coded('state/value-too-large') as Error,
    );
    expect(await good).toMatchObject([{ revision: 1 }]);
  });

  test('what another store refuses of one commit, or of all together, fails no neighbour', async () => {
    const inner = createMemoryStore({ limits: { maxCommitBytes: 50_000 } });
    const committer = createGroupCommitter(await withJournal(inner));
    const commits = [put('a', 1), put('blob', new Blob(['x'])), put('b', 2)];
    expect(await Promise.allSettled(commits.map((writes) => committer.commit(writes)))).toMatchObject([
      { status: 'fulfilled' },
      { status: 'rejected', reason: { code: 'state/not-encodable' } },
      { status: 'fulfilled' },
    ]);
    const large = ['d', 'e', 'f', 'g'].map((key) => committer.commit(put(key, 'x'.repeat(10_000))));
    expect(await Promise.all(large)).toHaveLength(4);
  });

  test('what changes while it waits is not stored', async () => {
    const gate = gated();
    const committer = createGroupCommitter(gate.store);
    const value = [1];
    const committing = committer.commit(put('k', value));
    value.push(2);
    gate.open();
    await committing;
    expect((await gate.inner.get(['k']))?.value).toEqual([1]);
  });

  test('a waiting commit can be withdrawn; one under way ends with its transaction', async () => {
    const gate = gated();
    const committer = createGroupCommitter(gate.store);
    const controller = new AbortController();
    const { signal } = controller;
    const underWay = committer.commit(put('a', 1), 'strict', { signal });
    await settle();
    const waiting = committer.commit(put('b', 1), 'strict', { signal });
    controller.abort();
    await expect(waiting).rejects.toThrow(coded('port/cancelled') as Error);
    await expect(committer.commit(put('c', 1), 'strict', { signal })).rejects.toThrow(
      coded('port/cancelled') as Error,
    );
    gate.open();
    await underWay;
    expect((await gate.inner.list([])).map(({ key }) => key)).toEqual([['a']]);
  });

  test('close waits for what was asked for and refuses more', async () => {
    const gate = gated();
    const committer = createGroupCommitter(gate.store);
    const committing = committer.commit(put('a', 1));
    let isClosed = false;
    const closing = committer.close().then(() => (isClosed = true));
    await settle();
    expect(isClosed).toBe(false);
    await expect(committer.commit(put('b', 1))).rejects.toThrow(coded('state/closed') as Error);
    gate.open();
    await Promise.all([committing, closing]);
  });
});
