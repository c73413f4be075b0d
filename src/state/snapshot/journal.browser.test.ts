import { describe, expect, test } from 'vitest';
import { toCodedError } from '../../base/index.ts';
import { describeFaults } from '../backend/fault.contract.ts';
import { openIndexedDbStore } from '../backend/indexeddb.ts';
import { describeStore } from '../contract/store.contract.ts';
import type { Store, Write } from '../store.ts';
import { withJournal } from './journal.ts';
import { stateAt } from './point-in-time.ts';
import { restoreTo } from './restore.ts';
import { exportSnapshot, importSnapshot } from './snapshot-file.ts';
import { takeSnapshot } from './snapshot.ts';

const open = async (name: string): Promise<Store> => withJournal(await openIndexedDbStore({ name }));

describeStore('a journaled indexeddb', () => open(`journaled-${crypto.randomUUID()}`));
describeFaults('a journaled indexeddb', open);

/** As 1,000 modules keep it: what is known of them, and four parameters. */
const modules = (round: number): readonly Write[] =>
  Array.from({ length: 1000 }, (_, module) =>
    Array.from({ length: 5 }, (_unused, part): Write => ({
      type: 'put',
      key: ['module', `m${module}`, part === 0 ? 'meta' : 'parameter', `p${part}`],
      value: {
        value: { text: `instruction ${module} of ${round} `.repeat(4), temperature: 0.5 + round },
        version: round,
      },
    })),
  ).flat();

describe('1,000 modules', () => {
  test('go into a snapshot, come back, and go to another store as a file', { timeout: 60_000 }, async () => {
    const store = await open(`modules-${crypto.randomUUID()}`);
    await store.commit(modules(0));
    const startMs = performance.now();
    const info = await takeSnapshot(store, 'good');
    const takenMs = performance.now();
    await store.commit(modules(1));
    const restartMs = performance.now();
    expect(await restoreTo(store, 'good')).toMatchObject({ puts: 5000, deletes: 0 });
    const restoredMs = performance.now();
    expect(info.keys).toBe(5000);
    // the figures are those of the bench; this only shows that nothing grows out of hand
    expect(takenMs - startMs).toBeLessThan(20_000);
    expect(restoredMs - restartMs).toBeLessThan(20_000);
    const other = await openIndexedDbStore({ name: `other-${crypto.randomUUID()}` });
    await importSnapshot(other, await exportSnapshot(store, 'good'));
    await restoreTo(other, 'good', { prefix: ['module'] });
    expect((await stateAt(other, 'good')).entries).toEqual((await stateAt(store, Date.now())).entries);
    await store.close();
    await other.close();
  });

  test('of two tabs are one history', async () => {
    const name = `tabs-${crypto.randomUUID()}`;
    const [left, right] = await Promise.all([open(name), open(name)]);
    const writes = Array.from({ length: 40 }, (_, index) =>
      (index % 2 === 0 ? left : right).commit([
        { type: 'put', key: ['k', String(index % 4)], value: index },
        { type: 'put', key: ['last'], value: index },
      ]),
    );
    await Promise.all(writes);
    const now = (await left.list([])).map(({ key, value }) => ({ key, value }));
    expect((await stateAt(right, Date.now() + 1000)).entries).toEqual(now);
    await left.close();
    await right.close();
  });

  test(
    'a restore comes through beside commits of another tab that never rest',
    { timeout: 60_000 },
    async () => {
      const name = `restless-${crypto.randomUUID()}`;
      const [left, right] = await Promise.all([open(name), open(name)]);
      const put = (key: readonly string[], value: number): Write => ({ type: 'put', key, value });
      await left.commit([put(['p', 'ruled'], 0)]);
      await takeSnapshot(left, 's', { prefixes: [['p']] });
      let isOver = false;
      let written = 0;
      const codes = new Set<string>();
      // each on the condition that what the restores undo is as it was read
      const writing = (async () => {
        while (!isOver) {
          const ruled = await right.get<number>(['p', 'ruled']);
          const expectedRevision = ruled?.revision ?? 0;
          const all: Write[] = [
            { ...put(['p', 'ruled'], (ruled?.value ?? 0) + 1), expectedRevision } as Write,
            put(['p', 'made', String(ruled?.value)], expectedRevision),
          ];
          // a restore may have been faster
          const code = await right.commit(all, { durability: 'relaxed' }).then(
            () => 'done',
            (error: unknown) => toCodedError(error, 'state/write-failed').code,
          );
          codes.add(code);
          if (code === 'done') written++;
        }
      })();
      for (let round = 0; round < 5; round++) {
        const before = written;
        await expect.poll(() => written, { interval: 5 }).toBeGreaterThan(before);
        await restoreTo(left, 's', { prefix: ['p'] });
      }
      isOver = true;
      await writing;
      expect([...codes].filter((code) => code !== 'state/conflict')).toEqual(['done']);
      // what was made goes from 0 without a gap up to what rules now: nothing of before a restore is left, and nothing is missing
      const made = (await left.list<number>(['p', 'made'])).map(({ key }) => Number(key.at(-1)));
      const ruled = (await left.get<number>(['p', 'ruled']))?.value ?? 0;
      expect(made.toSorted((a, b) => a - b)).toEqual(Array.from({ length: ruled }, (_, index) => index));
      await left.close();
      await right.close();
    },
  );
});
