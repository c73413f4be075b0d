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
const takenOneByOne = 200;
const restoredOneByOne = 25;

interface Scene {
  readonly bench: Bench;
  readonly store: Store;
  readonly modules: number;
  readonly kind: string;
  /** What the platform needs at the least: one read of all records and a strict write of their copy. */
  readonly bareTaking: () => Promise<unknown>;
  /** One read of that copy and a strict write of all records. */
  readonly bareRestoring: () => Promise<unknown>;
}

async function takeAll({ store, modules, bench }: Scene, name: string): Promise<readonly string[]> {
  if (!bench.sabotage) {
    await takeSnapshot(store, name);
    return [name];
  }
  const names: string[] = [];
  for (const { key } of allEntries(Math.min(modules, takenOneByOne), 0)) {
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
    allEntries(Math.min(modules, restoredOneByOne), 0).map(({ key }) => [key[1], key.slice(0, 2)]),
  );
  for (const prefix of prefixes.values()) await restoreTo(store, name, { prefix });
}

async function benchTaking(scene: Scene): Promise<void> {
  const { bench, store, modules, kind } = scene;
  const [ours, bare]: [number[], number[]] = [[], []];
  for (let round = -1; round < bench.rounds; round++) {
    let names: readonly string[] = [];
    const ms = await timed(async () => (names = await takeAll(scene, `round-${round}`)));
    const bareMs = await timed(scene.bareTaking);
    for (const name of names) await deleteSnapshot(store, name);
    if (round < 0) continue;
    ours.push(ms);
    bare.push(bareMs);
  }
  reportBoth(bench, `snapshot of ${modules} modules with 5 keys each${kind}`, { ours, bare });
}

async function benchRestoring(scene: Scene): Promise<void> {
  const { bench, store, modules, kind } = scene;
  await takeSnapshot(store, 'restored');
  const [ours, bare]: [number[], number[]] = [[], []];
  for (let round = -1; round < bench.rounds; round++) {
    await putEntries(store, allEntries(modules, round + 2));
    const ms = await timed(() => restoreAll(scene, 'restored'));
    const bareMs = await timed(scene.bareRestoring);
    if (round < 0) continue;
    ours.push(ms);
    bare.push(bareMs);
  }
  await deleteSnapshot(store, 'restored');
  const name = `restore of ${modules} modules, every key of which has changed${kind}`;
  reportBoth(bench, name, { ours, bare });
}

function reportBoth(
  bench: Bench,
  name: string,
  { ours, bare }: { readonly ours: readonly number[]; readonly bare: readonly number[] },
): void {
  reportTimes(bench, { name, goalMs }, ours);
  bench.report({
    name: `${name}, beside bare idb`,
    ours: median(ours),
    beside: median(bare),
    unit: 'ms',
  });
}

type Bare = Pick<Scene, 'bareTaking' | 'bareRestoring'>;

async function openBare(database: IDBPDatabase, modules: number): Promise<Bare> {
  const records = allEntries(modules, 0).map(({ key, value }) => rawRecord(key.join('/'), value));
  await rawPut(database, records, 'relaxed');
  return {
    async bareTaking() {
      const all: unknown = await database.getAll('raw', IDBKeyRange.lowerBound('module'));
      await rawPut(database, [rawRecord('copy', all)], 'strict');
    },
    async bareRestoring() {
      await database.get('raw', 'copy');
      await rawPut(database, records, 'strict');
    },
  };
}

export async function benchSnapshots(bench: Bench): Promise<void> {
  const modules = bench.isSmall ? 40 : 1000;
  await withDatabases(async (store, database) => {
    await putEntries(store, allEntries(modules, 0));
    const bare = await openBare(database, modules);
    const plain: Scene = { bench, store, modules, kind: '', ...bare };
    await benchTaking(plain);
    await benchRestoring(plain);
    const journaled: Scene = { ...plain, store: await withJournal(store), kind: ', journaled' };
    await benchTaking(journaled);
    await benchRestoring(journaled);
  });
}
