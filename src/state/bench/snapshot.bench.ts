/** Snapshots of many modules, and going back to one, plain and journaled, beside a bare copy of the same records. */
import type { IDBPDatabase } from 'idb';
import { withJournal } from '../snapshot/journal.ts';
import { restoreTo } from '../snapshot/restore.ts';
import { deleteSnapshot, takeSnapshot } from '../snapshot/snapshot.ts';
import type { Store } from '../store.ts';
import { median, rawPut, rawRecord, reportTimes, timed, withDatabases } from './measure.bench.ts';
import type { Bench } from './measure.bench.ts';
import { allEntries, putEntries } from './modules.bench.ts';

const goalMs = 1000;
/** Sabotaged, modules are snapshotted and restored one by one; so many are enough to be too slow. */
const oneByOne = 200;

interface Scene {
  readonly bench: Bench;
  readonly store: Store;
  readonly modules: number;
  readonly kind: string;
}

async function takeAll({ store, modules, bench }: Scene, name: string): Promise<readonly string[]> {
  if (!bench.sabotage) {
    await takeSnapshot(store, name);
    return [name];
  }
  const names: string[] = [];
  for (const { key } of allEntries(Math.min(modules, oneByOne), 0)) {
    const each = `${name}-${key[1]}`;
    if (names.includes(each)) continue;
    await takeSnapshot(store, each, { prefixes: [key.slice(0, 2)] });
    names.push(each);
  }
  return names;
}

async function restoreAll({ store, modules, bench }: Scene, name: string): Promise<void> {
  if (!bench.sabotage) return void (await restoreTo(store, name));
  const prefixes = new Map(
    allEntries(Math.min(modules, oneByOne), 0).map(({ key }) => [key[1], key.slice(0, 2)]),
  );
  for (const prefix of prefixes.values()) await restoreTo(store, name, { prefix });
}

async function benchTaking(scene: Scene): Promise<void> {
  const { bench, store, modules, kind } = scene;
  const times: number[] = [];
  for (let round = -1; round < bench.rounds; round++) {
    let names: readonly string[] = [];
    const ms = await timed(async () => (names = await takeAll(scene, `round-${round}`)));
    if (round >= 0) times.push(ms);
    for (const name of names) await deleteSnapshot(store, name);
  }
  reportTimes(bench, { name: `snapshot of ${modules} modules with 5 keys each${kind}`, goalMs }, times);
}

async function benchRestoring(scene: Scene): Promise<void> {
  const { bench, store, modules, kind } = scene;
  await takeSnapshot(store, 'restored');
  const times: number[] = [];
  for (let round = -1; round < bench.rounds; round++) {
    await putEntries(store, allEntries(modules, round + 2));
    const ms = await timed(() => restoreAll(scene, 'restored'));
    if (round >= 0) times.push(ms);
  }
  await deleteSnapshot(store, 'restored');
  const name = `restore of ${modules} modules, every key of which has changed${kind}`;
  reportTimes(bench, { name, goalMs }, times);
}

/** What the platform needs at the least: one read of all records and one strict write of their copy, or of them all. */
async function benchBare(bench: Bench, database: IDBPDatabase, modules: number): Promise<void> {
  const records = allEntries(modules, 0).map(({ key, value }) => rawRecord(key.join('/'), value));
  await rawPut(database, records, 'relaxed');
  const [copying, putting]: [number[], number[]] = [[], []];
  for (let round = 0; round < bench.rounds; round++) {
    copying.push(
      await timed(async () => {
        const all: unknown = await database.getAll('raw', IDBKeyRange.lowerBound('module'));
        await rawPut(database, [rawRecord('copy', all)], 'strict');
      }),
    );
    putting.push(
      await timed(async () => {
        await database.get('raw', 'copy');
        await rawPut(database, records, 'strict');
      }),
    );
  }
  bench.report({ name: 'the same records read and put as one, bare idb', ours: median(copying), unit: 'ms' });
  bench.report({ name: 'that one read and the records put, bare idb', ours: median(putting), unit: 'ms' });
}

export async function benchSnapshots(bench: Bench): Promise<void> {
  const modules = bench.isSmall ? 40 : 1000;
  await withDatabases(async (store, database) => {
    await putEntries(store, allEntries(modules, 0));
    const plain: Scene = { bench, store, modules, kind: '' };
    await benchTaking(plain);
    await benchRestoring(plain);
    await benchBare(bench, database, modules);
    const journaled: Scene = { ...plain, store: await withJournal(store), kind: ', journaled' };
    await benchTaking(journaled);
    await benchRestoring(journaled);
  });
}
